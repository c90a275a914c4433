#!/bin/sh
#SBATCH --job-name=audiostretchy-merge
# Merges the reports of all tasks: sbatch --dependency=afterany:ARRAY merge.sh OUTPUT
audiostretchy report merge "$1" -o "$1/all.json" &&
    audiostretchy report html "$1/all.json"

#!/bin/sh
#SBATCH --job-name=audiostretchy
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=TERM@30
# One task of an array of 64, indexed from 0: sbatch --array=0-63 slurm.sh INPUT OUTPUT [OPTION...]
exec audiostretchy "$@" --partition "auto/${PARTITIONS:-64}" \
    --jobs "${SLURM_CPUS_PER_TASK:-1}" --stop-grace 20s --wait-lock 10m

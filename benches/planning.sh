#!/bin/sh
# How long one of many partitions plans over a million names, and how much memory that takes: with a
# walk of the tree, and with a list of the files, which is all that is read then.
#
#     cargo build --release && benches/planning.sh [FILES] [PROGRAM]
#
# Needs GNU time. The empty files are made below TMPDIR, best in memory (TMPDIR=/dev/shm).
set -eu

files=${1:-1000000}
program=$(realpath "${2:-target/release/audiostretchy}")
per_folder=1000

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir in
awk -v files="$files" -v per="$per_folder" 'BEGIN {
    for (i = 0; i < files; i++) printf "folder-%04d/recording-%06d.wav\n", i / per, i
}' >names
sed 's|/[^/]*$||' names | uniq | (cd in && xargs mkdir -p)
(cd in && xargs touch) <names
sed 's|^|in/|' names >list

echo "$files files, $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg)"
measure() {
    echo "-- $1"
    shift
    /usr/bin/time -f '%e s, %U s user, %S s system, %M kB' \
        "$program" "$@" out --speed 1.5 --partition 3/64 --dry-run >plan 2>run.log || true
    grep -v 'exited with' run.log
}
measure 'the tree is walked' in
measure 'a list tells the files' --files-from list

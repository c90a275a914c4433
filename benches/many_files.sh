#!/bin/sh
# How long a run takes over a folder of many files that are nearly all up to date, and how much
# memory: it must stay under 3 s and 200 MB for 100,000 files on 2 processors.
#
#     cargo build --release && benches/many_files.sh [FILES] [PROGRAM]
#
# Needs GNU time. The folder is made below TMPDIR; the first run, which stretches everything, takes
# a minute or two where the disk is slow to sync (TMPDIR=/dev/shm is not).
set -eu

files=${1:-100000}
program=${2:-target/release/audiostretchy}
program=$(realpath "$program")
per_folder=1000
touched=10

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# A WAV file of 8 kHz, mono, 16 bits with one frame.
printf 'RIFF\046\000\000\000WAVEfmt \020\000\000\000\001\000\001\000\100\037\000\000\200\076\000\000\002\000\020\000data\002\000\000\000\000\000' >one.wav
awk -v files="$files" -v per="$per_folder" 'BEGIN {
    for (i = 0; i < files; i++) printf "in/folder-%04d/recording-%06d.wav\n", i / per, i
}' >names
sed 's|/[^/]*$||' names | uniq | xargs mkdir -p
xargs -n 2000 sh -c 'tee "$@" <one.wav >/dev/null' tee <names

echo "$files files, $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg)"
measure() {
    echo "-- $1"
    shift
    /usr/bin/time -f '%e s, %U s user, %S s system, %M kB' "$program" "$@" 2>run.log || true
    grep -v "^\[" run.log
}
measure 'first run: everything is converted' in out --ratio 1
measure 'second run: everything is up to date' in out --ratio 1
head -n "$touched" names | xargs touch -d '2001-01-01'
measure "third run: $touched files are out of date" in out --ratio 1

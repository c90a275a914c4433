#!/usr/bin/env bash
# audiostretchy and other programs on the same work, in turn; prints a table for the README.
#
#     cargo build --release && benches/peers.sh [ROUNDS] [PROGRAM]
#
# Needs the programs themselves; on Debian: apt-get install espeak-ng ffmpeg lame parallel \
# rubberband-cli sonic soundstretch sox time. Takes about ten minutes and 12 GB below TMPDIR on
# 2 processors. Ratios are taken within a round; the table gives their median and range.
set -euo pipefail

rounds=${1:-5}
program=$(realpath "${2:-target/release/audiostretchy}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir times

# --- The material -------------------------------------------------------------------------------

quietly() { "$@" >/dev/null 2>&1; }

# Ten minutes of speech, mono, and of music, stereo: 16 bits at 44.1 kHz.
text='The batch walks the folder and hands each file to a worker. Silence is short, speech is not;
every word must arrive, at one and a half times the speed, and at the pitch it was spoken at.'
espeak-ng -w spoken.wav "$text" 2>/dev/null
quietly sox spoken.wav -r 44100 -c 1 -b 16 speech.wav gain -n -3 repeat 60 trim 0 600
bar=()
for chord in 'A2 E3 A3' 'F2 C3 A3' 'C3 G3 E4' 'G2 D3 B3'; do
    read -r low middle high <<<"$chord"
    for note in "$low $high" "$middle $high" "$low $middle" "$high $low"; do
        read -r left right <<<"$note"
        quietly sox -n -r 44100 -c 2 -b 16 "note-${#bar[@]}.wav" synth 0.5 pluck "$left" pluck "$right"
        bar+=("note-${#bar[@]}.wav")
    done
done
quietly sox "${bar[@]}" bar.wav
quietly sox -n -r 44100 -c 2 -b 16 drums.wav synth 8 pinknoise gain -24
quietly sox -m bar.wav drums.wav music.wav gain -n -3 repeat 74 trim 0 600

mkdir podcasts equal tiny
for number in $(seq 24); do
    quietly sox speech.wav part.wav trim $((number * 20)) 80
    quietly lame -b 64 part.wav "podcasts/$number.mp3"
done
for number in $(seq 40); do
    quietly sox music.wav "equal/$number.wav" trim 60 20
done
quietly sox music.wav one.wav trim 60 0.1
for number in $(seq 10000); do cp one.wav "tiny/$number.wav"; done
quietly sox music.wav three-hours.wav remix 1,2 repeat 17
quietly lame -b 64 three-hours.wav three-hours.mp3
rm three-hours.wav

# --- Measuring ----------------------------------------------------------------------------------

# measure NAME COMMAND...: adds a line to times/NAME: seconds of processors and of the clock, kB.
measure() {
    local name=$1
    shift
    if ! /usr/bin/time -q -a -o "times/$name" -f '%U %S %e %M' "$@" >log 2>&1; then
        echo "$name failed: $*" >&2
        cat log >&2
        exit 1
    fi
    rm -rf out
}
stretch() { measure "$1" "$program" --quiet --speed 1.5 "${@:2}"; }

for _ in $(seq "$rounds"); do
    for work in speech music; do
        stretch "$work-fast" --fast-detection "$work.wav" out.wav --if-exists overwrite
        stretch "$work-normal" --normal-detection "$work.wav" out.wav --if-exists overwrite
        measure "$work-soundstretch" soundstretch "$work.wav" out.wav -tempo=+50
        measure "$work-ffmpeg" ffmpeg -y -loglevel error -i "$work.wav" -af atempo=1.5 out.wav
        measure "$work-sonic" sonic -s 1.5 "$work.wav" out.wav
        measure "$work-sox" sox "$work.wav" out.wav tempo 1.5
        measure "$work-rubberband" rubberband -q --tempo 1.5 "$work.wav" out.wav
    done

    stretch podcasts-ours -j 2 podcasts out
    "$program" --quiet --speed 1.5 podcasts faster --format wav --bit-depth 16
    mkdir out
    measure podcasts-ffmpeg parallel -j 2 \
        ffmpeg -loglevel error -i '{}' -af atempo=1.5 -b:a 64k 'out/{/}' ::: podcasts/*.mp3
    measure podcasts-lame sh -c 'for file in faster/*.wav; do lame --quiet -b 64 $file out.mp3; done'
    rm -rf faster

    stretch long-1 -j 1 three-hours.mp3 out.mp3 --if-exists overwrite
    stretch long-2 -j 2 three-hours.mp3 out.mp3 --if-exists overwrite
    stretch equal-1 -j 1 equal out --format mp3
    stretch equal-2 -j 2 equal out --format mp3
    stretch tiny-ours tiny out
done

quietly sox music.wav ten-hours-1.wav remix 1 repeat 59
ln ten-hours-1.wav ten-hours-2.wav
mkdir long-files
mv ten-hours-*.wav long-files
stretch memory -j 2 long-files out

# --- The table ----------------------------------------------------------------------------------

# median, least and greatest of the lines of a file of numbers, joined by $1.
summary() { sort -g | awk '{v[NR] = $1} END {printf "%s (%s to %s)", v[int((NR + 1) / 2)], v[1], v[NR]}'; }
column() { case $1 in processors) echo '$1 + $2' ;; clock) echo '$3' ;; esac; }
seconds() { awk "{printf \"%.2f\n\", $(column "$2")}" "times/$1" | summary; }

# row WORK MEASURE OURS PEER...: one line of the table for each peer.
row() {
    local work=$1 measure=$2 ours=$3 peer
    shift 3
    for peer in "$@"; do
        local ratios
        ratios=$(paste -d' ' <(awk "{print $(column "$measure")}" "times/$peer") \
            <(awk "{print $(column "$measure")}" "times/$ours") |
            awk '{printf "%.2f\n", $1 / $2}' | summary)
        echo "| $work | $measure | ${ours#*-} $(seconds "$ours" "$measure") s |" \
            "${peer#*-} $(seconds "$peer" "$measure") s | $ratios |"
    done
}

echo
echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) processors," \
    "$rounds rounds, load $(cut -d' ' -f1-3 /proc/loadavg); $("$program" --version)," \
    "$(dpkg-query -W -f '${Package} ${Version}, ' ffmpeg lame rubberband-cli sonic soundstretch sox)"
echo
echo '| work | seconds of | audiostretchy | other | other / audiostretchy |'
echo '| --- | --- | --- | --- | --- |'
for work in speech music; do
    channels=$([ $work = speech ] && echo mono || echo stereo)
    row "10 min of $work, WAV, $channels" processors $work-fast \
        $work-soundstretch $work-ffmpeg $work-sonic $work-sox $work-rubberband
    row "10 min of $work, WAV, $channels" processors $work-normal $work-soundstretch
done
row '24 MP3s of 80 s to MP3' clock podcasts-ours podcasts-ffmpeg
row '24 MP3s of 80 s to MP3' processors podcasts-ours podcasts-ffmpeg podcasts-lame
row 'one MP3 of 3 h to MP3, 2 jobs to 1' clock long-2 long-1
row '40 WAVs of 20 s to MP3, 2 jobs to 1' clock equal-2 equal-1
echo
awk '{printf "%.2f\n", ($1 + $2) / 10}' times/tiny-ours | summary |
    sed 's/.*/10,000 WAVs of 0.1 s: & ms of processor time a file/'
echo
awk '{printf "Two WAVs of 10 h at a time: at most %.1f MB\n", $4 / 1024}' times/memory

#!/usr/bin/env bash
# Runs audiostretchy and other programs by turns on the same work; prints a table for docs/speed.md.
#
#     cargo build --release && benches/peers.sh [ROUNDS [WORK...]]
#
# WORK is any of speech, music, adaptive, podcasts, long, equal, tiny, memory; all of them if none is named.
# Needs the programs themselves; on Debian: apt-get install espeak-ng ffmpeg lame parallel \
# rubberband-cli sonic soundstretch sox time. All takes about a quarter of an hour and 10 GB below
# TMPDIR on 2 processors. Ratios are taken within a round; the table gives median and range.
set -euo pipefail

rounds=${1:-5}
shift || true
works=${*:-speech music adaptive podcasts long equal tiny memory}
program=$(realpath "${AUDIOSTRETCHY:-target/release/audiostretchy}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir times

asked_for() { [[ " $works " == *" $1 "* ]]; }
quietly() { "$@" >/dev/null 2>&1; }

# --- Ten minutes of speech, mono, and of music, stereo: 16 bits at 44.1 kHz ----------------------

text='The batch walks the folder and hands each file to a worker. Silence is short, speech is not;
every word must arrive, at one and a half times the speed, and at the pitch it was spoken at.'
espeak-ng -w spoken.wav "$text" 2>/dev/null
quietly sox spoken.wav -r 44100 -c 1 -b 16 speech.wav gain -n -3 repeat 60 trim 0 600
bar=()
for chord in 'A2 E3 A3' 'F2 C3 A3' 'C3 G3 E4' 'G2 D3 B3'; do
    read -r low middle high <<<"$chord"
    for note in "$low $high" "$middle $high" "$low $middle" "$high $low"; do
        read -r left right <<<"$note"
        file=note-${#bar[@]}.wav
        quietly sox -n -r 44100 -c 2 -b 16 "$file" synth 0.5 pluck "$left" pluck "$right"
        bar+=("$file")
    done
done
quietly sox "${bar[@]}" bar.wav
quietly sox -n -r 44100 -c 2 -b 16 drums.wav synth 8 pinknoise gain -24
quietly sox -m bar.wav drums.wav music.wav gain -n -3 repeat 74 trim 0 600

# --- Measuring -----------------------------------------------------------------------------------

# measure NAME COMMAND...: adds a line to times/NAME: user and system seconds, those of the clock,
# and kB of memory.
measure() {
    local name=$1
    shift
    if ! /usr/bin/time -q -a -o "times/$name" -f '%U %S %e %M' "$@" >log 2>&1; then
        echo "$name failed: $*" >&2
        cat log >&2
        exit 1
    fi
    rm -rf out out.wav out.mp3
}
stretch() { measure "$1" "$program" --quiet --speed 1.5 "${@:2}"; }

# table WORK MEASURE OURS PEER...: one line of the table for each peer.
column() { if [ "$1" = clock ]; then echo '$3'; else echo '$1 + $2'; fi; }
summary() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)] " (" v[1] " to " v[NR] ")"}'; }
seconds() { awk "{printf \"%.2f\n\", $(column "$2")}" "times/$1" | summary; }
table() {
    local work=$1 measure=$2 ours=$3 peer
    shift 3
    for peer in "$@"; do
        echo "| $work | $measure | ${ours#*-} $(seconds "$ours" "$measure") |" \
            "${peer#*-} $(seconds "$peer" "$measure") |" \
            "$(paste -d' ' <(awk "{print $(column "$measure")}" "times/$peer") \
                <(awk "{print $(column "$measure")}" "times/$ours") |
                awk '{printf "%.2f\n", $1 / $2}' | summary) |"
    done
}

echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) processors," \
    "$rounds rounds; $("$program" --version)," \
    "$(dpkg-query -W -f '${Package} ${Version}, ' ffmpeg lame rubberband-cli sonic soundstretch sox)" \
    "load $(cut -d' ' -f1-3 /proc/loadavg)"
echo
echo '| work | seconds of | audiostretchy | other | other / audiostretchy |'
echo '| --- | --- | --- | --- | --- |'

for work in speech music; do
    asked_for $work || continue
    peers=(soundstretch ffmpeg sonic)
    [ $work = speech ] && peers+=(sox rubberband)
    for _ in $(seq "$rounds"); do
        stretch $work-fast --fast-detection $work.wav out.wav
        stretch $work-normal --normal-detection $work.wav out.wav
        measure $work-soundstretch soundstretch $work.wav out.wav -tempo=+50
        measure $work-ffmpeg ffmpeg -loglevel error -i $work.wav -af atempo=1.5 out.wav
        measure $work-sonic sonic -s 1.5 $work.wav out.wav
        [ $work = speech ] || continue
        measure $work-sox sox $work.wav out.wav tempo 1.5
        measure $work-rubberband rubberband -q --tempo 1.5 $work.wav out.wav
    done
    table "10 min of $work, WAV" processors $work-fast "${peers[@]/#/$work-}"
    table "10 min of $work, WAV" processors $work-normal $work-soundstretch
done

if asked_for adaptive; then
    quietly sox music.wav mono.wav remix 1,2
    for work in speech mono music; do
        quietly sox $work.wav short.wav trim 60 120
        for _ in $(seq "$rounds"); do
            stretch adaptive-$work-ours -j 1 --engine adaptive short.wav out.wav
            measure adaptive-$work-soundstretch soundstretch short.wav out.wav -tempo=+50
            measure adaptive-$work-ffmpeg ffmpeg -loglevel error -i short.wav -af atempo=1.5 out.wav
            measure "adaptive-$work-rubberband -3" rubberband -3 -q --tempo 1.5 short.wav out.wav
        done
        channels=$(soxi -c short.wav)
        table "2 min of $work, $channels ch" processors adaptive-$work-ours \
            adaptive-$work-soundstretch adaptive-$work-ffmpeg "adaptive-$work-rubberband -3"
    done
fi

if asked_for podcasts; then
    mkdir podcasts
    for number in $(seq 24); do
        quietly sox speech.wav part.wav trim $((number * 20)) 80
        quietly lame -b 64 part.wav "podcasts/$number.mp3"
    done
    "$program" --quiet --speed 1.5 podcasts faster --format wav --bit-depth 16
    for _ in $(seq "$rounds"); do
        stretch podcasts-ours -j 2 podcasts out
        mkdir out
        measure podcasts-ffmpeg parallel -j 2 \
            ffmpeg -loglevel error -i '{}' -af atempo=1.5 -b:a 64k 'out/{/}' ::: podcasts/*.mp3
        measure podcasts-lame sh -c \
            'for file in faster/*.wav; do lame --quiet -b 64 "$file" out.mp3; done'
    done
    table '24 MP3s of 80 s to MP3, 2 jobs' clock podcasts-ours podcasts-ffmpeg
    table '24 MP3s of 80 s to MP3, 2 jobs' processors podcasts-ours podcasts-ffmpeg podcasts-lame
fi

if asked_for long; then
    quietly sox speech.wav -r 22050 long.wav repeat 17
    quietly lame -b 48 long.wav long.mp3
    rm long.wav
    for _ in $(seq "$rounds"); do
        for jobs in 1 2; do stretch "long-$jobs job" -j $jobs long.mp3 out.mp3; done
    done
    table 'one MP3 of 3 h to MP3' clock 'long-2 job' 'long-1 job'
fi

if asked_for equal; then
    mkdir equal
    for number in $(seq 40); do quietly sox music.wav "equal/$number.wav" trim 60 10; done
    for _ in $(seq "$rounds"); do
        for jobs in 1 2; do stretch "equal-$jobs job" -j $jobs equal out --format mp3; done
    done
    table '40 WAVs of 10 s to MP3' clock 'equal-2 job' 'equal-1 job'
fi

if asked_for tiny; then
    mkdir tiny
    quietly sox music.wav one.wav trim 60 0.1
    for number in $(seq 10000); do cp one.wav "tiny/$number.wav"; done
    for _ in $(seq "$rounds"); do stretch tiny-ours tiny out; done
    echo
    echo "10,000 WAVs of 0.1 s:" \
        "$(awk '{printf "%.2f\n", ($1 + $2) / 10}' times/tiny-ours | summary) ms of processor a file"
fi

if asked_for memory; then
    mkdir ten-hours
    quietly sox music.wav ten-hours/1.wav remix 1 repeat 59
    ln ten-hours/1.wav ten-hours/2.wav
    stretch memory-ours -j 2 ten-hours out
    echo
    awk '{printf "Two WAVs of 10 h at a time: at most %.1f MB of memory\n", $4 / 1024}' times/memory-ours
fi

#!/usr/bin/env bash
# Fuzzes every target, guided by coverage, for some seconds each (default: 600), as many at a time
# as there are processors. Needs cargo-fuzz (cargo install cargo-fuzz).
#
#   fuzz/long.sh [SECONDS] [TARGET...]
#
# New inputs are written to fuzz/corpus, and those that fail to fuzz/artifacts. Once a failure is
# fixed, add its input to the seeds, so that the tests run it each time.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-600}
shift || true
wanted=("$@")
cargo fuzz build --sanitizer none --release

# A target, the folders of its seeds, and the longest input.
jobs=()
for kind in wav aiff caf flac mpeg ogg mp4 mkv; do
    jobs+=("decode $kind fuzz/seeds/media/$kind 12000")
done
media=$(echo fuzz/seeds/media/*)
jobs+=("pipeline all $media 12000" "tags all $media 12000" "engine all fuzz/seeds/engine 6000")
jobs+=("preset all fuzz/seeds/preset 2000" "journal all fuzz/seeds/journal 2000")
jobs+=("sidecar all fuzz/seeds/sidecar 3000")

fuzz() {
    local seconds=$1 target=$2 kind=$3 corpus=fuzz/corpus/$2-$3 log=fuzz/artifacts/$2-$3.log
    shift 3
    local seeds=("${@:1:$#-1}") longest=${!#}
    mkdir -p "$corpus" fuzz/artifacts
    if nice cargo fuzz run --sanitizer none --release "$target" "$corpus" "${seeds[@]}" -- \
        -max_total_time="$seconds" -max_len="$longest" -timeout=10 -rss_limit_mb=512 \
        -malloc_limit_mb=160 -artifact_prefix="fuzz/artifacts/$target-$kind-" >"$log" 2>&1; then
        echo "$target $kind: $(grep '^Done' "$log")"
    else
        echo "$target $kind: found something, see $log"
        return 1
    fi
}
export -f fuzz

for job in "${jobs[@]}"; do
    if ((${#wanted[@]} == 0)) || [[ " ${wanted[*]} " == *" ${job%% *} "* ]]; then
        echo "$seconds $job"
    fi
done | xargs -P "$(nproc)" -I {} bash -c 'fuzz {}'

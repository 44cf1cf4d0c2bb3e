#!/usr/bin/env bash
# Bazel's disk cache and ccache in lru directories smaller than what a build writes.
#
# Arguments: [TARGET...] (default //base/...). Each is built twice, the second time from scratch
# beside the cache of the first: no build may fail, no cache may ever be over its quota (looked at
# five times a second), and the second must find something. BAZEL_QUOTA and CCACHE_QUOTA set the
# sizes (default 1M each).
. "$(dirname "$0")/lib.sh"
need bazel ccache gcc
targets=("$@")
[ $# -gt 0 ] || targets=(//base/...)
read -r -a startup <<<"--max_idle_secs=60 ${BAZEL_STARTUP_WORDS:-}"
read -r -a words <<<"${BAZEL_WORDS:-}"
make_store 2G
mount_store -o suid,dev,exec
for cache in bazel ccache; do mkdir "$mnt/$cache"; done
"$CACHECTL" policy set "$mnt/bazel" policy=lru "quota=${BAZEL_QUOTA:-1M}"
"$CACHECTL" policy set "$mnt/ccache" policy=lru "quota=${CCACHE_QUOTA:-1M}"
bytes_of() { getfattr --absolute-names --only-values -n user.cachefs.usage "$1" | cut -d' ' -f2; }
quota_of() { getfattr --absolute-names --only-values -n user.cachefs.quota "$1"; }
watch_quota() { # directory
  local most=0 now quota
  quota=$(quota_of "$1")
  while sleep 0.2; do
    now=$(bytes_of "$1") || break
    [ "$now" -le "$most" ] || most=$now
    [ "$now" -le "$quota" ] || echo "$1 has $now bytes of $quota" >>"$PROOF_DIR/over"
    echo "$most" >"$PROOF_DIR/most.$(basename "$1")"
  done
}
watch_quota "$mnt/bazel" &
watch_quota "$mnt/ccache" &
watchers=$(jobs -p | grep -v "^$daemon$")
evicted() { # directory, relative
  awk -v want="directory=\"/$1\"" '/^cachefs_policy_evicted_files_total/ && index($0, want) { print $NF }' "$mnt/.cachefs/stats"
}

cd "${PROOF_WORKSPACE:-$PROOF_TOP}"
build() { # output base
  bazel --output_base="$PROOF_DIR/$1" "${startup[@]}" build --disk_cache="$mnt/bazel" --experimental_convenience_symlinks=ignore \
    --noshow_progress "${words[@]}" "${targets[@]}" >"$PROOF_DIR/bazel.log" 2>&1 ||
    fail "bazel: $(grep -E 'ERROR|FAILED|FATAL' "$PROOF_DIR/bazel.log" | head -n 8)"
  counted=$(grep -E 'INFO: [0-9]+ process' "$PROOF_DIR/bazel.log" | sed 's/^INFO: //')
  bazel --output_base="$PROOF_DIR/$1" "${startup[@]}" shutdown >/dev/null 2>&1
}
build one
say "bazel, first: $counted"
build two
say "bazel, second: $counted"
[[ $counted == *"cache hit"* ]] || fail "bazel: nothing was found in the cache: $counted"
bazel_second=$counted
[ "$(evicted bazel)" -gt 0 ] || fail "bazel: nothing was evicted: the quota is too large for this build"

mkdir "$PROOF_DIR/src"
for i in $(seq 1 60); do
  { echo '#include <stdio.h>'; for j in $(seq 1 40); do echo "int f${i}_$j(int x) { return printf(\"$i %d\", x * $j) + x / $((j + 1)); }"; done; } >"$PROOF_DIR/src/f$i.c"
done
export CCACHE_DIR=$mnt/ccache CCACHE_NOCOMPRESS=1
compile() { for i in $(seq 1 60); do ccache gcc -g -O1 -c "$PROOF_DIR/src/f$i.c" -o "$PROOF_DIR/src/f$i.o" || fail "ccache: f$i.c"; done; }
hits() { ccache --print-stats | awk '/^(direct_cache_hit|preprocessed_cache_hit)/ { sum += $2 } END { print sum + 0 }'; }
compile
compile
for i in $(seq 56 60); do ccache gcc -g -O1 -c "$PROOF_DIR/src/f$i.c" -o "$PROOF_DIR/src/f$i.o"; done
found=$(hits)
[ "$found" -gt 0 ] || fail "ccache: nothing was found"
[ "$(evicted ccache)" -gt 0 ] || fail "ccache: nothing was evicted"
say "ccache: $found of 125 found"
cd /
# shellcheck disable=SC2086
kill $watchers
wait $watchers 2>/dev/null || true
[ ! -e "$PROOF_DIR/over" ] || fail "over the quota: $(head -n 3 "$PROOF_DIR/over")"
text="bazel: $bazel_second, $(evicted bazel) evicted, at most $(cat "$PROOF_DIR/most.bazel") of $(quota_of "$mnt/bazel") bytes;"
text="$text ccache: $found hits, $(evicted ccache) evicted, at most $(cat "$PROOF_DIR/most.ccache") of $(quota_of "$mnt/ccache") bytes"
unmount_store
fsck_store --data
no_errors_logged
ok "$text"

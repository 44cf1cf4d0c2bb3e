#!/usr/bin/env bash
# Bazel building this repository with its output base and its disk cache on the mount.
#
# Arguments: [TARGET...] (default //fs/...), built by compiling; then again in a second output
# base from the disk cache alone, which must give the same bytes; then, after a remount, in
# the first one, where nothing may be left to do. BAZEL_WORDS are further words for `bazel build`,
# BAZEL_STARTUP_WORDS for bazel itself.
. "$(dirname "$0")/lib.sh"
export LC_ALL=C
need bazel
targets=("$@")
[ $# -gt 0 ] || targets=(//fs/...)
read -r -a startup <<<"--max_idle_secs=60 ${BAZEL_STARTUP_WORDS:-}"
read -r -a words <<<"${BAZEL_WORDS:-}"
make_store 8G
mount_store -o suid,dev,exec
cd "${PROOF_WORKSPACE:-$PROOF_TOP}"
build() { # output base; the line that counts processes goes to $counted
  bazel --output_base="$mnt/$1" "${startup[@]}" build --disk_cache="$mnt/cache" --experimental_convenience_symlinks=ignore \
    --noshow_progress --keep_going "${words[@]}" "${targets[@]}" >"$PROOF_DIR/bazel.log" 2>&1 ||
    fail "bazel: $(grep -E 'ERROR|FAILED|FATAL' "$PROOF_DIR/bazel.log" | head -n 8)"
  counted=$(grep -E 'INFO: [0-9]+ process' "$PROOF_DIR/bazel.log" | sed 's/^INFO: //')
}
shut_down() { bazel --output_base="$mnt/$1" "${startup[@]}" shutdown >/dev/null 2>&1; }
products() { (cd "$mnt/$1/execroot"/*/bazel-out && find . -type f ! -name '*.params' ! -path '*/_tmp/*' ! -name '*.log' \
  ! -name '*-status.txt' ! -name MANIFEST ! -name '*.runfiles_manifest' -exec sha256sum {} + | sort -k 2); }
started=$SECONDS
build one
first="$counted in $((SECONDS - started)) s"
say "${targets[*]}: $first"
[[ $counted == *sandbox* || $counted == *local* ]] || fail "nothing was compiled: $counted"
started=$SECONDS
build two
[[ $counted == *"cache hit"* && $counted != *sandbox* ]] || fail "the disk cache was not used: $counted"
say "from the disk cache: $counted in $((SECONDS - started)) s"
shut_down one
shut_down two
products one >"$PROOF_DIR/one"
products two >"$PROOF_DIR/two"
# The second has no files that only compiling leaves behind.
comm -13 "$PROOF_DIR/one" "$PROOF_DIR/two" >"$PROOF_DIR/differences"
[ ! -s "$PROOF_DIR/differences" ] && [ -s "$PROOF_DIR/two" ] || fail "products differ: $(head -n 5 "$PROOF_DIR/differences")"
total=$(requests)
peak=$(peak_kib)
used=$(used_bytes)
cd /
unmount_store
fsck_store --data
mount_store -o suid,dev,exec
cd "${PROOF_WORKSPACE:-$PROOF_TOP}"
build one
[[ $counted =~ ^1\ process ]] || fail "after a remount there was work to do: $counted"
shut_down one
products one | cmp - "$PROOF_DIR/one" || fail "products changed over the remount"
cd /
unmount_store
no_errors_logged
ok "${targets[*]}: $first; $(wc -l <"$PROOF_DIR/two") products the same from the cache; $((used >> 20)) MiB used, $total requests, peak RSS $((peak >> 10)) MiB"

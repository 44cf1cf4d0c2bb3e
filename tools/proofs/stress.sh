#!/usr/bin/env bash
# stress-ng's whole filesystem class with the mount as its directory.
#
# Arguments: [SECONDS] of each stressor (default 5), [NAME...] of stressors instead of the class.
# Each must pass with --verify, and the mount must have seen its requests: stressors that only
# work outside of a directory (on /proc, on the kernel's tables) are named.
. "$(dirname "$0")/lib.sh"
need stress-ng
each=${1:-5}
names=("${@:2}")
[ $# -ge 2 ] || read -r -a names <<<"$(stress-ng --class 'filesystem?' 2>&1 | sed -n 's/^class .*stressors: *//p')"
[ ${#names[@]} -gt 0 ] || fail "stress-ng names no stressors"
make_store 4G
mount_store -o suid,dev
passed=() skipped=() elsewhere=() failed=()
for name in "${names[@]}"; do
  before=$(requests)
  directory=$mnt/$name
  mkdir "$directory"
  status=0
  (cd "$directory" && timeout 300 stress-ng --temp-path "$directory" --"$name" 1 --timeout "$each" --verify \
    --metrics-brief --oomable) >"$PROOF_DIR/said" 2>&1 || status=$?
  came=$(($(requests) - before))
  # bind-mount "may hang the machine", binderfs is not in every kernel: stress-ng does not run them.
  if grep -qE "skipping stress|not implemented|No stress workers invoked" "$PROOF_DIR/said" && [ "$came" -lt 20 ]; then
    skipped+=("$name")
  elif [ "$status" -ne 0 ]; then
    failed+=("$name")
    say "FAILED $name ($status): $(grep -E 'fail|error|errno' "$PROOF_DIR/said" | head -n 8)"
  elif [ "$came" -lt 20 ]; then
    elsewhere+=("$name")
  else
    passed+=("$name:$came")
  fi
  rm -rf "$directory"
  [ "$(ls -A "$mnt")" = "" ] || fail "$name leaves $(find "$mnt" | head -n 5)"
done
say "passed, with their requests: ${passed[*]}"
say "do not work in a directory: ${elsewhere[*]:-none}"
say "skipped by stress-ng: ${skipped[*]:-none}"
total=$(requests)
unmount_store
fsck_store --data
no_errors_logged
[ ${#failed[@]} -eq 0 ] || fail "${failed[*]}"
[ ${#passed[@]} -gt 0 ] || fail "none ran on the mount"
ok "${#passed[@]} stressors, $total requests; ${#elsewhere[@]} do not work in a directory, ${#skipped[@]} skipped"

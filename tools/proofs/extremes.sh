#!/usr/bin/env bash
# A directory of 1,000,000 entries, names, paths and links of every size, a sparse file of 1 TiB.
#
# Argument: [ENTRIES]. Listings go on with the cookies they had while 99 % of the entries are
# removed; everything is looked at before and after a remount.
. "$(dirname "$0")/lib.sh"
need python3
entries=${1:-1000000}
run() {
  local started
  started=$(date +%s%N)
  python3 "$PROOF_TOP/tools/proofs/extremes.py" "$1" "$mnt" "${@:2}" >"$PROOF_DIR/said" 2>&1 || fail "$*: $(tail -n 3 "$PROOF_DIR/said")"
  say "$* took $((($(date +%s%N) - started) / 1000000)) ms; RSS $(rss_kib) KiB $(cat "$PROOF_DIR/said")"
}
make_store 4G
mount_store
before=$(used_bytes)
idle=$(rss_kib)
run make
unmount_store
mount_store
run check
run create-many "$entries"
run check-many "$entries"
peak=$(peak_kib)
sync_mount
sleep 15
full=$(rss_kib) # with every inode known to the kernel, and nothing dirty
started=$(date +%s%N)
unmount_store
unmounted=$(date +%s%N)
fsck_store
checked=$(date +%s%N)
mount_store
say "unmounted in $(((unmounted - started) / 1000000)) ms, fsck $(((checked - unmounted) / 1000000)) ms, mounted in $((($(date +%s%N) - checked) / 1000000)) ms"
run check-many "$entries"
run thin-many "$entries"
started=$SECONDS
rm -rf "${mnt:?}"/*
sync_mount
say "everything removed in $((SECONDS - started)) s; $(used_bytes) bytes used"
for _ in $(seq 60); do
  after=$(used_bytes)
  [ "$after" -gt "$before" ] || break
  sleep 1
done
say "$after bytes used, $before at first"
[ "$after" -le $((before + 65536)) ] || fail "df does not return: $before bytes used before, $after after"
unmount_store
fsck_store --data
no_errors_logged
[ "$full" -le $((65536 + (entries + 150000) * 300 / 1024 + 4096)) ] || fail "RSS $full KiB (at most $peak) is over 64 MiB + 300 B for each file"
ok "$entries entries; RSS $idle KiB at first, $full KiB with all, $peak KiB at most"

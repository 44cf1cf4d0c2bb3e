#!/usr/bin/env bash
# A tree of 100,000 files and 2 GB there and back; 90 % of it deleted and refilled three times.
#
# Arguments: [DIRECTORY...] below /, default usr/share usr/include usr/lib. Everything is compared byte by byte,
# with modes, owners, times, hard and symbolic links, xattrs and ACLs. The image is so small
# that every refill ends with 93 % used; any ENOSPC is a failure.
. "$(dirname "$0")/lib.sh"
need rsync python3
tops=("$@")
[ $# -gt 0 ] || tops=(usr/share usr/include usr/lib)
files_min=100000 size_min=2000000000
tree=$PROOF_TOP/tools/proofs/tree.py
copy() { (cd / && rsync -aHAXR --numeric-ids "${tops[@]}" "$mnt/tree/"); }
look() { python3 "$tree" manifest "$1" "${tops[@]}" >"$PROOF_DIR/$2" 2>"$PROOF_DIR/counts"; }
same() { python3 "$tree" compare "$PROOF_DIR/$1" "$PROOF_DIR/$2" "${@:3}" >"$PROOF_DIR/differences" ||
  fail "$1 and $2 differ: $(cat "$PROOF_DIR/differences")"; }

look / source
read -r files size <"$PROOF_DIR/counts"
say "the source has $files files, $((size / 1000000)) MB"
[ "$files" -ge 1000 ] || fail "${tops[*]} has only $files files"
small=
if [ "$files" -lt "$files_min" ] || [ "$size" -lt "$size_min" ]; then
  small=" (a SMALL tree: the proof wants $files_min files and $((size_min / 1000000)) MB; name larger directories)"
fi
make_store $((size * 115 / 100 + 512 * 1024 * 1024))
mount_store
before=$(used_bytes)
mkdir "$mnt/tree"
started=$SECONDS
copy
sync_mount
say "copied in $((SECONDS - started)) s, $(used_percent) % used; peak RSS $(peak_kib) KiB"
look "$mnt/tree" copied && same source copied
unmount_store
fsck_store --data
started=$(date +%s%N)
mount_store
say "compared, unmounted, fsck clean; mounted again in $((($(date +%s%N) - started) / 1000000)) ms"
look "$mnt/tree" remounted && same source remounted
say "compared again"

for round in 1 2 3; do
  filled=$(python3 "$tree" fill "$mnt/filler" 93 "$round") || fail "round $round: ENOSPC at $(used_percent) % used"
  full=$(used_percent)
  removed=$(python3 "$tree" thin "$mnt" 0.9 "$round")
  look "$mnt/tree" rest && same source rest --rest
  say "round $round: $filled files and bytes more: $full % used; $removed removed: $(used_percent) %, the rest is whole"
  copy || fail "round $round: the refill failed at $(used_percent) % used"
  look "$mnt/tree" refilled && same source refilled
  say "round $round: refilled and compared: $(used_percent) %"
done
peak=$(peak_kib)
rm -rf "$mnt/tree" "$mnt/filler"
sync_mount
for _ in $(seq 60); do
  after=$(used_bytes)
  [ "$after" -gt "$before" ] || break
  sleep 1
done
[ "$after" -le $((before + 65536)) ] || fail "df does not return: $before bytes used before, $after after"
unmount_store
fsck_store --data
no_errors_logged
ok "$files files, $((size / 1000000)) MB$small; $before bytes used before, $after at the end; peak RSS $((peak / 1024)) MiB"

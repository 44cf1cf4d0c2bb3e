#!/usr/bin/env bash
# A mixed load for an hour (or MINUTES) at low intensity: the daemon's memory must not grow.
#
# Arguments: [MINUTES] [PAUSE], the pause in seconds between bursts (default 3). RSS is sampled
# each minute; the median of the last quarter may exceed that of the second by at most 5 % and
# 8 MiB (the first is for warming up).
. "$(dirname "$0")/lib.sh"
need sqlite3 git tar
minutes=${1:-60} pause=${2:-3}
make_store 2G
mount_store
say "$minutes minutes; log in $PROOF_DIR"
tar cf "$PROOF_DIR/tree.tar" -C /usr/include . 2>/dev/null
(cd "$mnt" && git init -q -b main repo)
sqlite3 "$mnt/t.db" 'PRAGMA journal_mode=WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB);' >/dev/null
head -c 64M /dev/urandom >"$mnt/big"

burst() {
  local n=$1 directory=$mnt/tree$(($1 % 3))
  case $((n % 5)) in
    0) rm -rf "$directory" && mkdir "$directory" && tar xf "$PROOF_DIR/tree.tar" -C "$directory" ;;
    1) sqlite3 "$mnt/t.db" "INSERT INTO t(b) SELECT randomblob(2000) FROM generate_series(1, 300);
         DELETE FROM t WHERE id < (SELECT max(id) FROM t) - 3000; PRAGMA wal_checkpoint(TRUNCATE);" >/dev/null ;;
    2) find "$mnt" -type f -newermt '1 minute ago' -exec cat {} + | cksum >/dev/null
       dd if=/dev/urandom of="$mnt/big" bs=64K count=64 seek=$((RANDOM % 900)) conv=notrunc,fsync status=none ;;
    3) (cd "$mnt/repo" && for i in $(seq 40); do echo "$n $i" >"f$((RANDOM % 500))"; done && git add -A &&
         git -c user.name=a -c user.email=a@b -c gc.auto=500 -c gc.autoDetach=false commit -qm "$n" && git status --porcelain >/dev/null) ;;
    4) for i in $(seq 200); do echo "$i" >"$mnt/n$i"; mv "$mnt/n$i" "$mnt/m$i"; ln -f "$mnt/m$i" "$mnt/l$i"; done
       rm -f "$mnt"/[ml][0-9]* ; [ $((n % 50)) -ne 4 ] || sync_mount ;;
  esac
}

deadline=$((SECONDS + minutes * 60)) sample_at=$((SECONDS + 60)) n=0
: >"$PROOF_DIR/rss"
while [ "$SECONDS" -lt "$deadline" ]; do
  burst "$n" || fail "burst $n failed"
  n=$((n + 1))
  if [ "$SECONDS" -ge "$sample_at" ]; then
    rss_kib >>"$PROOF_DIR/rss"
    sample_at=$((sample_at + 60))
  fi
  sleep "$pause"
done
say "RSS by the minute, KiB: $(tr '\n' ' ' <"$PROOF_DIR/rss")"
total=$(requests)
cpu=$(awk '{ print ($14 + $15) / 100 }' "/proc/$daemon/stat")
test "$(sqlite3 "$mnt/t.db" 'PRAGMA integrity_check')" = ok || fail "the database is damaged"
(cd "$mnt/repo" && git fsck --strict 2>&1 | grep -E 'error|missing|corrupt') && fail "git fsck"
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
samples=$(wc -l <"$PROOF_DIR/rss") quarter=$(($(wc -l <"$PROOF_DIR/rss") / 4))
[ "$quarter" -ge 1 ] || fail "too short for four quarters"
early=$(sed -n "$((quarter + 1)),$((2 * quarter))p" "$PROOF_DIR/rss" | median)
late=$(tail -n "$quarter" "$PROOF_DIR/rss" | median)
[ $((late * 100)) -le $((early * 105 + 819200)) ] || fail "RSS grew from $early to $late KiB"
files=$(df --output=iused "$mnt" | tail -n 1)
unmount_store
fsck_store --data
no_errors_logged
ok "$n bursts, $total requests, $cpu s of CPU, $files files; RSS $early KiB in the second quarter, $late in the last ($samples samples)"

#!/usr/bin/env bash
# sqlite in WAL mode with four writers; the daemon is killed under them, again and again.
#
# Argument: [ROUNDS] (default 10). After each kill the database must be sound and hold every row
# whose commit was acknowledged (synchronous=FULL).
. "$(dirname "$0")/lib.sh"
need sqlite3
rounds=${1:-10}
make_store 1G
mount_store
database=$mnt/t.db
db() { sqlite3 -cmd '.timeout 60000' "$database" "$@"; }
db 'PRAGMA journal_mode=WAL; CREATE TABLE t(w INTEGER, n INTEGER, b BLOB, PRIMARY KEY(w, n));' >/dev/null
writer() { # number, first row
  local n=$2
  while db \
    "PRAGMA synchronous=FULL; BEGIN IMMEDIATE; INSERT INTO t VALUES($1, $n, randomblob(abs(random()) % 9000)); COMMIT;" \
    >/dev/null 2>&1; do
    echo "$n" >>"$PROOF_DIR/acknowledged-$1"
    n=$((n + 1))
  done
}
for round in $(seq "$rounds"); do
  pids=()
  for w in 1 2 3 4; do
    touch "$PROOF_DIR/acknowledged-$w"
    first=$(db "SELECT coalesce(max(n), 0) + 1 FROM t WHERE w = $w")
    writer $w "$first" &
    pids+=($!)
  done
  sleep "$((1 + RANDOM % 3)).$((RANDOM % 9))"
  kill_daemon
  wait "${pids[@]}" || true
  fsck_store
  mount_store
  said=$(db 'PRAGMA integrity_check')
  [ "$said" = ok ] || fail "round $round: $said"
  for w in 1 2 3 4; do
    db "SELECT n FROM t WHERE w = $w ORDER BY n" >"$PROOF_DIR/found"
    missing=$(sort -u "$PROOF_DIR/acknowledged-$w" | comm -23 - <(sort -u "$PROOF_DIR/found") | head -n 3)
    [ -z "$missing" ] || fail "round $round: writer $w lacks acknowledged rows $missing"
  done
done
rows=$(cat "$PROOF_DIR"/acknowledged-* | wc -l)
[ "$rows" -gt "$rounds" ] || fail "only $rows rows were acknowledged"
db 'DELETE FROM t WHERE n % 2; PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA journal_mode=DELETE;' >/dev/null
[ "$(db 'PRAGMA integrity_check')" = ok ] || fail "after VACUUM"
unmount_store
fsck_store --data
no_errors_logged
ok "$rows acknowledged rows, $rounds kills, none missing; integrity_check ok each time"

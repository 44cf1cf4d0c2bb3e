#!/usr/bin/env bash
# PostgreSQL: initdb, pgbench, and kill -9 of the daemon under it, with recovery of the database.
#
# Arguments: [ROUNDS] [SECONDS] of pgbench in each (defaults 4 and 12). As an ordinary user. Every
# transaction that pgbench's clients got acknowledged must be in the history table after
# recovery; balances must add up; pg_amcheck finds every table and index sound.
. "$(dirname "$0")/lib.sh"
rounds=${1:-4} seconds=${2:-12}
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || fail "PostgreSQL is not here; tools/setup proof installs it"
id postgres >/dev/null 2>&1 || fail "there is no user postgres"
chmod 755 "$PROOF_DIR" && mkdir -m 0777 -p "$PROOF_DIR/socket"
make_store 2G
as() { runuser -u postgres -- env PGHOST="$PROOF_DIR/socket" PGPORT=54339 "$@"; }
sql() { as "$bin/psql" -qXAt -v ON_ERROR_STOP=1 -d "${2:-bench}" -c "$1"; }
data=$mnt/data
server=
start_server() {
  as "$bin/postgres" -D "$data" -k "$PROOF_DIR/socket" -p 54339 -c listen_addresses= -c shared_buffers=64MB \
    -c max_wal_size=192MB -c checkpoint_timeout=30s -c log_min_messages=warning >>"$PROOF_DIR/postgres.log" 2>&1 &
  server=$!
  local tries
  for tries in $(seq 600); do
    if as "$bin/pg_isready" -q; then return; fi
    kill -0 "$server" 2>/dev/null || fail "the server ended: $(tail -n 5 "$PROOF_DIR/postgres.log")"
    sleep 0.2
  done
  fail "the server is not ready after two minutes ($tries tries)"
}
stop_server() { # signal: INT ends it cleanly; QUIT at once
  pkill -"$1" -u postgres -f "^$bin/postgres -D $data" || true # its children are called otherwise
  wait "$server" 2>/dev/null || true
}

mount_store
install -d -o postgres -g postgres -m 0700 "$data"
as "$bin/initdb" -D "$data" --data-checksums -A trust -U postgres --no-instructions >"$PROOF_DIR/said" 2>&1 ||
  fail "initdb: $(tail -n 5 "$PROOF_DIR/said")"
start_server
sql 'CREATE DATABASE bench' postgres
as "$bin/pgbench" -i -q -s 5 bench >"$PROOF_DIR/said" 2>&1 || fail "pgbench -i: $(tail -n 5 "$PROOF_DIR/said")"
# What a client was told is committed is written down outside of the mount.
cat >"$PROOF_DIR/transfer.sql" <<'SQL'
\set aid random(1, 100000 * :scale)
\set bid random(1, 1 * :scale)
\set tid random(1, 10 * :scale)
\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);
END;
SQL
chmod a+r "$PROOF_DIR/transfer.sql"
acknowledged=0
bench() { (cd "$PROOF_DIR/socket" && as "$bin/pgbench" -n -c 4 -j 2 -T "$seconds" -s 5 -l --log-prefix="$1" \
  -f "$PROOF_DIR/transfer.sql" bench) >"$PROOF_DIR/bench.log" 2>&1; }
check_bank() {
  local balances rows
  balances=$(sql 'SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers),
    (SELECT sum(bbalance) FROM pgbench_branches), (SELECT coalesce(sum(delta), 0) FROM pgbench_history)')
  [ "$(tr '|' '\n' <<<"$balances" | sort -u | wc -l)" -eq 1 ] || fail "$1: the balances differ: $balances"
  rows=$(sql 'SELECT count(*) FROM pgbench_history')
  acknowledged=$(cat "$PROOF_DIR"/socket/round* 2>/dev/null | wc -l)
  [ "$rows" -ge "$acknowledged" ] || fail "$1: $acknowledged transactions were acknowledged, $rows are there"
  say "$1: $rows transactions, $acknowledged acknowledged; balances agree"
}

bench round0 || fail "pgbench: $(tail -n 3 "$PROOF_DIR/bench.log")"
say "pgbench: $(grep -E '^tps' "$PROOF_DIR/bench.log")"
check_bank "without a kill"
for round in $(seq "$rounds"); do
  bench "round$round" &
  bencher=$!
  sleep "$((2 + RANDOM % (seconds - 3))).$((RANDOM % 9))"
  kill_daemon
  stop_server QUIT
  wait "$bencher" 2>/dev/null || true
  fsck_store
  mount_store
  rm -f "$data/postmaster.pid"
  start_server
  check_bank "kill $round"
done
as "$bin/pg_amcheck" --install-missing -d bench --heapallindexed >"$PROOF_DIR/said" 2>&1 || fail "pg_amcheck: $(head -n 5 "$PROOF_DIR/said")"
sql 'VACUUM FULL'
sql 'REINDEX DATABASE bench'
check_bank "after VACUUM FULL"
stop_server INT
as "$bin/pg_checksums" -c -D "$data" >"$PROOF_DIR/said" 2>&1 || fail "pg_checksums: $(tail -n 3 "$PROOF_DIR/said")"
unmount_store
fsck_store --data
no_errors_logged
ok "$acknowledged acknowledged transactions, $rounds kills, none missing; pg_amcheck and pg_checksums find nothing"

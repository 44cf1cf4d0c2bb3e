# What every proof shares: a store and a mount of its own, which are gone at the end.
# Sourced by the scripts beside it, which tools/proof runs in a mount namespace of their own.
PROOF_DIR=${PROOF_DIR:-$(mktemp -d /var/tmp/cachefs-proof-XXXXXX)}
mkdir -p "$PROOF_DIR"
store=$PROOF_DIR/store.img
# What is written while no daemon is there must fail, not land below the mount.
mkdir -p "$PROOF_DIR/below"
mount -t tmpfs -o size=64k none "$PROOF_DIR/below"
mnt=$PROOF_DIR/below/mnt
mkdir "$mnt"
mount -o remount,ro "$PROOF_DIR/below"
daemon=
why="a command failed"

say() { echo "proof: $PROOF_NAME: [$SECONDS s] $*"; }
fail() { why=$*; exit 1; }
ok() { why=; say "done"; echo "proof: ok: $PROOF_NAME: $* ($SECONDS s)"; }

at_exit() {
  local status=$?
  trap - EXIT
  cd /
  for job in $(jobs -p); do [ "$job" = "$daemon" ] || kill "$job" 2>/dev/null || true; done
  [ -z "$daemon" ] || umount "$mnt" 2>/dev/null || umount -l "$mnt" 2>/dev/null || true
  [ -z "$daemon" ] || wait "$daemon" 2>/dev/null || true
  umount -l "$PROOF_DIR/below" 2>/dev/null || true
  if [ -n "$why" ]; then
    echo "proof: FAILED: $PROOF_NAME: $why (line ${BASH_LINENO[0]}, status $status, $SECONDS s)"
    [ ! -s "$PROOF_DIR/daemon.log" ] || tail -n 20 "$PROOF_DIR/daemon.log"
    status=1
  fi
  if [ -z "$PROOF_KEEP" ]; then rm -rf "$PROOF_DIR"; else echo "proof: kept: $PROOF_DIR"; fi
  exit "$status"
}
trap at_exit EXIT

need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || fail "$program is not here; tools/setup proof installs it"
  done
}
make_store() { rm -f "$store" && "$CACHECTL" mkfs --size "$1" "$store" >/dev/null; }
mounted() { [ "$(stat -f -c %T "$mnt" 2>/dev/null)" = fuseblk ]; }
# Mounts with further words, e.g. -o private; returns when usable.
mount_store() {
  "$CACHEFS" -f "$@" "$store" "$mnt" >>"$PROOF_DIR/daemon.log" 2>&1 &
  daemon=$!
  local tries
  for tries in $(seq 1200); do
    if mounted; then return; fi
    kill -0 "$daemon" 2>/dev/null || fail "the daemon did not mount: $(tail -n 3 "$PROOF_DIR/daemon.log")"
    sleep 0.05
  done
  fail "no mount after a minute ($tries tries)"
}
unmount_store() {
  umount "$mnt"
  local status=0
  wait "$daemon" || status=$?
  daemon=
  [ "$status" -eq 0 ] || fail "the daemon ended with $status"
}
kill_daemon() {
  kill -9 "$daemon"
  wait "$daemon" 2>/dev/null || true
  daemon=
  umount -l "$mnt"
}
fsck_store() { "$CACHECTL" fsck "$@" "$store" >"$PROOF_DIR/fsck.log" 2>&1 || fail "fsck: $(head -n 20 "$PROOF_DIR/fsck.log")"; }
# Everything so far is durable: fsync of the root directory is the full barrier.
sync_mount() { "$CACHECTL" sync "$mnt" >/dev/null; }
used_bytes() { stat -f -c '%b %f %S' "$mnt" | awk '{ printf "%.0f\n", ($1 - $2) * $3 }'; }
available_bytes() { stat -f -c '%a %S' "$mnt" | awk '{ printf "%.0f\n", $1 * $2 }'; }
used_percent() { stat -f -c '%b %f %a' "$mnt" | awk '{ printf "%.1f\n", 100 * ($1 - $2) / ($1 - $2 + $3) }'; }
rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status"; }
peak_kib() { awk '/^VmHWM/ { print $2 }' "/proc/$daemon/status"; }
# The requests that the kernel has sent so far: all, or those of one opcode.
requests() {
  awk -v want="opcode=\"${1:-}" '/^cachefs_requests_total/ && index($0, want) { sum += $NF } END { printf "%.0f\n", sum }' \
    "$mnt/.cachefs/stats"
}
# Cores dumped or lines of trouble in the daemon's log fail the proof.
no_errors_logged() {
  ! grep -E '^[EF][0-9]{8}|CHECK failed|AddressSanitizer|ThreadSanitizer' "$PROOF_DIR/daemon.log" || fail "the daemon logged errors"
}

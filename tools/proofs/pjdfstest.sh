#!/usr/bin/env bash
# pjdfstest, the POSIX test suite of filesystems: every file of it must pass.
#
# Argument: the directory of a built pjdfstest (github.com/pjd/pjdfstest), with its program
# and tests/. It is not part of this repository.
. "$(dirname "$0")/lib.sh"
need prove
[ $# -ge 1 ] && [ -x "$1/pjdfstest" ] && [ -d "$1/tests" ] ||
  fail "name the directory of a built pjdfstest: git clone https://github.com/pjd/pjdfstest, autoreconf -ifs, ./configure, make"
suite=$(cd "$1" && pwd)
make_store 1G
mount_store -o suid,dev
mkdir "$mnt/run"
cd "$mnt/run"
status=0
# Other users must reach the program and the tests.
cp -r "$suite/tests" "$suite/pjdfstest" "$PROOF_DIR/"
chmod 755 "$PROOF_DIR"
prove -r "${@:2}" "$PROOF_DIR/tests" >"$PROOF_DIR/prove.log" 2>&1 || status=$?
cd /
total=$(requests)
unmount_store
fsck_store --data
no_errors_logged
[ "$total" -gt 10000 ] || fail "only $total requests came: it did not run on the mount"
tally=$(grep -E '^Files=' "$PROOF_DIR/prove.log" || true)
[ "$status" -eq 0 ] || fail "$tally; $(sed -n '/^Test Summary Report/,$p' "$PROOF_DIR/prove.log" | head -n 60)"
ok "$tally; $total requests"

#!/usr/bin/env bash
# git: commits, clone, gc, repack, bisect and fsck of a large repository, and of this one.
#
# Argument: [DIRECTORY] to commit file by file (default /usr/share/doc and /usr/include).
. "$(dirname "$0")/lib.sh"
need git
sources=("$@")
[ $# -gt 0 ] || sources=(/usr/include /usr/share/doc /usr/share/perl)
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_CONFIG_GLOBAL=/dev/null
# A collection in the background would take loose objects away while a clone copies them.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=gc.auto GIT_CONFIG_VALUE_0=0
make_store 6G
mount_store
clean() { [ -z "$(git -C "$1" status --porcelain)" ] || fail "$1 has changes: $(git -C "$1" status --porcelain | head -n 3)"; }
sound() {
  git -C "$1" fsck --full --strict --no-dangling >"$PROOF_DIR/said" 2>&1 || fail "git fsck of $1: $(head -n 5 "$PROOF_DIR/said")"
}
cd "$mnt"
git init -q -b main large
for source in "${sources[@]}"; do
  [ -d "$source" ] || fail "there is no directory $source"
  cp -rL "$source" "large/$(basename "$source")" 2>/dev/null || true # dangling links are left out
  (cd large && git add -A && git commit -qm "$source")
done
files=$(git -C large ls-files | wc -l)
say "$files files committed"
for i in $(seq 20); do
  git -C large ls-files -z | awk -v n="$i" 'BEGIN { RS = "\0" } NR % 997 == n * 31' | while read -r f; do echo "$i" >>"large/$f"; done
  git -C large commit -qam "change $i"
done
clean large
git clone -q --no-hardlinks large clone
clean clone
git -C clone checkout -q HEAD~15 && clean clone && git -C clone checkout -q main && clean clone
say "cloned and checked out"
git -C large gc -q --prune=now
git -C clone repack -qadf --window=5
sound large
sound clone
find large -path large/.git -prune -o -type d -empty -exec rmdir {} + # git knows no empty directories
diff -r --exclude=.git --no-dereference large clone >"$PROOF_DIR/said" || fail "the clone differs: $(head -n 5 "$PROOF_DIR/said")"
git -C clone worktree add -q "$mnt/tree" HEAD~3 && clean "$mnt/tree"
say "collected, repacked, sound"
git clone -q "file://$(git -C "${PROOF_WORKSPACE:-$PROOF_TOP}" rev-parse --path-format=absolute --git-common-dir)" this 2>"$PROOF_DIR/said" ||
  say "this repository cannot be cloned: $(cat "$PROOF_DIR/said")"
own=0
if [ -d this ]; then
  git -C this gc -q && sound this && clean this
  own=$(git -C this rev-list --count HEAD)
fi
cd /
unmount_store
fsck_store --data
mount_store
sound "$mnt/large"
sound "$mnt/clone"
clean "$mnt/clone"
count=$(git -C "$mnt/large" rev-list --count HEAD)
unmount_store
no_errors_logged
ok "$files files in $count commits; this repository with $own commits; fsck again after a remount"

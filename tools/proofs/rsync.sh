#!/usr/bin/env bash
# rsync -aHAX there and back without a difference.
#
# Arguments: [DIRECTORY] (default /usr/include). Beside it a small tree with every kind of thing:
# devices, fifos, ACLs, capabilities, sparse files, hard links, odd times and owners.
. "$(dirname "$0")/lib.sh"
need rsync setfacl setfattr setcap
source=${1:-/usr/include}
make_store 4G
mount_store
odd=$PROOF_DIR/odd
mkdir -p "$odd/a/b" "$odd/with space" && cd "$odd"
head -c 300000 /dev/urandom >a/random
seq 5000 >a/b/text
truncate -s 10M sparse && printf x | dd of=sparse bs=1 seek=5000000 conv=notrunc status=none
ln a/random hard
ln -s a/b/text soft
ln -s /nowhere dangling
mkfifo fifo && mknod null c 1 3 && mknod disk b 7 200
cp /bin/true capable && setcap cap_net_raw+ep capable
setfattr -n user.colour -v blue a/random && setfattr -n trusted.t -v 1 a
setfacl -m u:12345:rw a/b/text && setfacl -d -m g:54321:rx 'with space'
touch $'new\nline' $'\xff\xfe' && chown 12345:54321 a/random && chmod 6755 a/random && chmod 1777 a/b
touch -d '1901-12-14 00:00:01.000000001' a/b/text && touch -h -d '2001-02-03 04:05:06.5' soft
cd /
for tree in "$odd" "$source"; do
  there=$mnt/$(basename "$tree") back=$PROOF_DIR/back
  rsync -aHAXS --numeric-ids "$tree/" "$there/"
  sync_mount
  rsync -aHAXS --numeric-ids "$there/" "$back/"
  for pair in "$tree $there" "$there $back" "$tree $back"; do
    read -r from to <<<"$pair"
    rsync -aHAXn --checksum --delete --numeric-ids --itemize-changes "$from/" "$to/" >"$PROOF_DIR/changes"
    [ ! -s "$PROOF_DIR/changes" ] || fail "$pair differ: $(head -n 5 "$PROOF_DIR/changes")"
  done
  say "$tree: $(find "$tree" | wc -l) paths"
  rm -rf "$back"
done
total=$(requests)
unmount_store
fsck_store --data
no_errors_logged
ok "$(find "$source" "$odd" | wc -l) paths, $total requests"

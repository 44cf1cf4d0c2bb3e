#!/usr/bin/env bash
# Bazel asks the mount for digests of sources instead of reading them.
#
# A workspace on the mount has 40 sources of 1 MiB that an action names but does not read. READ
# requests are counted for a fresh server with and without --unix_digest_hash_attribute_name; then
# a byte of one source changes, and the action that depends on it must run again.
. "$(dirname "$0")/lib.sh"
need bazel
make_store 2G
mount_store -o suid,dev,exec
work=$mnt/work
mkdir "$work"
cp "$PROOF_TOP/WORKSPACE" "$PROOF_TOP/.bazelrc" "$work"
cp -r "$PROOF_TOP/third_party" "$work"
mkdir "$work/big"
cat >"$work/big/BUILD" <<'END'
genrule(name = "names", srcs = glob(["*.bin"]), outs = ["names.txt"], cmd = "echo $(SRCS) > $@")
genrule(name = "content", srcs = ["f1.bin"], outs = ["content.txt"], cmd = "sha256sum < $< > $@")
END
for i in $(seq 1 40); do head -c 1048576 /dev/urandom >"$work/big/f$i.bin"; done
sync_mount
cd "$work"
ask() { # output base, then words of the server
  local base=$1
  shift
  echo 3 >/proc/sys/vm/drop_caches
  local before
  before=$(requests READ)
  bazel --output_base="$PROOF_DIR/$base" --max_idle_secs=60 "$@" build --experimental_convenience_symlinks=ignore --noshow_progress \
    //big:names >"$PROOF_DIR/bazel.log" 2>&1 || fail "bazel: $(grep -E 'ERROR|FATAL' "$PROOF_DIR/bazel.log" | head -n 5)"
  reads=$(($(requests READ) - before))
}
attribute=--unix_digest_hash_attribute_name=user.cachefs.sha256
ask plain
plain=$reads
bazel --output_base="$PROOF_DIR/plain" --max_idle_secs=60 shutdown
# Computed once for each content, by the mount itself.
getfattr -n user.cachefs.sha256.hex big/*.bin >/dev/null
ask asked $attribute
say "$plain READs without, $reads with digests of the mount"
[ "$plain" -ge 40 ] || fail "without the attribute bazel read only $plain times: nothing is compared"
[ "$reads" -le $((plain - 40)) ] || fail "$reads READs although the digests were there ($plain without)"
content() {
  bazel --output_base="$PROOF_DIR/asked" --max_idle_secs=60 $attribute build --experimental_convenience_symlinks=ignore \
    --noshow_progress //big:content >"$PROOF_DIR/bazel.log" 2>&1 || fail "bazel: $(tail -n 3 "$PROOF_DIR/bazel.log")"
  cat "$PROOF_DIR"/asked/execroot/*/bazel-out/*/bin/big/content.txt
}
[ "$(content)" = "$(sha256sum <big/f1.bin)" ] || fail "the action saw other bytes"
for i in 1 2 3; do
  # The size stays, and the time of modification too.
  touch -r big/f1.bin "$PROOF_DIR/time"
  printf '%d' "$i" | dd of=big/f1.bin bs=1 seek=5000 conv=notrunc status=none
  touch -r "$PROOF_DIR/time" big/f1.bin
  [ "$(content)" = "$(sha256sum <big/f1.bin)" ] || fail "change $i was not noticed"
done
bazel --output_base="$PROOF_DIR/asked" --max_idle_secs=60 $attribute shutdown
cd /
unmount_store
fsck_store --data
no_errors_logged
ok "$plain READs without, $reads with digests of the mount; 3 changes of one byte noticed"

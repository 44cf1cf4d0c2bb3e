#!/usr/bin/env bash
# fio in every way that verifies what it reads back.
#
# Argument: [MIB] for each job (default 256). After the jobs the mount is remounted and all is
# verified again from the disk.
. "$(dirname "$0")/lib.sh"
need fio
size=${1:-256}
make_store $((size * 12))M
mount_store
jobs=(
  "seq --rw=write --bs=1M --ioengine=psync --end_fsync=1"
  "random --rw=randwrite --bsrange=512-128k --ioengine=psync --fsync=500"
  "direct --rw=randwrite --bs=4k --direct=1 --ioengine=libaio --iodepth=32"
  "uring --rw=randwrite --bs=16k --ioengine=io_uring --iodepth=16"
  "mapped --rw=randwrite --bs=4k --ioengine=mmap"
  "files --rw=write --bs=8k --nrfiles=$((size * 4)) --openfiles=64 --file_service_type=random --ioengine=psync"
)
run() {
  # shellcheck disable=SC2086
  (cd "$mnt" && fio --name=$1 --size="${size}M" --verify=crc32c --verify_fatal=1 --randseed=11 \
    --output="$PROOF_DIR/fio.log" "${@:2}") >>"$PROOF_DIR/fio.log" 2>&1 || fail "fio $*: $(tail -n 20 "$PROOF_DIR/fio.log")"
}
for job in "${jobs[@]}"; do
  # shellcheck disable=SC2086
  run $job --do_verify=1
  say "${job%% *} verified"
done
total=$(requests)
unmount_store
fsck_store --data
mount_store
for job in "${jobs[@]}"; do
  # shellcheck disable=SC2086
  run $job --verify_only
  say "${job%% *} verified from the disk"
done
unmount_store
no_errors_logged
ok "${#jobs[@]} jobs of $size MiB, $total requests; verified again after a remount"

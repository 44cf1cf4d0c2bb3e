// Creates the image file that a FileDevice opens.
//
// Shape:   exactly `size_bytes` long, mode 0600, all zeros, which are really written: an
//          allocated but never written file costs a journal commit for each later fsync.
// Life:    the name appears when the file is whole and durable; a creation that fails or
//          is killed leaves nothing behind (O_TMPFILE, where the filesystem has it).
// Errors:  AlreadyExists       there is something at `path`
//          ResourceExhausted   the filesystem has too little room; found before writing
//          InvalidArgument     size_bytes is no multiple of 4 KiB, or zero
//          Cancelled           `progress` returned false
// Threads: no state.
//
// Example:
//   ImageOptions options;
//   options.size_bytes = uint64_t{8} << 30;
//   RETURN_IF_ERROR(CreateImageFile("/var/lib/cachefs/default.img", options));
#ifndef FS_DISK_IMAGE_FILE_H_
#define FS_DISK_IMAGE_FILE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"

namespace fs {

struct ImageOptions {
  uint64_t size_bytes = 0;
  // How much of it, from the start, to write; the rest is only allocated.
  uint64_t written_bytes = UINT64_MAX;
  // Called now and then with the bytes written so far; false stops. May be null.
  std::function<bool(uint64_t done_bytes, uint64_t total_bytes)> progress;
};

absl::Status CreateImageFile(const std::string& path, const ImageOptions& options);

}  // namespace fs

#endif  // FS_DISK_IMAGE_FILE_H_

// Tells what a device holds that is not ours: filesystems, partition tables, containers.
//
// Threads: no state.
// Source:  the superblock definitions of each format, as libblkid lists them.
#ifndef FS_FORMAT_FOREIGN_H_
#define FS_FORMAT_FOREIGN_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/types/span.h"

namespace fs {

// How much of a device's beginning and end has to be looked at.
constexpr size_t kForeignProbeBytes = 128 << 10;
constexpr size_t kForeignTailBytes = 64 << 10;
constexpr char kUnknownData[] = "unknown data";

// The name of what was found, with its article ("an ext filesystem"); empty for zeros.
// Anything else that is not zeros in the first 128 KiB is kUnknownData. `head` and `tail`
// may be shorter than asked for, or empty.
std::string FindForeignSignature(absl::Span<const uint8_t> head, absl::Span<const uint8_t> tail);

}  // namespace fs

#endif  // FS_FORMAT_FOREIGN_H_

// Xattrs that the volume makes up: user.cachefs.*.
//
//   .crc32c .xxh3 .blake3 .sha256   the digest of a file's content so far, raw; with
//                                   ".hex" behind it as text. Reads data unless it is kept.
//   .version                        of the last change of the inode, a decimal number
//   .subtree_version                of the last change of it or anything below
//   .usage                          files and bytes under the inode's policy, two numbers
//   .policy .ttl .quota .compress .digest
//                                   the policy that holds for the inode (policy.h)
// None but the last five is listed or can be set: else `cp -a` would carry stale ones.
// Threads: as Volume.
#ifndef FS_VOLUME_VIRTUAL_XATTRS_H_
#define FS_VOLUME_VIRTUAL_XATTRS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "fs/volume/digest.h"
#include "fs/volume/volume.h"

namespace fs {

constexpr char kVirtualPrefix[] = "user.cachefs.";

struct DigestXattr {
  DigestType type;
  bool is_hex;
};
// Which digest an xattr's name asks for, if any.
absl::optional<DigestXattr> ParseDigestXattr(absl::string_view name);

// Whether it is one of the five.
bool IsPolicyXattr(absl::string_view name);

// ENODATA for what no inode of this kind has.
absl::StatusOr<std::string> GetVirtualXattr(Volume& volume, const Attributes& attributes, absl::string_view name);

}  // namespace fs

#endif  // FS_VOLUME_VIRTUAL_XATTRS_H_

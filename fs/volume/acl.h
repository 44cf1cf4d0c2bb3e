// Acl: a POSIX access control list in the form of Linux's xattr, and what it decides.
//
// Shape:   version u32 (2), then entries of tag u16, permissions u16, id u32, little-endian,
//          sorted by tag and, among named users and groups, by id.
// Errors:  Parse():  InvalidArgument (EINVAL)  not a list that Linux would take
// Threads: plain value, thread-compatible.
// Source:  POSIX 1003.1e draft 17; linux/posix_acl_xattr.h; acl(5).
#ifndef FS_VOLUME_ACL_H_
#define FS_VOLUME_ACL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace fs {

class Acl {
 public:
  static constexpr char kAccessName[] = "system.posix_acl_access";
  static constexpr char kDefaultName[] = "system.posix_acl_default";

  enum Tag : uint16_t {
    kUserObject = 0x01,
    kUser = 0x02,
    kGroupObject = 0x04,
    kGroup = 0x08,
    kMask = 0x10,
    kOther = 0x20,
  };
  struct Entry {
    Tag tag;
    uint16_t permissions;  // 0..7
    uint32_t id;           // kUser and kGroup only
    bool operator==(const Entry&) const = default;
  };

  // A list with no entries is valid and empty: it means "no ACL".
  static absl::StatusOr<Acl> Parse(absl::string_view bytes);
  std::string Encode() const;

  bool empty() const { return entries_.empty(); }
  const std::vector<Entry>& entries() const { return entries_; }

  // Whether nine mode bits say all that it says.
  bool IsEquivalentToMode() const;
  // The nine mode bits that stand for it (the group bits are the mask's).
  uint32_t ModeBits() const;
  // After chmod: the entries that mirror the mode bits take `mode`'s.
  void SetModeBits(uint32_t mode);
  // Makes this default ACL the access ACL of a new inode that asks for `mode`; returns
  // the mode that it gets.
  uint32_t ApplyToNewMode(uint32_t mode);
  // Whether it grants `wanted` (0..7) to a process that is not privileged.
  bool Grants(uint32_t wanted, uint32_t uid, absl::Span<const uint32_t> gids, uint32_t owner_uid,
              uint32_t owner_gid) const;

 private:
  const Entry* Find(Tag tag) const;

  std::vector<Entry> entries_;
};

}  // namespace fs

#endif  // FS_VOLUME_ACL_H_

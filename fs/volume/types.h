// What the callers of a Volume say and hear: times, attributes, credentials,
// entries.
//
// Threads: plain values, thread-compatible.
#ifndef FS_VOLUME_TYPES_H_
#define FS_VOLUME_TYPES_H_

#include <sys/stat.h>

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fs/format/inode_row.h"
#include "fs/format/key.h"

namespace fs {

constexpr InodeNumber kRootInode = 1;
constexpr size_t kNameBytesMax = 255;
// What a mount shows under this name, in every directory, is not part of the tree.
constexpr char kControlName[] = ".cachefs";
constexpr size_t kSymlinkBytesMax = 4095;
constexpr size_t kXattrNameBytesMax = 255;
constexpr size_t kXattrValueBytesMax = 64 << 10;  // Linux's XATTR_SIZE_MAX
constexpr size_t kXattrListBytesMax = 64 << 10;   // and XATTR_LIST_MAX
constexpr uint32_t kLinkCountMax = 65000;         // hard links of one file, as ext4; directories have no limit
constexpr uint64_t kFileBytesMax = uint64_t{1} << 62;  // 4 EiB, as in the engine

// Counts up with every change of an inode and never repeats: mount epoch in the
// high bits, a counter in the low ones. 0 = never.
using ChangeVersion = uint64_t;

struct Attributes {
  InodeNumber inode = 0;
  uint32_t mode = 0;  // S_IFMT and the twelve permission bits
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t link_count = 0;
  uint32_t device = 0;  // st_rdev of device nodes, in the kernel's 32-bit encoding
  uint32_t policy = 0;
  uint64_t size_bytes = 0;
  uint64_t allocated_bytes = 0;  // st_blocks * 512
  Timestamp access_time;
  Timestamp modify_time;
  Timestamp change_time;
  Timestamp birth_time;
  Timestamp expiry_time;           // {} = never
  ChangeVersion version = 0;       // of any change
  ChangeVersion data_version = 0;  // of the last change of the content

  bool is_directory() const { return S_ISDIR(mode); }
  bool is_regular() const { return S_ISREG(mode); }
  bool is_symlink() const { return S_ISLNK(mode); }
};

// Who asks. uid 0 is privileged.
struct Credentials {
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t umask = 0;            // applied at creation, unless the directory has a default ACL
  std::vector<uint32_t> groups;  // supplementary; only CheckAccess() and friends look at them
};

// Whether a returned inode counts as known to the caller (as the kernel knows
// an inode after a LOOKUP), until Forget().
enum class Reference : uint8_t { kNone, kTake };

struct NewNode {
  uint32_t mode = 0;    // S_IFMT (0 = regular) and permissions, before the umask
  uint32_t device = 0;  // for S_IFCHR and S_IFBLK
};

// Which attributes to set. What is not named stays.
struct AttributeChange {
  enum Field : uint32_t {
    kMode = 1 << 0,
    kUid = 1 << 1,
    kGid = 1 << 2,
    kSize = 1 << 3,
    kAccessTime = 1 << 4,
    kModifyTime = 1 << 5,
    kAccessTimeNow = 1 << 6,
    kModifyTimeNow = 1 << 7,
    // With kSize: the caller lacks CAP_FSETID, so suid and (if
    // group-executable) sgid go. A change of owner clears them without being
    // asked; both drop security.capability.
    kKillPrivileges = 1 << 8,
  };
  uint32_t fields = 0;
  uint32_t mode = 0;  // permission bits
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t size_bytes = 0;
  Timestamp access_time;
  Timestamp modify_time;
};

enum class RenameFlag : uint8_t { kReplace, kNoReplace, kExchange };

struct RenameOptions {
  RenameFlag flag = RenameFlag::kReplace;
  bool whiteout = false;  // leaves a character device 0:0 at the old name
};

struct VolumeWriteOptions {
  bool kill_privileges = false;  // see AttributeChange::kKillPrivileges
};

enum class FallocateMode : uint8_t { kExtend, kKeepSize, kPunchHole, kZeroRange, kZeroRangeKeepSize };

enum class XattrFlag : uint8_t { kSet, kCreate, kReplace };

struct XattrOptions {
  XattrFlag flag = XattrFlag::kSet;
  // With an access ACL: the caller is neither in the file's group nor
  // privileged.
  bool clear_sgid = false;
};

struct DirectoryEntry {
  absl::string_view name;
  InodeNumber inode = 0;
  uint8_t type = 0;  // DT_*
  // Where to go on after this entry; stable for the life of the entry, across
  // remounts.
  uint64_t cookie = 0;
  const Attributes* attributes = nullptr;  // only if asked for, and not for ".."
};

struct ReadDirOptions {
  uint64_t after_cookie = 0;               // 0 = from "."
  bool attributes = false;                 // readdirplus
  Reference reference = Reference::kNone;  // for entries with attributes that
                                           // `visit` took; never "." and ".."
};

// What may become of a listing of a directory that its caller has kept. The later the stronger.
enum class Listing : uint8_t {
  kKeep,   // it is good
  kRenew,  // better read it again; the new one may be kept
  kNone,   // none may be kept
};

struct VolumeStat {
  uint64_t block_bytes = 4096;
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;
  uint64_t available_bytes = 0;
  uint64_t files = 0;       // inodes in use
  uint64_t files_free = 0;  // how many the free space could hold
};

}  // namespace fs

#endif  // FS_VOLUME_TYPES_H_

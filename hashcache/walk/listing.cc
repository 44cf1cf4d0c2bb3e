#include "hashcache/walk/listing.h"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace hashcache {
namespace {

// The kernel's record; <dirent.h> has it under another name and size.
struct KernelEntry {
  uint64_t inode;
  int64_t offset;
  uint16_t size;
  uint8_t type;
  char name[];
};

EntryKind KindOf(uint8_t type) {
  switch (type) {
    case DT_REG:
      return EntryKind::kFile;
    case DT_DIR:
      return EntryKind::kDirectory;
    case DT_LNK:
      return EntryKind::kSymlink;
    default:
      return EntryKind::kOther;
  }
}

}  // namespace

int Listing::Read(int fd, absl::Span<char> buffer) {
  for (;;) {
    const long size = syscall(SYS_getdents64, fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return -errno;
    if (size == 0) return 0;
    for (long at = 0; at < size;) {
      const auto* const entry = reinterpret_cast<const KernelEntry*>(buffer.data() + at);
      at += entry->size;
      const size_t length = std::strlen(entry->name);
      const absl::string_view name(entry->name, length);
      if (name == "." || name == ".." || length == 0) continue;
      if (names_.size() + length + 1 > std::numeric_limits<uint32_t>::max()) return -EOVERFLOW;
      entries_.push_back({.inode = entry->inode,
                          .name_offset = static_cast<uint32_t>(names_.size()),
                          .name_size = static_cast<uint16_t>(length),
                          .kind = KindOf(entry->type),
                          .kind_known = entry->type != DT_UNKNOWN});
      names_.append(entry->name, length + 1);
    }
  }
}

void Listing::Sort() {
  std::sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
    const absl::string_view name_a = Name(a);
    const absl::string_view name_b = Name(b);
    const size_t common = std::min(name_a.size(), name_b.size());
    const int order = std::memcmp(name_a.data(), name_b.data(), common);
    if (order != 0) return order < 0;
    // What comes next in the full path: more of the name, '/', or the end.
    const auto next = [common](absl::string_view name, EntryKind kind) {
      if (name.size() > common) return static_cast<int>(static_cast<unsigned char>(name[common]));
      return kind == EntryKind::kDirectory ? '/' : -1;
    };
    return next(name_a, a.kind) < next(name_b, b.kind);
  });
}

const Listing::Entry* Listing::Find(absl::string_view name) const {
  for (const Entry& entry : entries_) {
    if (Name(entry) == name) return &entry;
  }
  return nullptr;
}

}  // namespace hashcache

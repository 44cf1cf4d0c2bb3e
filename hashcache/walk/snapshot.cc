#include "hashcache/walk/snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/endian.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "hashcache/store/record.h"

namespace hashcache {
namespace {

constexpr absl::string_view kMagic = "HCSNAP01";
constexpr size_t kHeaderSize = 64;
constexpr size_t kDirectorySize = 48;
constexpr size_t kEntrySize = kSnapshotEntrySize;
constexpr uint16_t kUnreadableFlag = 1;

template <typename T>
void Append(T value, std::string* out) {
  char bytes[sizeof value];
  base::StoreLittle<T>(bytes, value);
  out->append(bytes, sizeof bytes);
}

uint32_t CrcOf(absl::string_view bytes, uint32_t before) {
  // Chained by hand: the CRC of the parts' CRCs would do, but one CRC is simpler to state.
  std::string joined;
  Append<uint32_t>(before, &joined);
  Append<uint32_t>(Crc32c(bytes.data(), bytes.size()), &joined);
  return Crc32c(joined.data(), joined.size());
}

}  // namespace

void ForEachEntry(absl::string_view entries, absl::FunctionRef<void(const SnapshotEntry&)> visit) {
  while (entries.size() > kEntrySize) {
    const char* const at = entries.data();
    const size_t name_size = base::LoadLittle<uint16_t>(at + 32);
    const auto kind = static_cast<uint8_t>(at[34]);
    if (entries.size() < kEntrySize + name_size + 1 || kind > static_cast<uint8_t>(EntryKind::kOther)) return;
    visit({.inode = base::LoadLittle<uint64_t>(at),
           .size_bytes = base::LoadLittle<uint64_t>(at + 8),
           .mtime_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(at + 16)),
           .ctime_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(at + 24)),
           .kind = static_cast<EntryKind>(kind),
           .name = absl::string_view(at + kEntrySize, name_size)});
    entries.remove_prefix(kEntrySize + name_size + 1);
  }
}

void AppendEntry(const SnapshotEntry& entry, std::string* entries) {
  Append<uint64_t>(entry.inode, entries);
  Append<uint64_t>(entry.size_bytes, entries);
  Append<uint64_t>(static_cast<uint64_t>(entry.mtime_ns), entries);
  Append<uint64_t>(static_cast<uint64_t>(entry.ctime_ns), entries);
  Append<uint16_t>(static_cast<uint16_t>(entry.name.size()), entries);
  Append<uint8_t>(static_cast<uint8_t>(entry.kind), entries);
  entries->append(entry.name.data(), entry.name.size());
  entries->push_back('\0');
}

std::string EncodeDirectory(const SnapshotDirectory& directory, absl::string_view entries) {
  std::string block;
  const size_t size = kDirectorySize + directory.path.size() + 1 + entries.size();
  block.reserve(size);
  Append<uint32_t>(static_cast<uint32_t>(size), &block);
  Append<uint32_t>(directory.entry_count, &block);
  Append<uint64_t>(directory.inode, &block);
  Append<uint64_t>(directory.device, &block);
  Append<uint64_t>(static_cast<uint64_t>(directory.mtime_ns), &block);
  Append<uint64_t>(static_cast<uint64_t>(directory.ctime_ns), &block);
  Append<uint16_t>(static_cast<uint16_t>(directory.path.size()), &block);
  Append<uint16_t>(directory.unreadable ? kUnreadableFlag : 0, &block);
  Append<uint32_t>(0, &block);
  block.append(directory.path.data(), directory.path.size());
  block.push_back('\0');
  block.append(entries.data(), entries.size());
  return block;
}

absl::optional<SnapshotDirectory> DecodeDirectory(absl::string_view bytes) {
  if (bytes.size() < kDirectorySize) return absl::nullopt;
  const char* const at = bytes.data();
  const size_t size = base::LoadLittle<uint32_t>(at);
  const size_t path_size = base::LoadLittle<uint16_t>(at + 40);
  if (size > bytes.size() || size < kDirectorySize + path_size + 1) return absl::nullopt;
  SnapshotDirectory directory;
  directory.entry_count = base::LoadLittle<uint32_t>(at + 4);
  directory.inode = base::LoadLittle<uint64_t>(at + 8);
  directory.device = base::LoadLittle<uint64_t>(at + 16);
  directory.mtime_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(at + 24));
  directory.ctime_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(at + 32));
  directory.unreadable = (base::LoadLittle<uint16_t>(at + 42) & kUnreadableFlag) != 0;
  directory.path = bytes.substr(kDirectorySize, path_size);
  directory.block = bytes.substr(0, size);
  directory.entries = directory.block.substr(kDirectorySize + path_size + 1);
  return directory;
}

absl::StatusOr<Snapshot> Snapshot::Open(const std::string& path, uint32_t options_crc) {
  ASSIGN_OR_RETURN(const base::Fd fd, base::OpenFile(path, O_RDONLY));
  struct stat attributes;
  if (fstat(fd.get(), &attributes) != 0) return base::ErrnoStatus(errno, path);
  const auto size = static_cast<size_t>(attributes.st_size);
  if (size < kHeaderSize) return absl::DataLossError("a snapshot without a header");
  Snapshot snapshot;
  ASSIGN_OR_RETURN(snapshot.map_, GuardedMap::Map(fd.get(), 0, size));
  const char* const header = reinterpret_cast<const char*>(snapshot.map_.bytes().data());
  if (absl::string_view(header, kMagic.size()) != kMagic ||
      base::LoadLittle<uint32_t>(header + kHeaderSize - 4) != Crc32c(header, kHeaderSize - 4) ||
      base::LoadLittle<uint64_t>(header + 24) != size) {
    return absl::DataLossError("not a snapshot, or cut short");
  }
  if (base::LoadLittle<uint32_t>(header + 16) != options_crc) {
    return absl::FailedPreconditionError("a snapshot of another tree or with other options");
  }
  snapshot.taken_at_ns_ = static_cast<int64_t>(base::LoadLittle<uint64_t>(header + 8));
  absl::string_view blocks(header + kHeaderSize, size - kHeaderSize);
  uint32_t crc = 0;
  while (!blocks.empty()) {
    const absl::optional<SnapshotDirectory> directory = DecodeDirectory(blocks);
    if (!directory.has_value()) return absl::DataLossError("a damaged directory in a snapshot");
    crc = CrcOf(directory->block, crc);
    snapshot.index_.emplace(directory->path, static_cast<uint32_t>(snapshot.directories_.size()));
    snapshot.directories_.push_back(*directory);
    blocks.remove_prefix(directory->block.size());
  }
  if (crc != base::LoadLittle<uint32_t>(header + 20)) return absl::DataLossError("a damaged snapshot");
  return snapshot;
}

absl::Status Snapshot::Write(const std::string& path, uint32_t options_crc, int64_t taken_at_ns,
                             const std::vector<absl::string_view>& blocks) {
  ASSIGN_OR_RETURN(base::AtomicFile file, base::AtomicFile::Create(path, {.mode = 0600}));
  uint32_t crc = 0;
  uint64_t size = kHeaderSize;
  for (const absl::string_view block : blocks) {
    crc = CrcOf(block, crc);
    size += block.size();
  }
  std::string header(kMagic);
  Append<uint64_t>(static_cast<uint64_t>(taken_at_ns), &header);
  Append<uint32_t>(options_crc, &header);
  Append<uint32_t>(crc, &header);
  Append<uint64_t>(size, &header);
  header.resize(kHeaderSize - 4);
  Append<uint32_t>(Crc32c(header.data(), header.size()), &header);
  std::string buffer = header;
  for (const absl::string_view block : blocks) {
    buffer.append(block.data(), block.size());
    if (buffer.size() < (1 << 20)) continue;
    RETURN_IF_ERROR(file.Append(buffer));
    buffer.clear();
  }
  RETURN_IF_ERROR(file.Append(buffer));
  return file.Commit();
}

const SnapshotDirectory* Snapshot::Find(absl::string_view path) const {
  const auto found = index_.find(path);
  return found != index_.end() ? &directories_[found->second] : nullptr;
}

}  // namespace hashcache

// Volume: digests of content, versions of subtrees, and what changed since when.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/endian.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/volume/digest.h"
#include "fs/volume/volume.h"
#include "fs/volume/volume_state.h"

namespace fs {
namespace {

constexpr size_t kDigestReadBytes = 1 << 20;
constexpr int kDigestTries = 3;  // beside writers; then they wait
constexpr size_t kDepthMax = 4096;

absl::StatusOr<std::string> ComputeDigest(VolumeState& state, const Inode& inode, DigestType type) {
  Digester digester(type);
  const uint64_t end = inode.size_bytes();
  std::vector<uint8_t> buffer(std::min<uint64_t>(end, kDigestReadBytes));
  for (uint64_t offset = 0; offset < end; offset += buffer.size()) {
    const absl::Span<uint8_t> part = absl::MakeSpan(buffer).first(std::min<uint64_t>(buffer.size(), end - offset));
    RETURN_IF_ERROR(state.engine.ReadData({inode.number(), offset, part}));
    digester.Update(part);
  }
  return digester.Finish();
}

ChangeVersion DataVersion(const Inode& inode) {
  return inode.WithRow([](const InodeRow& row) { return row.data_version; });
}

// Keeps a digest that holds for `data_version`. A volume that takes no changes serves it
// all the same, so a failure to keep it is none of the caller's concern.
void KeepDigest(VolumeState& state, Inode& inode, ChangeVersion data_version, DigestType type, absl::string_view raw) {
  if (!state.CheckWritable().ok()) return;
  const InodeLocks locks(inode);
  if (inode.removed || DataVersion(inode) != data_version) return;
  Change change(state);
  InodeRow& row = change.EditQuietly(inode);
  if (!FindDigest(row.digests, type).empty()) return;
  AddDigest(&row.digests, type, raw);
  change.Apply().IgnoreError();
}

// Opens a new generation: from now on the first change below any directory marks it.
// Returns the version that all changes seen so far are at or before.
ChangeVersion OpenGeneration(VolumeState& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.namespace_mutex) {
  if (state.marked_since_read.exchange(false)) ++state.generation;
  return state.version;
}

struct ListedChild {
  std::string name;
  InodeNumber inode;
  uint32_t mode;
  ChangeVersion version;
  ChangeVersion subtree_version;
};

absl::StatusOr<std::vector<ListedChild>> ListChildren(VolumeState& state, InodeNumber directory) {
  std::vector<ListedChild> children;
  bool damaged = false;
  base::ReaderMutexLock lock(&state.namespace_mutex);
  RETURN_IF_ERROR(state.engine.Scan(RowKey(directory, RowType::kOrder), RowEnd(directory, RowType::kOrder),
                                    [&](absl::string_view, absl::string_view value) {
                                      absl::StatusOr<OrderRow> row = OrderRow::Decode(value);
                                      damaged = !row.ok();
                                      if (!damaged) children.push_back({std::move(row->name), row->child, 0, 0, 0});
                                      return !damaged;
                                    }));
  if (damaged) return absl::DataLossError(absl::StrCat("order row is damaged; directory ", directory));
  for (ListedChild& child : children) {
    ASSIGN_OR_RETURN(const InodePin pin, state.table.Pin(child.inode));
    pin->WithRow([&](const InodeRow& row) {
      child.mode = row.mode;
      child.version = row.version;
      child.subtree_version = row.subtree_version;
    });
  }
  return children;
}

// Walks what changed after `since` below one directory.
class ChangeWalk {
 public:
  ChangeWalk(VolumeState& state, ChangeVersion since, size_t paths_max, TreeChanges* changes)
      : state_(state), since_(since), paths_max_(paths_max), changes_(changes) {}

  absl::Status Walk(InodeNumber directory, const std::string& prefix, size_t depth) {
    if (depth > kDepthMax) return InodeError(ELOOP, "directories are nested too deep", directory);
    ASSIGN_OR_RETURN(const std::vector<ListedChild> children, ListChildren(state_, directory));
    for (const ListedChild& child : children) {
      const std::string path = absl::StrCat(prefix, child.name);
      if (child.version > since_) Add(path);
      if (changes_->rescan) return absl::OkStatus();
      if (S_ISDIR(child.mode) && std::max(child.version, child.subtree_version) > since_) {
        const absl::Status below = Walk(child.inode, path + "/", depth + 1);
        // Removed while we walk: that is a change of `directory`, told the next time.
        if (!below.ok() && base::ErrnoOf(below) != ESTALE) return below;
      }
    }
    return absl::OkStatus();
  }

  void Add(const std::string& path) {
    if (changes_->paths.size() < paths_max_) {
      changes_->paths.push_back(path);
      return;
    }
    changes_->paths.clear();
    changes_->rescan = true;
  }

 private:
  VolumeState& state_;
  const ChangeVersion since_;
  const size_t paths_max_;
  TreeChanges* const changes_;
};

// A token names the volume, so that one of another volume is not believed.
std::string MakeToken(const VolumeState& state, ChangeVersion version) {
  return absl::StrCat("cachefs1-", absl::Hex(state.hash("token"), absl::kZeroPad16), "-",
                      absl::Hex(version, absl::kZeroPad16));
}

// None if the token is none of this volume's, or of changes that a crash undid.
absl::optional<ChangeVersion> ParseToken(const VolumeState& state, absl::string_view token) {
  if (!absl::ConsumePrefix(&token, absl::StrCat("cachefs1-", absl::Hex(state.hash("token"), absl::kZeroPad16), "-"))) {
    return absl::nullopt;
  }
  ChangeVersion version;
  if (token.size() != 16 || !absl::SimpleHexAtoi(token, &version)) return absl::nullopt;
  if (version > state.version || (version > state.lost_after && version < state.lost_before)) return absl::nullopt;
  return version;
}

}  // namespace

absl::StatusOr<std::string> Volume::Digest(InodeNumber inode, DigestType type) {
  VolumeState& state = *state_;
  ASSIGN_OR_RETURN(const InodePin pin, state.PinFile(inode));
  for (int attempt = 0;; ++attempt) {
    std::string kept;
    ChangeVersion before = 0;
    pin->WithRow([&](const InodeRow& row) {
      kept = std::string(FindDigest(row.digests, type));
      before = row.data_version;
    });
    if (!kept.empty()) return kept;
    if (type == DigestType::kCrc32c) {
      ASSIGN_OR_RETURN(const absl::optional<uint32_t> crc, state.engine.ContentCrc32c(inode, pin->size_bytes()));
      if (crc.has_value() && DataVersion(*pin) == before) return EncodeCrc32cDigest(*crc);
    }
    if (attempt == kDigestTries) {
      const InodeLocks locks(*pin);
      return ComputeDigest(state, *pin, type);
    }
    ASSIGN_OR_RETURN(const std::string raw, ComputeDigest(state, *pin, type));
    if (DataVersion(*pin) != before) continue;
    KeepDigest(state, *pin, before, type, raw);
    return raw;
  }
}

bool Volume::DigestWouldRead(InodeNumber inode, DigestType type) {
  const absl::StatusOr<InodePin> pin = state_->table.Pin(inode);
  if (!pin.ok()) return false;
  return (*pin)->WithRow([&](const InodeRow& row) { return FindDigest(row.digests, type).empty(); });
}

absl::StatusOr<ChangeVersion> Volume::SubtreeVersion(InodeNumber inode) {
  base::MutexLock lock(&state_->namespace_mutex);
  ASSIGN_OR_RETURN(const InodePin pin, state_->table.Pin(inode));
  OpenGeneration(*state_);
  return pin->WithRow([](const InodeRow& row) { return std::max(row.version, row.subtree_version); });
}

absl::StatusOr<TreeChanges> Volume::ChangedSince(InodeNumber directory, absl::string_view token, size_t paths_max) {
  VolumeState& state = *state_;
  TreeChanges changes;
  InodeRow row;
  {
    base::MutexLock lock(&state.namespace_mutex);
    ASSIGN_OR_RETURN(const InodePin pin, state.PinDirectory(directory));
    changes.token = MakeToken(state, OpenGeneration(state));
    row = pin->row();
  }
  const absl::optional<ChangeVersion> since = ParseToken(state, token);
  if (!since.has_value()) {
    changes.rescan = true;
    return changes;
  }
  ChangeWalk walk(state, *since, paths_max, &changes);
  if (row.version > *since) walk.Add(".");
  if (std::max(row.version, row.subtree_version) > *since) RETURN_IF_ERROR(walk.Walk(directory, "", 0));
  return changes;
}

}  // namespace fs

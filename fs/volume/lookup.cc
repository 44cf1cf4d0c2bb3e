// Volume: looking up names and listing directories.
#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/endian.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/volume/volume.h"
#include "fs/volume/volume_state.h"
#include "fs/volume/xattr_store.h"

namespace fs {
namespace {

constexpr uint64_t kDotCookie = 1;
constexpr uint64_t kDotDotCookie = 2;
constexpr size_t kDepthMax = 1 << 16;  // no path is deeper; damage may be
// Entries that are read under the lock at once: few at first, since a reply may be small.
constexpr size_t kEntriesMin = 32;
constexpr size_t kEntriesMax = 512;

struct ListedEntry {
  OrderRow row;
  uint64_t index;
  Attributes attributes;
  bool is_expired = false;
};

// The next entries after `after`, with references taken if asked to.
absl::StatusOr<std::vector<ListedEntry>> ListEntries(VolumeState& state, InodeNumber directory, uint64_t after,
                                                     size_t count, bool may_expire, const ReadDirOptions& options) {
  std::vector<ListedEntry> entries;
  absl::Status damage;
  base::ReaderMutexLock lock(&state.namespace_mutex);
  RETURN_IF_ERROR(state.engine.Scan(
      RowKey(directory, RowType::kOrder, std::max(after + 1, kFirstIndex)), RowEnd(directory, RowType::kOrder),
      [&](absl::string_view key, absl::string_view value) {
        absl::StatusOr<OrderRow> row = OrderRow::Decode(value);
        if (!row.ok() || KeySuffix(key).size() != 8) {
          damage = absl::DataLossError("order row is damaged");
          return false;
        }
        entries.push_back({*std::move(row), base::LoadBig<uint64_t>(KeySuffix(key).data()), {}, false});
        return entries.size() < count;
      }));
  if (!damage.ok()) return base::Annotate(damage, absl::StrCat("directory ", directory));
  if (!options.attributes && !may_expire) return entries;
  for (ListedEntry& entry : entries) {
    ASSIGN_OR_RETURN(const InodePin pin, state.table.Pin(entry.row.child));
    entry.is_expired = may_expire && state.IsExpired(*pin);
    if (!options.attributes || entry.is_expired) continue;
    entry.attributes = state.AttributesOf(*pin);
    if (options.reference == Reference::kTake) state.table.TakeReference(*pin);
  }
  return entries;
}

}  // namespace

absl::StatusOr<Attributes> Volume::Lookup(InodeNumber directory, absl::string_view name, Reference reference) {
  VolumeState& state = *state_;
  if (name.size() > kNameBytesMax) return CheckEntryName(name);
  base::ReaderMutexLock lock(&state.namespace_mutex);
  ASSIGN_OR_RETURN(const InodePin parent, state.PinDirectory(directory));
  InodeNumber child = directory;
  if (name == "..") {
    ASSIGN_OR_RETURN(const Home home, state.HomeOf(*parent));
    if (home.parent != 0) child = home.parent;
  } else if (name != ".") {
    ASSIGN_OR_RETURN(const VolumeState::FoundName found, state.FindName(directory, name));
    child = found.child;
  }
  const uint32_t policy = parent->WithRow([](const InodeRow& row) { return row.policy; });
  if (child == 0) {
    state.CountLookup(policy, /*hit=*/false);
    return absl::NotFoundError("");
  }
  ASSIGN_OR_RETURN(const InodePin pin, state.table.Pin(child));
  const bool is_expired = state.IsExpired(*pin);
  state.CountLookup(policy, !is_expired);
  if (is_expired) return absl::NotFoundError("");
  if (reference == Reference::kTake) state.table.TakeReference(*pin);
  return state.AttributesOf(*pin);
}

absl::StatusOr<InodeNumber> Volume::Parent(InodeNumber directory) {
  base::ReaderMutexLock lock(&state_->namespace_mutex);
  ASSIGN_OR_RETURN(const InodePin pin, state_->PinDirectory(directory));
  ASSIGN_OR_RETURN(const Home home, state_->HomeOf(*pin));
  return home.parent == 0 ? directory : home.parent;
}

absl::StatusOr<Listing> Volume::CheckListing(InodeNumber directory) {
  VolumeState& state = *state_;
  ASSIGN_OR_RETURN(const InodePin pin, state.table.Pin(directory));
  if (pin->WithRow([](const InodeRow& row) { return row.has_expiring; })) return Listing::kNone;
  // Entries are taken all together by a listing and mostly let go together, so one tells.
  InodeNumber first = 0;
  RETURN_IF_ERROR(state.engine.Scan(RowKey(directory, RowType::kOrder), RowEnd(directory, RowType::kOrder),
                                    [&](absl::string_view, absl::string_view value) {
                                      const absl::StatusOr<OrderRow> row = OrderRow::Decode(value);
                                      if (row.ok()) first = row->child;
                                      return false;
                                    }));
  return first == 0 || state.table.IsReferenced(first) ? Listing::kKeep : Listing::kRenew;
}

absl::StatusOr<std::string> Volume::PathOf(InodeNumber inode) {
  std::vector<std::string> names;
  base::ReaderMutexLock lock(&state_->namespace_mutex);
  for (InodeNumber at = inode; at != kRootInode && names.size() < kDepthMax;) {
    ASSIGN_OR_RETURN(const InodePin pin, state_->table.Pin(at));
    ASSIGN_OR_RETURN(const Home home, state_->HomeOf(*pin));
    if (home.parent == 0) return absl::NotFoundError(absl::StrCat("inode ", inode, " has no name"));
    std::string bytes;
    ASSIGN_OR_RETURN(const bool found,
                     state_->engine.Get(RowKey(home.parent, RowType::kOrder, home.index), &bytes));
    if (!found) return absl::DataLossError(absl::StrCat("inode ", at, " has a back-reference to no entry"));
    ASSIGN_OR_RETURN(OrderRow row, OrderRow::Decode(bytes));
    names.push_back(std::move(row.name));
    at = home.parent;
  }
  return absl::StrJoin(names.rbegin(), names.rend(), "/");
}

absl::StatusOr<std::string> Volume::ReadSymlink(InodeNumber inode) {
  ASSIGN_OR_RETURN(const InodePin pin, state_->table.Pin(inode));
  const InodeRow row = pin->row();
  if (!S_ISLNK(row.mode)) return InodeError(EINVAL, "not a symbolic link", inode);
  if (!row.symlink_target.empty()) return row.symlink_target;
  ASSIGN_OR_RETURN(absl::optional<std::string> target, state_->FindXattr(*pin, kSymlinkXattr));
  if (!target.has_value()) return absl::DataLossError(absl::StrCat("symbolic link without a target; inode ", inode));
  return *std::move(target);
}

absl::Status Volume::ReadDir(InodeNumber directory, const ReadDirOptions& options,
                             absl::FunctionRef<bool(const DirectoryEntry&)> visit) {
  VolumeState& state = *state_;
  ASSIGN_OR_RETURN(const InodePin pin, state.table.Pin(directory));
  if (!S_ISDIR(pin->mode())) return InodeError(ENOTDIR, "not a directory", directory);
  uint64_t after = options.after_cookie;
  DirectoryEntry entry;
  if (after < kDotCookie) {
    const Attributes self = state.AttributesOf(*pin);
    entry = {".", directory, DT_DIR, kDotCookie, options.attributes ? &self : nullptr};
    if (!visit(entry)) return absl::OkStatus();
    after = kDotCookie;
  }
  if (after < kDotDotCookie) {
    InodeNumber parent = directory;
    {
      base::ReaderMutexLock lock(&state.namespace_mutex);
      ASSIGN_OR_RETURN(const Home home, state.HomeOf(*pin));
      if (home.parent != 0) parent = home.parent;
    }
    if (!visit({"..", parent, DT_DIR, kDotDotCookie, nullptr})) return absl::OkStatus();
    after = kDotDotCookie;
  }
  const bool may_expire = pin->WithRow([](const InodeRow& row) { return row.has_expiring; });
  for (size_t count = kEntriesMin;; count = std::min(2 * count, kEntriesMax)) {
    ASSIGN_OR_RETURN(const std::vector<ListedEntry> entries,
                     ListEntries(state, directory, after, count, may_expire, options));
    for (size_t i = 0; i < entries.size(); ++i) {
      const ListedEntry& listed = entries[i];
      if (listed.is_expired) continue;
      entry = {listed.row.name, listed.row.child, listed.row.type, listed.index,
               options.attributes ? &listed.attributes : nullptr};
      if (visit(entry)) continue;
      if (options.attributes && options.reference == Reference::kTake) {
        for (; i < entries.size(); ++i) {
          if (!entries[i].is_expired) state.table.Forget(entries[i].row.child, 1);
        }
      }
      return absl::OkStatus();
    }
    if (entries.size() < count) return absl::OkStatus();
    after = entries.back().index;
  }
}

}  // namespace fs

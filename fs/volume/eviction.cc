#include "fs/volume/eviction.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/volume/unlink.h"

namespace fs {
namespace {

constexpr char kPolicyPayload[] = "cachefs/policy";
constexpr char kExcessPayload[] = "cachefs/excess_bytes";
// What goes beyond the need at once, so that a full cache does not evict for every file.
constexpr uint64_t kSlackShare = 256;
// When the device is full, caches give way by as much as this at a time.
constexpr uint64_t kDeviceRoomBytes = 4 << 20;

uint64_t NumberPayload(const absl::Status& status, absl::string_view type) {
  uint64_t number = 0;
  const absl::optional<absl::Cord> payload = status.GetPayload(type);
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &number)) return 0;
  return number;
}

struct FileName {
  InodeNumber directory = 0;
  std::string name;
};

// The names of an inode, by its back-references.
absl::StatusOr<std::vector<FileName>> NamesOf(VolumeState& state, InodeNumber inode) {
  std::vector<Home> homes;
  RETURN_IF_ERROR(state.engine.Scan(RowKey(inode, RowType::kBackReference), RowEnd(inode, RowType::kBackReference),
                                    [&](absl::string_view key, absl::string_view) {
                                      if (KeySuffix(key).size() == 16) {
                                        homes.push_back({base::LoadBig<uint64_t>(KeySuffix(key).data()),
                                                         base::LoadBig<uint64_t>(KeySuffix(key).data() + 8)});
                                      }
                                      return true;
                                    }));
  std::vector<FileName> names;
  for (const Home& home : homes) {
    std::string bytes;
    ASSIGN_OR_RETURN(const bool found, state.engine.Get(RowKey(home.parent, RowType::kOrder, home.index), &bytes));
    if (!found) return absl::DataLossError(absl::StrCat("inode ", inode, " has a back-reference to no entry"));
    ASSIGN_OR_RETURN(OrderRow row, OrderRow::Decode(bytes));
    names.push_back({home.parent, std::move(row.name)});
  }
  return names;
}

struct AgedCandidate {
  Timestamp birth_time;
  EvictionCandidate candidate;
};

// The files of a policy below `directory`.
absl::Status ListFiles(VolumeState& state, uint32_t policy, InodeNumber directory, std::vector<AgedCandidate>* files) {
  std::vector<InodeNumber> children;
  {
    base::ReaderMutexLock lock(&state.namespace_mutex);
    RETURN_IF_ERROR(state.engine.Scan(RowKey(directory, RowType::kOrder), RowEnd(directory, RowType::kOrder),
                                      [&](absl::string_view, absl::string_view value) {
                                        const absl::StatusOr<OrderRow> row = OrderRow::Decode(value);
                                        if (row.ok()) children.push_back(row->child);
                                        return true;
                                      }));
  }
  std::vector<InodeNumber> directories;
  for (const InodeNumber child : children) {
    const absl::StatusOr<InodePin> pin = state.table.Pin(child);
    if (!pin.ok()) continue;  // it went meanwhile
    (*pin)->WithRow([&](const InodeRow& row) {
      if (row.policy != policy) return;
      if (S_ISDIR(row.mode)) directories.push_back(child);
      if (S_ISREG(row.mode)) files->push_back({row.birth_time, {child, row.size_bytes, 0}});
    });
  }
  for (const InodeNumber child : directories) RETURN_IF_ERROR(ListFiles(state, policy, child, files));
  return absl::OkStatus();
}

absl::Status LoadCandidates(VolumeState& state, uint32_t policy, const PolicyRow& row) {
  std::vector<AgedCandidate> files;
  RETURN_IF_ERROR(ListFiles(state, policy, row.root, &files));
  std::sort(files.begin(), files.end(),
            [](const AgedCandidate& a, const AgedCandidate& b) { return a.birth_time < b.birth_time; });
  std::vector<EvictionCandidate> candidates;
  candidates.reserve(files.size());
  for (const AgedCandidate& file : files) candidates.push_back(file.candidate);
  state.evictor.Load(policy, row.kind == PolicyRow::kFifo, candidates);
  return absl::OkStatus();
}

std::vector<uint32_t> EvictablePolicies(VolumeState& state) {
  base::MutexLock lock(&state.usage_mutex);
  std::vector<std::pair<uint64_t, uint32_t>> by_bytes;
  for (const auto& [id, row] : state.policies) {
    if (row.is_evictable()) by_bytes.emplace_back(state.usage[id].bytes, id);
  }
  std::sort(by_bytes.rbegin(), by_bytes.rend());
  std::vector<uint32_t> ids;
  for (const auto& [bytes, id] : by_bytes) ids.push_back(id);
  return ids;
}

}  // namespace

absl::Status OverQuota(uint32_t policy, uint64_t bytes, uint64_t quota_bytes) {
  absl::Status status = base::ErrnoStatus(
      EDQUOT, absl::StrCat("over the quota; policy ", policy, ", ", bytes, " bytes of ", quota_bytes));
  status.SetPayload(kPolicyPayload, absl::Cord(absl::StrCat(policy)));
  status.SetPayload(kExcessPayload, absl::Cord(absl::StrCat(bytes - quota_bytes)));
  return status;
}

absl::StatusOr<absl::optional<uint64_t>> RemoveAllNames(VolumeState& state, InodeNumber inode, uint32_t policy,
                                                        RemovedEntry::Reason reason) {
  absl::StatusOr<InodePin> pin = state.table.Pin(inode);
  if (!pin.ok()) {
    if (base::ErrnoOf(pin.status()) == ESTALE) return absl::optional<uint64_t>();
    return pin.status();
  }
  std::vector<FileName> removed;
  uint64_t size_bytes = 0;
  {
    base::MutexLock lock(&state.namespace_mutex);
    const InodeLocks locks(**pin);
    const InodeRow row = (*pin)->row();
    size_bytes = row.size_bytes;
    if ((*pin)->removed || row.link_count == 0 || !S_ISREG(row.mode)) return absl::optional<uint64_t>();
    if (reason == RemovedEntry::Reason::kEvicted ? row.policy != policy : !state.IsExpired(**pin)) {
      return absl::optional<uint64_t>();
    }
    ASSIGN_OR_RETURN(std::vector<FileName> names, NamesOf(state, inode));
    for (FileName& name : names) {
      ASSIGN_OR_RETURN(const InodePin parent, state.table.Pin(name.directory));
      ASSIGN_OR_RETURN(const VolumeState::FoundName found, state.FindName(name.directory, name.name));
      if (found.child != inode) return absl::DataLossError(absl::StrCat("inode ", inode, ": its name is another's"));
      RETURN_IF_ERROR(UnlinkLocked(state, *parent, found, **pin));
      removed.push_back(std::move(name));
    }
    state.evictor.Erase(row.policy, inode);
  }
  if (reason == RemovedEntry::Reason::kEvicted) {
    ++state.evicted_files;
    state.evicted_bytes += size_bytes;
    base::MutexLock lock(&state.usage_mutex);
    PolicyCounts& counts = state.policy_counts[policy];
    ++counts.evicted_files;
    counts.evicted_bytes += size_bytes;
  } else {
    ++state.expired_files;
  }
  if (state.on_removed) {
    for (const FileName& name : removed) state.on_removed({name.directory, name.name, inode, size_bytes, reason});
  }
  return absl::optional<uint64_t>(size_bytes);
}

absl::StatusOr<uint64_t> Evict(VolumeState& state, uint32_t policy, uint64_t bytes, InodeNumber kept) {
  const absl::optional<PolicyRow> row = state.PolicyOf(policy);
  if (!row.has_value() || !row->is_evictable()) return uint64_t{0};
  if (state.evictor.NeedsLoad(policy)) RETURN_IF_ERROR(LoadCandidates(state, policy, *row));
  uint64_t gone = 0;
  absl::optional<EvictionCandidate> spared;
  while (gone < bytes) {
    const absl::optional<EvictionCandidate> victim = state.evictor.Next(policy);
    if (!victim.has_value()) break;
    if (victim->inode == kept) {
      spared = victim;
      continue;
    }
    ASSIGN_OR_RETURN(const absl::optional<uint64_t> removed,
                     RemoveAllNames(state, victim->inode, policy, RemovedEntry::Reason::kEvicted));
    gone += removed.value_or(0);
  }
  if (spared.has_value()) state.evictor.Use(policy, row->kind == PolicyRow::kFifo, *spared);
  return gone;
}

bool VolumeState::MakeRoom(const absl::Status& status, InodeNumber kept) {
  if (!absl::IsResourceExhausted(status)) return false;
  if (base::ErrnoOf(status) == EDQUOT) {
    const auto policy = static_cast<uint32_t>(NumberPayload(status, kPolicyPayload));
    const absl::optional<PolicyRow> row = PolicyOf(policy);
    if (!row.has_value()) return false;
    const uint64_t wanted = NumberPayload(status, kExcessPayload) + row->quota_bytes / kSlackShare;
    return Evict(*this, policy, wanted, kept).value_or(0) > 0;
  }
  if (base::ErrnoOf(status) != 0 && base::ErrnoOf(status) != ENOSPC) return false;
  for (const uint32_t policy : EvictablePolicies(*this)) {
    if (Evict(*this, policy, kDeviceRoomBytes, kept).value_or(0) == 0) continue;
    // What was removed becomes room when nobody holds it any more.
    return engine.Commit(engine.last_sequence(), Priority::kForeground).ok();
  }
  return false;
}

void VolumeState::CountLookup(uint32_t policy, bool hit) {
  if (policy == kNoPolicy) return;
  base::MutexLock lock(&usage_mutex);
  PolicyCounts& counts = policy_counts[policy];
  ++counts.lookups;
  if (hit) ++counts.hits;
}

void VolumeState::NoteSize(const Inode& inode) {
  uint32_t policy = kNoPolicy;
  uint64_t size_bytes = 0;
  inode.WithRow([&](const InodeRow& row) {
    if (S_ISREG(row.mode)) policy = row.policy;
    size_bytes = row.size_bytes;
  });
  if (policy != kNoPolicy) evictor.Resize(policy, inode.number(), size_bytes);
}

void VolumeState::NoteUse(Inode& inode, absl::string_view name_key) {
  uint32_t policy = kNoPolicy;
  EvictionCandidate candidate{inode.number(), 0, 0};
  inode.WithRow([&](const InodeRow& row) {
    if (S_ISREG(row.mode)) policy = row.policy;
    candidate.size_bytes = row.size_bytes;
  });
  const absl::optional<PolicyRow> row = PolicyOf(policy);
  if (!row.has_value() || !row->is_evictable()) return;
  if (!name_key.empty()) candidate.name_hash = absl::Hash<absl::string_view>()(name_key) | 1;
  evictor.Use(policy, row->kind == PolicyRow::kFifo, candidate);
}

}  // namespace fs

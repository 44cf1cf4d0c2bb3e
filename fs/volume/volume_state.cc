// tidy: long-file: what every change of the tree shares, in the order in which a change uses it.
#include "fs/volume/volume_state.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/format/varint.h"
#include "fs/volume/eviction.h"
#include "fs/volume/unlink.h"

namespace fs {
namespace {

constexpr uint64_t kFirstFreeInode = 2;  // after the root
// Runs grow with their directory: small ones waste little, large ones share leaves.
constexpr uint64_t kRunMin = 16;
constexpr uint64_t kRunMax = 1024;
// How far the noted version lags behind, so that changes which are being applied on
// other threads are not passed over, and how often it is noted.
constexpr uint64_t kVersionMargin = 4096;
constexpr uint64_t kVersionStride = 1024;

// The end of all name rows with this hash.
std::string NameHashEnd(InodeNumber directory, uint64_t hash) {
  if (hash == UINT64_MAX) return RowEnd(directory, RowType::kName);
  return RowKey(directory, RowType::kName, hash + 1);
}

}  // namespace

absl::Status CheckEntryName(absl::string_view name) {
  if (name.size() > kNameBytesMax) return base::ErrnoStatus(ENAMETOOLONG, "name is longer than 255 bytes");
  if (name.empty()) return base::ErrnoStatus(ENOENT, "name is empty");
  if (name == kControlName) return base::ErrnoStatus(EPERM, "the name .cachefs is reserved");
  if (!IsEntryName(name)) {
    return base::ErrnoStatus(EINVAL, absl::StrCat("no name for an entry: \"", absl::CHexEscape(name), "\""));
  }
  return absl::OkStatus();
}

absl::Status InodeError(int error_number, absl::string_view what, InodeNumber inode) {
  return base::ErrnoStatus(error_number, absl::StrCat(what, "; inode ", inode));
}

InodeLocks::InodeLocks(Inode* one, Inode* two) {
  if (one != nullptr && two != nullptr && one->number() > two->number()) std::swap(one, two);
  if (one == two) two = nullptr;
  first_ = one == nullptr ? nullptr : &one->mutex();
  second_ = two == nullptr ? nullptr : &two->mutex();
  if (first_ != nullptr) first_->Lock();
  if (second_ != nullptr) second_->Lock();
}

InodeLocks::~InodeLocks() {
  if (second_ != nullptr) second_->Unlock();
  if (first_ != nullptr) first_->Unlock();
}

VolumeState::VolumeState(Engine& engine_in, const VolumeOptions& options_in)
    : engine(engine_in), options(options_in), table([this](InodeNumber number) { return LoadInodeRow(number); }) {}

absl::StatusOr<InodeRow> VolumeState::LoadInodeRow(InodeNumber number) const {
  std::string bytes;
  ASSIGN_OR_RETURN(const bool found, engine.Get(RowKey(number, RowType::kInode), &bytes));
  if (!found) return base::ErrnoStatus(ESTALE, absl::StrCat("inode ", number, " does not exist"));
  absl::StatusOr<InodeRow> row = InodeRow::Decode(bytes);
  if (!row.ok()) return base::Annotate(row.status(), absl::StrCat("inode ", number));
  return row;
}

absl::StatusOr<absl::optional<uint64_t>> VolumeState::ReadCounter(Counter counter) const {
  std::string bytes;
  ASSIGN_OR_RETURN(const bool found, engine.Get(CounterKey(counter), &bytes));
  if (!found) return absl::optional<uint64_t>();
  absl::StatusOr<uint64_t> value = DecodeCounter(bytes);
  if (!value.ok()) return base::Annotate(value.status(), absl::StrCat("counter ", static_cast<uint32_t>(counter)));
  return absl::optional<uint64_t>(*value);
}

absl::Status VolumeState::Load() {
  ASSIGN_OR_RETURN(const absl::optional<uint64_t> next, ReadCounter(Counter::kNextInode));
  if (!next.has_value()) return absl::NotFoundError("the volume holds no tree");
  if (*next < kFirstFreeInode) return absl::DataLossError(absl::StrCat("next inode number is ", *next));
  ASSIGN_OR_RETURN(const absl::optional<uint64_t> key_low, ReadCounter(Counter::kHashKeyLow));
  ASSIGN_OR_RETURN(const absl::optional<uint64_t> key_high, ReadCounter(Counter::kHashKeyHigh));
  if (!key_low.has_value() || !key_high.has_value()) return absl::DataLossError("the key of the name hash is missing");
  hash = NameHash(*key_low, *key_high, options.name_hash_bits);
  ASSIGN_OR_RETURN(const absl::optional<uint64_t> noted, ReadCounter(Counter::kVersion));
  ASSIGN_OR_RETURN(const absl::optional<uint64_t> clean_end, ReadCounter(Counter::kCleanEnd));
  version_noted = std::max(noted.value_or(0), clean_end.value_or(0));
  // Beyond all that the last mount may have shown, even if its counter ran over.
  const uint64_t past = version_noted + kVersionMargin + 2 * kVersionStride;
  version = std::max(engine.mount_epoch() << kEpochShift, past);
  ASSIGN_OR_RETURN(const absl::optional<uint64_t> after, ReadCounter(Counter::kLostAfter));
  ASSIGN_OR_RETURN(const absl::optional<uint64_t> before, ReadCounter(Counter::kLostBefore));
  lost_after = after.value_or(0);
  lost_before = before.value_or(0);
  if (!clean_end.has_value()) {
    // What the last mount showed after `noted` may be undone. One range covers all such.
    if (lost_before == 0) lost_after = version_noted;
    lost_before = version.load();
  }
  base::MutexLock namespace_lock(&namespace_mutex);
  next_inode = *next;
  base::MutexLock usage_lock(&usage_mutex);
  absl::Status damage;
  RETURN_IF_ERROR(engine.Scan(RowKey(0, RowType::kUsage), RowEnd(0, RowType::kUsage),
                              [&](absl::string_view key, absl::string_view value) {
                                usage_mutex.AssertHeld();
                                const absl::StatusOr<UsageRow> decoded = UsageRow::Decode(value);
                                if (!decoded.ok() || KeySuffix(key).size() != 4) {
                                  damage = absl::DataLossError("usage row is damaged");
                                  return false;
                                }
                                usage[base::LoadBig<uint32_t>(KeySuffix(key).data())] = *decoded;
                                return true;
                              }));
  RETURN_IF_ERROR(damage);
  ASSIGN_OR_RETURN(const absl::optional<uint64_t> next_id, ReadCounter(Counter::kNextPolicy));
  next_policy = static_cast<uint32_t>(next_id.value_or(1));
  RETURN_IF_ERROR(engine.Scan(
      RowKey(0, RowType::kPolicy), RowEnd(0, RowType::kPolicy), [&](absl::string_view key, absl::string_view value) {
        usage_mutex.AssertHeld();
        const absl::StatusOr<PolicyRow> decoded = PolicyRow::Decode(value);
        if (!decoded.ok() || KeySuffix(key).size() != 4) {
          damage = decoded.ok() ? absl::DataLossError("policy row is damaged") : decoded.status();
          return false;
        }
        policies[base::LoadBig<uint32_t>(KeySuffix(key).data())] = *decoded;
        return true;
      }));
  return damage;
}

absl::optional<PolicyRow> VolumeState::PolicyOf(uint32_t policy) {
  if (policy == kNoPolicy) return absl::nullopt;
  base::MutexLock lock(&usage_mutex);
  const auto it = policies.find(policy);
  if (it == policies.end()) return absl::nullopt;
  return it->second;
}

Timestamp VolumeState::ExpiryFor(uint32_t policy, Timestamp now) {
  const absl::optional<PolicyRow> row = PolicyOf(policy);
  if (!row.has_value() || row->ttl_seconds == 0) return {};
  now.seconds += static_cast<int64_t>(row->ttl_seconds);
  return now;
}

bool VolumeState::IsExpired(const Inode& inode) const {
  const Timestamp expiry = inode.WithRow([](const InodeRow& row) { return row.expiry_time; });
  return !expiry.is_zero() && expiry <= Now();
}

absl::StatusOr<VolumeState::FoundName> VolumeState::FindLiveName(Inode& directory, absl::string_view name) {
  ASSIGN_OR_RETURN(FoundName found, FindName(directory.number(), name));
  if (!found.found()) return found;
  ASSIGN_OR_RETURN(const InodePin child, table.Pin(found.child));
  if (!IsExpired(*child)) return found;
  const InodeLocks locks(*child);
  RETURN_IF_ERROR(UnlinkLocked(*this, directory, found, *child));
  return FindName(directory.number(), name);
}

Attributes VolumeState::AttributesOf(const Inode& inode) {
  Attributes out;
  out.inode = inode.number();
  inode.WithRow([&](const InodeRow& row) {
    out.mode = row.mode;
    out.uid = row.uid;
    out.gid = row.gid;
    out.link_count = row.link_count;
    out.device = row.device;
    out.policy = row.policy;
    out.size_bytes = row.size_bytes;
    out.access_time = row.access_time;
    out.modify_time = row.modify_time;
    out.change_time = row.change_time;
    out.birth_time = row.birth_time;
    out.expiry_time = row.expiry_time;
    out.version = row.version;
    out.data_version = row.data_version;
    if (S_ISDIR(row.mode)) {
      // About what its rows take, in whole blocks, as other filesystems say it.
      out.size_bytes = out.allocated_bytes = (1 + row.entry_count / 64) * 4096;
    }
  });
  if (out.is_regular()) out.allocated_bytes = engine.AllocatedBytes(out.inode);
  return out;
}

absl::StatusOr<InodePin> VolumeState::PinDirectory(InodeNumber number) {
  ASSIGN_OR_RETURN(InodePin pin, table.Pin(number));
  const auto [mode, links] = pin->WithRow([](const InodeRow& row) { return std::pair(row.mode, row.link_count); });
  if (!S_ISDIR(mode)) return InodeError(ENOTDIR, "not a directory", number);
  if (links == 0) return absl::NotFoundError("");
  return pin;
}

absl::StatusOr<InodePin> VolumeState::PinFile(InodeNumber number) {
  ASSIGN_OR_RETURN(InodePin pin, table.Pin(number));
  const uint32_t mode = pin->mode();
  if (S_ISDIR(mode)) return InodeError(EISDIR, "is a directory", number);
  if (!S_ISREG(mode)) return InodeError(EINVAL, "not a regular file", number);
  return pin;
}

absl::StatusOr<VolumeState::FoundName> VolumeState::FindName(InodeNumber directory, absl::string_view name) const {
  const uint64_t name_hash = hash(name);
  const std::string first = RowKey(directory, RowType::kName, name_hash);
  FoundName result;
  uint32_t free_number = 0;
  bool damaged = false;
  RETURN_IF_ERROR(
      engine.Scan(first, NameHashEnd(directory, name_hash), [&](absl::string_view key, absl::string_view value) {
        uint64_t child, index;
        if (key.size() != first.size() + 4 || !ConsumeVarint(&value, &child) || !ConsumeVarint(&value, &index) ||
            child == 0) {
          damaged = true;
          return false;
        }
        if (value == name) {
          result = {child, index, std::string(key)};
          return false;
        }
        if (base::LoadBig<uint32_t>(key.data() + first.size()) == free_number) ++free_number;
        return true;
      }));
  if (damaged) return absl::DataLossError(absl::StrCat("name row is damaged; directory ", directory));
  if (!result.found()) {
    char number[4];
    base::StoreBig<uint32_t>(number, free_number);
    result.key = absl::StrCat(first, absl::string_view(number, sizeof number));
  }
  return result;
}

absl::StatusOr<Home> VolumeState::HomeOf(Inode& inode) {
  if (const absl::optional<Home> known = inode.home(); known.has_value()) return *known;
  Home home;
  RETURN_IF_ERROR(engine.Scan(
      RowKey(inode.number(), RowType::kBackReference), RowEnd(inode.number(), RowType::kBackReference),
      [&](absl::string_view key, absl::string_view) {
        if (KeySuffix(key).size() != 16) return true;
        home = {base::LoadBig<uint64_t>(KeySuffix(key).data()), base::LoadBig<uint64_t>(KeySuffix(key).data() + 8)};
        return false;
      }));
  inode.set_home(home);
  return home;
}

absl::StatusOr<absl::optional<std::string>> VolumeState::FindXattr(const Inode& inode, absl::string_view name) const {
  absl::optional<std::string> value;
  bool has_rows = false;
  inode.WithRow([&](const InodeRow& row) {
    for (const InlineXattr& xattr : row.xattrs) {
      if (xattr.name == name) value = xattr.value;
    }
    has_rows = row.xattr_row_count > 0;
  });
  if (value.has_value() || !has_rows) return value;
  RETURN_IF_ERROR(engine.Scan(XattrKey(inode.number(), name, 0), XattrEnd(inode.number(), name),
                              [&](absl::string_view, absl::string_view part) {
                                if (!value.has_value()) value.emplace();
                                value->append(part.data(), part.size());
                                return value->size() <= kXattrValueBytesMax;
                              }));
  return value;
}

absl::Status VolumeState::CheckWritable() const {
  if (options.read_only || closed || engine.read_only()) return base::ErrnoStatus(EROFS, "the volume is read-only");
  return absl::OkStatus();
}

absl::Status VolumeState::WaitForRoom() {
  if (!engine.WouldWait(0, 0, 0)) return absl::OkStatus();
  return engine.Commit(engine.last_sequence(), Priority::kForeground);
}

absl::Status VolumeState::EnsureMarked(Inode& inode) {
  if (inode.mark == generation) return absl::OkStatus();
  base::MutexLock lock(&namespace_mutex);
  Change change(*this);
  std::vector<InodeNumber> parents;
  RETURN_IF_ERROR(engine.Scan(RowKey(inode.number(), RowType::kBackReference),
                              RowEnd(inode.number(), RowType::kBackReference),
                              [&](absl::string_view key, absl::string_view) {
                                if (KeySuffix(key).size() == 16) {
                                  parents.push_back(base::LoadBig<uint64_t>(KeySuffix(key).data()));
                                }
                                return true;
                              }));
  for (const InodeNumber parent : parents) {
    ASSIGN_OR_RETURN(const InodePin pin, table.Pin(parent));
    RETURN_IF_ERROR(change.MarkUp(*pin));
  }
  RETURN_IF_ERROR(change.Apply());
  inode.mark = generation.load();
  return absl::OkStatus();
}

static absl::Status ChangeInodeOnce(VolumeState& state, Inode& inode, absl::FunctionRef<absl::Status(Change&)> build) {
  if (S_ISDIR(inode.mode())) {
    base::MutexLock lock(&state.namespace_mutex);
    if (inode.removed) return InodeError(ESTALE, "inode is gone", inode.number());
    Change change(state);
    RETURN_IF_ERROR(change.MarkUp(inode));
    return build(change);
  }
  // Whoever opens a new generation meanwhile may have missed this change: then it is
  // marked again, with a version of its own that is newer than what they saw.
  for (bool is_built = false;;) {
    RETURN_IF_ERROR(state.EnsureMarked(inode));
    const uint64_t generation = inode.mark;
    {
      const InodeLocks locks(inode);
      if (inode.removed) return InodeError(ESTALE, "inode is gone", inode.number());
      Change change(state);
      if (is_built) change.EditQuietly(inode).version = state.NextVersion();
      RETURN_IF_ERROR(is_built ? change.Apply() : build(change));
    }
    is_built = true;
    if (state.generation == generation) return absl::OkStatus();
  }
}

absl::Status ChangeInode(VolumeState& state, Inode& inode, absl::FunctionRef<absl::Status(Change&)> build) {
  RETURN_IF_ERROR(WithRoom(state, inode.number(), [&] { return ChangeInodeOnce(state, inode, build); }));
  state.NoteSize(inode);
  return absl::OkStatus();
}

InodeRow& Change::EditQuietly(Inode& inode) {
  for (Edited& edited : edited_) {
    if (edited.inode == &inode) return edited.row;
  }
  edited_.push_back({&inode, inode.row()});
  return edited_.back().row;
}

InodeRow& Change::Edit(Inode& inode) {
  InodeRow& row = EditQuietly(inode);
  row.change_time = std::max(now_, row.change_time.Next());
  // The content is as old as before.
  row.version = state_.NextVersion();
  return row;
}

InodeRow& Change::EditContent(Inode& inode) {
  InodeRow& row = Edit(inode);
  row.modify_time = row.change_time;
  row.data_version = row.version;
  row.digests.clear();
  if (row.policy != kNoPolicy && S_ISREG(row.mode)) {
    const Timestamp expiry = state_.ExpiryFor(row.policy, now_);
    if (!expiry.is_zero()) SetExpiry(inode.number(), row, expiry);
  }
  return row;
}

InodePin Change::Create(InodeNumber number, InodeRow row) {
  row.change_time = row.modify_time = row.access_time = row.birth_time = now_;
  row.version = row.data_version = state_.NextVersion();
  if (!row.expiry_time.is_zero()) mutation_.Put(ExpiryKey(row.expiry_time.seconds, number), "");
  mutation_.Put(RowKey(number, RowType::kInode), row.Encode());
  AddUsage(row.policy, 1, static_cast<int64_t>(row.size_bytes));
  return state_.table.Insert(number, std::move(row));
}

absl::Status Change::Remove(Inode& inode) {
  const InodeRow row = inode.row();
  const InodeNumber number = inode.number();
  mutation_.set_frees_space();
  mutation_.Delete(RowKey(number, RowType::kInode));
  mutation_.Delete(OrphanKey(number));
  if (!row.expiry_time.is_zero()) mutation_.Delete(ExpiryKey(row.expiry_time.seconds, number));
  if (row.xattr_row_count > 0) {
    RETURN_IF_ERROR(state_.engine.Scan(RowKey(number, RowType::kXattr), RowEnd(number, RowType::kXattr),
                                       [&](absl::string_view key, absl::string_view) {
                                         mutation_.Delete(std::string(key));
                                         return true;
                                       }));
  }
  if (S_ISREG(row.mode)) mutation_.Drop(number);
  if (S_ISDIR(row.mode)) {
    const absl::optional<PolicyRow> policy = state_.PolicyOf(row.policy);
    if (policy.has_value() && policy->root == number) {
      dropped_policy_ = row.policy;
      mutation_.Delete(PolicyKey(dropped_policy_));
    }
  }
  AddUsage(row.policy, -1, -static_cast<int64_t>(row.size_bytes));
  removed_.push_back(&inode);
  return absl::OkStatus();
}

InodeNumber Change::AllocateRun(uint64_t count) {
  state_.namespace_mutex.AssertHeld();
  if (next_inode_ == 0) next_inode_ = state_.next_inode;
  const InodeNumber first = next_inode_;
  next_inode_ += count;
  return first;
}

InodeNumber Change::AllocateInode(InodeRow& parent_row) {
  if (parent_row.run_next == parent_row.run_end) {
    const uint64_t count = std::clamp(parent_row.entry_count, kRunMin, kRunMax);
    parent_row.run_next = AllocateRun(count);
    parent_row.run_end = parent_row.run_next + count;
  }
  return parent_row.run_next++;
}

void Change::AddName(Inode& parent, const std::string& name_key, absl::string_view name, InodeNumber child,
                     const InodeRow& child_row, uint64_t index) {
  if (!child_row.expiry_time.is_zero()) EditQuietly(parent).has_expiring = true;
  mutation_.Put(name_key, NameRow{child, index, std::string(name)}.Encode());
  mutation_.Put(RowKey(parent.number(), RowType::kOrder, index),
                OrderRow{child, static_cast<uint8_t>(child_row.mode >> 12), std::string(name)}.Encode());
  mutation_.Put(RowKey(child, RowType::kBackReference, parent.number(), index), "");
}

void Change::DropName(Inode& parent, const std::string& name_key, InodeNumber child, uint64_t index) {
  mutation_.Delete(name_key);
  mutation_.Delete(RowKey(parent.number(), RowType::kOrder, index));
  mutation_.Delete(RowKey(child, RowType::kBackReference, parent.number(), index));
}

void Change::AddUsage(uint32_t policy, int64_t files, int64_t bytes) {
  if (policy == kNoPolicy) bytes = 0;  // bytes outside policies are the engine's to count
  if (files == 0 && bytes == 0) return;
  for (UsageDelta& delta : usage_) {
    if (delta.policy == policy) {
      delta.files += files;
      delta.bytes += bytes;
      return;
    }
  }
  usage_.push_back({policy, files, bytes});
}

void Change::SetExpiry(InodeNumber inode, InodeRow& row, Timestamp expiry) {
  if (!row.expiry_time.is_zero()) mutation_.Delete(ExpiryKey(row.expiry_time.seconds, inode));
  if (!expiry.is_zero()) mutation_.Put(ExpiryKey(expiry.seconds, inode), "");
  row.expiry_time = expiry;
}

void Change::MovePolicy(InodeNumber inode, InodeRow& row, uint32_t policy) {
  if (row.policy == policy) return;
  const auto bytes = static_cast<int64_t>(row.size_bytes);
  AddUsage(row.policy, -1, -bytes);
  AddUsage(policy, 1, bytes);
  row.policy = policy;
  if (S_ISREG(row.mode)) SetExpiry(inode, row, state_.ExpiryFor(policy, now_));
}

absl::Status Change::MarkUp(Inode& directory) {
  state_.namespace_mutex.AssertHeld();
  const uint64_t generation = state_.generation;
  ASSIGN_OR_RETURN(InodePin pin, state_.table.Pin(directory.number()));
  while (pin->mark != generation) {
    EditQuietly(*pin).subtree_version = state_.NextVersion();
    ASSIGN_OR_RETURN(const Home home, state_.HomeOf(*pin));
    marked_.push_back(std::move(pin));
    if (home.parent == 0) break;  // the root, or removed meanwhile
    ASSIGN_OR_RETURN(pin, state_.table.Pin(home.parent));
  }
  return absl::OkStatus();
}

void Change::PutRows() {
  for (const Edited& edited : edited_) {
    if (std::find(removed_.begin(), removed_.end(), edited.inode) != removed_.end()) continue;
    mutation_.Put(RowKey(edited.inode->number(), RowType::kInode), edited.row.Encode());
  }
  if (next_inode_ != 0) mutation_.Put(CounterKey(Counter::kNextInode), EncodeCounter(next_inode_));
}

void Change::NoteVersion() {
  const ChangeVersion version = state_.version;
  const ChangeVersion noted = state_.version_noted;
  if (version < noted + kVersionMargin + kVersionStride) return;
  mutation_.Put(CounterKey(Counter::kVersion), EncodeCounter(version - kVersionMargin));
  state_.version_noted = version - kVersionMargin;
}

absl::StatusOr<Sequence> Change::ApplyWithUsage() {
  base::MutexLock lock(&state_.usage_mutex);
  absl::InlinedVector<std::pair<uint32_t, UsageRow>, 2> changed;
  for (const UsageDelta& delta : usage_) {
    UsageRow usage = state_.usage[delta.policy];
    usage.files += static_cast<uint64_t>(delta.files);
    usage.bytes += static_cast<uint64_t>(delta.bytes);
    const auto policy = state_.policies.find(delta.policy);
    if (!ignores_quota_ && delta.bytes > 0 && policy != state_.policies.end() && policy->second.quota_bytes != 0 &&
        usage.bytes > policy->second.quota_bytes) {
      return OverQuota(delta.policy, usage.bytes, policy->second.quota_bytes);
    }
    if (usage == UsageRow{}) {
      mutation_.Delete(UsageKey(delta.policy));
    } else {
      mutation_.Put(UsageKey(delta.policy), usage.Encode());
    }
    changed.emplace_back(delta.policy, usage);
  }
  absl::StatusOr<Sequence> sequence = state_.engine.Apply(mutation_);
  if (sequence.ok()) {
    for (const auto& [policy, usage] : changed) state_.usage[policy] = usage;
  }
  return sequence;
}

absl::Status Change::Apply() {
  PutRows();
  if (mutation_.rows().empty() && mutation_.data().empty()) {
    Publish(0);
    return absl::OkStatus();
  }
  NoteVersion();
  ASSIGN_OR_RETURN(const Sequence sequence, usage_.empty() ? state_.engine.Apply(mutation_) : ApplyWithUsage());
  Publish(sequence);
  return absl::OkStatus();
}

void Change::Publish(Sequence sequence) {
  for (Edited& edited : edited_) {
    edited.inode->set_row(std::move(edited.row));
    edited.inode->last_sequence = std::max(edited.inode->last_sequence.load(), sequence);
  }
  for (Inode* inode : removed_) inode->removed = true;
  if (dropped_policy_ != kNoPolicy) {
    base::MutexLock lock(&state_.usage_mutex);
    state_.policies.erase(dropped_policy_);
  }
  if (!marked_.empty()) state_.marked_since_read = true;
  for (const InodePin& pin : marked_) pin->mark = state_.generation.load();
  if (next_inode_ != 0) {
    state_.namespace_mutex.AssertHeld();
    state_.next_inode = next_inode_;
  }
}

}  // namespace fs

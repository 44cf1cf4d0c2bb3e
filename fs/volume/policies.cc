// Volume: policies of directories, expiry, and quotas.
#include <sys/stat.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/volume/eviction.h"
#include "fs/volume/policy.h"
#include "fs/volume/volume.h"
#include "fs/volume/volume_state.h"

namespace fs {
namespace {

// What changes when a field of a policy is set or cleared.
struct PolicyChange {
  uint32_t old_id = kNoPolicy;  // that the directory has
  uint32_t new_id = kNoPolicy;
  PolicyRow row;
  bool ends = false;  // no field is left
};

absl::StatusOr<PolicyChange> PlanPolicy(VolumeState& state, const Inode& directory, absl::string_view field,
                                        absl::optional<absl::string_view> value)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.namespace_mutex) {
  PolicyChange plan;
  plan.old_id = plan.new_id = directory.WithRow([](const InodeRow& row) { return row.policy; });
  const absl::optional<PolicyRow> current = state.PolicyOf(plan.old_id);
  const bool is_root = current.has_value() && current->root == directory.number();
  if (is_root) plan.row = *current;
  plan.row.root = directory.number();
  if (value.has_value()) {
    RETURN_IF_ERROR(SetPolicyField(&plan.row, field, *value));
    if (is_root) return plan;
    base::MutexLock lock(&state.usage_mutex);
    plan.new_id = state.next_policy;
    return plan;
  }
  if (!is_root || !ClearPolicyField(&plan.row, field)) {
    return InodeError(ENODATA, "no such xattr", directory.number());
  }
  plan.ends = plan.row.fields == 0;
  if (!plan.ends) return plan;
  ASSIGN_OR_RETURN(const Home home, state.HomeOf(const_cast<Inode&>(directory)));
  plan.new_id = kNoPolicy;
  if (home.parent != 0) {
    ASSIGN_OR_RETURN(const InodePin parent, state.table.Pin(home.parent));
    plan.new_id = parent->WithRow([](const InodeRow& row) { return row.policy; });
  }
  return plan;
}

absl::Status ApplyPolicy(VolumeState& state, Inode& directory, const PolicyChange& plan)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.namespace_mutex) {
  Change change(state);
  change.set_ignores_quota();
  change.MovePolicy(directory.number(), change.Edit(directory), plan.new_id);
  RETURN_IF_ERROR(change.MarkUp(directory));
  const bool is_new = !plan.ends && plan.new_id != plan.old_id;
  // The row of an ended policy stays until nothing is under it any more.
  if (!plan.ends) change.mutation().Put(PolicyKey(plan.new_id), plan.row.Encode());
  if (is_new) change.mutation().Put(CounterKey(Counter::kNextPolicy), EncodeCounter(uint64_t{plan.new_id} + 1));
  RETURN_IF_ERROR(change.Apply());
  base::MutexLock lock(&state.usage_mutex);
  if (!plan.ends) state.policies[plan.new_id] = plan.row;
  if (is_new) state.next_policy = plan.new_id + 1;
  return absl::OkStatus();
}

// Moves all below `directory` from one policy to another, inode by inode: what a crash
// leaves behind counts under the old one, as its rows say.
absl::Status Readopt(VolumeState& state, InodeNumber directory, uint32_t from, uint32_t to) {
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
  for (const InodeNumber child : children) {
    const absl::StatusOr<InodePin> pin = state.table.Pin(child);
    if (!pin.ok()) continue;  // it went meanwhile
    Inode& inode = **pin;
    {
      base::MutexLock lock(&state.namespace_mutex);
      const InodeLocks locks(inode);
      if (inode.removed || inode.WithRow([](const InodeRow& row) { return row.policy; }) != from) continue;
      Change change(state);
      change.set_ignores_quota();
      change.MovePolicy(child, change.EditQuietly(inode), to);
      RETURN_IF_ERROR(change.Apply());
    }
    state.evictor.Erase(from, child);
    state.NoteUse(inode);
    if (S_ISDIR(inode.mode())) RETURN_IF_ERROR(Readopt(state, child, from, to));
  }
  return absl::OkStatus();
}

absl::Status EndPolicy(VolumeState& state, uint32_t policy) {
  Mutation mutation;
  mutation.Delete(PolicyKey(policy));
  RETURN_IF_ERROR(state.engine.Apply(mutation).status());
  state.evictor.ErasePolicy(policy);
  base::MutexLock lock(&state.usage_mutex);
  state.policies.erase(policy);
  return absl::OkStatus();
}

}  // namespace

absl::Status Volume::SetPolicy(InodeNumber directory, absl::string_view field,
                               absl::optional<absl::string_view> value) {
  VolumeState& state = *state_;
  PolicyChange plan;
  {
    base::MutexLock lock(&state.namespace_mutex);
    ASSIGN_OR_RETURN(const InodePin pin, state.table.Pin(directory));
    if (!S_ISDIR(pin->mode())) return InodeError(EPERM, "only directories have policies", directory);
    ASSIGN_OR_RETURN(plan, PlanPolicy(state, *pin, field, value));
    RETURN_IF_ERROR(ApplyPolicy(state, *pin, plan));
  }
  if (plan.old_id != plan.new_id) RETURN_IF_ERROR(Readopt(state, directory, plan.old_id, plan.new_id));
  if (plan.ends) return EndPolicy(state, plan.old_id);
  return EnforceQuotas();
}

absl::Status Volume::EnforceQuotas() {
  for (const PolicyUse& use : Policies()) {
    if (!use.policy.is_evictable() || use.policy.quota_bytes == 0 || use.bytes <= use.policy.quota_bytes) continue;
    RETURN_IF_ERROR(Evict(*state_, use.id, use.bytes - use.policy.quota_bytes, 0).status());
  }
  return absl::OkStatus();
}

std::vector<PolicyUse> Volume::Policies() {
  std::vector<PolicyUse> uses;
  base::MutexLock lock(&state_->usage_mutex);
  for (const auto& [id, row] : state_->policies) {
    const UsageRow& usage = state_->usage[id];
    uses.push_back({id, row, usage.files, usage.bytes, state_->policy_counts[id]});
  }
  return uses;
}

CacheCounts Volume::cache_counts() const {
  return {state_->evicted_files, state_->evicted_bytes, state_->expired_files};
}

void Volume::set_removal_listener(std::function<void(const RemovedEntry&)> listener) {
  state_->on_removed = std::move(listener);
}

absl::Status Volume::SetExpiry(InodeNumber inode, Timestamp expiry) {
  VolumeState& state = *state_;
  RETURN_IF_ERROR(state.CheckWritable());
  RETURN_IF_ERROR(state.WaitForRoom());
  base::MutexLock lock(&state.namespace_mutex);
  ASSIGN_OR_RETURN(const InodePin pin, state.PinFile(inode));
  const InodeLocks locks(*pin);
  if (pin->removed) return InodeError(ESTALE, "inode is gone", inode);
  Change change(state);
  change.SetExpiry(inode, change.Edit(*pin), expiry);
  std::vector<InodePin> parents;
  std::vector<InodeNumber> numbers;
  RETURN_IF_ERROR(state.engine.Scan(RowKey(inode, RowType::kBackReference), RowEnd(inode, RowType::kBackReference),
                                    [&](absl::string_view key, absl::string_view) {
                                      if (KeySuffix(key).size() == 16) {
                                        numbers.push_back(base::LoadBig<uint64_t>(KeySuffix(key).data()));
                                      }
                                      return true;
                                    }));
  for (const InodeNumber number : numbers) {
    ASSIGN_OR_RETURN(InodePin parent, state.table.Pin(number));
    if (!expiry.is_zero()) change.EditQuietly(*parent).has_expiring = true;
    RETURN_IF_ERROR(change.MarkUp(*parent));
    parents.push_back(std::move(parent));
  }
  return change.Apply();
}

absl::StatusOr<size_t> Volume::RemoveExpired(size_t files_max) {
  VolumeState& state = *state_;
  if (!state.CheckWritable().ok()) return size_t{0};
  std::vector<InodeNumber> due;
  // A row stands under its minute: the last one may hold some that are not due yet.
  const std::string last = ExpiryKey(state.Now().seconds + 60, 0);
  RETURN_IF_ERROR(state.engine.Scan(RowKey(0, RowType::kExpiry), last, [&](absl::string_view key, absl::string_view) {
    if (KeySuffix(key).size() == 16) due.push_back(base::LoadBig<uint64_t>(KeySuffix(key).data() + 8));
    return due.size() < 2 * files_max;
  }));
  size_t removed_count = 0;
  for (const InodeNumber inode : due) {
    if (removed_count == files_max) break;
    ASSIGN_OR_RETURN(const absl::optional<uint64_t> removed,
                     RemoveAllNames(state, inode, kNoPolicy, RemovedEntry::Reason::kExpired));
    if (removed.has_value()) ++removed_count;
  }
  return removed_count;
}

}  // namespace fs

// Volume: renaming. One mutation moves, replaces or exchanges.
//
// Invariants: (1) a file moved within a directory keeps its creation index, and so its
// cookie; (2) no directory becomes its own ancestor; (3) link counts of directories are
// 2 + subdirectories, before and after.
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/status.h"
#include "base/status_macros.h"
#include "fs/volume/unlink.h"
#include "fs/volume/volume.h"
#include "fs/volume/volume_state.h"

namespace fs {
namespace {

class Renamer {
 public:
  Renamer(VolumeState& state, absl::string_view from_name, absl::string_view to_name)
      : state_(state), from_name_(from_name), to_name_(to_name), change_(state) {}

  // NotFound, EEXIST, EINVAL, ENOTDIR, EISDIR, ENOTEMPTY as rename(2). Sets `*done` if
  // there is nothing to do.
  absl::Status Prepare(InodeNumber from_directory, InodeNumber to_directory, RenameFlag flag, bool* done);
  absl::Status Move(bool whiteout, const Credentials& credentials);
  absl::Status Exchange();

  Inode* child() const { return &*child_; }
  Inode* target() const { return target_ ? &*target_ : nullptr; }

 private:
  absl::Status CheckTypes(RenameFlag flag) const;
  absl::Status CheckCycles(RenameFlag flag);
  // EXDEV for what cannot be accounted anew in one step.
  absl::Status CheckPolicies(const Inode& inode, const Inode& directory) const;
  void MovePolicy(InodeRow& row, const Inode& inode, const Inode& directory);
  absl::StatusOr<bool> IsAncestor(InodeNumber ancestor, Inode& node) const;
  InodePin LeaveWhiteout(const Credentials& credentials);
  bool same_directory() const { return &*from_directory_ == &*to_directory_; }

  VolumeState& state_;
  const absl::string_view from_name_;
  const absl::string_view to_name_;
  Change change_;
  InodePin from_directory_, to_directory_, child_, target_;
  VolumeState::FoundName from_, to_;
};

absl::Status Renamer::Prepare(InodeNumber from_directory, InodeNumber to_directory, RenameFlag flag, bool* done) {
  state_.namespace_mutex.AssertHeld();
  ASSIGN_OR_RETURN(from_directory_, state_.PinDirectory(from_directory));
  ASSIGN_OR_RETURN(to_directory_, state_.PinDirectory(to_directory));
  ASSIGN_OR_RETURN(from_, state_.FindLiveName(*from_directory_, from_name_));
  if (!from_.found()) return absl::NotFoundError("");
  ASSIGN_OR_RETURN(to_, state_.FindLiveName(*to_directory_, to_name_));
  if (flag == RenameFlag::kNoReplace && to_.found()) return InodeError(EEXIST, "name is taken", to_directory);
  if (flag == RenameFlag::kExchange && !to_.found()) return absl::NotFoundError("");
  *done = to_.child == from_.child;
  if (*done) return absl::OkStatus();
  ASSIGN_OR_RETURN(child_, state_.table.Pin(from_.child));
  if (to_.found()) {
    ASSIGN_OR_RETURN(target_, state_.table.Pin(to_.child));
  }
  RETURN_IF_ERROR(CheckCycles(flag));
  RETURN_IF_ERROR(CheckTypes(flag));
  RETURN_IF_ERROR(CheckPolicies(*child_, *to_directory_));
  return flag == RenameFlag::kExchange ? CheckPolicies(*target_, *from_directory_) : absl::OkStatus();
}

absl::StatusOr<bool> Renamer::IsAncestor(InodeNumber ancestor, Inode& node) const {
  if (node.number() == ancestor) return true;
  ASSIGN_OR_RETURN(Home home, state_.HomeOf(node));
  while (home.parent != 0) {
    if (home.parent == ancestor) return true;
    ASSIGN_OR_RETURN(const InodePin pin, state_.table.Pin(home.parent));
    ASSIGN_OR_RETURN(home, state_.HomeOf(*pin));
  }
  return false;
}

absl::Status Renamer::CheckCycles(RenameFlag flag) {
  if (same_directory()) return absl::OkStatus();
  if (S_ISDIR(child_->mode())) {
    ASSIGN_OR_RETURN(const bool cycle, IsAncestor(from_.child, *to_directory_));
    if (cycle) return InodeError(EINVAL, "a directory cannot go into itself", from_.child);
  }
  if (target_ && S_ISDIR(target_->mode())) {
    ASSIGN_OR_RETURN(const bool cycle, IsAncestor(to_.child, *from_directory_));
    if (cycle && flag == RenameFlag::kExchange) {
      return InodeError(EINVAL, "a directory cannot go into itself", to_.child);
    }
    if (cycle) return InodeError(ENOTEMPTY, "directory is not empty", to_.child);
  }
  return absl::OkStatus();
}

absl::Status Renamer::CheckTypes(RenameFlag flag) const {
  if (!target_ || flag == RenameFlag::kExchange) return absl::OkStatus();
  const bool child_is_directory = S_ISDIR(child_->mode());
  const InodeRow target_row = target_->row();
  if (child_is_directory && !S_ISDIR(target_row.mode)) return InodeError(ENOTDIR, "not a directory", to_.child);
  if (!child_is_directory && S_ISDIR(target_row.mode)) return InodeError(EISDIR, "is a directory", to_.child);
  if (target_row.entry_count > 0) return InodeError(ENOTEMPTY, "directory is not empty", to_.child);
  return absl::OkStatus();
}

absl::Status Renamer::CheckPolicies(const Inode& inode, const Inode& directory) const {
  const InodeRow row = inode.row();
  if (row.policy == directory.row().policy) return absl::OkStatus();
  if (S_ISDIR(row.mode)) {
    // The root of a policy takes its policy along.
    const absl::optional<PolicyRow> policy = state_.PolicyOf(row.policy);
    if (policy.has_value() && policy->root == inode.number()) return absl::OkStatus();
    return InodeError(EXDEV, "a directory may not leave its policy's tree", inode.number());
  }
  if (row.link_count > 1)
    return InodeError(EXDEV, "a file of several names may not leave its policy's tree", inode.number());
  return absl::OkStatus();
}

void Renamer::MovePolicy(InodeRow& row, const Inode& inode, const Inode& directory) {
  if (!S_ISDIR(row.mode)) change_.MovePolicy(inode.number(), row, directory.row().policy);
}

InodePin Renamer::LeaveWhiteout(const Credentials& credentials) {
  InodeRow& directory_row = change_.EditContent(*from_directory_);
  InodeRow row;
  row.mode = S_IFCHR;
  row.uid = credentials.uid;
  row.gid = (directory_row.mode & S_ISGID) != 0 ? directory_row.gid : credentials.gid;
  row.link_count = 1;
  row.policy = directory_row.policy;
  const InodeNumber number = change_.AllocateInode(directory_row);
  const uint64_t index = directory_row.next_index++;
  ++directory_row.entry_count;
  change_.AddName(*from_directory_, from_.key, from_name_, number, row, index);
  return change_.Create(number, std::move(row));
}

absl::Status Renamer::Move(bool whiteout, const Credentials& credentials) {
  InodeRow& from_row = change_.EditContent(*from_directory_);
  InodeRow& to_row = change_.EditContent(*to_directory_);
  InodeRow& child_row = change_.Edit(*child_);
  const uint32_t mode = child_row.mode;
  MovePolicy(child_row, *child_, *to_directory_);
  change_.DropName(*from_directory_, from_.key, from_.child, from_.index);
  bool orphaned = false;
  if (target_) {
    change_.DropName(*to_directory_, to_.key, to_.child, to_.index);
    --to_row.entry_count;
    if (S_ISDIR(mode)) --to_row.link_count;  // the target is one too
    ASSIGN_OR_RETURN(orphaned, LoseLink(state_, change_, *target_));
  }
  const uint64_t index = same_directory() ? from_.index : to_row.next_index++;
  --from_row.entry_count;
  ++to_row.entry_count;
  if (S_ISDIR(mode)) {
    --from_row.link_count;
    ++to_row.link_count;
  }
  change_.AddName(*to_directory_, to_.key, to_name_, from_.child, child_row, index);
  InodePin left_behind;
  if (whiteout) left_behind = LeaveWhiteout(credentials);
  RETURN_IF_ERROR(change_.MarkUp(*from_directory_));
  RETURN_IF_ERROR(change_.MarkUp(*to_directory_));
  const absl::Status applied = change_.Apply();
  if (!applied.ok()) {
    if (left_behind) left_behind->removed = true;
    return applied;
  }
  child_->set_home(Home{to_directory_->number(), index});
  state_.NoteUse(*child_, to_.key);
  if (target_) {
    target_->set_home(absl::nullopt);
    if (orphaned) state_.table.SetOrphan(*target_, true);
  }
  return absl::OkStatus();
}

absl::Status Renamer::Exchange() {
  InodeRow& from_row = change_.EditContent(*from_directory_);
  InodeRow& to_row = change_.EditContent(*to_directory_);
  InodeRow& child_row = change_.Edit(*child_);
  InodeRow& target_row = change_.Edit(*target_);
  MovePolicy(child_row, *child_, *to_directory_);
  MovePolicy(target_row, *target_, *from_directory_);
  change_.DropName(*from_directory_, from_.key, from_.child, from_.index);
  change_.DropName(*to_directory_, to_.key, to_.child, to_.index);
  change_.AddName(*to_directory_, to_.key, to_name_, from_.child, child_row, to_.index);
  change_.AddName(*from_directory_, from_.key, from_name_, to_.child, target_row, from_.index);
  const int child_directories = S_ISDIR(child_row.mode) ? 1 : 0;
  const int target_directories = S_ISDIR(target_row.mode) ? 1 : 0;
  from_row.link_count += target_directories - child_directories;
  to_row.link_count += child_directories - target_directories;
  RETURN_IF_ERROR(change_.MarkUp(*from_directory_));
  RETURN_IF_ERROR(change_.MarkUp(*to_directory_));
  RETURN_IF_ERROR(change_.Apply());
  child_->set_home(Home{to_directory_->number(), to_.index});
  target_->set_home(Home{from_directory_->number(), from_.index});
  return absl::OkStatus();
}

}  // namespace

absl::Status Volume::Rename(InodeNumber from_directory, absl::string_view from, InodeNumber to_directory,
                            absl::string_view to, const RenameOptions& options, const Credentials& credentials) {
  RETURN_IF_ERROR(CheckEntryName(from));
  RETURN_IF_ERROR(CheckEntryName(to));
  RETURN_IF_ERROR(state_->CheckWritable());
  if (options.whiteout && options.flag == RenameFlag::kExchange) {
    return InodeError(EINVAL, "an exchange leaves no whiteout", from_directory);
  }
  VolumeState& state = *state_;
  return WithRoom(state, 0, [&]() -> absl::Status {
    RETURN_IF_ERROR(state.WaitForRoom());
    base::MutexLock lock(&state.namespace_mutex);
    Renamer renamer(state, from, to);
    bool done = false;
    RETURN_IF_ERROR(renamer.Prepare(from_directory, to_directory, options.flag, &done));
    if (done) return absl::OkStatus();
    const InodeLocks locks(renamer.child(), renamer.target());
    if (options.flag == RenameFlag::kExchange) return renamer.Exchange();
    return renamer.Move(options.whiteout, credentials);
  });
}

}  // namespace fs

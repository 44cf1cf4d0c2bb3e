// Volume: whole files stored under names, many in one mutation.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "fs/volume/new_inode.h"
#include "fs/volume/unlink.h"
#include "fs/volume/volume.h"
#include "fs/volume/volume_state.h"

namespace fs {
namespace {

// Holds the locks of any number of inodes, taken by ascending number.
class AllInodeLocks {
 public:
  explicit AllInodeLocks(std::vector<Inode*> inodes) ABSL_NO_THREAD_SAFETY_ANALYSIS : inodes_(std::move(inodes)) {
    std::sort(inodes_.begin(), inodes_.end(), [](const Inode* a, const Inode* b) { return a->number() < b->number(); });
    inodes_.erase(std::unique(inodes_.begin(), inodes_.end()), inodes_.end());
    for (Inode* inode : inodes_) inode->mutex().Lock();
  }
  ~AllInodeLocks() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (Inode* inode : inodes_) inode->mutex().Unlock();
  }
  AllInodeLocks(const AllInodeLocks&) = delete;
  AllInodeLocks& operator=(const AllInodeLocks&) = delete;

 private:
  std::vector<Inode*> inodes_;
};

// One call of StoreFiles(): finds everything, locks, then changes.
class Storer {
 public:
  Storer(VolumeState& state, const Credentials& credentials)
      : state_(state), credentials_(credentials), change_(state) {}
  // New inodes of a change that was not applied never were.
  ~Storer() {
    if (is_applied_) return;
    for (const Slot& slot : slots_) {
      if (slot.child && slot.is_new()) slot.child->removed = true;
    }
  }

  absl::Status Find(const FileToStore& file);
  // The inodes that Change() alters and that others may be changing.
  std::vector<Inode*> ToLock() const;
  absl::Status Change();
  absl::Status Apply();
  std::vector<StoredFile> Stored() const;

 private:
  struct Slot {
    bool is_move() const { return file->from_directory != 0; }
    bool is_new() const { return file->upload == 0 && !is_move() && !file->remove; }

    const FileToStore* file;
    InodePin directory;
    VolumeState::FoundName name;
    InodePin replaced;  // null = nothing had the name
    InodePin child;
    InodePin from_directory;     // of a move
    VolumeState::FoundName from;
    uint64_t index = 0;
    bool orphaned = false;  // the replaced one lives on without a name
  };

  absl::Status FindSource(Slot* slot);
  Timestamp ExpiryOf(const FileToStore& file) const;
  absl::Status Replace(Slot& slot);
  absl::Status MakeChild(Slot& slot, InodeRow& directory_row);
  absl::Status AdoptUpload(Slot& slot);
  void MoveHere(Slot& slot);
  absl::Status ChangeSlot(Slot& slot);

  VolumeState& state_;
  const Credentials& credentials_;
  fs::Change change_;
  std::vector<Slot> slots_;
  absl::flat_hash_set<std::string> keys_;
  bool is_applied_ = false;
};

absl::Status Storer::Find(const FileToStore& file) {
  Slot slot;
  slot.file = &file;
  RETURN_IF_ERROR(CheckEntryName(file.name));
  ASSIGN_OR_RETURN(slot.directory, state_.PinDirectory(file.directory));
  ASSIGN_OR_RETURN(slot.name, state_.FindName(file.directory, file.name));
  if (slot.name.found()) {
    ASSIGN_OR_RETURN(slot.replaced, state_.table.Pin(slot.name.child));
    if (S_ISDIR(slot.replaced->mode())) return InodeError(EISDIR, "is a directory", slot.name.child);
  }
  if (file.upload != 0) {
    ASSIGN_OR_RETURN(slot.child, state_.table.Pin(file.upload));
  }
  if (slot.is_move()) RETURN_IF_ERROR(FindSource(&slot));
  // Two names of one hash would take the same new row as well: the caller splits then.
  if (!keys_.insert(slot.name.key).second) return InodeError(EEXIST, "a name comes twice", file.directory);
  slots_.push_back(std::move(slot));
  return absl::OkStatus();
}

absl::Status Storer::FindSource(Slot* slot) {
  const FileToStore& file = *slot->file;
  ASSIGN_OR_RETURN(slot->from_directory, state_.PinDirectory(file.from_directory));
  ASSIGN_OR_RETURN(slot->from, state_.FindName(file.from_directory, file.from_name));
  if (!slot->from.found()) return absl::NotFoundError("");
  ASSIGN_OR_RETURN(slot->child, state_.table.Pin(slot->from.child));
  if (S_ISDIR(slot->child->mode())) return InodeError(EISDIR, "a directory moves alone", slot->from.child);
  if (slot->replaced && slot->replaced->number() == slot->child->number()) {
    return InodeError(EEXIST, "both are names of one file", slot->from.child);
  }
  if (slot->child->row().link_count > 1 && slot->child->row().policy != slot->directory->row().policy) {
    return InodeError(EXDEV, "a file of several names may not leave its policy's tree", slot->from.child);
  }
  if (!keys_.insert(slot->from.key).second) return InodeError(EEXIST, "a name comes twice", file.from_directory);
  return absl::OkStatus();
}

Timestamp Storer::ExpiryOf(const FileToStore& file) const {
  if (file.ttl_ms == 0) return file.expiry_time;
  return Timestamp::FromNs(change_.now().ToNs() + static_cast<int64_t>(file.ttl_ms) * 1'000'000);
}

std::vector<Inode*> Storer::ToLock() const {
  std::vector<Inode*> inodes;
  for (const Slot& slot : slots_) {
    if (slot.replaced) inodes.push_back(&*slot.replaced);
    if (slot.child) inodes.push_back(&*slot.child);
  }
  return inodes;
}

absl::Status Storer::Replace(Slot& slot) {
  change_.DropName(*slot.directory, slot.name.key, slot.name.child, slot.name.index);
  ASSIGN_OR_RETURN(slot.orphaned, LoseLink(state_, change_, *slot.replaced));
  return absl::OkStatus();
}

absl::Status Storer::MakeChild(Slot& slot, InodeRow& directory_row) {
  const FileToStore& file = *slot.file;
  const InodeNumber number = change_.AllocateInode(directory_row);
  ASSIGN_OR_RETURN(InodeRow row, MakeRow(state_, change_.mutation(), *slot.directory, number,
                                         {S_IFREG | (file.mode & 07777), 0, ""}, credentials_));
  row.size_bytes = file.data.size();
  if (const Timestamp expiry = ExpiryOf(file); expiry != Timestamp{}) row.expiry_time = expiry;
  const uint32_t policy = row.policy;
  slot.child = change_.Create(number, std::move(row));
  if (!file.data.empty()) {
    change_.mutation().Write(number, 0, file.data, Placement{slot.directory->number(), slot.index, policy});
  }
  return absl::OkStatus();
}

absl::Status Storer::AdoptUpload(Slot& slot) {
  InodeRow& row = change_.Edit(*slot.child);
  if (!slot.child->linkable || row.link_count != 0) {
    return InodeError(ENOENT, "not an upload", slot.file->upload);
  }
  row.link_count = 1;
  change_.MovePolicy(slot.file->upload, row, slot.directory->row().policy);
  change_.mutation().Delete(OrphanKey(slot.file->upload));
  if (const Timestamp expiry = ExpiryOf(*slot.file); expiry != Timestamp{}) {
    change_.SetExpiry(slot.file->upload, row, expiry);
  }
  return absl::OkStatus();
}

void Storer::MoveHere(Slot& slot) {
  InodeRow& row = change_.Edit(*slot.child);
  change_.MovePolicy(slot.child->number(), row, slot.directory->row().policy);
  --change_.EditContent(*slot.from_directory).entry_count;
  change_.DropName(*slot.from_directory, slot.from.key, slot.from.child, slot.from.index);
}

absl::Status Storer::ChangeSlot(Slot& slot) {
  const FileToStore& file = *slot.file;
  if (file.remove && !slot.replaced) return absl::OkStatus();
  InodeRow& directory_row = change_.EditContent(*slot.directory);
  if (slot.replaced) RETURN_IF_ERROR(Replace(slot));
  if (file.remove) {
    --directory_row.entry_count;
    return change_.MarkUp(*slot.directory);
  }
  if (!slot.replaced) ++directory_row.entry_count;
  slot.index = directory_row.next_index++;
  if (slot.is_move()) {
    MoveHere(slot);
    RETURN_IF_ERROR(change_.MarkUp(*slot.from_directory));
  } else {
    RETURN_IF_ERROR(file.upload != 0 ? AdoptUpload(slot) : MakeChild(slot, directory_row));
  }
  change_.AddName(*slot.directory, slot.name.key, file.name, slot.child->number(),
                  slot.is_new() ? slot.child->row() : change_.EditQuietly(*slot.child), slot.index);
  if (file.modify_time != Timestamp{}) change_.EditQuietly(*slot.child).modify_time = file.modify_time;
  return change_.MarkUp(*slot.directory);
}

absl::Status Storer::Change() {
  for (Slot& slot : slots_) RETURN_IF_ERROR(ChangeSlot(slot));
  return absl::OkStatus();
}

absl::Status Storer::Apply() {
  RETURN_IF_ERROR(change_.Apply());
  is_applied_ = true;
  for (Slot& slot : slots_) {
    if (slot.child) {
      slot.child->set_home(Home{slot.directory->number(), slot.index});
      state_.NoteUse(*slot.child, slot.name.key);
    }
    if (slot.file->upload != 0) {
      slot.child->linkable = false;
      state_.table.SetOrphan(*slot.child, false);
    } else if (slot.is_new()) {
      slot.child->mark = state_.generation.load();
    }
    if (slot.replaced) {
      slot.replaced->set_home(absl::nullopt);
      if (slot.orphaned) state_.table.SetOrphan(*slot.replaced, true);
    }
  }
  return absl::OkStatus();
}

std::vector<StoredFile> Storer::Stored() const {
  std::vector<StoredFile> stored;
  for (const Slot& slot : slots_) stored.push_back({slot.child ? slot.child->number() : 0, slot.name.child});
  return stored;
}

}  // namespace

absl::StatusOr<std::vector<StoredFile>> Volume::StoreFiles(absl::Span<const FileToStore> files,
                                                           const Credentials& credentials) {
  VolumeState& state = *state_;
  RETURN_IF_ERROR(state.CheckWritable());
  return WithRoom(state, 0, [&]() -> absl::StatusOr<std::vector<StoredFile>> {
    RETURN_IF_ERROR(state.WaitForRoom());
    base::MutexLock lock(&state.namespace_mutex);
    Storer storer(state, credentials);
    for (const FileToStore& file : files) RETURN_IF_ERROR(storer.Find(file));
    const AllInodeLocks locks(storer.ToLock());
    RETURN_IF_ERROR(storer.Change());
    RETURN_IF_ERROR(storer.Apply());
    return storer.Stored();
  });
}

}  // namespace fs

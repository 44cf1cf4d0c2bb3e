#include "fs/volume/inode_table.h"

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace fs {

InodeRow Inode::row() const {
  base::MutexLock lock(&row_mutex_);
  return *row_;
}

uint32_t Inode::mode() const {
  base::MutexLock lock(&row_mutex_);
  return row_->mode;
}

uint64_t Inode::size_bytes() const {
  base::MutexLock lock(&row_mutex_);
  return row_->size_bytes;
}

void Inode::set_row(InodeRow row) {
  base::MutexLock lock(&row_mutex_);
  *row_ = std::move(row);
}

absl::optional<Home> Inode::home() const {
  base::MutexLock lock(&row_mutex_);
  if (!home_known_) return absl::nullopt;
  return home_;
}

void Inode::set_home(absl::optional<Home> home) {
  base::MutexLock lock(&row_mutex_);
  home_known_ = home.has_value();
  home_ = home.value_or(Home{});
}

InodePin::~InodePin() {
  if (inode_ != nullptr) table_->Unpin(inode_);
}

InodeTable::~InodeTable() = default;

absl::StatusOr<InodePin> InodeTable::Pin(InodeNumber number) {
  Inode* inode;
  {
    base::MutexLock lock(&mutex_);
    std::unique_ptr<Inode>& slot = inodes_[number];
    if (slot == nullptr) slot = std::make_unique<Inode>(number);
    inode = slot.get();
    ++inode->pins_;
  }
  InodePin pin(this, inode);
  RETURN_IF_ERROR(LoadRow(inode));
  if (inode->removed) return base::ErrnoStatus(ESTALE, absl::StrCat("inode ", number, " is gone"));
  return pin;
}

absl::Status InodeTable::LoadRow(Inode* inode) {
  // Whoever changes an inode pins it, so a row that is not loaded does not change.
  base::MutexLock lock(&inode->row_mutex_);
  if (inode->row_ != nullptr) return absl::OkStatus();
  absl::StatusOr<InodeRow> row = load_(inode->number_);
  if (!row.ok()) {
    inode->removed = base::ErrnoOf(row.status()) == ESTALE;
    return row.status();
  }
  inode->row_ = std::make_unique<InodeRow>(*std::move(row));
  return absl::OkStatus();
}

InodePin InodeTable::Insert(InodeNumber number, InodeRow row) {
  auto inode = std::make_unique<Inode>(number);
  {
    base::MutexLock row_lock(&inode->row_mutex_);
    inode->row_ = std::make_unique<InodeRow>(std::move(row));
  }
  inode->pins_ = 1;
  Inode* const raw = inode.get();
  base::MutexLock lock(&mutex_);
  inodes_[number] = std::move(inode);
  return InodePin(this, raw);
}

void InodeTable::Unpin(Inode* inode) {
  base::MutexLock lock(&mutex_);
  --inode->pins_;
  ReleaseIfIdle(inode);
}

void InodeTable::ReleaseIfIdle(Inode* inode) {
  if (inode->pins_ > 0) return;
  if (inode->references_ > 0) {
    if (!inode->holds_row_) {
      inode->holds_row_ = true;
      row_holders_.push_back(inode->number_);
      if (row_holders_.size() > kIdleRowsMax) DropOldRows();
    }
    return;
  }
  if (inode->orphan_ && !inode->removed) {
    if (!inode->queued_) {
      inode->queued_ = true;
      orphans_.push_back(inode->number_);
    }
    return;
  }
  forgotten_sequence_ = std::max(forgotten_sequence_, inode->last_sequence.load());
  inodes_.erase(inode->number_);
}

void InodeTable::DropOldRows() {
  // Half at once, so that the cost is spread.
  for (size_t i = 0; i < kIdleRowsMax / 2 && !row_holders_.empty(); ++i) {
    const auto it = inodes_.find(row_holders_.front());
    row_holders_.pop_front();
    if (it == inodes_.end()) continue;
    Inode& inode = *it->second;
    inode.holds_row_ = false;
    if (inode.pins_ > 0) continue;  // it comes again when the pin goes
    base::MutexLock row_lock(&inode.row_mutex_);
    inode.row_ = nullptr;
  }
}

void InodeTable::TakeReference(Inode& inode) {
  base::MutexLock lock(&mutex_);
  ++inode.references_;
}

bool InodeTable::Forget(InodeNumber number, uint64_t count) {
  base::MutexLock lock(&mutex_);
  const auto it = inodes_.find(number);
  if (it == inodes_.end()) return false;
  Inode* const inode = it->second.get();
  inode->references_ -= std::min(count, inode->references_);
  ReleaseIfIdle(inode);
  return !orphans_.empty();
}

void InodeTable::SetOrphan(Inode& inode, bool orphan) {
  base::MutexLock lock(&mutex_);
  inode.orphan_ = orphan;
}

bool InodeTable::IsHeldOnlyHere(const Inode& inode) const {
  base::MutexLock lock(&mutex_);
  return inode.references_ == 0 && inode.pins_ == 1;
}

bool InodeTable::IsReferenced(InodeNumber number) const {
  base::MutexLock lock(&mutex_);
  const auto found = inodes_.find(number);
  return found != inodes_.end() && found->second->references_ > 0;
}

bool InodeTable::IsReferenced(const Inode& inode) const {
  base::MutexLock lock(&mutex_);
  return inode.references_ > 0;
}

absl::StatusOr<absl::optional<InodePin>> InodeTable::NextOrphan() {
  InodeNumber number;
  {
    base::MutexLock lock(&mutex_);
    if (orphans_.empty()) return absl::optional<InodePin>();
    number = orphans_.back();
    orphans_.pop_back();
    const auto it = inodes_.find(number);
    if (it != inodes_.end()) it->second->queued_ = false;
  }
  ASSIGN_OR_RETURN(InodePin pin, Pin(number));
  return absl::optional<InodePin>(std::move(pin));
}

bool InodeTable::HasOrphans() const {
  base::MutexLock lock(&mutex_);
  return !orphans_.empty();
}

Sequence InodeTable::forgotten_sequence() const {
  base::MutexLock lock(&mutex_);
  return forgotten_sequence_;
}

size_t InodeTable::size() const {
  base::MutexLock lock(&mutex_);
  return inodes_.size();
}

}  // namespace fs

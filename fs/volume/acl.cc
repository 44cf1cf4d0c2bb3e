#include "fs/volume/acl.h"

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "base/status.h"

namespace fs {
namespace {

constexpr uint32_t kVersion = 2;
constexpr size_t kHeaderBytes = 4;
constexpr size_t kEntryBytes = 8;
constexpr uint32_t kNoId = UINT32_MAX;

absl::Status Invalid(absl::string_view what) { return base::ErrnoStatus(EINVAL, absl::StrCat("POSIX ACL: ", what)); }

bool HasId(uint16_t tag) { return tag == Acl::kUser || tag == Acl::kGroup; }

}  // namespace

absl::StatusOr<Acl> Acl::Parse(absl::string_view bytes) {
  Acl acl;
  if (bytes.empty()) return acl;
  if (bytes.size() < kHeaderBytes || (bytes.size() - kHeaderBytes) % kEntryBytes != 0) return Invalid("bad size");
  if (base::LoadLittle<uint32_t>(bytes.data()) != kVersion) return Invalid("unknown version");
  size_t user_objects = 0, group_objects = 0, others = 0, masks = 0, named = 0;
  for (bytes.remove_prefix(kHeaderBytes); !bytes.empty(); bytes.remove_prefix(kEntryBytes)) {
    const uint16_t tag = base::LoadLittle<uint16_t>(bytes.data());
    const uint16_t permissions = base::LoadLittle<uint16_t>(bytes.data() + 2);
    const uint32_t id = HasId(tag) ? base::LoadLittle<uint32_t>(bytes.data() + 4) : kNoId;
    if (permissions > 7) return Invalid("bad permissions");
    switch (tag) {
      case kUserObject:
        ++user_objects;
        break;
      case kGroupObject:
        ++group_objects;
        break;
      case kOther:
        ++others;
        break;
      case kMask:
        ++masks;
        break;
      case kUser:
      case kGroup:
        if (id == kNoId) return Invalid("entry without an id");
        ++named;
        break;
      default:
        return Invalid("unknown tag");
    }
    const Entry entry{static_cast<Tag>(tag), permissions, id};
    if (!acl.entries_.empty()) {
      const Entry& last = acl.entries_.back();
      if (last.tag > tag || (last.tag == tag && last.id > id)) return Invalid("entries out of order");
      if (last.tag == tag && last.id == id) return Invalid("entry twice");
    }
    acl.entries_.push_back(entry);
  }
  if (acl.empty()) return acl;
  if (user_objects != 1 || group_objects != 1 || others != 1) return Invalid("a base entry is missing");
  if (named > 0 && masks != 1) return Invalid("named entries without a mask");
  return acl;
}

std::string Acl::Encode() const {
  std::string out(kHeaderBytes + kEntryBytes * entries_.size(), '\0');
  base::StoreLittle<uint32_t>(out.data(), kVersion);
  char* at = out.data() + kHeaderBytes;
  for (const Entry& entry : entries_) {
    base::StoreLittle<uint16_t>(at, entry.tag);
    base::StoreLittle<uint16_t>(at + 2, entry.permissions);
    base::StoreLittle<uint32_t>(at + 4, entry.id);
    at += kEntryBytes;
  }
  return out;
}

const Acl::Entry* Acl::Find(Tag tag) const {
  const auto it =
      std::find_if(entries_.begin(), entries_.end(), [tag](const Entry& entry) { return entry.tag == tag; });
  return it == entries_.end() ? nullptr : &*it;
}

bool Acl::IsEquivalentToMode() const { return entries_.size() <= 3; }

uint32_t Acl::ModeBits() const {
  uint32_t mode = 0;
  for (const Entry& entry : entries_) {
    if (entry.tag == kUserObject) mode |= uint32_t{entry.permissions} << 6;
    if (entry.tag == kOther) mode |= entry.permissions;
    if (entry.tag == kMask || (entry.tag == kGroupObject && Find(kMask) == nullptr)) {
      mode |= uint32_t{entry.permissions} << 3;
    }
  }
  return mode;
}

void Acl::SetModeBits(uint32_t mode) {
  const bool has_mask = Find(kMask) != nullptr;
  for (Entry& entry : entries_) {
    if (entry.tag == kUserObject) entry.permissions = (mode >> 6) & 7;
    if (entry.tag == kOther) entry.permissions = mode & 7;
    if (entry.tag == (has_mask ? kMask : kGroupObject)) entry.permissions = (mode >> 3) & 7;
  }
}

uint32_t Acl::ApplyToNewMode(uint32_t mode) {
  const bool has_mask = Find(kMask) != nullptr;
  for (Entry& entry : entries_) {
    if (entry.tag == kUserObject) entry.permissions &= (mode >> 6) & 7;
    if (entry.tag == kOther) entry.permissions &= mode & 7;
    if (entry.tag == (has_mask ? kMask : kGroupObject)) entry.permissions &= (mode >> 3) & 7;
  }
  return (mode & ~0777u) | ModeBits();
}

bool Acl::Grants(uint32_t wanted, uint32_t uid, absl::Span<const uint32_t> gids, uint32_t owner_uid,
                 uint32_t owner_gid) const {
  const Entry* mask_entry = Find(kMask);
  const uint32_t mask = mask_entry == nullptr ? 7 : mask_entry->permissions;
  bool group_matched = false;
  for (const Entry& entry : entries_) {
    const auto grants = [&](uint32_t permissions) { return (permissions & wanted) == wanted; };
    switch (entry.tag) {
      case kUserObject:
        if (uid == owner_uid) return grants(entry.permissions);
        break;
      case kUser:
        if (uid == entry.id) return grants(entry.permissions & mask);
        break;
      case kGroupObject:
      case kGroup:
        if (std::count(gids.begin(), gids.end(), entry.tag == kGroupObject ? owner_gid : entry.id) > 0) {
          group_matched = true;
          if (grants(entry.permissions & mask)) return true;
        }
        break;
      case kMask:
        break;
      case kOther:
        return !group_matched && grants(entry.permissions);
    }
  }
  return false;
}

}  // namespace fs

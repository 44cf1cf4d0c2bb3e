// The Dispatcher's handlers for names and directories.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/status.h"
#include "fs/mount/attributes.h"
#include "fs/mount/dispatcher.h"
#include "fs/mount/errno.h"

namespace fs {
namespace {

constexpr double kNegativeTimeoutSeconds = 86400;
constexpr size_t kDirectoryReplyBytesMax = 1 << 20;

// What the kernel has checked already; a too long name never fits a row.
bool NameTooLong(const char* name) { return strnlen(name, kNameBytesMax + 1) > kNameBytesMax; }

// The entry of readdirplus that names an inode without telling its attributes: the kernel makes no
// dentry of it and takes no reference.
fuse_entry_param NameOnly(const DirectoryEntry& entry) {
  fuse_entry_param param{};
  param.attr.st_ino = entry.inode;
  param.attr.st_mode = static_cast<mode_t>(entry.type) << 12;
  return param;
}

bool IsDotOrDotDot(absl::string_view name) { return name == "." || name == ".."; }

}  // namespace

void Dispatcher::Lookup(fuse_req_t request, fuse_ino_t directory, const char* name) {
  if (NameTooLong(name)) {
    fuse_reply_err(request, ENAMETOOLONG);
    return;
  }
  if (absl::string_view(name) == kControlName) {
    control_.LookupControl(request, directory);
    return;
  }
  const absl::StatusOr<Attributes> found = volume_.Lookup(directory, name);
  if (absl::IsNotFound(found.status()) && ErrnoForStatus(found.status()) == ENOENT) {
    fuse_entry_param absent{};
    absent.entry_timeout = kNegativeTimeoutSeconds;
    fuse_reply_entry(request, &absent);
    return;
  }
  ReplyEntry(request, found);
}

void Dispatcher::Forget(fuse_req_t request, fuse_ino_t inode, uint64_t count) {
  GiveBack(inode, count);
  fuse_reply_none(request);
}

void Dispatcher::ForgetMulti(fuse_req_t request, size_t count, fuse_forget_data* forgets) {
  for (size_t i = 0; i < count; ++i) GiveBack(forgets[i].ino, forgets[i].nlookup);
  fuse_reply_none(request);
}

void Dispatcher::MakeNode(fuse_req_t request, fuse_ino_t directory, const char* name, mode_t mode, dev_t device) {
  RunChange(0, [this, request, directory, name = std::string(name), credentials = CredentialsOf(request),
                node = NewNode{.mode = mode, .device = static_cast<uint32_t>(device)}] {
    ReplyEntry(request, volume_.MakeNode(directory, name, node, credentials));
  });
}

void Dispatcher::MakeDirectory(fuse_req_t request, fuse_ino_t directory, const char* name, mode_t mode) {
  RunChange(0, [this, request, directory, name = std::string(name), mode, credentials = CredentialsOf(request)] {
    ReplyEntry(request, volume_.MakeDirectory(directory, name, mode, credentials));
  });
}

void Dispatcher::MakeSymlink(fuse_req_t request, const char* target, fuse_ino_t directory, const char* name) {
  RunChange(0, [this, request, directory, name = std::string(name), target = std::string(target),
                credentials = CredentialsOf(request)] {
    ReplyEntry(request, volume_.MakeSymlink(directory, name, target, credentials));
  });
}

void Dispatcher::ReadLink(fuse_req_t request, fuse_ino_t inode) {
  const absl::StatusOr<std::string> target = volume_.ReadSymlink(inode);
  if (target.ok()) {
    fuse_reply_readlink(request, target->c_str());
  } else {
    ReplyStatus(request, target.status());
  }
}

void Dispatcher::Link(fuse_req_t request, fuse_ino_t inode, fuse_ino_t directory, const char* name) {
  RunChange(0, [this, request, inode, directory, name = std::string(name)] {
    ReplyEntry(request, volume_.Link(inode, directory, name));
  });
}

void Dispatcher::Unlink(fuse_req_t request, fuse_ino_t directory, const char* name) {
  RunChange(0, [this, request, directory, name = std::string(name)] {
    ReplyStatus(request, volume_.Unlink(directory, name));
  });
}

void Dispatcher::RemoveDirectory(fuse_req_t request, fuse_ino_t directory, const char* name) {
  RunChange(0, [this, request, directory, name = std::string(name)] {
    ReplyStatus(request, volume_.RemoveDirectory(directory, name));
  });
}

void Dispatcher::Rename(fuse_req_t request, fuse_ino_t from_directory, const char* from, fuse_ino_t to_directory,
                        const char* to, unsigned flags) {
  constexpr unsigned kKnown = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;
  if ((flags & ~kKnown) != 0 || (flags & RENAME_EXCHANGE && flags & (RENAME_NOREPLACE | RENAME_WHITEOUT))) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  RenameOptions options;
  if (flags & RENAME_NOREPLACE) options.flag = RenameFlag::kNoReplace;
  if (flags & RENAME_EXCHANGE) options.flag = RenameFlag::kExchange;
  options.whiteout = (flags & RENAME_WHITEOUT) != 0;
  RunChange(0, [this, request, from_directory, from = std::string(from), to_directory, to = std::string(to), options,
                credentials = CredentialsOf(request)] {
    ReplyStatus(request, volume_.Rename(from_directory, from, to_directory, to, options, credentials));
  });
}

void Dispatcher::OpenDirectory(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  // Without an answer the kernel would keep every listing, and hide names that come to be in
  // another way than by its requests.
  const absl::StatusOr<Listing> checked = volume_.CheckListing(inode);
  if (!checked.ok()) {
    ReplyStatus(request, checked.status());
    return;
  }
  const Listing listing = std::max(*checked, open_directories_.Open(inode));
  file->keep_cache = listing == Listing::kKeep;
  file->cache_readdir = listing != Listing::kNone;
  if (fuse_reply_open(request, file) == -ENOENT) open_directories_.Close(inode);
}

void Dispatcher::ReleaseDirectory(fuse_req_t request, fuse_ino_t inode, fuse_file_info*) {
  open_directories_.Close(inode);
  fuse_reply_err(request, 0);
}

void Dispatcher::ReadDirectory(fuse_req_t request, fuse_ino_t inode, size_t size, off_t after, fuse_file_info*) {
  directory_buffer_.resize(std::min(size, kDirectoryReplyBytesMax));
  size_t used = 0;
  const auto add = [&](const DirectoryEntry& entry) {
    char name[kNameBytesMax + 1];
    name[entry.name.copy(name, kNameBytesMax)] = '\0';
    struct stat st {};
    st.st_ino = entry.inode;
    st.st_mode = static_cast<mode_t>(entry.type) << 12;
    const size_t room = directory_buffer_.size() - used;
    const size_t need =
        fuse_add_direntry(request, directory_buffer_.data() + used, room, name, &st, static_cast<off_t>(entry.cookie));
    if (need > room) return false;
    used += need;
    return true;
  };
  const absl::Status status = volume_.ReadDir(inode, {.after_cookie = static_cast<uint64_t>(after)}, add);
  if (status.ok()) {
    fuse_reply_buf(request, directory_buffer_.data(), used);
  } else {
    ReplyStatus(request, status);
  }
}

void Dispatcher::ReadDirectoryPlus(fuse_req_t request, fuse_ino_t inode, size_t size, off_t after, fuse_file_info*) {
  directory_buffer_.resize(std::min(size, kDirectoryReplyBytesMax));
  size_t used = 0;
  std::vector<InodeNumber> held;
  const auto add = [&](const DirectoryEntry& entry) {
    char name[kNameBytesMax + 1];
    name[entry.name.copy(name, kNameBytesMax)] = '\0';
    const bool plain = entry.attributes == nullptr || IsDotOrDotDot(entry.name);
    const fuse_entry_param param = plain ? NameOnly(entry) : EntryOf(*entry.attributes);
    const size_t room = directory_buffer_.size() - used;
    const size_t need = fuse_add_direntry_plus(request, directory_buffer_.data() + used, room, name, &param,
                                               static_cast<off_t>(entry.cookie));
    if (need > room) return false;
    used += need;
    if (!plain) held.push_back(entry.inode);
    return true;
  };
  const ReadDirOptions options = {
      .after_cookie = static_cast<uint64_t>(after), .attributes = true, .reference = Reference::kTake};
  const absl::Status status = volume_.ReadDir(inode, options, add);
  if (status.ok() && fuse_reply_buf(request, directory_buffer_.data(), used) == 0) return;
  // Nobody will ever forget what the kernel has not heard of.
  for (const InodeNumber inode_held : held) GiveBack(inode_held, 1);
  if (!status.ok()) ReplyStatus(request, status);
}

void Dispatcher::TmpFile(const RawRequest& request, mode_t mode, mode_t umask) {
  const Credentials credentials = {.uid = request.uid, .gid = request.gid, .umask = umask, .groups = {}};
  RunChange(0, [this, request, mode, credentials] {
    const absl::StatusOr<Attributes> made = volume_.MakeTemporary(request.inode, mode, credentials);
    if (made.ok()) {
      transport_->ReplyRawCreated(request, EntryOf(*made));
    } else {
      transport_->ReplyRawError(request, ErrnoForStatus(made.status()));
    }
  });
}

}  // namespace fs

#include "fs/mount/control_tree.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/init.h"
#include "fs/format/batch_frame.h"
#include "fs/mount/errno.h"
#include "fs/mount/groups.h"

namespace fs {
namespace {

constexpr double kDirectoryTimeoutSeconds = 86400;
// What the kernel may read of a session at once; the reply is filled up to what it asks.
constexpr off_t kSessionBytes = kFrameBytesMax;

std::string VersionText() {
  return absl::StrCat("cachefs ", base::ProgramVersion(), "\nbatch ", kFrameVersionMin, " ", kFrameVersionMax, "\n");
}

struct Listed {
  const char* name;
  mode_t type;
};
// Not `trace`: who lists with attributes would switch it on.
constexpr Listed kControlEntries[] = {
    {".", S_IFDIR},         {"..", S_IFDIR},    {"batch", S_IFDIR},      {"events", S_IFREG},
    {"map", S_IFREG},       {"stats", S_IFREG}, {"stats.json", S_IFREG}, {"version", S_IFREG},
};

bool IsPrivate(absl::string_view name) { return name == "events" || name == "trace" || name == "map"; }

}  // namespace

ControlTree::ControlTree(Volume& volume, const Options& options, BatchObserver& observer)
    : volume_(volume),
      options_(options),
      observer_(observer),
      started_seconds_(time(nullptr)),
      sessions_pool_("batch", options.thread_count, kSessionsMax) {}

ControlTree::~ControlTree() { WaitUntilIdle(); }

fuse_ino_t ControlTree::Insert(Node node) {
  const fuse_ino_t inode = ++next_;
  nodes_.emplace(inode, std::make_shared<Node>(std::move(node)));
  return inode;
}

fuse_ino_t ControlTree::DirectoryNode(Kind kind, InodeNumber directory) {
  fuse_ino_t& inode = directories_[{directory, static_cast<int>(kind)}];
  if (inode == 0) inode = Insert({.kind = kind, .directory = directory, .name = "", .text = "", .session = nullptr});
  return inode;
}

std::shared_ptr<ControlTree::Node> ControlTree::Find(fuse_req_t request, fuse_ino_t inode) {
  {
    base::MutexLock lock(&mutex_);
    const auto found = nodes_.find(inode);
    if (found != nodes_.end()) return found->second;
  }
  fuse_reply_err(request, ESTALE);
  return nullptr;
}

struct stat ControlTree::StatOf(fuse_ino_t inode, const Node& node) const {
  struct stat st {};
  st.st_ino = inode;
  st.st_nlink = 1;
  st.st_blksize = 4096;
  st.st_atim.tv_sec = st.st_mtim.tv_sec = st.st_ctim.tv_sec = started_seconds_;
  switch (node.kind) {
    case Kind::kControl:
      st.st_mode = S_IFDIR | 0555;
      st.st_nlink = 3;
      break;
    case Kind::kBatch:
      st.st_mode = S_IFDIR | S_ISVTX | 0777;
      st.st_nlink = 2;
      break;
    case Kind::kPrivateText:
      st.st_uid = geteuid();
      st.st_gid = getegid();
      [[fallthrough]];
    case Kind::kText:
      st.st_mode = S_IFREG | (node.kind == Kind::kText ? 0444 : 0400);
      st.st_size = static_cast<off_t>(node.text.size());
      break;
    case Kind::kSession:
      st.st_mode = S_IFREG | 0600;
      st.st_size = kSessionBytes;
      st.st_uid = node.session->uid;
      st.st_gid = node.session->gid;
      break;
  }
  return st;
}

void ControlTree::ReplyNode(fuse_req_t request, fuse_ino_t inode) {
  fuse_entry_param entry{};
  {
    base::MutexLock lock(&mutex_);
    Node& node = *nodes_.at(inode);
    ++node.references;
    const bool is_directory = node.kind == Kind::kControl || node.kind == Kind::kBatch;
    entry.entry_timeout = entry.attr_timeout = is_directory ? kDirectoryTimeoutSeconds : 0;
    entry.ino = inode;
    entry.attr = StatOf(inode, node);
  }
  if (fuse_reply_entry(request, &entry) == -ENOENT) Forget(inode, 1);
}

void ControlTree::LookupControl(fuse_req_t request, InodeNumber directory) {
  fuse_ino_t inode;
  {
    base::MutexLock lock(&mutex_);
    inode = DirectoryNode(Kind::kControl, directory);
  }
  ReplyNode(request, inode);
}

void ControlTree::LookupText(fuse_req_t request, InodeNumber directory, absl::string_view name) {
  if (name == "version") return ReplyText(request, directory, Kind::kText, VersionText());
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(name, absl::MaxSplits('@', 1));
  uint64_t after = 0;
  if (parts.first.size() < name.size() && !absl::SimpleAtoi(parts.second, &after)) {
    fuse_reply_err(request, ENOENT);
    return;
  }
  const uint32_t uid = fuse_req_ctx(request)->uid;
  if (IsPrivate(parts.first) && uid != 0 && uid != geteuid()) {
    fuse_reply_err(request, EACCES);
    return;
  }
  sessions_pool_.Add([this, request, directory, text_name = std::string(parts.first), after] {
    absl::StatusOr<std::string> text = options_.texts(text_name, after);
    if (!text.ok()) {
      fuse_reply_err(request, ErrnoForStatus(text.status()));
    } else {
      ReplyText(request, directory, IsPrivate(text_name) ? Kind::kPrivateText : Kind::kText, *std::move(text));
    }
  });
}

void ControlTree::ReplyText(fuse_req_t request, InodeNumber directory, Kind kind, std::string text) {
  fuse_ino_t inode = 0;
  {
    base::MutexLock lock(&mutex_);
    if (text_count_ < kTextsMax) {
      ++text_count_;
      inode = Insert({.kind = kind, .directory = directory, .name = "", .text = std::move(text),
                      .session = nullptr});
    }
  }
  if (inode == 0) {
    fuse_reply_err(request, EMFILE);
  } else {
    ReplyNode(request, inode);
  }
}

void ControlTree::Lookup(fuse_req_t request, fuse_ino_t directory, const char* name) {
  const std::shared_ptr<Node> parent = Find(request, directory);
  if (parent == nullptr) return;
  const absl::string_view wanted = name;
  fuse_ino_t inode = 0;
  if (parent->kind == Kind::kControl) {
    if (wanted != "batch") return LookupText(request, parent->directory, wanted);
    base::MutexLock lock(&mutex_);
    inode = DirectoryNode(Kind::kBatch, parent->directory);
  }
  // A session is found by nobody: another name of it would keep it alive.
  if (inode == 0) {
    fuse_reply_err(request, ENOENT);
  } else {
    ReplyNode(request, inode);
  }
}

void ControlTree::Forget(fuse_ino_t inode, uint64_t count) {
  std::shared_ptr<Node> last;  // a session ends outside the lock
  base::MutexLock lock(&mutex_);
  const auto found = nodes_.find(inode);
  if (found == nodes_.end()) return;
  Node& node = *found->second;
  node.references -= std::min(count, node.references);
  if (node.references > 0) return;
  if (node.kind == Kind::kText || node.kind == Kind::kPrivateText) --text_count_;
  if (node.kind == Kind::kSession) {
    sessions_.erase({node.directory, node.name});
    options_.monitor->batch_sessions.fetch_sub(1, std::memory_order_relaxed);
  }
  if (node.kind == Kind::kControl || node.kind == Kind::kBatch) {
    directories_.erase({node.directory, static_cast<int>(node.kind)});
  }
  last = std::move(found->second);
  nodes_.erase(found);
  // The session's end removes half uploads, which may wait.
  if (last->session != nullptr) sessions_pool_.Add([session = std::move(last->session)]() mutable { session.reset(); });
}

void ControlTree::GetAttributes(fuse_req_t request, fuse_ino_t inode, fuse_file_info*) {
  const std::shared_ptr<Node> node = Find(request, inode);
  if (node == nullptr) return;
  const struct stat st = StatOf(inode, *node);
  fuse_reply_attr(request, &st, 0);
}

void ControlTree::SetAttributes(fuse_req_t request, fuse_ino_t inode, struct stat*, int to_set, fuse_file_info* file) {
  // Times and sizes of a session mean nothing; owners and modes would mean too much.
  if ((to_set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) != 0) {
    fuse_reply_err(request, EPERM);
    return;
  }
  GetAttributes(request, inode, file);
}

void ControlTree::Access(fuse_req_t request, fuse_ino_t inode, int mask) {
  const std::shared_ptr<Node> node = Find(request, inode);
  if (node == nullptr) return;
  const struct stat st = StatOf(inode, *node);
  const uint32_t uid = fuse_req_ctx(request)->uid;
  const uint32_t bits = uid == st.st_uid ? st.st_mode >> 6 : st.st_mode;
  const bool granted = uid == 0 || (bits & static_cast<uint32_t>(mask) & 7) == (static_cast<uint32_t>(mask) & 7);
  fuse_reply_err(request, granted ? 0 : EACCES);
}

void ControlTree::MakeSession(fuse_req_t request, fuse_ino_t batch_directory, const char* name, mode_t mode,
                              std::function<void(fuse_ino_t)> reply) {
  const std::shared_ptr<Node> parent = Find(request, batch_directory);
  if (parent == nullptr) return;
  if (parent->kind != Kind::kBatch || ((mode & S_IFMT) != S_IFREG && (mode & S_IFMT) != 0)) {
    fuse_reply_err(request, EPERM);
    return;
  }
  {
    base::MutexLock lock(&mutex_);
    const bool taken = sessions_.contains({parent->directory, std::string(name)});
    if (taken || sessions_.size() >= kSessionsMax) {
      fuse_reply_err(request, taken ? EEXIST : EMFILE);
      return;
    }
  }
  const fuse_ctx* const context = fuse_req_ctx(request);
  const Credentials opener = {.uid = context->uid, .gid = context->gid, .umask = context->umask, .groups = {}};
  sessions_pool_.Add([this, request, batch_directory, directory = parent->directory, name = std::string(name), opener,
                      pid = context->pid, reply = std::move(reply)] {
    BatchSession::Options options = {.directory = directory, .opener = opener, .fs_id = options_.fs_id};
    options.opener.groups = SupplementaryGroups(pid);
    auto session = std::make_shared<Session>(volume_, std::move(options), observer_);
    fuse_ino_t inode = 0;
    {
      base::MutexLock lock(&mutex_);
      fuse_ino_t& slot = sessions_[{directory, name}];
      if (slot == 0) {
        slot = inode = Insert({.kind = Kind::kSession, .directory = directory, .name = name, .text = "",
                               .session = std::move(session)});
        options_.monitor->batch_sessions.fetch_add(1, std::memory_order_relaxed);
      }
    }
    if (inode == 0) {
      fuse_reply_err(request, EEXIST);
    } else {
      reply(inode);
      // Without its name the inode goes when the file is closed, and FORGET ends the session.
      notifier_->InvalidateEntry(batch_directory, name);
    }
  });
}

void ControlTree::MakeNode(fuse_req_t request, fuse_ino_t directory, const char* name, mode_t mode, dev_t) {
  MakeSession(request, directory, name, mode, [this, request](fuse_ino_t inode) { ReplyNode(request, inode); });
}

void ControlTree::Create(fuse_req_t request, fuse_ino_t directory, const char* name, mode_t mode,
                         fuse_file_info* file) {
  MakeSession(request, directory, name, mode, [this, request, file = *file](fuse_ino_t inode) mutable {
    fuse_entry_param entry{};
    {
      base::MutexLock lock(&mutex_);
      Node& node = *nodes_.at(inode);
      ++node.references;
      entry.ino = inode;
      entry.attr = StatOf(inode, node);
    }
    file.direct_io = 1;
    if (fuse_reply_create(request, &entry, &file) == -ENOENT) Forget(inode, 1);
  });
}

void ControlTree::Open(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  file->direct_io = 1;
  fuse_reply_open(request, file);
}

void ControlTree::OpenDirectory(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  fuse_reply_open(request, file);
}

void ControlTree::ReadDirectory(fuse_req_t request, fuse_ino_t inode, size_t size, off_t after, fuse_file_info*) {
  const std::shared_ptr<Node> node = Find(request, inode);
  if (node == nullptr) return;
  // Sessions are not listed: their names are nobody else's business.
  const size_t count = node->kind == Kind::kControl ? std::size(kControlEntries) : 2;
  char buffer[1024];
  size_t used = 0;
  const size_t room = std::min(size, sizeof buffer);
  for (auto i = static_cast<size_t>(std::max<off_t>(after, 0)); i < count; ++i) {
    struct stat st {};
    st.st_ino = inode;
    st.st_mode = kControlEntries[i].type;
    const size_t need =
        fuse_add_direntry(request, buffer + used, room - used, kControlEntries[i].name, &st, static_cast<off_t>(i + 1));
    if (need > room - used) break;
    used += need;
  }
  fuse_reply_buf(request, buffer, used);
}

void ControlTree::ReadDirectoryPlus(fuse_req_t request, fuse_ino_t inode, size_t size, off_t after, fuse_file_info*) {
  const std::shared_ptr<Node> node = Find(request, inode);
  if (node == nullptr) return;
  const size_t count = node->kind == Kind::kControl ? std::size(kControlEntries) : 2;
  char buffer[2048];
  size_t used = 0;
  const size_t room = std::min(size, sizeof buffer);
  for (auto i = static_cast<size_t>(std::max<off_t>(after, 0)); i < count; ++i) {
    fuse_entry_param entry{};  // a name only: inode 0 makes no reference
    entry.attr.st_ino = inode;
    entry.attr.st_mode = kControlEntries[i].type;
    const size_t need = fuse_add_direntry_plus(request, buffer + used, room - used, kControlEntries[i].name, &entry,
                                               static_cast<off_t>(i + 1));
    if (need > room - used) break;
    used += need;
  }
  fuse_reply_buf(request, buffer, used);
}

void ControlTree::Read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, fuse_file_info*) {
  const std::shared_ptr<Node> node = Find(request, inode);
  if (node == nullptr) return;
  const auto from = static_cast<size_t>(offset);
  if (node->kind == Kind::kText || node->kind == Kind::kPrivateText) {
    const absl::string_view part =
        from >= node->text.size() ? absl::string_view() : absl::string_view(node->text).substr(from, size);
    fuse_reply_buf(request, part.data(), part.size());
    return;
  }
  if (node->kind != Kind::kSession) {
    fuse_reply_err(request, EISDIR);
    return;
  }
  // A short direct read makes the kernel try again through its page cache.
  std::string bytes(std::min(size, kFrameBytesMax), '\0');
  {
    Session& session = *node->session;
    base::MutexLock lock(&session.reply_mutex);
    if (from < session.reply.size()) session.reply.copy(bytes.data(), bytes.size(), from);
  }
  fuse_reply_buf(request, bytes.data(), bytes.size());
}

void ControlTree::Write(fuse_req_t request, fuse_ino_t inode, const char* bytes, size_t size, off_t offset,
                        fuse_file_info*) {
  const std::shared_ptr<Node> node = Find(request, inode);
  if (node == nullptr) return;
  const fuse_ctx* const context = fuse_req_ctx(request);
  if (node->kind != Kind::kSession) {
    fuse_reply_err(request, EPERM);
  } else if (context->uid != node->session->uid || context->gid != node->session->gid) {
    // A program with other rights that was handed the descriptor.
    fuse_reply_err(request, EPERM);
  } else if (offset != 0) {
    fuse_reply_err(request, EINVAL);  // the second part of a write over 1 MiB
  } else {
    sessions_pool_.Add([this, request, session = node->session, frame = std::string(bytes, size)] {
      Answer(request, session, frame);
    });
  }
}

void ControlTree::Answer(fuse_req_t request, const std::shared_ptr<Session>& session, const std::string& frame) {
  const int64_t begin_ns = options_.monitor->clock.MonotonicNs();
  std::string reply;
  BatchSession::Counts counts;
  {
    base::MutexLock lock(&session->handle_mutex);
    const BatchSession::Counts before = session->batch.counts();
    reply = session->batch.Handle(frame);
    counts = {session->batch.counts().items - before.items, session->batch.counts().lookups - before.lookups};
  }
  options_.monitor->FrameAnswered(begin_ns, counts.items, counts.lookups, frame.size() + reply.size());
  // Whoever has the answer reads nothing stale.
  notifier_->Drain();
  {
    base::MutexLock lock(&session->reply_mutex);
    session->reply = std::move(reply);
  }
  fuse_reply_write(request, frame.size());
}

void ControlTree::Release(fuse_req_t request, fuse_ino_t, fuse_file_info*) { fuse_reply_err(request, 0); }

void ControlTree::StatFs(fuse_req_t request, fuse_ino_t) {
  struct statvfs none {};
  none.f_bsize = none.f_frsize = 4096;
  none.f_namemax = kNameBytesMax;
  fuse_reply_statfs(request, &none);
}

void ControlTree::Fsync(fuse_req_t request, fuse_ino_t, int, fuse_file_info*) { fuse_reply_err(request, 0); }

void ControlTree::ListXattrs(fuse_req_t request, fuse_ino_t, size_t size) {
  if (size == 0) {
    fuse_reply_xattr(request, 0);
  } else {
    fuse_reply_buf(request, nullptr, 0);
  }
}

void ControlTree::GetXattr(fuse_req_t request, fuse_ino_t, const char*, size_t) { fuse_reply_err(request, ENODATA); }

}  // namespace fs

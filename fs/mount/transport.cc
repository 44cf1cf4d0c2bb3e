#include "fs/mount/transport.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace fs {
namespace {

constexpr const char kFuseDevice[] = "/dev/fuse";
// INIT flags that libfuse 3.14 has no names for.
constexpr uint32_t kRawInitFlags = FUSE_HANDLE_KILLPRIV_V2 | FUSE_SETXATTR_EXT;
constexpr int kWakeSignal = SIGUSR2;
constexpr int kWakeRoundsMax = 300;
constexpr absl::Duration kWakeInterval = absl::Milliseconds(10);
// fuse_setxattr_in without setxattr_flags, which is what libfuse 3.14 parses.
constexpr size_t kShortSetxattrBytes = FUSE_COMPAT_SETXATTR_IN_SIZE;

// Collects what libfuse and fusermount3 write to stderr, since that is the only place where they
// say why a mount failed.
class StderrCapture {
 public:
  StderrCapture() : saved_(dup(STDERR_FILENO)), file_(memfd_create("mount-messages", MFD_CLOEXEC)) {
    if (saved_ >= 0 && file_ >= 0) dup2(file_, STDERR_FILENO);
  }
  ~StderrCapture() { Restore(); }

  std::string Restore() {
    std::string text;
    if (saved_ >= 0 && file_ >= 0) {
      dup2(saved_, STDERR_FILENO);
      char bytes[2048];
      const ssize_t got = pread(file_, bytes, sizeof bytes, 0);
      if (got > 0) text.assign(bytes, static_cast<size_t>(got));
    }
    if (saved_ >= 0) close(saved_);
    if (file_ >= 0) close(file_);
    saved_ = file_ = -1;
    return std::string(absl::StripAsciiWhitespace(text));
  }

 private:
  int saved_;
  int file_;
};

// libfuse parses a command line; ours is made of the mount options only.
class FuseArguments {
 public:
  explicit FuseArguments(const std::vector<std::string>& mount_options) {
    fuse_opt_add_arg(&args_, "cachefs");
    if (!mount_options.empty()) {
      fuse_opt_add_arg(&args_, "-o");
      fuse_opt_add_arg(&args_, absl::StrJoin(mount_options, ",").c_str());
    }
  }
  ~FuseArguments() { fuse_opt_free_args(&args_); }
  fuse_args* get() { return &args_; }

 private:
  fuse_args args_ = FUSE_ARGS_INIT(0, nullptr);
};

fuse_attr ToFuseAttr(const struct stat& st) {
  fuse_attr attr{};
  attr.ino = st.st_ino;
  attr.size = static_cast<uint64_t>(st.st_size);
  attr.blocks = static_cast<uint64_t>(st.st_blocks);
  attr.atime = static_cast<uint64_t>(st.st_atim.tv_sec);
  attr.mtime = static_cast<uint64_t>(st.st_mtim.tv_sec);
  attr.ctime = static_cast<uint64_t>(st.st_ctim.tv_sec);
  attr.atimensec = static_cast<uint32_t>(st.st_atim.tv_nsec);
  attr.mtimensec = static_cast<uint32_t>(st.st_mtim.tv_nsec);
  attr.ctimensec = static_cast<uint32_t>(st.st_ctim.tv_nsec);
  attr.mode = st.st_mode;
  attr.nlink = static_cast<uint32_t>(st.st_nlink);
  attr.uid = st.st_uid;
  attr.gid = st.st_gid;
  attr.rdev = static_cast<uint32_t>(st.st_rdev);
  attr.blksize = static_cast<uint32_t>(st.st_blksize);
  return attr;
}

bool IsAnswered(uint32_t opcode) {
  return opcode != FUSE_FORGET && opcode != FUSE_BATCH_FORGET && opcode != FUSE_INTERRUPT;
}

void SplitTimeout(double timeout, uint64_t* seconds, uint32_t* nanoseconds) {
  *seconds = static_cast<uint64_t>(timeout);
  *nanoseconds = static_cast<uint32_t>((timeout - static_cast<double>(*seconds)) * 1e9);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Transport>> Transport::Mount(const Options& options, const fuse_lowlevel_ops& operations,
                                                            void* user, RawOperations* raw) {
  std::unique_ptr<Transport> transport(new Transport(options, user, raw));
  RETURN_IF_ERROR(transport->Start(options, operations));
  return transport;
}

absl::Status Transport::Start(const Options& options, const fuse_lowlevel_ops& operations) {
  if (access(kFuseDevice, F_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("this machine has no ", kFuseDevice,
                                            ": load the kernel module (modprobe fuse), or pass the "
                                            "device into the container"));
  }
  FuseArguments mount_arguments(options.mount_options);
  mounting_ = fuse_session_new(mount_arguments.get(), &operations, sizeof operations, this);
  FuseArguments serve_arguments({});
  serving_ = fuse_session_new(serve_arguments.get(), &operations, sizeof operations, this);
  if (mounting_ == nullptr || serving_ == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("libfuse refuses the mount options: ", absl::StrJoin(options.mount_options, ",")));
  }
  StderrCapture capture;
  const int mounted = fuse_session_mount(mounting_, mount_point_.c_str());
  const std::string said = capture.Restore();
  if (mounted != 0) {
    const std::string message = absl::StrCat("cannot mount on ", mount_point_, ": ", said.empty() ? "?" : said);
    const bool forbidden = said.find("ermi") != std::string::npos;  // "permission", "Operation not permitted"
    return forbidden ? absl::PermissionDeniedError(message) : absl::FailedPreconditionError(message);
  }
  mounted_ = true;
  if (!said.empty() && write(STDERR_FILENO, (said + "\n").data(), said.size() + 1) < 0) return absl::OkStatus();
  fd_ = fcntl(fuse_session_fd(mounting_), F_DUPFD_CLOEXEC, 3);
  if (fd_ < 0) return base::ErrnoStatus(errno, "dup of the connection to the kernel");
  fuse_custom_io hooks{};
  hooks.read = &Transport::ReadHook;
  hooks.writev = &Transport::WritevHook;
  const int error = fuse_session_custom_io(serving_, &hooks, fd_);
  if (error != 0) return base::ErrnoStatus(error < 0 ? -error : error, "fuse_session_custom_io");
  return absl::OkStatus();
}

Transport::~Transport() {
  Unmount();
  // Closes fd_ as well; what still uses the mount gets ENOTCONN from now on.
  if (serving_ != nullptr) fuse_session_destroy(serving_);
  if (mounting_ != nullptr) fuse_session_destroy(mounting_);
}

absl::Status Transport::Serve() {
  // Interrupts the read that Serve() waits in; does nothing else.
  struct sigaction wake {};
  wake.sa_handler = [](int) {};
  sigaction(kWakeSignal, &wake, nullptr);
  {
    base::MutexLock lock(&serve_mutex_);
    serve_thread_ = pthread_self();
    serve_running_ = true;
  }
  const absl::Status status = ServeUntilEnd();
  base::MutexLock lock(&serve_mutex_);
  serve_running_ = false;
  return status;
}

absl::Status Transport::ServeUntilEnd() {
  fuse_buf buffer{};
  absl::Status status;
  while (!fuse_session_exited(serving_)) {
    const int got = fuse_session_receive_buf(serving_, &buffer);
    if (got == -EINTR || got == -EAGAIN) continue;
    if (got == 0) break;
    if (got < 0) {
      status = base::ErrnoStatus(-got, "reading the connection to the kernel");
      break;
    }
    fuse_session_process_buf(serving_, &buffer);
  }
  free(buffer.mem);
  return status;
}

void Transport::Unmount() {
  if (mounted_.exchange(false)) fuse_session_unmount(mounting_);
}

void Transport::Stop() {
  fuse_session_exit(serving_);
  // A wake that comes just before the read begins is lost: repeat it.
  for (int round = 0; round < kWakeRoundsMax; ++round) {
    {
      base::MutexLock lock(&serve_mutex_);
      if (!serve_running_) return;
      pthread_kill(serve_thread_, kWakeSignal);
    }
    absl::SleepFor(kWakeInterval);
  }
}

ssize_t Transport::ReadHook(int fd, void* buffer, size_t size, void* self) {
  auto* transport = static_cast<Transport*>(self);
  while (true) {
    ssize_t got = read(fd, buffer, size);
    if (got < static_cast<ssize_t>(sizeof(fuse_in_header))) return got;
    if (transport->InspectRequest(static_cast<char*>(buffer), &got)) return got;
  }
}

bool Transport::InspectRequest(char* bytes, ssize_t* size) {
  auto* header = reinterpret_cast<fuse_in_header*>(bytes);
  char* body = bytes + sizeof *header;
  const size_t body_size = static_cast<size_t>(*size) - sizeof *header;
  meter_.Begin({.unique = header->unique,
                .opcode = header->opcode,
                .inode = header->nodeid,
                .pid = header->pid,
                .size_bytes = header->len,
                .is_answered = IsAnswered(header->opcode)});
  raw_flags_ = {};
  const RawRequest request = {header->unique, header->nodeid, header->uid, header->gid,
                              static_cast<pid_t>(header->pid)};
  switch (header->opcode) {
    case FUSE_INIT:
      if (body_size >= 16) offered_flags_ = reinterpret_cast<const fuse_init_in*>(body)->flags;
      return true;
    case FUSE_WRITE:
      raw_flags_.kill_suid_sgid = reinterpret_cast<const fuse_write_in*>(body)->write_flags & FUSE_WRITE_KILL_SUIDGID;
      return true;
    case FUSE_SETATTR:
      raw_flags_.kill_suid_sgid = reinterpret_cast<const fuse_setattr_in*>(body)->valid & FATTR_KILL_SUIDGID;
      return true;
    case FUSE_OPEN:
      raw_flags_.kill_suid_sgid = reinterpret_cast<const fuse_open_in*>(body)->open_flags & FUSE_OPEN_KILL_SUIDGID;
      return true;
    case FUSE_SETXATTR:
      if (!setxattr_extended_ || body_size < sizeof(fuse_setxattr_in)) return true;
      raw_flags_.acl_kill_sgid =
          reinterpret_cast<const fuse_setxattr_in*>(body)->setxattr_flags & FUSE_SETXATTR_ACL_KILL_SGID;
      memmove(body + kShortSetxattrBytes, body + sizeof(fuse_setxattr_in), body_size - sizeof(fuse_setxattr_in));
      *size -= static_cast<ssize_t>(sizeof(fuse_setxattr_in) - kShortSetxattrBytes);
      header->len = static_cast<uint32_t>(*size);
      return true;
    case FUSE_TMPFILE: {
      const auto* create = reinterpret_cast<const fuse_create_in*>(body);
      raw_->TmpFile(request, create->mode, create->umask);
      return false;
    }
    case FUSE_DESTROY:
      raw_->Destroy();
      return true;
    case FUSE_SYNCFS:
      raw_->SyncFs(request);
      return false;
    default:
      return true;
  }
}

ssize_t Transport::WritevHook(int fd, iovec* parts, int count, void* self) {
  auto* transport = static_cast<Transport*>(self);
  // The first reply of a session is that to INIT; no other thread replies before it.
  if (!transport->init_answered_.load(std::memory_order_acquire)) {
    transport->InspectInitReply(parts, count);
    transport->init_answered_.store(true, std::memory_order_release);
  }
  // Before it is sent, so that whoever has the reply finds it counted.
  const auto* header = static_cast<const fuse_out_header*>(parts[0].iov_base);
  transport->meter_.End(header->unique, -header->error, header->len);
  return writev(fd, parts, count);
}

void Transport::InspectInitReply(iovec* parts, int count) {
  if (count < 2 || static_cast<const fuse_out_header*>(parts[0].iov_base)->error != 0) return;
  auto* reply = static_cast<fuse_init_out*>(parts[1].iov_base);
  reply->flags |= offered_flags_ & kRawInitFlags;
  // Version 2 replaces the first one, which clears the bits at every write.
  if (reply->flags & FUSE_HANDLE_KILLPRIV_V2) reply->flags &= ~static_cast<uint32_t>(FUSE_HANDLE_KILLPRIV);
  handles_killpriv_ = (reply->flags & FUSE_HANDLE_KILLPRIV_V2) != 0;
  setxattr_extended_ = (reply->flags & FUSE_SETXATTR_EXT) != 0;
}

void Transport::ReplyRaw(const RawRequest& request, int error, const void* bytes, size_t size) {
  fuse_out_header header{};
  header.len = static_cast<uint32_t>(sizeof header + size);
  header.error = -error;
  header.unique = request.unique;
  meter_.End(request.unique, error, header.len);
  iovec parts[2] = {{&header, sizeof header}, {const_cast<void*>(bytes), size}};
  // Fails only if the mount is gone or the caller was killed: nobody waits then.
  if (writev(fd_, parts, size == 0 ? 1 : 2) < 0) return;
}

void Transport::ReplyRawError(const RawRequest& request, int error) { ReplyRaw(request, error, nullptr, 0); }

void Transport::ReplyRawCreated(const RawRequest& request, const fuse_entry_param& entry) {
  struct {
    fuse_entry_out entry;
    fuse_open_out open;
  } reply{};
  reply.entry.nodeid = entry.ino;
  reply.entry.generation = entry.generation;
  SplitTimeout(entry.entry_timeout, &reply.entry.entry_valid, &reply.entry.entry_valid_nsec);
  SplitTimeout(entry.attr_timeout, &reply.entry.attr_valid, &reply.entry.attr_valid_nsec);
  reply.entry.attr = ToFuseAttr(entry.attr);
  reply.open.open_flags = FOPEN_KEEP_CACHE;
  ReplyRaw(request, 0, &reply, sizeof reply);
}

}  // namespace fs

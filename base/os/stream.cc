#include "base/os/stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/os/stream_codec.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace base {
namespace {

class FdSource final : public Source {
 public:
  FdSource(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  absl::StatusOr<size_t> Read(absl::Span<char> out) override {
    for (;;) {
      const ssize_t n = read(fd_.get(), out.data(), out.size());
      if (n >= 0) return static_cast<size_t>(n);
      if (errno != EINTR) return ErrnoStatus(errno, absl::StrCat("read ", name_));
    }
  }

 private:
  Fd fd_;
  const std::string name_;
};

class StringSource final : public Source {
 public:
  explicit StringSource(absl::string_view data) : data_(data) {}
  absl::StatusOr<size_t> Read(absl::Span<char> out) override {
    const size_t count = std::min(out.size(), data_.size());
    std::copy_n(data_.data(), count, out.data());
    data_.remove_prefix(count);
    return count;
  }

 private:
  absl::string_view data_;
};

// Gives back bytes that were looked at, then the rest.
class PrefixedSource final : public Source {
 public:
  PrefixedSource(std::string prefix, std::unique_ptr<Source> rest)
      : prefix_(std::move(prefix)), rest_(std::move(rest)) {}
  absl::StatusOr<size_t> Read(absl::Span<char> out) override {
    if (at_ == prefix_.size()) return rest_->Read(out);
    const size_t count = std::min(out.size(), prefix_.size() - at_);
    std::copy_n(prefix_.data() + at_, count, out.data());
    at_ += count;
    return count;
  }

 private:
  const std::string prefix_;
  size_t at_ = 0;
  const std::unique_ptr<Source> rest_;
};

class FdSink final : public Sink {
 public:
  FdSink(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  absl::Status Write(absl::string_view data) override { return Annotate(WriteFull(fd_.get(), data), name_); }
  absl::Status Close() override {
    // A full disk may be noticed only now, by filesystems that write late.
    const int fd = fd_.Release();
    if (close(fd) != 0 && errno != EINTR) return ErrnoStatus(errno, absl::StrCat("close ", name_));
    return absl::OkStatus();
  }

 private:
  Fd fd_;
  const std::string name_;
};

class AtomicSink final : public Sink {
 public:
  explicit AtomicSink(AtomicFile file) : file_(std::move(file)) {}
  absl::Status Write(absl::string_view data) override { return file_.Append(data); }
  absl::Status Close() override { return file_.Commit(); }

 private:
  AtomicFile file_;
};

class StringSink final : public Sink {
 public:
  explicit StringSink(std::string* out) : out_(out) {}
  absl::Status Write(absl::string_view data) override {
    out_->append(data.data(), data.size());
    return absl::OkStatus();
  }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  std::string* const out_;
};

absl::StatusOr<Fd> Duplicate(int fd) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return ErrnoStatus(errno, "dup");
  return Fd(copy);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Source>> Decompress(std::unique_ptr<Source> source) {
  std::string prefix(4, '\0');
  size_t size = 0;
  while (size < prefix.size()) {
    ASSIGN_OR_RETURN(const size_t count, source->Read(absl::MakeSpan(&prefix[size], prefix.size() - size)));
    if (count == 0) break;
    size += count;
  }
  prefix.resize(size);
  auto whole = std::make_unique<PrefixedSource>(prefix, std::move(source));
  if (absl::StartsWith(prefix, "\x1f\x8b")) return internal::GzipSource(std::move(whole));
  if (absl::StartsWith(prefix, "\x28\xb5\x2f\xfd")) return internal::ZstdSource(std::move(whole));
  return whole;
}

absl::StatusOr<std::unique_ptr<Source>> OpenSource(const std::string& path) {
  Fd fd;
  if (path == "-") {
    ASSIGN_OR_RETURN(fd, Duplicate(STDIN_FILENO));
  } else {
    ASSIGN_OR_RETURN(fd, OpenFile(path, O_RDONLY));
    posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  return Decompress(std::make_unique<FdSource>(std::move(fd), path == "-" ? "standard input" : path));
}

std::unique_ptr<Source> MemorySource(absl::string_view data) { return std::make_unique<StringSource>(data); }

std::unique_ptr<Sink> MemorySink(std::string* out) { return std::make_unique<StringSink>(out); }

std::unique_ptr<Sink> Compress(std::unique_ptr<Sink> sink, Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return internal::GzipSink(std::move(sink));
    case Compression::kZstd:
      return internal::ZstdSink(std::move(sink));
    case Compression::kNone:
      break;
  }
  return sink;
}

absl::StatusOr<std::unique_ptr<Sink>> OpenSink(const std::string& path, const SinkOptions& options) {
  Compression compression = options.compression;
  if (compression == Compression::kNone && options.by_name) {
    if (absl::EndsWith(path, ".gz")) compression = Compression::kGzip;
    if (absl::EndsWith(path, ".zst")) compression = Compression::kZstd;
  }
  std::unique_ptr<Sink> sink;
  struct stat info;
  if (path == "-") {
    ASSIGN_OR_RETURN(Fd fd, Duplicate(STDOUT_FILENO));
    sink = std::make_unique<FdSink>(std::move(fd), "standard output");
  } else if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    ASSIGN_OR_RETURN(Fd fd, OpenFile(path, O_WRONLY));
    sink = std::make_unique<FdSink>(std::move(fd), path);
  } else {
    ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path, options.replace));
    sink = std::make_unique<AtomicSink>(std::move(file));
  }
  return Compress(std::move(sink), compression);
}

}  // namespace base

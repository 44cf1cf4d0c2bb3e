#include "fs/client/posix_tree_client.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "fs/client/tree_path.h"

namespace fs {
namespace {

constexpr long kFuseMagic = 0x65735546;
constexpr size_t kItemsPerThreadMin = 16;
constexpr size_t kSmallFileBytes = size_t{1} << 20;

int64_t Nanoseconds(const statx_timestamp& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

absl::StatusOr<FileStat> StatAt(int directory, const std::string& name, absl::string_view path) {
  struct statx info;
  if (statx(directory, name.c_str(), AT_SYMLINK_NOFOLLOW | (name.empty() ? AT_EMPTY_PATH : 0),
            STATX_BASIC_STATS | STATX_BTIME, &info) != 0) {
    return TreeStatus(errno, "stat", path);
  }
  return FileStat{
      .fs_id = makedev(info.stx_dev_major, info.stx_dev_minor),
      .inode = info.stx_ino,
      .size_bytes = info.stx_size,
      .mtime_ns = Nanoseconds(info.stx_mtime),
      .ctime_ns = Nanoseconds(info.stx_ctime),
      .btime_ns = (info.stx_mask & STATX_BTIME) != 0 ? Nanoseconds(info.stx_btime) : 0,
      .mode = info.stx_mode,
      .uid = info.stx_uid,
      .gid = info.stx_gid,
      .link_count = info.stx_nlink,
  };
}

// A file without a name of its own yet, in the directory it will appear in.
struct Temporary {
  base::Fd fd;
  std::string name;
};

absl::StatusOr<Temporary> MakeTemporary(int directory, const std::string& name, uint32_t mode,
                                        absl::string_view path) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    uint64_t random = 0;
    if (getentropy(&random, sizeof random) != 0) return TreeStatus(errno, "getentropy for", path);
    Temporary file;
    file.name = absl::StrCat(".", name.substr(0, 200), ".", absl::Hex(random, absl::kZeroPad16), ".tmp");
    file.fd.Reset(openat(directory, file.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (file.fd.valid()) return file;
    if (errno != EEXIST) return TreeStatus(errno, "create", path);
  }
  return absl::UnavailableError(absl::StrCat("no free temporary name beside ", path));
}

// With the contract's code for the errno that `status` carries.
absl::Status AsTreeStatus(const absl::Status& status, absl::string_view what, absl::string_view path) {
  const int error_number = base::ErrnoOf(status);
  return error_number == 0 ? status : TreeStatus(error_number, what, path);
}

absl::Status PublishTemporary(int directory, Temporary* file, const std::string& name, bool durable,
                              absl::string_view path) {
  if (durable && fsync(file->fd.get()) != 0) return TreeStatus(errno, "fsync", path);
  if (renameat(directory, file->name.c_str(), directory, name.c_str()) != 0) {
    return TreeStatus(errno, "replace", path);
  }
  return absl::OkStatus();
}

absl::StatusOr<base::Fd> OpenRegular(int directory, const std::string& name, absl::string_view path, struct stat* info) {
  // O_NONBLOCK: a FIFO would wait for a writer.
  base::Fd fd(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return TreeStatus(errno == ENXIO ? ELOOP : errno, "open", path);
  if (fstat(fd.get(), info) != 0) return TreeStatus(errno, "stat", path);
  if (S_ISDIR(info->st_mode)) return TreeStatus(EISDIR, "read", path);
  if (!S_ISREG(info->st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not a regular file"));
  }
  return fd;
}

bool HoldsBytes(int directory, const std::string& name, absl::string_view data) {
  struct stat info;
  const absl::StatusOr<base::Fd> fd = OpenRegular(directory, name, name, &info);
  if (!fd.ok() || static_cast<uint64_t>(info.st_size) != data.size()) return false;
  char buffer[64 << 10];
  for (size_t at = 0; at < data.size();) {
    const size_t want = std::min(sizeof buffer, data.size() - at);
    const absl::StatusOr<size_t> count = base::ReadFull(fd->get(), absl::MakeSpan(buffer, want));
    if (!count.ok() || *count != want || data.substr(at, want) != absl::string_view(buffer, want)) return false;
    at += want;
  }
  return true;
}

}  // namespace

// A FileWriter over a temporary file beside its destination.
class PosixFileWriter final : public FileWriter {
 public:
  PosixFileWriter(PosixTreeClient* client, base::Fd directory, Temporary file, std::string path)
      : client_(client), directory_(std::move(directory)), file_(std::move(file)), path_(std::move(path)) {}
  ~PosixFileWriter() override {
    if (file_.fd.valid()) unlinkat(directory_.get(), file_.name.c_str(), 0);
  }
  absl::Status Append(absl::string_view data) override {
    return AsTreeStatus(base::WriteFull(file_.fd.get(), data), "write", path_);
  }
  absl::Status Commit(Durability durability) override {
    const bool durable = durability == Durability::kOnReturn;
    RETURN_IF_ERROR(PublishTemporary(directory_.get(), &file_, NameOf(path_), durable, path_));
    file_.fd.Reset();
    client_->NoteChanged(path_);
    return durable ? client_->SyncDirectories({path_}) : absl::OkStatus();
  }

 private:
  PosixTreeClient* const client_;
  const base::Fd directory_;
  Temporary file_;
  const std::string path_;
};

absl::StatusOr<std::unique_ptr<PosixTreeClient>> PosixTreeClient::Open(const std::string& directory) {
  base::Fd root(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return TreeStatus(errno, "open", directory);
  struct statfs info;
  if (fstatfs(root.get(), &info) != 0) return TreeStatus(errno, "statfs", directory);
  return std::unique_ptr<PosixTreeClient>(new PosixTreeClient(std::move(root), info.f_type != kFuseMagic));
}

template <typename T, typename PathOf, typename Work>
void PosixTreeClient::RunSharded(size_t count, const PathOf& path_of, const Work& work, Sink<T> answer) {
  const size_t shard_count =
      std::min<size_t>(base::DefaultParallelism(), count / kItemsPerThreadMin + 1);
  std::vector<absl::StatusOr<T>> results(count);
  // By directory, so that one thread keeps each directory open.
  std::vector<std::vector<size_t>> shards(shard_count);
  for (size_t i = 0; i < count; ++i) {
    const absl::Status valid = ValidateTreePath(path_of(i));
    if (!valid.ok()) {
      results[i] = valid;
    } else {
      shards[absl::HashOf(ParentOf(path_of(i))) % shard_count].push_back(i);
    }
  }
  base::ParallelFor(shard_count, shard_count, [&](size_t shard) {
    Beneath beneath(root_.get());
    for (const size_t i : shards[shard]) results[i] = work(beneath, i);
  });
  for (size_t i = 0; i < count; ++i) {
    if (!answer(i, std::move(results[i]))) return;
  }
}

void PosixTreeClient::NoteChanged(absl::string_view path) {
  if (syncfs_is_enough_) return;
  base::MutexLock lock(&mutex_);
  unsynced_.emplace(path);
}

absl::StatusOr<bool> PosixTreeClient::StoreOne(Beneath& beneath, const StoreItem& item, Durability durability) {
  if (item.ttl != absl::InfiniteDuration()) {
    return absl::UnimplementedError(absl::StrCat("time to live of ", item.path, " needs a cachefs mount"));
  }
  ASSIGN_OR_RETURN(const int directory, beneath.OpenOrMake(ParentOf(item.path)));
  const std::string name = NameOf(item.path);
  const bool durable = durability == Durability::kOnReturn;
  if (item.keep_if_equal && HoldsBytes(directory, name, item.data)) {
    if (!durable) return false;
    // The caller is promised durable bytes, whoever wrote them.
    const base::Fd fd(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid() || fsync(fd.get()) != 0) return TreeStatus(errno, "fsync", item.path);
    return false;
  }
  ASSIGN_OR_RETURN(Temporary file, MakeTemporary(directory, name, item.mode, item.path));
  absl::Status status = AsTreeStatus(base::WriteFull(file.fd.get(), item.data), "write", item.path);
  if (status.ok() && item.mtime != absl::InfinitePast()) {
    const timespec times[2] = {{0, UTIME_OMIT}, absl::ToTimespec(item.mtime)};
    if (futimens(file.fd.get(), times) != 0) status = TreeStatus(errno, "set time of", item.path);
  }
  if (status.ok()) status = PublishTemporary(directory, &file, name, durable, item.path);
  if (!status.ok()) {
    unlinkat(directory, file.name.c_str(), 0);
    return status;
  }
  NoteChanged(item.path);
  return true;
}

absl::Status PosixTreeClient::Store(absl::Span<const StoreItem> items, WriteOptions options, Sink<bool> written) {
  if (options.atomic) return absl::UnimplementedError("atomic batches need a cachefs mount");
  std::vector<std::string> stored;
  const bool durable = options.durability == Durability::kOnReturn;
  // With durability the answers wait for the directories: an item that has been
  // answered with OK must survive.
  std::vector<absl::StatusOr<bool>> answers(durable ? items.size() : 0);
  const auto keep = [&](size_t i, absl::StatusOr<bool> answer) {
    if (answer.ok()) stored.emplace_back(items[i].path);
    answers[i] = std::move(answer);
    return true;
  };
  const auto path_of = [&items](size_t i) { return items[i].path; };
  const auto work = [&](Beneath& beneath, size_t i) { return StoreOne(beneath, items[i], options.durability); };
  if (!durable) {
    RunSharded<bool>(items.size(), path_of, work, written);
    return absl::OkStatus();
  }
  RunSharded<bool>(items.size(), path_of, work, keep);
  RETURN_IF_ERROR(SyncDirectories(stored));
  for (size_t i = 0; i < items.size(); ++i) {
    if (!written(i, std::move(answers[i]))) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> PosixTreeClient::RemoveOne(Beneath& beneath, absl::string_view path) {
  const absl::StatusOr<int> directory = beneath.Open(ParentOf(path));
  if (!directory.ok()) {
    if (absl::IsNotFound(directory.status())) return false;
    return directory.status();
  }
  const std::string name = NameOf(path);
  if (unlinkat(*directory, name.c_str(), 0) != 0) {
    if (errno == ENOENT) return false;
    if (errno != EISDIR) return TreeStatus(errno, "remove", path);
    if (unlinkat(*directory, name.c_str(), AT_REMOVEDIR) != 0) return TreeStatus(errno, "remove", path);
  }
  NoteChanged(path);
  return true;
}

absl::Status PosixTreeClient::Remove(Paths paths, WriteOptions options, Sink<bool> existed) {
  if (options.atomic) return absl::UnimplementedError("atomic batches need a cachefs mount");
  std::vector<std::string> removed;
  std::vector<absl::StatusOr<bool>> answers(paths.size());
  RunSharded<bool>(
      paths.size(), [&paths](size_t i) { return paths[i]; },
      [&](Beneath& beneath, size_t i) { return RemoveOne(beneath, paths[i]); },
      [&](size_t i, absl::StatusOr<bool> answer) {
        if (answer.ok()) removed.emplace_back(paths[i]);
        answers[i] = std::move(answer);
        return true;
      });
  if (options.durability == Durability::kOnReturn) RETURN_IF_ERROR(SyncDirectories(removed));
  for (size_t i = 0; i < paths.size(); ++i) {
    if (!existed(i, std::move(answers[i]))) break;
  }
  return absl::OkStatus();
}

absl::Status PosixTreeClient::Rename(absl::string_view from, absl::string_view to) {
  RETURN_IF_ERROR(ValidateTreePath(from));
  RETURN_IF_ERROR(ValidateTreePath(to));
  Beneath sources(root_.get());
  Beneath targets(root_.get());
  ASSIGN_OR_RETURN(const int from_directory, sources.Open(ParentOf(from)));
  // Asked first, so that a source that is not there leaves no directories behind.
  RETURN_IF_ERROR(StatAt(from_directory, NameOf(from), from).status());
  ASSIGN_OR_RETURN(const int to_directory, targets.OpenOrMake(ParentOf(to)));
  if (renameat(from_directory, NameOf(from).c_str(), to_directory, NameOf(to).c_str()) != 0) {
    // EEXIST is what some filesystems say for a directory that is not empty.
    return TreeStatus(errno == EEXIST ? ENOTEMPTY : errno, "rename", absl::StrCat(from, " to ", to));
  }
  NoteChanged(from);
  NoteChanged(to);
  return absl::OkStatus();
}

absl::Status PosixTreeClient::SyncDirectories(const std::vector<std::string>& paths) {
  absl::flat_hash_set<std::string> directories;
  for (const std::string& path : paths) {
    for (absl::string_view at = ParentOf(path); directories.emplace(at).second && !at.empty();) at = ParentOf(at);
  }
  Beneath beneath(root_.get());
  for (const std::string& directory : directories) {
    absl::StatusOr<int> fd = beneath.Open(directory);
    if (!fd.ok() && absl::IsNotFound(fd.status())) continue;  // removed again meanwhile
    RETURN_IF_ERROR(fd.status());
    const base::Fd readable(openat(*fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!readable.valid() || fsync(readable.get()) != 0) return TreeStatus(errno, "fsync", directory);
  }
  return absl::OkStatus();
}

absl::Status PosixTreeClient::Flush() {
  if (syncfs_is_enough_) {
    if (syncfs(root_.get()) != 0) return TreeStatus(errno, "syncfs", "the tree");
    return absl::OkStatus();
  }
  std::vector<std::string> paths;
  {
    base::MutexLock lock(&mutex_);
    paths.assign(unsynced_.begin(), unsynced_.end());
  }
  Beneath beneath(root_.get());
  for (const std::string& path : paths) {
    const absl::StatusOr<int> directory = beneath.Open(ParentOf(path));
    if (!directory.ok()) continue;  // SyncDirectories() tells
    const base::Fd fd(openat(*directory, NameOf(path).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (fd.valid() && fsync(fd.get()) != 0) return TreeStatus(errno, "fsync", path);
  }
  RETURN_IF_ERROR(SyncDirectories(paths));
  base::MutexLock lock(&mutex_);
  for (const std::string& path : paths) unsynced_.erase(path);
  return absl::OkStatus();
}

absl::Status PosixTreeClient::Lookup(Paths paths, size_t bytes_max, Sink<absl::string_view> found) {
  const auto read = [&](Beneath& beneath, absl::string_view path, size_t limit,
                        std::string* data) -> absl::StatusOr<uint64_t> {
    ASSIGN_OR_RETURN(const int directory, beneath.Open(ParentOf(path)));
    struct stat info;
    ASSIGN_OR_RETURN(const base::Fd fd, OpenRegular(directory, NameOf(path), path, &info));
    const auto size = static_cast<uint64_t>(info.st_size);
    if (size > bytes_max) {
      return absl::OutOfRangeError(absl::StrCat(path, " has ", size, " bytes, more than ", bytes_max));
    }
    if (size > limit) return size;
    data->resize(size);
    absl::StatusOr<size_t> count = base::ReadFull(fd.get(), absl::MakeSpan(data->data(), data->size()));
    if (!count.ok()) return AsTreeStatus(count.status(), "read", path);
    data->resize(*count);
    return uint64_t{*count};
  };
  Beneath large_files(root_.get());
  for (size_t start = 0; start < paths.size(); start += kWindow) {
    const Paths window = paths.subspan(start, kWindow);
    std::vector<std::string> data(window.size());
    bool stopped = false;
    RunSharded<uint64_t>(
        window.size(), [&window](size_t i) { return window[i]; },
        [&](Beneath& beneath, size_t i) { return read(beneath, window[i], kSmallFileBytes, &data[i]); },
        [&](size_t i, absl::StatusOr<uint64_t> size) {
          // Large ones are read only now, one at a time.
          if (size.ok() && *size > kSmallFileBytes) size = read(large_files, window[i], bytes_max, &data[i]);
          stopped = size.ok() ? !found(start + i, absl::string_view(data[i])) : !found(start + i, size.status());
          data[i] = std::string();
          return !stopped;
        });
    if (stopped) break;
  }
  return absl::OkStatus();
}

absl::Status PosixTreeClient::Stat(Paths paths, Sink<FileStat> found) {
  RunSharded<FileStat>(
      paths.size(), [&paths](size_t i) { return paths[i]; },
      [&](Beneath& beneath, size_t i) -> absl::StatusOr<FileStat> {
        ASSIGN_OR_RETURN(const int directory, beneath.Open(ParentOf(paths[i])));
        return StatAt(directory, NameOf(paths[i]), paths[i]);
      },
      found);
  return absl::OkStatus();
}

absl::Status PosixTreeClient::List(absl::string_view dir, bool recursive, Sink<DirEntry> found) {
  if (!dir.empty()) RETURN_IF_ERROR(ValidateTreePath(dir));
  std::vector<std::string> pending = {std::string(dir)};
  size_t index = 0;
  bool is_first = true;
  while (!pending.empty()) {
    const std::string at = std::move(pending.back());
    pending.pop_back();
    Beneath beneath(root_.get());
    absl::StatusOr<int> directory = beneath.Open(at);
    base::Fd fd;
    if (directory.ok()) fd.Reset(openat(*directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) {
      const absl::Status status = directory.ok() ? TreeStatus(errno, "list", at) : directory.status();
      if (is_first) return status;
      if (absl::IsNotFound(status)) continue;  // removed while we walked
      if (!found(index++, status)) return absl::OkStatus();
      continue;
    }
    is_first = false;
    DIR* const stream = fdopendir(fd.Release());
    if (stream == nullptr) return TreeStatus(errno, "list", at);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(stream)) {
      const absl::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    std::vector<std::string> below;
    bool stopped = false;
    for (const std::string& name : names) {
      DirEntry entry;
      entry.path = at.empty() ? name : absl::StrCat(at, "/", name);
      absl::StatusOr<FileStat> stat = StatAt(dirfd(stream), name, entry.path);
      if (!stat.ok() && absl::IsNotFound(stat.status())) continue;
      if (stat.ok()) entry.stat = *stat;
      if (recursive && S_ISDIR(entry.stat.mode)) below.push_back(entry.path);
      stopped = stat.ok() ? !found(index++, std::move(entry)) : !found(index++, stat.status());
      if (stopped) break;
    }
    closedir(stream);
    if (stopped) return absl::OkStatus();
    pending.insert(pending.end(), below.rbegin(), below.rend());
  }
  return absl::OkStatus();
}

absl::Status PosixTreeClient::Digest(Paths paths, DigestKind, Sink<absl::string_view> raw) {
  for (size_t i = 0; i < paths.size(); ++i) {
    if (!raw(i, absl::UnimplementedError("digests need a cachefs mount"))) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<Changes> PosixTreeClient::ChangedSince(absl::string_view) {
  return absl::UnimplementedError("change tokens need a cachefs mount");
}

absl::StatusOr<std::unique_ptr<FileWriter>> PosixTreeClient::Create(absl::string_view path) {
  RETURN_IF_ERROR(ValidateTreePath(path));
  Beneath beneath(root_.get());
  ASSIGN_OR_RETURN(const int directory, beneath.OpenOrMake(ParentOf(path)));
  base::Fd own(fcntl(directory, F_DUPFD_CLOEXEC, 3));
  if (!own.valid()) return TreeStatus(errno, "create", path);
  ASSIGN_OR_RETURN(Temporary file, MakeTemporary(own.get(), NameOf(path), 0644, path));
  return std::make_unique<PosixFileWriter>(this, std::move(own), std::move(file), std::string(path));
}

}  // namespace fs

#include "tools/tree_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace tools {
namespace {

constexpr size_t kSmallFileBytes = size_t{1} << 20;
constexpr size_t kLookupItems = 256;

struct ReadFree {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct WriteFree {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct EntryFree {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};
using Reader = std::unique_ptr<archive, ReadFree>;
using Writer = std::unique_ptr<archive, WriteFree>;
using EntryPtr = std::unique_ptr<archive_entry, EntryFree>;

absl::Status ArchiveError(archive* a, absl::string_view what) {
  const char* const text = archive_error_string(a);
  return absl::DataLossError(absl::StrCat(what, ": ", text != nullptr ? text : "unknown error"));
}

// "./a/b/" and "/a/b" are "a/b".
std::string CleanPath(absl::string_view path) {
  while (absl::ConsumePrefix(&path, "/") || absl::ConsumePrefix(&path, "./")) continue;
  while (absl::ConsumeSuffix(&path, "/")) continue;
  return path == "." ? "" : std::string(path);
}

absl::StatusOr<std::string> ReadEntry(archive* a, size_t size) {
  std::string data(size, '\0');
  size_t done = 0;
  while (done < size) {
    const la_ssize_t count = archive_read_data(a, &data[done], size - done);
    if (count < 0) return ArchiveError(a, "archive");
    if (count == 0) return absl::DataLossError("archive: an entry is cut short");
    done += static_cast<size_t>(count);
  }
  return data;
}

absl::Status ImportFile(archive* a, archive_entry* entry, TreeStore::Entry to, TreeStore* store) {
  const auto size = static_cast<uint64_t>(archive_entry_size(entry));
  if (size <= kSmallFileBytes) {
    ASSIGN_OR_RETURN(std::string data, ReadEntry(a, size));
    store->Add(std::move(to), std::move(data));
    return absl::OkStatus();
  }
  std::string buffer(kSmallFileBytes, '\0');
  absl::Status damage;
  store->AddStream(to, [&]() -> absl::StatusOr<absl::string_view> {
    const la_ssize_t count = archive_read_data(a, buffer.data(), buffer.size());
    if (count >= 0) return absl::string_view(buffer.data(), static_cast<size_t>(count));
    damage = ArchiveError(a, "archive");
    return damage;
  });
  return damage;
}

absl::Status ImportEntry(archive* a, archive_entry* entry, TreeStore* store) {
  const char* const name = archive_entry_pathname(entry);
  TreeStore::Entry to;
  to.path = CleanPath(name != nullptr ? name : "");
  if (to.path.empty()) return absl::OkStatus();
  to.mode = archive_entry_perm(entry) & 0777;
  if (archive_entry_mtime_is_set(entry) != 0) {
    to.mtime = absl::FromUnixSeconds(archive_entry_mtime(entry)) + absl::Nanoseconds(archive_entry_mtime_nsec(entry));
  }
  if (const char* const existing = archive_entry_hardlink(entry); existing != nullptr) {
    store->AddHardLink(to, CleanPath(existing));
    return absl::OkStatus();
  }
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      return ImportFile(a, entry, std::move(to), store);
    case AE_IFDIR:
      store->AddDirectory(to);
      return absl::OkStatus();
    case AE_IFLNK:
      store->AddSymlink(to, archive_entry_symlink(entry));
      return absl::OkStatus();
    default:
      return absl::InvalidArgumentError(absl::StrCat(to.path, " is a device or FIFO; only files, directories and links are put"));
  }
}

// Writes one archive of one tree.
class Exporter {
 public:
  Exporter(archive* out, int directory) : out_(out), directory_(directory) {}

  absl::Status Header(const fs::DirEntry& from, const std::string& symlink_target) {
    const EntryPtr entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), from.path.c_str());
    archive_entry_set_mode(entry.get(), from.stat.mode);
    archive_entry_set_uid(entry.get(), from.stat.uid);
    archive_entry_set_gid(entry.get(), from.stat.gid);
    archive_entry_set_mtime(entry.get(), from.stat.mtime_ns / 1'000'000'000, from.stat.mtime_ns % 1'000'000'000);
    archive_entry_set_size(entry.get(), S_ISREG(from.stat.mode) ? static_cast<int64_t>(from.stat.size_bytes) : 0);
    if (S_ISLNK(from.stat.mode)) archive_entry_set_symlink(entry.get(), symlink_target.c_str());
    if (archive_write_header(out_, entry.get()) < ARCHIVE_WARN) return ArchiveError(out_, "write archive");
    return absl::OkStatus();
  }

  absl::Status Bytes(absl::string_view data) {
    while (!data.empty()) {
      const la_ssize_t count = archive_write_data(out_, data.data(), data.size());
      if (count <= 0) return ArchiveError(out_, "write archive");
      data.remove_prefix(static_cast<size_t>(count));
    }
    return absl::OkStatus();
  }

  // Directories, links, and files too large for a batch.
  absl::Status Other(const fs::DirEntry& entry) {
    if (S_ISLNK(entry.stat.mode)) {
      char target[4096];
      const ssize_t size = readlinkat(directory_, entry.path.c_str(), target, sizeof target);
      if (size < 0) return base::ErrnoStatus(errno, absl::StrCat("read link ", entry.path));
      return Header(entry, std::string(target, static_cast<size_t>(size)));
    }
    RETURN_IF_ERROR(Header(entry, ""));
    if (!S_ISREG(entry.stat.mode)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const base::Fd fd, base::OpenFileAt(directory_, entry.path, O_RDONLY | O_NOFOLLOW));
    std::string buffer(kSmallFileBytes, '\0');
    uint64_t left = entry.stat.size_bytes;
    while (left > 0) {
      const size_t want = std::min<uint64_t>(left, buffer.size());
      ASSIGN_OR_RETURN(const size_t count, base::ReadFull(fd.get(), absl::MakeSpan(buffer.data(), want)));
      if (count < want) return absl::AbortedError(absl::StrCat(entry.path, " shrank while it was read"));
      RETURN_IF_ERROR(Bytes(absl::string_view(buffer.data(), count)));
      left -= count;
    }
    return absl::OkStatus();
  }

  absl::Status Batch(fs::TreeClient& client, const std::vector<fs::DirEntry>& entries) {
    std::vector<absl::string_view> paths;
    std::vector<size_t> indexes;
    for (size_t i = 0; i < entries.size(); ++i) {
      const fs::FileStat& stat = entries[i].stat;
      if (S_ISREG(stat.mode) && stat.size_bytes <= kSmallFileBytes) {
        paths.push_back(entries[i].path);
        indexes.push_back(i);
      } else if (S_ISREG(stat.mode) || S_ISDIR(stat.mode) || S_ISLNK(stat.mode)) {
        RETURN_IF_ERROR(Other(entries[i]));
      }
    }
    absl::Status first;
    RETURN_IF_ERROR(client.Lookup(paths, kSmallFileBytes, [&](size_t i, absl::StatusOr<absl::string_view> data) {
      if (absl::IsNotFound(data.status())) return true;  // removed meanwhile
      first.Update(data.status());
      if (!data.ok()) return false;
      fs::DirEntry entry = entries[indexes[i]];
      entry.stat.size_bytes = data->size();
      first.Update(Header(entry, ""));
      if (first.ok()) first.Update(Bytes(*data));
      return first.ok();
    }));
    return first;
  }

 private:
  archive* const out_;
  const int directory_;
};

}  // namespace

absl::Status ImportArchive(int fd, TreeStore* store) {
  const Reader reader(archive_read_new());
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_all(reader.get());
  if (archive_read_open_fd(reader.get(), fd, 1 << 20) != ARCHIVE_OK) return ArchiveError(reader.get(), "archive");
  absl::Status first;
  for (;;) {
    archive_entry* entry = nullptr;
    const int result = archive_read_next_header(reader.get(), &entry);
    if (result == ARCHIVE_EOF) return first;
    if (result < ARCHIVE_WARN) return ArchiveError(reader.get(), "archive");
    const absl::Status status = ImportEntry(reader.get(), entry, store);
    if (absl::IsDataLoss(status)) return status;
    first.Update(status);
  }
}

absl::Status ExportArchive(const std::string& directory, const std::vector<std::string>& paths, int fd) {
  ASSIGN_OR_RETURN(const std::unique_ptr<fs::TreeClient> client, fs::TreeClient::ForPath(directory));
  ASSIGN_OR_RETURN(const base::Fd root, base::OpenFile(directory, O_PATH | O_DIRECTORY));
  const Writer writer(archive_write_new());
  archive_write_set_format_pax(writer.get());  // keeps nanoseconds
  archive_write_set_bytes_per_block(writer.get(), 1 << 20);
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  if (archive_write_open_fd(writer.get(), fd) != ARCHIVE_OK) return ArchiveError(writer.get(), "write archive");
  Exporter exporter(writer.get(), root.get());
  std::vector<fs::DirEntry> batch;
  absl::Status first;
  const auto take = [&](size_t, absl::StatusOr<fs::DirEntry> entry) {
    first.Update(entry.status());
    if (entry.ok()) batch.push_back(*std::move(entry));
    if (batch.size() >= kLookupItems && first.ok()) {
      first.Update(exporter.Batch(*client, batch));
      batch.clear();
    }
    return first.ok();
  };
  for (const std::string& path : paths.empty() ? std::vector<std::string>{""} : paths) {
    if (!path.empty()) {
      const absl::string_view view = path;
      bool is_directory = false;
      RETURN_IF_ERROR(client->Stat({&view, 1}, [&](size_t i, absl::StatusOr<fs::FileStat> stat) {
        is_directory = stat.ok() && S_ISDIR(stat->mode);
        return stat.ok() ? take(i, fs::DirEntry{path, *stat}) : take(i, stat.status());
      }));
      RETURN_IF_ERROR(first);
      if (!is_directory) continue;
    }
    RETURN_IF_ERROR(client->List(path, /*recursive=*/true, take));
    RETURN_IF_ERROR(first);
  }
  RETURN_IF_ERROR(exporter.Batch(*client, batch));
  if (archive_write_close(writer.get()) != ARCHIVE_OK) return ArchiveError(writer.get(), "write archive");
  return absl::OkStatus();
}

}  // namespace tools

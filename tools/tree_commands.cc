#include "tools/tree_commands.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "base/os/file.h"
#include "base/os/progress.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/client/tree_client.h"
#include "tools/tree_archive.h"
#include "tools/tree_store.h"

namespace tools {
namespace {

constexpr size_t kSmallFileBytes = size_t{1} << 20;

int Report(const absl::Status& status) {
  if (status.ok()) return 0;
  base::PrintError("cachectl", status.message());
  return 1;
}

base::Progress::Options ProgressOptions(const char* label) {
  return {.label = label, .unit = base::Progress::Unit::kBytes, .second_unit = "files"};
}

// Copies what lies at `path` below `from` (a directory with all below it) to `to`,
// where it is called `name` ("" = the entries of a directory only).
absl::Status CopyTree(fs::TreeClient& from, int from_directory, const std::string& name, TreeStore* to) {
  const auto target = [&name](const std::string& path) {
    return name.empty() ? path : absl::StrCat(name, "/", path);
  };
  std::vector<fs::DirEntry> batch;
  absl::Status first;
  const auto flush = [&] {
    std::vector<absl::string_view> paths;
    for (const fs::DirEntry& entry : batch) paths.push_back(entry.path);
    first.Update(from.Lookup(paths, kSmallFileBytes, [&](size_t i, absl::StatusOr<absl::string_view> data) {
      const fs::FileStat& stat = batch[i].stat;
      first.Update(data.status());
      if (data.ok()) {
        to->Add({target(batch[i].path), stat.mode & 0777, absl::FromUnixNanos(stat.mtime_ns)}, std::string(*data));
      }
      return true;
    }));
    batch.clear();
  };
  const auto take = [&](const fs::DirEntry& entry) -> absl::Status {
    const TreeStore::Entry goal{target(entry.path), entry.stat.mode & 0777, absl::FromUnixNanos(entry.stat.mtime_ns)};
    if (S_ISDIR(entry.stat.mode)) {
      to->AddDirectory(goal);
    } else if (S_ISLNK(entry.stat.mode)) {
      char link[4096];
      const ssize_t size = readlinkat(from_directory, entry.path.c_str(), link, sizeof link);
      if (size < 0) return base::ErrnoStatus(errno, absl::StrCat("read link ", entry.path));
      to->AddSymlink(goal, std::string(link, static_cast<size_t>(size)));
    } else if (!S_ISREG(entry.stat.mode)) {
      return absl::InvalidArgumentError(absl::StrCat(entry.path, " is a device, FIFO or socket; it is not copied"));
    } else if (entry.stat.size_bytes <= kSmallFileBytes) {
      batch.push_back(entry);
      if (batch.size() >= 256) flush();
    } else {
      ASSIGN_OR_RETURN(const base::Fd fd, base::OpenFileAt(from_directory, entry.path, O_RDONLY | O_NOFOLLOW));
      std::string buffer(kSmallFileBytes, '\0');
      to->AddStream(goal, [&]() -> absl::StatusOr<absl::string_view> {
        ASSIGN_OR_RETURN(const size_t count, base::ReadFull(fd.get(), absl::MakeSpan(buffer.data(), buffer.size())));
        return absl::string_view(buffer.data(), count);
      });
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(from.List("", /*recursive=*/true, [&](size_t, absl::StatusOr<fs::DirEntry> entry) {
    first.Update(entry.ok() ? take(*entry) : entry.status());
    return true;
  }));
  flush();
  return first;
}

// One source of cp or put: a directory is copied under its own name, a file as it is.
absl::Status CopySource(const std::string& source, bool under_own_name, TreeStore* store) {
  struct stat info;
  if (stat(source.c_str(), &info) != 0) return base::ErrnoStatus(errno, source);
  const std::string name(base::BaseName(absl::StripSuffix(source, "/")));
  if (S_ISDIR(info.st_mode)) {
    ASSIGN_OR_RETURN(const std::unique_ptr<fs::TreeClient> from, fs::TreeClient::ForPath(source));
    ASSIGN_OR_RETURN(const base::Fd directory, base::OpenFile(source, O_PATH | O_DIRECTORY));
    return CopyTree(*from, directory.get(), under_own_name ? name : "", store);
  }
  ASSIGN_OR_RETURN(const base::Fd fd, base::OpenFile(source, O_RDONLY));
  std::string buffer(kSmallFileBytes, '\0');
  store->AddStream({name, info.st_mode & 0777, absl::TimeFromTimespec(info.st_mtim)},
                   [&]() -> absl::StatusOr<absl::string_view> {
                     ASSIGN_OR_RETURN(const size_t count,
                                      base::ReadFull(fd.get(), absl::MakeSpan(buffer.data(), buffer.size())));
                     return absl::string_view(buffer.data(), count);
                   });
  return absl::OkStatus();
}

int Finish(absl::Status status, const base::Arguments& arguments, TreeStore* store) {
  status.Update(store->Finish(!arguments.Has("no-flush")));
  const int code = Report(status);
  if (!arguments.Has("quiet")) {
    std::printf("%s files, %s%s\n", base::HumanCount(store->files()).c_str(), base::HumanSize(store->bytes()).c_str(),
                store->failed() > 0 ? absl::StrCat(", ", store->failed(), " failed").c_str() : "");
  }
  return code;
}

int RunPut(const base::Arguments& arguments) {
  std::vector<std::string> words = arguments.positional();
  if (words.size() < 2) return Report(absl::InvalidArgumentError("put needs sources (or -) and a directory"));
  const std::string directory = words.back();
  words.pop_back();
  if (absl::Status made = base::MakeDirectories(directory); !made.ok()) return Report(made);
  base::Progress progress(ProgressOptions("put"));
  absl::StatusOr<std::unique_ptr<TreeStore>> store = TreeStore::Open(directory, &progress);
  if (!store.ok()) return Report(store.status());
  absl::Status first;
  for (const std::string& source : words) {
    first.Update(source == "-" ? ImportArchive(STDIN_FILENO, store->get())
                               : CopySource(source, /*under_own_name=*/true, store->get()));
  }
  return Finish(first, arguments, store->get());
}

int RunCopy(const base::Arguments& arguments) {
  const std::vector<std::string>& words = arguments.positional();
  if (words.size() != 2) return Report(absl::InvalidArgumentError("cp needs a source directory and a target directory"));
  if (absl::Status made = base::MakeDirectories(words[1]); !made.ok()) return Report(made);
  base::Progress progress(ProgressOptions("cp"));
  absl::StatusOr<std::unique_ptr<TreeStore>> store = TreeStore::Open(words[1], &progress);
  if (!store.ok()) return Report(store.status());
  return Finish(CopySource(words[0], /*under_own_name=*/false, store->get()), arguments, store->get());
}

int RunGet(const base::Arguments& arguments) {
  std::vector<std::string> paths = arguments.positional();
  if (paths.empty()) return Report(absl::InvalidArgumentError("get needs a directory"));
  const std::string directory = paths.front();
  paths.erase(paths.begin());
  const std::string output = arguments.Get("output");
  if (output == "-") {
    if (isatty(STDOUT_FILENO) != 0) {
      return Report(absl::InvalidArgumentError("a tar stream is not for a terminal; redirect it or give -o FILE"));
    }
    return Report(ExportArchive(directory, paths, STDOUT_FILENO));
  }
  absl::StatusOr<base::AtomicFile> file = base::AtomicFile::Create(output, {});
  if (!file.ok()) return Report(file.status());
  absl::Status status = ExportArchive(directory, paths, file->fd());
  if (status.ok()) status = file->Commit();
  return Report(status);
}

// `paths` grouped by the directory that holds them, with their places in `paths`.
struct Group {
  std::vector<std::string> names;
  std::vector<size_t> indexes;
  std::vector<absl::string_view> views() const { return {names.begin(), names.end()}; }
};
std::map<std::string, Group> GroupByDirectory(const std::vector<std::string>& paths) {
  std::map<std::string, Group> groups;
  for (size_t i = 0; i < paths.size(); ++i) {
    const absl::string_view path = absl::StripSuffix(paths[i], "/");
    Group& group = groups[std::string(base::DirectoryName(path))];
    group.names.emplace_back(base::BaseName(path));
    group.indexes.push_back(i);
  }
  return groups;
}

// `paths` and all below them, deepest first.
std::vector<std::string> WithAllBelow(const std::vector<std::string>& paths) {
  std::vector<std::string> all;
  for (const std::string& path : paths) {
    struct stat info;
    if (lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      const absl::StatusOr<std::unique_ptr<fs::TreeClient>> client = fs::TreeClient::ForPath(path);
      std::vector<std::string> below;
      if (client.ok()) {
        const absl::Status listed = (*client)->List("", true, [&](size_t, absl::StatusOr<fs::DirEntry> entry) {
          if (entry.ok()) below.push_back(base::JoinPath(path, entry->path));
          return true;
        });
        if (!listed.ok()) base::PrintError("cachectl", listed.message());
      }
      all.insert(all.end(), below.rbegin(), below.rend());
    }
    all.push_back(path);
  }
  return all;
}

int RunRemove(const base::Arguments& arguments) {
  const bool recursive = arguments.Has("recursive");
  std::vector<std::string> paths = arguments.positional();
  if (recursive) paths = WithAllBelow(paths);
  std::map<std::string, Group> groups = GroupByDirectory(paths);
  int code = 0;
  // The deepest directories first: a longer path sorts after what it starts with.
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
    const absl::StatusOr<std::unique_ptr<fs::TreeClient>> client = fs::TreeClient::ForPath(group->first);
    if (!client.ok()) {
      code |= Report(client.status());
      continue;
    }
    const std::vector<absl::string_view> names = group->second.views();
    const absl::Status status = (*client)->Remove(names, {}, [&](size_t i, absl::StatusOr<bool> existed) {
      const std::string path = base::JoinPath(group->first, names[i]);
      if (!existed.ok()) {
        code |= Report(existed.status());
      } else if (!*existed && !arguments.Has("force")) {
        code |= Report(absl::NotFoundError(absl::StrCat(path, " does not exist")));
      }
      return true;
    });
    code |= Report(status);
  }
  return code;
}

int RunStat(const base::Arguments& arguments) {
  int code = 0;
  for (const auto& entry : GroupByDirectory(arguments.positional())) {
    const std::string& directory = entry.first;
    const Group& group = entry.second;
    const absl::StatusOr<std::unique_ptr<fs::TreeClient>> client = fs::TreeClient::ForPath(directory);
    if (!client.ok()) {
      code |= Report(client.status());
      continue;
    }
    const std::vector<absl::string_view> names = group.views();
    code |= Report((*client)->Stat(names, [&](size_t i, absl::StatusOr<fs::FileStat> stat) {
      if (!stat.ok()) {
        code |= Report(stat.status());
        return true;
      }
      std::printf("%06o %3u %6u %6u %12s %s inode=%s version=%s %s\n", stat->mode, stat->link_count, stat->uid,
                  stat->gid, absl::StrCat(stat->size_bytes).c_str(),
                  absl::FormatTime(absl::RFC3339_full, absl::FromUnixNanos(stat->mtime_ns), absl::LocalTimeZone()).c_str(),
                  absl::StrCat(stat->inode).c_str(), absl::StrCat(stat->change_version).c_str(),
                  absl::CHexEscape(base::JoinPath(directory, names[i])).c_str());
      return true;
    }));
  }
  return code;
}

int RunDigest(const base::Arguments& arguments) {
  const std::map<std::string, fs::DigestKind> kinds = {{"crc32c", fs::DigestKind::kCrc32c},
                                                       {"xxh3", fs::DigestKind::kXxh3},
                                                       {"blake3", fs::DigestKind::kBlake3},
                                                       {"sha256", fs::DigestKind::kSha256}};
  const fs::DigestKind kind = kinds.at(arguments.Get("algorithm"));
  int code = 0;
  for (const auto& entry : GroupByDirectory(arguments.positional())) {
    const std::string& directory = entry.first;
    const Group& group = entry.second;
    const absl::StatusOr<std::unique_ptr<fs::TreeClient>> client = fs::TreeClient::ForPath(directory);
    if (!client.ok()) {
      code |= Report(client.status());
      continue;
    }
    if (((*client)->capabilities() & fs::kDigest) == 0) {
      code |= Report(absl::UnimplementedError(
          absl::StrCat(directory, " is not on a cachefs mount, which alone keeps digests; hashcache sum hashes any file")));
      continue;
    }
    const std::vector<absl::string_view> names = group.views();
    code |= Report((*client)->Digest(names, kind, [&](size_t i, absl::StatusOr<absl::string_view> raw) {
      if (!raw.ok()) {
        code |= Report(raw.status());
      } else {
        std::printf("%s  %s\n", absl::BytesToHexString(*raw).c_str(), base::JoinPath(directory, names[i]).c_str());
      }
      return true;
    }));
  }
  return code;
}

}  // namespace

std::vector<base::Command> TreeCommands() {
  const std::vector<base::Flag> put_flags = {
      {.name = "no-flush", .help = "return before the files survive power loss"},
      {.name = "quiet", .letter = 'q', .help = "print no summary"}};
  return {
      {.name = "put", .summary = "store files, trees or a tar stream (-) in batches", .arguments = "SOURCE... DIRECTORY",
       .flags = put_flags,
       .examples = {{"tar c src | cachectl put - /mnt/x", "stores a tar stream, compressed or not, below /mnt/x"},
                    {"cachectl put build/out /mnt/x", "stores a tree as /mnt/x/out"}},
       .run = RunPut},
      {.name = "get", .summary = "read files or trees as a tar stream", .arguments = "DIRECTORY [PATH]...",
       .flags = {{.name = "output", .letter = 'o', .value = "FILE", .help = "where the stream goes", .fallback = "-"}},
       .examples = {{"cachectl get /mnt/x a b/c | tar x", "the paths are below the directory; none means all"}},
       .run = RunGet},
      {.name = "cp", .summary = "copy all that is in a directory into another", .arguments = "FROM TO",
       .flags = put_flags, .examples = {{"cachectl cp site /mnt/www", "the entries of site appear in /mnt/www"}},
       .run = RunCopy},
      {.name = "rm", .summary = "remove many files at once", .arguments = "PATH...",
       .flags = {{.name = "recursive", .letter = 'r', .help = "directories with all below them"},
                 {.name = "force", .letter = 'f', .help = "what does not exist is no error"}},
       .run = RunRemove},
      {.name = "stat", .summary = "show attributes and change versions of many files at once", .arguments = "PATH...",
       .run = RunStat},
      {.name = "digest", .summary = "show digests that the mount keeps, without reading the files", .arguments = "PATH...",
       .flags = {{.name = "algorithm", .letter = 'a', .value = "NAME", .help = "which digest", .fallback = "sha256",
                  .choices = {"crc32c", "xxh3", "blake3", "sha256"}}},
       .run = RunDigest},
  };
}

}  // namespace tools

#include "hashcache/command/inputs.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/os/file.h"
#include "base/os/interrupt.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "hashcache/digest/hash_stream.h"

namespace hashcache {
namespace {

constexpr uint64_t kListSizeMax = uint64_t{4} << 30;
constexpr size_t kBatchSize = 16384;

// Shows the files of one tree.
class FileSink : public TreeSink {
 public:
  FileSink(Run& run, absl::string_view root, EachFile each) : run_(run), root_(root), each_(each) {}
  bool Visit(const TreeEntry& entry, FileResult&& result) override {
    if (Run::Interrupted()) return false;
    if (entry.kind == EntryKind::kFile) {
      each_(PathBelow(root_, entry.path), std::move(result));
    } else if (!result.status.ok()) {
      run_.Problem(PathBelow(root_, entry.path), result.status);
    }
    return true;
  }

 private:
  Run& run_;
  const absl::string_view root_;
  const EachFile each_;
};

bool IsDirectory(const std::string& path) {
  struct stat attributes;
  return stat(path.c_str(), &attributes) == 0 && S_ISDIR(attributes.st_mode);
}

// `hide` as paths below `root`.
std::vector<std::string> Below(absl::string_view root, const std::vector<std::string>& hide) {
  std::vector<std::string> below;
  for (absl::string_view path : hide) {
    if (absl::ConsumePrefix(&path, PathBelow(root, "x").substr(0, PathBelow(root, "x").size() - 1))) {
      below.emplace_back(path);
    }
  }
  return below;
}

void HashFiles(Run& run, absl::Span<const std::string> names, EachFile each) {
  std::vector<HashRequest> requests;
  requests.reserve(names.size());
  for (const std::string& name : names) requests.push_back({.path = name, .algorithms = run.algorithms()});
  const absl::Status status =
      run.hasher().HashBatch(requests, [&](size_t i, FileResult&& result) { each(names[i], std::move(result)); });
  if (!status.ok()) run.Warn(status.message());
}

}  // namespace

std::vector<base::Flag> InputFlags() {
  return {
      {.name = "recursive", .letter = 'r', .help = "hash the files in directories, too"},
      {.name = "files-from",
       .value = "FILE",
       .help = "read the names from a file (\"-\": standard input), one per line"},
      {.name = "null", .letter = '0', .help = "names in --files-from end with NUL"},
  };
}

absl::StatusOr<std::vector<std::string>> InputNames(const base::Arguments& arguments) {
  std::vector<std::string> names = arguments.positional();
  if (!arguments.Has("files-from")) {
    if (arguments.Has("null")) return absl::InvalidArgumentError("--null needs --files-from");
    if (names.empty()) names.push_back("-");
    return names;
  }
  if (!names.empty()) return absl::InvalidArgumentError("give names as arguments or with --files-from, not both");
  ASSIGN_OR_RETURN(const std::string list, base::ReadFile(arguments.Get("files-from"), kListSizeMax));
  for (const absl::string_view name : absl::StrSplit(list, arguments.Has("null") ? '\0' : '\n')) {
    if (absl::StrContains(name, '\0')) {
      return absl::InvalidArgumentError(absl::StrCat(arguments.Get("files-from"), " holds NULs: give --null (-0)"));
    }
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

absl::Status HashInputs(Run& run, const std::vector<std::string>& names, bool recursive, EachFile each,
                        const std::vector<std::string>& hide) {
  for (size_t i = 0; i < names.size() && !Run::Interrupted();) {
    if (names[i] == "-") {
      each("-", HashStandardInput(run.algorithms()));
      ++i;
    } else if (recursive && IsDirectory(names[i])) {
      FileSink sink(run, names[i], each);
      TreeOptions options = run.tree_options();
      options.hide = Below(names[i], hide);
      const absl::Status status = run.hasher().HashTree(names[i], options, sink);
      if (!status.ok()) run.Problem(names[i], status);
      ++i;
    } else {
      size_t end = i;
      while (end < names.size() && end - i < kBatchSize && names[end] != "-" &&
             !(recursive && IsDirectory(names[end]))) {
        ++end;
      }
      HashFiles(run, absl::MakeConstSpan(names).subspan(i, end - i), each);
      i = end;
    }
  }
  return absl::OkStatus();
}

FileResult HashStandardInput(AlgorithmSet algorithms) {
  HashStream stream(algorithms);
  std::vector<uint8_t> buffer(128 << 10);
  FileResult result;
  for (;;) {
    pollfd ready[2] = {{STDIN_FILENO, POLLIN, 0}, {base::InterruptFd(), POLLIN, 0}};
    if (poll(ready, 2, -1) < 0 && errno != EINTR) {
      result.status = base::ErrnoStatus(errno, "standard input");
      return result;
    }
    if (Run::Interrupted()) {
      result.status = absl::CancelledError("interrupted");
      return result;
    }
    const ssize_t size = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) {
      result.status = base::ErrnoStatus(errno, "standard input");
      return result;
    }
    if (size == 0) break;
    stream.Update(absl::MakeConstSpan(buffer).subspan(0, static_cast<size_t>(size)));
    result.fingerprint.size_bytes += static_cast<uint64_t>(size);
  }
  result.outcome = Outcome::kHashed;
  result.digests = stream.Finish();
  return result;
}

}  // namespace hashcache

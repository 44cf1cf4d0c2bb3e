#include <fcntl.h>

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "base/units.h"
#include "hashcache/command/commands.h"
#include "hashcache/command/inputs.h"
#include "hashcache/command/run.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/manifest/manifest.h"

namespace hashcache {
namespace {

constexpr size_t kPrefixSize = 16 << 10;
constexpr size_t kReadThreads = 16;  // small reads that may need the disk

// One content on disk; hard links to it are its further names.
struct File {
  std::string path;
  std::vector<std::string> other_names;
  uint64_t size_bytes = 0;
  std::string key;  // what it shares with the others of its group
};

using Groups = std::vector<std::vector<File>>;

std::string PrefixDigest(const std::string& path) {
  const absl::StatusOr<base::Fd> fd = base::OpenFile(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  if (!fd.ok()) return "";
  std::string buffer(kPrefixSize, '\0');
  const absl::StatusOr<size_t> size = base::ReadFull(fd->get(), absl::MakeSpan(&buffer[0], buffer.size()));
  if (!size.ok()) return "";
  HashStream stream(Algorithm::kXxh3_128);
  return stream.HashWhole({reinterpret_cast<const uint8_t*>(buffer.data()), *size}).Hex(Algorithm::kXxh3_128);
}

// Those of `files` that share their key with another, by key.
Groups GroupByKey(std::vector<File> files) {
  std::stable_sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.key < b.key; });
  Groups groups;
  for (auto begin = files.begin(); begin != files.end();) {
    const auto end = std::find_if(begin, files.end(), [begin](const File& file) { return file.key != begin->key; });
    if (end - begin > 1 && !begin->key.empty()) {
      groups.emplace_back(std::make_move_iterator(begin), std::make_move_iterator(end));
    }
    begin = end;
  }
  return groups;
}

std::vector<File> Flatten(Groups groups) {
  std::vector<File> files;
  for (std::vector<File>& group : groups) {
    files.insert(files.end(), std::make_move_iterator(group.begin()), std::make_move_iterator(group.end()));
  }
  return files;
}

std::vector<File> ListFiles(Run& run, const std::vector<std::string>& roots, bool with_empty) {
  std::map<std::pair<uint64_t, uint64_t>, size_t> by_inode;
  std::vector<File> files;
  const std::vector<Algorithm> order = run.order();
  run.UseAlgorithms({});  // only look
  const absl::Status listed = HashInputs(run, roots, true, [&](absl::string_view path, FileResult&& result) {
    if (!run.Count(path, result)) return;
    const Fingerprint& fingerprint = result.fingerprint;
    if (fingerprint.size_bytes == 0 && !with_empty) return;
    const auto [known, fresh] = by_inode.emplace(std::make_pair(result.device, fingerprint.inode), files.size());
    if (!fresh) {
      files[known->second].other_names.emplace_back(path);
      return;
    }
    files.push_back({.path = std::string(path),
                     .size_bytes = fingerprint.size_bytes,
                     .key = absl::StrCat(absl::Dec(fingerprint.size_bytes, absl::kZeroPad20))});
  });
  if (!listed.ok()) run.Warn(listed.message());
  run.UseAlgorithms(order);
  return files;
}

void KeyByPrefix(std::vector<File>* files) {
  base::ParallelFor(files->size(), kReadThreads, [files](size_t i) {
    File& file = (*files)[i];
    const std::string digest = PrefixDigest(file.path);
    file.key = digest.empty() ? "" : absl::StrCat(file.key, digest);
  });
}

// A file that fits into the prefix is known whole.
void KeyByContent(Run& run, std::vector<File>* files) {
  std::vector<HashRequest> requests;
  std::vector<size_t> indexes;
  for (size_t i = 0; i < files->size(); ++i) {
    if ((*files)[i].size_bytes <= kPrefixSize) continue;
    requests.push_back({.path = (*files)[i].path, .algorithms = run.algorithms()});
    indexes.push_back(i);
  }
  const absl::Status status = run.hasher().HashBatch(requests, [&](size_t i, FileResult&& result) {
    File& file = (*files)[indexes[i]];
    file.key = run.Count(file.path, result) ? absl::StrCat(file.key, result.digests.Hex(run.order()[0])) : "";
  });
  if (!status.ok()) run.Warn(status.message());
}

void PrintGroups(Run& run, const Groups& groups) {
  const bool json = run.arguments().Has("jsonl");
  uint64_t files = 0, wasted = 0;
  for (const std::vector<File>& group : groups) {
    files += group.size();
    wasted += (group.size() - 1) * group[0].size_bytes;
    std::string text = json ? absl::StrCat("{\"size\":", group[0].size_bytes, ",\"files\":[") : "";
    bool first = true;
    const auto add = [&](const std::string& path, bool link) {
      if (json) {
        absl::StrAppend(&text, first ? "" : ",", "{", JsonPath(path), link ? ",\"hard_link\":true}" : "}");
      } else {
        bool escaped = false;
        const std::string name = EscapeName(path, &escaped);
        absl::StrAppend(&text, escaped ? "\\" : "", name, "\n");
      }
      first = false;
    };
    for (const File& file : group) {
      add(file.path, false);
      for (const std::string& name : file.other_names) {
        if (json) add(name, true);
      }
    }
    run.Print(absl::StrCat(text, json ? "]}\n" : "\n"));
  }
  run.Summary({Counted(groups.size(), "group"),
               Counted(files, "file"),
               absl::StrCat(base::HumanSize(wasted), " could be saved")});
}

absl::Status Dups(Run& run) {
  if (run.order().size() != 1 || !IsIdentity(run.order()[0])) {
    return absl::InvalidArgumentError("dups takes one algorithm of at least 128 bits: blake3, sha256 or xxh3-128");
  }
  std::vector<std::string> roots = run.arguments().positional();
  if (roots.empty()) roots.push_back(".");
  std::vector<File> files = Flatten(GroupByKey(ListFiles(run, roots, run.arguments().Has("empty"))));
  if (Run::Interrupted()) return absl::OkStatus();
  KeyByPrefix(&files);
  files = Flatten(GroupByKey(std::move(files)));
  KeyByContent(run, &files);
  if (Run::Interrupted()) return absl::OkStatus();
  Groups groups = GroupByKey(std::move(files));
  for (std::vector<File>& group : groups) {
    std::sort(group.begin(), group.end(), [](const File& a, const File& b) { return a.path < b.path; });
  }
  std::sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a[0].path < b[0].path; });
  PrintGroups(run, groups);
  return absl::OkStatus();
}

}  // namespace

base::Command DupsCommand() {
  return {.name = "dups",
          .summary = "find files with the same content",
          .arguments = "[FILE|DIR]...",
          .description =
              "Compares sizes first, then the first 16 KiB, then whole contents by digest. Prints groups separated by "
              "an empty line. Hard links are one file and are listed once (with --jsonl all their names).",
          .flags = Join({{.name = "empty", .help = "count empty files too"},
                         {.name = "jsonl", .help = "a JSON object per group"}},
                        Join(TreeFlags(), HasherFlags())),
          .examples = {{"hashcache dups ~/Pictures", "groups of the same picture"}},
          .run = [](const base::Arguments& arguments) { return WithRun(arguments, true, Dups); },
          .usage_error_code = kUsage};
}

}  // namespace hashcache

#include "fs/testing/tree_dump.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace fs::testing {
namespace {

constexpr uint64_t kFileBytesMax = uint64_t{64} << 20;

// The same in every run, and fast, for it digests whole trees again and again.
uint64_t Digest(absl::string_view data) {
  uint64_t digest = 0xCBF29CE484222325 ^ data.size();
  for (size_t i = 0; i < data.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, data.data() + i, std::min<size_t>(8, data.size() - i));
    digest = (digest ^ word) * 0x9E3779B97F4A7C15;
    digest ^= digest >> 29;
  }
  return digest;
}

char TypeLetter(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return 'f';
    case S_IFDIR:
      return 'd';
    case S_IFLNK:
      return 'l';
    case S_IFIFO:
      return 'p';
    case S_IFSOCK:
      return 's';
    case S_IFCHR:
      return 'c';
    case S_IFBLK:
      return 'b';
    default:
      return '?';
  }
}

std::string TimeText(const Timestamp& time) { return absl::StrFormat("%d.%09d", time.seconds, time.nanoseconds); }

class Dumper {
 public:
  Dumper(Volume& volume, DumpDetail detail) : volume_(volume), detail_(detail) {}

  // Errors of one path do not stop the others.
  PartialDump Run() {
    const absl::StatusOr<Attributes> root = volume_.GetAttributes(kRootInode);
    if (!root.ok()) {
      dump_.errors["/"] = root.status();
      return std::move(dump_);
    }
    Add("/", *root);
    Walk("", kRootInode);
    for (const auto& [inode, names] : files_) {
      // A name that cannot be read is missing here, rightly.
      if (names.seen == names.link_count || !dump_.errors.empty()) continue;
      dump_.errors[names.path] = absl::DataLossError(
          absl::StrCat("inode ", inode, " has ", names.seen, " names but a link count of ", names.link_count));
    }
    return std::move(dump_);
  }

 private:
  struct Names {
    uint32_t seen = 0;
    uint32_t link_count = 0;
    std::string path;
  };

  void Walk(const std::string& path, InodeNumber directory) {
    std::vector<std::pair<std::string, InodeNumber>> entries;
    const absl::Status listed = volume_.ReadDir(directory, {}, [&entries](const DirectoryEntry& entry) {
      if (entry.name != "." && entry.name != "..") entries.emplace_back(std::string(entry.name), entry.inode);
      return true;
    });
    if (!listed.ok()) dump_.errors[path.empty() ? "/" : path] = listed;
    for (const auto& [name, inode] : entries) {
      const std::string child = absl::StrCat(path, "/", name);
      const absl::Status status = WalkChild(child, directory, name, inode);
      if (!status.ok()) dump_.errors[child] = status;
    }
  }

  absl::Status WalkChild(const std::string& path, InodeNumber directory, const std::string& name, InodeNumber inode) {
    ASSIGN_OR_RETURN(const Attributes found, volume_.Lookup(directory, name, Reference::kNone));
    if (found.inode != inode) {
      return absl::DataLossError(absl::StrCat("is inode ", found.inode, " but listed as ", inode));
    }
    Add(path, found);
    if (!found.is_directory()) {
      Names& names = files_[inode];
      ++names.seen;
      names.link_count = found.link_count;
      names.path = path;
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const InodeNumber parent, volume_.Parent(inode));
    if (parent != directory) return absl::DataLossError(absl::StrCat("has another parent: ", parent));
    Walk(path, inode);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Data(const std::string& path, const Attributes& attributes) {
    if (attributes.is_symlink()) return volume_.ReadSymlink(attributes.inode);
    if (!attributes.is_regular()) return std::string();
    if (attributes.size_bytes > kFileBytesMax) {
      return absl::OutOfRangeError(absl::StrCat(path, " is too large to dump: ", attributes.size_bytes));
    }
    std::string data(attributes.size_bytes, '?');
    const absl::StatusOr<size_t> read =
        volume_.Read(attributes.inode, 0, absl::MakeSpan(reinterpret_cast<uint8_t*>(data.data()), data.size()));
    if (!read.ok()) return base::Annotate(read.status(), absl::StrCat("reading ", path));
    if (*read != data.size()) {
      return absl::DataLossError(absl::StrCat(path, " has ", *read, " bytes, not ", data.size()));
    }
    return data;
  }

  void Add(const std::string& path, const Attributes& attributes) {
    absl::StatusOr<std::string> line = Line(path, attributes);
    if (line.ok()) {
      dump_.lines[path] = *std::move(line);
    } else {
      dump_.errors[path] = line.status();
    }
  }

  absl::StatusOr<std::string> Line(const std::string& path, const Attributes& attributes) {
    ASSIGN_OR_RETURN(const std::string data, Data(path, attributes));
    std::string line = ContentLine(path, attributes.mode, attributes.link_count, data);
    if (detail_ == DumpDetail::kContent) return line;
    line.pop_back();
    absl::StrAppend(&line, absl::StrFormat(" inode=%d mode=%o uid=%d gid=%d", attributes.inode, attributes.mode,
                                           attributes.uid, attributes.gid));
    absl::StrAppend(&line, " mtime=", TimeText(attributes.modify_time), " ctime=", TimeText(attributes.change_time));
    ASSIGN_OR_RETURN(const std::string names, volume_.ListXattrs(attributes.inode, true));
    for (const absl::string_view name : absl::StrSplit(names, '\0', absl::SkipEmpty())) {
      ASSIGN_OR_RETURN(const std::string value, volume_.GetXattr(attributes.inode, name));
      absl::StrAppend(&line, " ", name, "=", absl::CHexEscape(value));
    }
    line += '\n';
    return line;
  }

  Volume& volume_;
  const DumpDetail detail_;
  PartialDump dump_;
  std::map<InodeNumber, Names> files_;
};

}  // namespace

std::string ContentLine(absl::string_view path, uint32_t mode, uint64_t link_count, absl::string_view data) {
  const char type = TypeLetter(mode);
  if (type == 'd') return absl::StrFormat("%s %c\n", path, type);
  return absl::StrFormat("%s %c links=%d size=%d data=%016x %s\n", path, type, link_count, data.size(), Digest(data),
                         absl::CHexEscape(data.substr(0, 16)));
}

PartialDump DumpWhatCanBeRead(Volume& volume, DumpDetail detail) { return Dumper(volume, detail).Run(); }

absl::StatusOr<std::string> DumpTree(Volume& volume, DumpDetail detail) {
  const PartialDump dump = DumpWhatCanBeRead(volume, detail);
  if (!dump.errors.empty()) {
    const auto& [path, status] = *dump.errors.begin();
    return base::Annotate(status, path);
  }
  std::string text;
  for (const auto& [path, line] : dump.lines) text += line;
  return text;
}

absl::Status CompareWithDump(const PartialDump& found, const std::string& dump) {
  const auto excused = [&found](std::string path) {
    while (true) {
      if (found.errors.count(path.empty() ? "/" : path) != 0) return true;
      if (path.empty() || path == "/") return false;
      path.resize(path.rfind('/'));
    }
  };
  std::map<std::string, std::string> expected;
  for (const absl::string_view line : absl::StrSplit(dump, '\n', absl::SkipEmpty())) {
    expected[std::string(line.substr(0, line.find(' ')))] = absl::StrCat(line, "\n");
  }
  for (const auto& [path, line] : found.lines) {
    const auto wanted = expected.find(path);
    if (wanted == expected.end()) return absl::DataLossError(absl::StrCat("one too many: ", line));
    if (wanted->second != line && !excused(path)) {
      return absl::DataLossError(absl::StrCat("wrong: ", line, "expected: ", wanted->second));
    }
  }
  for (const auto& [path, line] : expected) {
    if (found.lines.count(path) == 0 && !excused(path)) return absl::DataLossError(absl::StrCat("missing: ", line));
  }
  return absl::OkStatus();
}

}  // namespace fs::testing

#include "hashcache/walk/merkle.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/endian.h"
#include "base/status.h"
#include "glog/logging.h"

namespace hashcache {
namespace {

constexpr absl::string_view kPrefix = "hashcache tree 1\n";

}  // namespace

Merkle::Merkle(Algorithm algorithm, DirectoryDone directory_done)
    : algorithm_(algorithm), directory_done_(std::move(directory_done)), stream_(algorithm) {
  CHECK(IsIdentity(algorithm)) << "too short to stand for a tree";
}

std::vector<uint8_t> Merkle::Hash(absl::string_view text) {
  stream_.Update({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  const Digests digests = stream_.Finish();
  const absl::Span<const uint8_t> bytes = digests.Get(algorithm_);
  return {bytes.begin(), bytes.end()};
}

void Merkle::Add(const TreeEntry& entry, const FileResult& result) {
  while (!levels_.empty() && !absl::StartsWith(entry.path, levels_.back().path)) Close();
  if (entry.kind == EntryKind::kDirectory) {
    Level level;
    if (!entry.path.empty()) level.path = absl::StrCat(entry.path, "/");
    level.status = base::Annotate(result.status, entry.path);
    levels_.push_back(std::move(level));
    return;
  }
  CHECK(!levels_.empty()) << "an entry before the root";
  Level& level = levels_.back();
  Child child = {.name = std::string(entry.path.substr(level.path.size())), .kind = 'o'};
  if (!result.status.ok() || (entry.kind == EntryKind::kFile && !result.digests.Has(algorithm_))) {
    const absl::Status status = result.status.ok() ? absl::UnknownError("no digest") : result.status;
    if (level.status.ok()) level.status = base::Annotate(status, entry.path);
    return;
  }
  if (entry.kind == EntryKind::kFile) {
    const absl::Span<const uint8_t> digest = result.digests.Get(algorithm_);
    child.kind = (result.mode & S_IXUSR) != 0 ? 'x' : 'f';
    child.digest.assign(digest.begin(), digest.end());
  } else {
    if (entry.kind == EntryKind::kSymlink) child.kind = 'l';
    child.digest = Hash(entry.link_target);
  }
  level.children.push_back(std::move(child));
}

void Merkle::Close() {
  Level level = std::move(levels_.back());
  levels_.pop_back();
  std::sort(level.children.begin(), level.children.end(),
            [](const Child& a, const Child& b) { return a.name < b.name; });
  std::string text(kPrefix);
  for (const Child& child : level.children) {
    char size[8];
    base::StoreLittle<uint64_t>(size, child.name.size());
    text += child.kind;
    text.append(size, sizeof size);
    text += child.name;
    text.append(reinterpret_cast<const char*>(child.digest.data()), child.digest.size());
  }
  std::vector<uint8_t> digest = Hash(text);
  absl::string_view path = level.path;
  absl::ConsumeSuffix(&path, "/");
  if (level.status.ok() && directory_done_) directory_done_(path, digest);
  if (levels_.empty()) {
    root_ = std::move(digest);
    root_status_ = level.status;
    return;
  }
  Level& above = levels_.back();
  if (above.status.ok()) above.status = level.status;
  above.children.push_back({std::string(path.substr(above.path.size())), 'd', std::move(digest)});
}

absl::StatusOr<std::vector<uint8_t>> Merkle::Finish() {
  while (!levels_.empty()) Close();
  if (!root_status_.ok()) return root_status_;
  if (root_.empty()) return absl::FailedPreconditionError("no tree was walked");
  return root_;
}

}  // namespace hashcache

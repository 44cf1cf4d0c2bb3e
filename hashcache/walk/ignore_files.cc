#include "hashcache/walk/ignore_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/os/file.h"

namespace hashcache {
namespace {

constexpr absl::string_view kCacheTag = "CACHEDIR.TAG";
constexpr absl::string_view kCacheTagSignature = "Signature: 8a477f597d28d172789f06886806bc55";

// "" unless it is a regular file.
std::string ReadAt(int directory, const char* name, size_t size_max) {
  const absl::StatusOr<base::Fd> fd = base::OpenFileAt(directory, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  struct stat attributes;
  if (!fd.ok() || fstat(fd->get(), &attributes) != 0 || !S_ISREG(attributes.st_mode)) return "";
  std::string text(std::min<size_t>(size_max, static_cast<size_t>(attributes.st_size)), '\0');
  const absl::StatusOr<size_t> size = base::ReadFull(fd->get(), absl::MakeSpan(&text[0], text.size()));
  text.resize(size.ok() ? *size : 0);
  return text;
}

}  // namespace

std::shared_ptr<const IgnoreScope> RootScope(const TreeOptions& options, int fd) {
  auto scope = std::make_shared<IgnoreScope>("", nullptr);
  if (options.use_gitignore) scope->AddLines(ReadAt(fd, ".git/info/exclude", IgnoreScope::kFileSizeMax));
  auto given = std::make_shared<IgnoreScope>("", scope->empty() ? nullptr : scope);
  given->AddLines(absl::StrJoin(options.ignore, "\n"));
  if (!given->empty()) return given;
  return scope->empty() ? nullptr : scope;
}

bool IsIgnoreFile(const TreeOptions& options, absl::string_view name) {
  return (options.use_gitignore && name == ".gitignore") ||
         (options.use_hashcacheignore && name == ".hashcacheignore") ||
         (options.skip_tagged_caches && name == kCacheTag);
}

std::shared_ptr<const IgnoreScope> ScopeOf(const TreeOptions& options, int fd, const std::string& prefix,
                                           const Listing& listing, std::shared_ptr<const IgnoreScope> around) {
  if (!options.use_gitignore && !options.use_hashcacheignore) return around;
  std::shared_ptr<IgnoreScope> scope;
  const auto add = [&](bool wanted, const char* name) {
    if (!wanted || listing.Find(name) == nullptr) return;
    if (scope == nullptr) scope = std::make_shared<IgnoreScope>(prefix, around);
    scope->AddLines(ReadAt(fd, name, IgnoreScope::kFileSizeMax));
  };
  add(options.use_gitignore, ".gitignore");
  add(options.use_hashcacheignore, ".hashcacheignore");
  return scope != nullptr && !scope->empty() ? std::move(scope) : std::move(around);
}

void DropIgnored(const TreeOptions& options, int fd, absl::string_view prefix, const IgnoreScope* scope,
                 const absl::flat_hash_set<std::string>& hidden, Listing* listing) {
  const bool only_tag = options.skip_tagged_caches && listing->Find(kCacheTag) != nullptr &&
                        absl::StartsWith(ReadAt(fd, kCacheTag.data(), kCacheTagSignature.size()), kCacheTagSignature);
  if (!only_tag && scope == nullptr && hidden.empty() && !options.use_gitignore) return;
  std::vector<Listing::Entry>& entries = listing->entries();
  const auto dropped = [&](const Listing::Entry& entry) {
    const absl::string_view name = listing->Name(entry);
    if (only_tag) return name != kCacheTag;
    if (options.use_gitignore && name == ".git") return true;
    if (scope == nullptr && hidden.empty()) return false;
    const std::string path = absl::StrCat(prefix, name);
    return hidden.contains(path) || (scope != nullptr && scope->Ignores(path, entry.kind == EntryKind::kDirectory));
  };
  entries.erase(std::remove_if(entries.begin(), entries.end(), dropped), entries.end());
}

}  // namespace hashcache

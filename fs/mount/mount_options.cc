#include "fs/mount/mount_options.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "base/units.h"

namespace fs {
namespace {

// Passed on to libfuse and the kernel.
constexpr const char* kKernelWords[] = {"suid",   "nosuid", "dev",     "nodev",   "exec",
                                        "noexec", "atime",  "noatime", "dirsync", "sync"};
// Bookkeeping of mount(8) and systemd.
constexpr const char* kIgnoredWords[] = {"rw",    "defaults", "auto",      "noauto",  "user",   "nouser",
                                         "users", "owner",    "group",     "_netdev", "nofail", "default_permissions",
                                         "async", "relatime", "norelatime"};
constexpr const char* kOwnWords[] = {"ro",    "allow_other", "allow_root", "private",    "nonempty",
                                     "force", "size",        "log-dir",    "plain_open", "blkdev"};

template <size_t kCount>
bool Contains(const char* const (&words)[kCount], absl::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

absl::Status UnknownWord(absl::string_view word) {
  std::vector<std::string> known;
  for (const char* const name : kKernelWords) known.push_back(name);
  for (const char* const name : kOwnWords) known.push_back(name);
  const std::string near = base::NearestWord(word, known);
  return absl::InvalidArgumentError(absl::StrCat("unknown mount option \"", word, "\"",
                                                 near.empty() ? "" : absl::StrCat("; did you mean \"", near, "\"?"),
                                                 "; --help lists them"));
}

}  // namespace

absl::Status MountOptions::Parse(absl::string_view list) {
  for (absl::string_view item : absl::StrSplit(list, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(item, absl::MaxSplits('=', 1));
    const absl::string_view word = parts.first;
    const bool has_value = absl::StrContains(item, '=');
    const bool takes_value = word == "size" || word == "log-dir";
    if (absl::StartsWith(word, "x-") || word == "comment" || word == "fsname" || word == "subtype") continue;
    if (has_value != takes_value && (Contains(kOwnWords, word) || Contains(kKernelWords, word))) {
      return absl::InvalidArgumentError(
          absl::StrCat("mount option \"", word, takes_value ? "\" needs a value" : "\" takes no value"));
    }
    if (word == "ro") {
      read_only = true;
    } else if (word == "allow_other") {
      sharing = Sharing::kAllUsers;
    } else if (word == "allow_root") {
      sharing = Sharing::kAndRoot;
    } else if (word == "private") {
      sharing = Sharing::kOwnerOnly;
    } else if (word == "nonempty") {
      nonempty = true;
    } else if (word == "force") {
      force = true;
    } else if (word == "blkdev") {
      block_device = true;
    } else if (word == "plain_open") {
      plain_open = true;
    } else if (word == "size") {
      ASSIGN_OR_RETURN(size_bytes, base::ParseSize(parts.second));
    } else if (word == "log-dir") {
      log_dir = std::string(parts.second);
    } else if (Contains(kKernelWords, word)) {
      kernel.push_back(std::string(word));
    } else if (!Contains(kIgnoredWords, word)) {
      return UnknownWord(word);
    }
  }
  return absl::OkStatus();
}

bool MountOptions::shared(uid_t uid) const {
  return sharing == Sharing::kAllUsers || sharing == Sharing::kAndRoot || (sharing == Sharing::kDefault && uid == 0);
}

bool MountOptions::default_permissions(uid_t uid) const { return shared(uid) || uid != 0; }

std::vector<std::string> MountOptions::ForFuse(absl::string_view source, uid_t uid) const {
  std::vector<std::string> words = kernel;
  words.push_back(read_only ? "ro" : "rw");
  if (shared(uid)) words.push_back(sharing == Sharing::kAndRoot ? "allow_root" : "allow_other");
  if (default_permissions(uid)) words.push_back("default_permissions");
  // libfuse splits at commas.
  words.push_back(absl::StrCat("fsname=", absl::StrReplaceAll(source, {{"\\", "\\\\"}, {",", "\\,"}})));
  words.push_back("subtype=cachefs");
  if (block_device) {
    words.push_back("blkdev");
    words.push_back("blksize=4096");
  }
  return words;
}

}  // namespace fs

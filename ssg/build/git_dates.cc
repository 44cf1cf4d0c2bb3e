#include "ssg/build/git_dates.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/os/file.h"
#include "base/os/spawn.h"
#include "base/status_macros.h"
#include "ssg/site/dates.h"

namespace ssg {
namespace {

constexpr size_t kLogBytesMax = size_t{256} << 20;

absl::StatusOr<std::string> Git(const std::string& site_dir, std::vector<std::string> words) {
  std::vector<std::string> all = {"git", "-C", site_dir};
  all.insert(all.end(), words.begin(), words.end());
  ASSIGN_OR_RETURN(base::SpawnResult result, base::Spawn({.words = std::move(all), .output_bytes_max = kLogBytesMax}));
  if (result.exit_code == 0) return std::move(result.output);
  const std::vector<std::string> lines = absl::StrSplit(result.errors, '\n');
  return absl::FailedPreconditionError(absl::StrCat("git: ", lines[0]));
}

}  // namespace

absl::StatusOr<std::string> GitState(const std::string& site_dir) {
  ASSIGN_OR_RETURN(const std::string output, Git(site_dir, {"rev-parse", "--show-prefix", "HEAD"}));
  return output;
}

absl::StatusOr<GitDates> GitDates::Read(const std::string& site_dir, const std::string& state,
                                        const std::string& cache_path) {
  GitDates dates;
  const std::string head = absl::StrCat("ssg git dates 1\n", state, "\n");
  const auto cached = base::ReadFile(cache_path, kLogBytesMax);
  if (cached.ok() && absl::StartsWith(*cached, head)) {
    dates.Parse(absl::string_view(*cached).substr(head.size()));
    return dates;
  }
  // A commit is "\x01SECONDS", then the names of its files; everything ends with a zero byte.
  ASSIGN_OR_RETURN(
      const std::string log,
      Git(site_dir, {"-c", "core.quotePath=off", "log", "-z", "--no-renames", "--no-show-signature", "--relative",
                     "--name-only", "--diff-filter=d", "--format=tformat:%x01%at", "--", "content"}));
  dates.Parse(log);
  // Without the cache the next build asks git again; nothing else depends on it.
  static_cast<void>(base::ReplaceFile(cache_path, absl::StrCat(head, log), {}));
  return dates;
}

void GitDates::Parse(absl::string_view log) {
  int64_t date = kNoDate;
  for (absl::string_view token : absl::StrSplit(log, '\0')) {
    // git puts a line break before the first name of a commit.
    absl::ConsumePrefix(&token, "\n");
    if (absl::ConsumePrefix(&token, "\x01")) {
      if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(token), &date)) date = kNoDate;
    } else if (!token.empty() && date != kNoDate) {
      dates_.try_emplace(token, date);
    }
  }
}

int64_t GitDates::DateOf(absl::string_view path) const {
  const auto found = dates_.find(path);
  return found == dates_.end() ? kNoDate : found->second;
}

}  // namespace ssg

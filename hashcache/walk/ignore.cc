#include "hashcache/walk/ignore.h"

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hashcache {

void IgnoreScope::AddLines(absl::string_view text) {
  absl::ConsumePrefix(&text,
                      "\xef\xbb\xbf");  // a byte order mark is no pattern
  for (const absl::string_view line : absl::StrSplit(text.substr(0, kFileSizeMax), '\n')) AddLine(line);
}

void IgnoreScope::AddLine(absl::string_view line) {
  absl::ConsumeSuffix(&line, "\r");
  // Blanks at the end count only behind a backslash.
  while (!line.empty() && line.back() == ' ') {
    if (line.size() >= 2 && line[line.size() - 2] == '\\') break;
    line.remove_suffix(1);
  }
  if (line.empty() || line[0] == '#') return;
  const bool negated = absl::ConsumePrefix(&line, "!");
  const bool directories_only = absl::ConsumeSuffix(&line, "/");
  const bool whole_path = line.find('/') != absl::string_view::npos;
  absl::ConsumePrefix(&line, "/");
  if (line.empty()) return;
  patterns_.push_back({Wildcard(line), negated, directories_only, whole_path});
}

bool IgnoreScope::Ignores(absl::string_view path, bool is_directory) const {
  const absl::string_view name = path.substr(path.rfind('/') + 1);
  for (const IgnoreScope* scope = this; scope != nullptr; scope = scope->around_.get()) {
    const absl::string_view below = path.substr(scope->directory_.size());
    for (auto pattern = scope->patterns_.rbegin(); pattern != scope->patterns_.rend(); ++pattern) {
      if (pattern->directories_only && !is_directory) continue;
      if (pattern->wildcard.Matches(pattern->whole_path ? below : name)) return !pattern->negated;
    }
  }
  return false;
}

}  // namespace hashcache

#include "tools/tidy.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "base/units.h"

namespace tools {
namespace {

constexpr absl::string_view kRooms[] = {"base", "fs", "marc", "hashcache", "ssg", "tools"};

struct Banned {
  absl::string_view word;
  absl::string_view rule;
  absl::string_view message;
  absl::string_view allowed_below;  // a path prefix where it is right; "" = nowhere
};

// Spelled in two parts, so that this file passes its own rules.
constexpr Banned kBanned[] = {
    {"std::" "string_view", "string-view", "use absl::string_view", ""},
    {"absl::" "Mutex", "mutex", "use base::Mutex: TSan knows nothing of the bare one", "base/mutex.h"},
    {"std::" "mutex", "mutex", "use base::Mutex", ""},
    {"std::" "endl", "endl", "write '\\n'", ""},
    {"#include <" "fuse", "fuse", "only fs/mount knows the kernel's protocol", "fs/mount/"},
    {"DISABLED" "_", "disabled-test", "mend the test or delete it", ""},
};

bool IsWaived(absl::string_view text, absl::string_view rule) {
  return absl::StrContains(text, absl::StrCat("tidy: ", rule, ": "));
}

// `line` without a trailing // comment and without the contents of "strings".
std::string CodeOf(absl::string_view line) {
  std::string code;
  bool in_string = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (in_string) {
      if (line[i] == '\\') {
        ++i;
      } else if (line[i] == '"') {
        in_string = false;
        code += '"';
      }
      continue;
    }
    if (line[i] == '/' && i + 1 < line.size() && line[i + 1] == '/') break;
    in_string = line[i] == '"' && (i == 0 || line[i - 1] != '\'');
    code += line[i];
  }
  return code;
}

bool HasWord(absl::string_view code, absl::string_view word) {
  const auto is_word = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (size_t at = code.find(word); at != absl::string_view::npos; at = code.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !is_word(code[at - 1])) && (end >= code.size() || !is_word(code[end]))) return true;
  }
  return false;
}

void CheckLines(absl::string_view path, const std::vector<absl::string_view>& lines, std::vector<Finding>* findings) {
  const auto add = [&](size_t i, absl::string_view rule, absl::string_view message) {
    findings->push_back({std::string(path), i + 1, std::string(rule), std::string(message)});
  };
  for (size_t i = 0; i < lines.size(); ++i) {
    const absl::string_view line = lines[i];
    for (const Banned& banned : kBanned) {
      const bool allowed = !banned.allowed_below.empty() && absl::StartsWith(path, banned.allowed_below);
      if (!allowed && absl::StrContains(line, banned.word) && !IsWaived(line, banned.rule)) {
        add(i, banned.rule, banned.message);
      }
    }
    const std::string code = CodeOf(line);
    if (HasWord(code, "throw") && !IsWaived(line, "throw")) add(i, "throw", "return an absl::Status");
    const size_t todo = line.find("TO" "DO");
    if (todo != absl::string_view::npos && !absl::StartsWith(line.substr(todo), "TO" "DO(") && !IsWaived(line, "todo")) {
      add(i, "todo", "names no owner: write (name) behind it");
    }
  }
}

// A function at namespace level starts in column 0 and ends with a brace there.
void CheckFunctions(absl::string_view path, const std::vector<absl::string_view>& lines,
                    std::vector<Finding>* findings) {
  size_t start = 0;
  bool inside = false;
  for (size_t i = 0; i < lines.size(); ++i) {
    const absl::string_view line = lines[i];
    if (line.empty()) continue;
    if (line == "}") {
      if (inside && i - start - 1 > kFunctionLinesMax && !IsWaived(lines[start - (start > 0 ? 1 : 0)], "long-function")) {
        findings->push_back({std::string(path), start + 1, "long-function",
                             absl::StrCat("function of ", i - start - 1, " lines; at most ", kFunctionLinesMax)});
      }
      inside = false;
    } else if (!inside && absl::ascii_isalpha(static_cast<unsigned char>(line[0])) && absl::StrContains(line, '(') &&
               !absl::StartsWith(line, "namespace") && !absl::EndsWith(line, ";")) {
      inside = true;
      start = i;
    } else if (absl::StartsWith(line, "};")) {
      inside = false;
    }
  }
}

void CheckHeader(absl::string_view path, absl::string_view text, std::vector<Finding>* findings) {
  if (!absl::StrContains(text, "Threads:")) {
    findings->push_back({std::string(path), 0, "threads", "the header's comment has no \"Threads:\" line"});
  }
  std::string guard;
  for (const char c : path) {
    guard += absl::ascii_isalnum(static_cast<unsigned char>(c)) ? absl::ascii_toupper(static_cast<unsigned char>(c)) : '_';
  }
  guard += '_';
  if (!absl::StrContains(text, absl::StrCat("#ifndef ", guard, "\n"))) {
    findings->push_back({std::string(path), 0, "guard", absl::StrCat("the include guard is not ", guard)});
  }
}

// The header a source of this name belongs to, if there is one beside it, comes first.
void CheckOwnHeaderFirst(const std::string& root, const std::string& path, const std::vector<absl::string_view>& lines,
                         std::vector<Finding>* findings) {
  std::string stem = path.substr(0, path.size() - 3);
  for (const char* suffix : {"_test", "_benchmark"}) {
    if (absl::EndsWith(stem, suffix)) stem.resize(stem.size() - std::char_traits<char>::length(suffix));
  }
  const std::string header = stem + ".h";
  if (!std::filesystem::exists(base::JoinPath(root, header))) return;
  for (const absl::string_view line : lines) {
    if (!absl::StartsWith(line, "#include")) continue;
    if (line != absl::StrCat("#include \"", header, "\"")) {
      findings->push_back({path, 0, "own-header", absl::StrCat("the first include is not \"", header, "\"")});
    }
    return;
  }
}

}  // namespace

std::vector<Finding> TidyFile(absl::string_view path, absl::string_view text) {
  std::vector<Finding> findings;
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  const bool header = absl::EndsWith(path, ".h");
  CheckLines(path, lines, &findings);
  CheckFunctions(path, lines, &findings);
  if (header) CheckHeader(path, text, &findings);
  const size_t lines_max = header ? kHeaderLinesMax : kSourceLinesMax;
  if (lines.size() > lines_max + 1 && !IsWaived(text, "long-file")) {
    findings.push_back({std::string(path), 0, "long-file",
                        absl::StrCat(lines.size() - 1, " lines; at most ", lines_max, " without a reason at the top")});
  }
  return findings;
}

bool BuildNames(absl::string_view build, absl::string_view name) {
  if (absl::StrContains(build, absl::StrCat("\"", name, "\""))) return true;
  // A list of tests that are built alike: srcs = [name + ".cc"].
  const absl::string_view stem = absl::StripSuffix(name, ".cc");
  return absl::StrContains(build, "name + \".cc\"") && absl::StrContains(build, absl::StrCat("\"", stem, "\","));
}

absl::StatusOr<std::vector<Finding>> TidyTree(const std::string& root) {
  std::vector<Finding> findings;
  for (const absl::string_view room : kRooms) {
    const std::string directory = base::JoinPath(root, room);
    if (!std::filesystem::exists(directory)) continue;
    if (!std::filesystem::exists(base::JoinPath(directory, "README.md"))) {
      findings.push_back({std::string(room), 0, "readme", "the room has no README.md"});
    }
    std::error_code error;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error)) {
      const std::string absolute = entry.path().string();
      if (!entry.is_regular_file() || (!absl::EndsWith(absolute, ".cc") && !absl::EndsWith(absolute, ".h"))) continue;
      const std::string path = absolute.substr(root.size() + 1);
      ASSIGN_OR_RETURN(const std::string text, base::ReadFile(absolute, 16 * base::kMiB));
      std::vector<Finding> in_file = TidyFile(path, text);
      if (absl::EndsWith(path, ".cc")) {
        const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
        CheckOwnHeaderFirst(root, path, lines, &in_file);
      }
      const std::string build_path = base::JoinPath(base::DirectoryName(absolute), "BUILD");
      const absl::StatusOr<std::string> build = base::ReadFile(build_path, base::kMiB);
      if (!build.ok() || !BuildNames(*build, base::BaseName(path))) {
        in_file.push_back({path, 0, "no-target", "no target of the BUILD file beside it names this file"});
      }
      findings.insert(findings.end(), in_file.begin(), in_file.end());
    }
    if (error) return absl::UnavailableError(absl::StrCat("cannot walk ", directory, ": ", error.message()));
  }
  std::sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return a.path != b.path ? a.path < b.path : a.line < b.line;
  });
  return findings;
}

std::string FormatFinding(const Finding& finding) {
  return absl::StrCat(finding.path, ":", finding.line, ": [", finding.rule, "] ", finding.message);
}

}  // namespace tools

// ssg new, clean, list, config.
#include <dirent.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "ssg/build/builder.h"
#include "ssg/build/cleaner.h"
#include "ssg/command/commands.h"
#include "ssg/config/config.h"
#include "ssg/data/encode.h"
#include "ssg/site/dates.h"
#include "ssg/theme/builtin.h"

namespace ssg {
namespace {

int Fail(absl::string_view command, const absl::Status& status) {
  base::PrintError(absl::StrCat("ssg ", command), status.message());
  return kExitErrors;
}

absl::Status WriteNew(const std::string& path, absl::string_view text) {
  if (access(path.c_str(), F_OK) == 0) return absl::AlreadyExistsError(absl::StrCat(path, " exists already"));
  const size_t slash = path.rfind('/');
  if (slash != std::string::npos) RETURN_IF_ERROR(base::MakeDirectories(path.substr(0, slash)));
  return base::ReplaceFile(path, text, {});
}

bool IsEmptyDirectory(const std::string& path) {
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) return true;
  bool empty = true;
  while (const dirent* entry = readdir(directory)) {
    const absl::string_view name = entry->d_name;
    empty = empty && (name == "." || name == "..");
  }
  closedir(directory);
  return empty;
}

std::string TitleOf(absl::string_view name) {
  std::string title(name);
  for (char& c : title) {
    if (c == '-' || c == '_') c = ' ';
  }
  if (!title.empty()) title[0] = absl::ascii_toupper(title[0]);
  return title;
}

std::string TomlString(absl::string_view text) {
  std::string quoted;
  AppendJsonString(text, &quoted);
  return quoted;
}

absl::Status MakeSite(const std::string& directory, const std::string& kind) {
  const size_t slash = directory.find_last_not_of('/') == std::string::npos ? std::string::npos : directory.rfind('/');
  const std::string name = slash == std::string::npos ? directory : directory.substr(slash + 1);
  const bool docs = kind == "docs";
  const std::string today = FormatDate(absl::ToUnixSeconds(absl::Now()), "%Y-%m-%d");
  RETURN_IF_ERROR(WriteNew(
      absl::StrCat(directory, "/ssg.toml"),
      absl::StrCat("title = ", TomlString(TitleOf(name)), "\nbase_url = \"https://example.org/\"\nlanguage = \"en\"\n",
                   docs ? "" : "paginate = 20\n", "\n[markdown]\nheading_anchors = true\n")));
  RETURN_IF_ERROR(WriteNew(absl::StrCat(directory, "/content/_index.md"),
                           absl::StrCat("---\ntitle: ", TomlString(TitleOf(name)), "\n---\n\nWelcome.\n")));
  if (docs) {
    RETURN_IF_ERROR(
        WriteNew(absl::StrCat(directory, "/content/guide/_index.md"), "---\ntitle: Guide\nweight: 1\n---\n"));
    return WriteNew(absl::StrCat(directory, "/content/guide/start.md"),
                    "---\ntitle: Getting started\nweight: 1\n---\n\n## First steps\n\nWrite here.\n");
  }
  RETURN_IF_ERROR(
      WriteNew(absl::StrCat(directory, "/content/posts/_index.md"), "---\ntitle: Posts\nsort_by: date\n---\n"));
  return WriteNew(absl::StrCat(directory, "/content/posts/hello.md"),
                  absl::StrCat("---\ntitle: Hello\ndate: ", today, "\ntags: [first]\n---\n\nThe first post.\n"));
}

}  // namespace

int RunNewSite(const base::Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    base::PrintError("ssg new site", "one DIR is needed");
    return 2;
  }
  const std::string& directory = arguments.positional()[0];
  if (!IsEmptyDirectory(directory))
    return Fail("new site", absl::AlreadyExistsError(absl::StrCat(directory, " is not empty")));
  const absl::Status status = MakeSite(directory, arguments.Get("template"));
  if (!status.ok()) return Fail("new site", status);
  std::printf("Made a site in %s. See it with: ssg serve -s %s\n", directory.c_str(), directory.c_str());
  return kExitOk;
}

int RunNewPage(const base::Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    base::PrintError("ssg new page", "one PATH is needed, such as posts/second.md");
    return 2;
  }
  std::string path = arguments.positional()[0];
  if (!absl::EndsWith(path, ".md")) path.append(".md");
  if (path[0] == '/' || absl::StrContains(absl::StrCat("/", path), "/../")) {
    return Fail("new page", absl::InvalidArgumentError("PATH is relative to content/"));
  }
  std::string stem = path.substr(path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
  stem.resize(stem.size() - 3);
  if (stem == "index" || stem == "_index") {
    const std::string directory = path.substr(0, path.size() - stem.size() - 4);
    stem = directory.substr(directory.rfind('/') == std::string::npos ? 0 : directory.rfind('/') + 1);
  }
  const std::string file = absl::StrCat(arguments.Get("source"), "/content/", path);
  const absl::Status status =
      WriteNew(file, absl::StrCat("---\ntitle: ", TomlString(TitleOf(stem)), "\ndate: ",
                                  FormatDate(absl::ToUnixSeconds(absl::Now()), "%Y-%m-%d"), "\ndraft: true\n---\n\n"));
  if (!status.ok()) return Fail("new page", status);
  std::printf("Made %s, a draft\n", file.c_str());
  return kExitOk;
}

int RunNewTheme(const base::Arguments& arguments) {
  if (arguments.positional().size() != 1 || absl::StrContains(arguments.positional()[0], "/")) {
    base::PrintError("ssg new theme", "one NAME is needed");
    return 2;
  }
  const std::string directory = absl::StrCat(arguments.Get("source"), "/themes/", arguments.positional()[0]);
  if (!IsEmptyDirectory(directory))
    return Fail("new theme", absl::AlreadyExistsError(absl::StrCat(directory, " is not empty")));
  for (const BuiltinFile& file : BuiltinTheme()) {
    const absl::Status status = WriteNew(absl::StrCat(directory, "/", file.path), file.text);
    if (!status.ok()) return Fail("new theme", status);
  }
  std::printf("Made %s. Use it with: theme = \"%s\" in ssg.toml\n", directory.c_str(),
              arguments.positional()[0].c_str());
  return kExitOk;
}

int RunClean(const base::Arguments& arguments) {
  const auto removed = CleanSite(arguments.Get("source"), arguments.Has("cache"));
  if (!removed.ok()) return Fail("clean", removed.status());
  if (!arguments.Has("quiet")) std::printf("Removed %zu files\n", *removed);
  return kExitOk;
}

int RunList(const base::Arguments& arguments) {
  const std::string what = arguments.positional().empty() ? "all" : arguments.positional()[0];
  if (what != "all" && what != "drafts" && what != "future" && what != "expired") {
    base::PrintError("ssg list", absl::StrCat("\"", what, "\" is none of all, drafts, future, expired"));
    return 2;
  }
  Diagnostics diagnostics;
  const auto entries = ListContent(arguments.Get("source"), diagnostics);
  const bool failed = PrintDiagnostics(diagnostics, false);
  if (!entries.ok()) return Fail("list", entries.status());
  std::string json = "[";
  for (const ContentEntry& entry : *entries) {
    const std::string state = entry.state.empty() ? "published" : entry.state;
    if (what != "all" && what != (state == "draft" ? "drafts" : state)) continue;
    if (!arguments.Has("json")) {
      std::printf("%-10s %-10s %s  %s\n", state.c_str(), entry.date.substr(0, 10).c_str(), entry.file.c_str(),
                  entry.title.c_str());
      continue;
    }
    json.append(json.size() > 1 ? ",\n {\"file\":" : "\n {\"file\":");
    AppendJsonString(entry.file, &json);
    for (const auto& [key, value] : {std::make_pair("title", &entry.title), std::make_pair("url", &entry.url),
                                     std::make_pair("date", &entry.date), std::make_pair("state", &state)}) {
      absl::StrAppend(&json, ",\"", key, "\":");
      AppendJsonString(*value, &json);
    }
    json.push_back('}');
  }
  if (arguments.Has("json")) std::printf("%s\n]\n", json.c_str());
  return failed ? kExitErrors : kExitOk;
}

int RunConfig(const base::Arguments& arguments) {
  Diagnostics diagnostics;
  ConfigRequest request;
  request.site_dir = arguments.Get("source");
  if (arguments.Has("environment")) request.environment = arguments.Get("environment");
  const Config config = LoadConfig(request, diagnostics);
  const bool failed = PrintDiagnostics(diagnostics, false);
  std::string json;
  AppendJson(config.all, 2, &json);
  std::printf("%s\n", json.c_str());
  return failed ? kExitErrors : kExitOk;
}

}  // namespace ssg

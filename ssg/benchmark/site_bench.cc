// Measures ssg against Hugo, against the bound and against its own full build,
// on one generated site with templates of equal features.
//
// Usage: bench [--pages N] [--runs N] [--ssg PATH] [--bound PATH] [--hugo PATH] [FILTER]
#include "base/bench/bench.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/os/file.h"
#include "base/testing/temp_dir.h"
#include "testdata/ssg/site_generator.h"

namespace ssg {
namespace {

namespace files = std::filesystem;

struct Settings {
  size_t pages = 10'000;
  int runs = 5;
  std::string ssg;
  std::string bound;
  std::string hugo = "/usr/bin/hugo";
  std::string filter;
};

// Runs a program to its end; its output goes nowhere.
absl::StatusOr<base::Measurement> RunProgram(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const absl::Time start = absl::Now();
  const pid_t child = fork();
  if (child < 0) return absl::InternalError("fork failed");
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stdout) == nullptr) _exit(126);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child) return absl::InternalError("wait4 failed");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return absl::InternalError(absl::StrCat(absl::StrJoin(words, " "), " failed"));
  }
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  base::Measurement measurement;
  measurement.wall_seconds = absl::ToDoubleSeconds(absl::Now() - start);
  measurement.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  measurement.rss_bytes_max = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  return measurement;
}

// The paths of all HTML files below `directory`: the set of pages.
std::string PageSet(const std::string& directory) {
  std::vector<std::string> paths;
  for (const auto& entry : files::recursive_directory_iterator(directory)) {
    if (entry.path().extension() == ".html") paths.push_back(files::relative(entry.path(), directory).string());
  }
  std::sort(paths.begin(), paths.end());
  return absl::StrCat(paths.size(), ":", std::hash<std::string>{}(absl::StrJoin(paths, "\n")));
}

class SiteBench {
 public:
  SiteBench(const Settings& settings, const std::string& directory) : settings_(settings), directory_(directory) {
    site_.page_count = settings.pages;
  }

  absl::Status Run() {
    for (const absl::Status& status :
         {GenerateContent(site_, directory_), GenerateSsgTheme(directory_), GenerateHugoTheme(directory_)}) {
      if (!status.ok()) return status;
    }
    base::Bench bench({.title = "ssg", .runs = settings_.runs});
    const double pages = static_cast<double>(site_.page_count);
    const base::Contender hugo{"hugo", [=, this] { return Measured(Hugo(), pages, true); },
                               [this] { return Clear("hugo-out"); }};
    const base::Contender full{"ssg", [=, this] { return Measured(Ssg(), pages, true); },
                               [this] { return ClearSsg(); }};
    const base::Contender bound{"bound", [=, this] { return Measured(Bound(), pages, false); },
                                [this] { return Clear("bound-out"); }};
    if (access(settings_.hugo.c_str(), X_OK) == 0) {
      bench.Add({.name = "full build, CPU", .unit = "page", .by = base::Bench::By::kCpu, .gate = 9}, {hugo, full});
      bench.Add({.name = "full build, wall", .unit = "page", .gate = 0}, {hugo, full});
    } else {
      std::printf("hugo is not installed: its rows are left out\n");
    }
    bench.Add({.name = "bound, CPU", .unit = "page", .by = base::Bench::By::kCpu, .gate = 0.5, .compare_output = false},
              {bound, full});
    // Edits, against the full build of the same site.
    const auto edited = [&](const char* name, double gate, std::function<absl::Status()> edit) {
      const base::Contender contender{name, [=, this] { return Measured(Ssg(), pages, true); },
                                      [=, this]() -> absl::Status {
                                        if (auto built = Ssg(); !built.ok()) return built.status();
                                        usleep(50'000);  // past the clock tick within which files are not trusted
                                        if (auto built = Ssg(); !built.ok()) return built.status();
                                        return edit();
                                      }};
      bench.Add({.name = name, .unit = "page", .by = base::Bench::By::kCpu, .gate = gate, .compare_output = false},
                {full, contender});
    };
    edited("no-op", 50, [] { return absl::OkStatus(); });
    edited("one body", 40, [this] { return Rewrite("\nMore text.\n", ""); });
    edited("one title", 15, [this] { return Rewrite("", "New "); });
    edited("base template", 1, [this] { return AppendTo("templates/base.html", "<!-- x -->\n"); });
    return bench.Run(settings_.filter);
  }

 private:
  absl::StatusOr<base::Measurement> Ssg() { return RunProgram({settings_.ssg, "build", "-q", "-s", directory_}); }
  absl::StatusOr<base::Measurement> Hugo() {
    return RunProgram({settings_.hugo, "--quiet", "-s", directory_, "-d", absl::StrCat(directory_, "/hugo-out")});
  }
  absl::StatusOr<base::Measurement> Bound() {
    return RunProgram({settings_.bound, absl::StrCat(directory_, "/content"), absl::StrCat(directory_, "/bound-out")});
  }
  absl::StatusOr<base::Measurement> Measured(absl::StatusOr<base::Measurement> measurement, double units,
                                             bool compare) {
    if (!measurement.ok()) return measurement;
    measurement->units = units;
    const std::string hugo = absl::StrCat(directory_, "/hugo-out");
    if (compare) measurement->output_digest = PageSet(files::exists(hugo) ? hugo : absl::StrCat(directory_, "/public"));
    return measurement;
  }
  absl::Status Clear(const char* name) { return base::RemoveTree(absl::StrCat(directory_, "/", name)); }
  absl::Status ClearSsg() {
    absl::Status status = Clear("public");
    if (status.ok()) status = Clear(".ssg");
    if (status.ok()) status = Clear("hugo-out");
    return status;
  }
  absl::Status Rewrite(absl::string_view more, absl::string_view title) {
    ++edit_;
    std::string text = GeneratedPage(site_, 7, 0);
    if (!title.empty()) text.insert(text.find("title: \"") + 8, absl::StrCat(title, edit_, " "));
    if (!more.empty()) absl::StrAppend(&text, more, edit_, "\n");
    return base::ReplaceFile(absl::StrCat(directory_, "/content/", GeneratedPath(site_, 7)), text, {});
  }
  absl::Status AppendTo(absl::string_view path, absl::string_view more) {
    const std::string file = absl::StrCat(directory_, "/", path);
    auto text = base::ReadFile(file, 1 << 20);
    if (!text.ok()) return text.status();
    return base::ReplaceFile(file, absl::StrCat(*text, more), {});
  }

  const Settings& settings_;
  const std::string directory_;
  GeneratedSite site_;
  int edit_ = 0;
};

int Main(int argc, char** argv) {
  Settings settings;
  const std::string beside = files::path(argv[0]).parent_path().string();
  settings.ssg = absl::StrCat(beside, "/../command/ssg");
  settings.bound = absl::StrCat(beside, "/bound");
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : std::string(); };
    bool ok = true;
    if (word == "--pages") {
      ok = absl::SimpleAtoi(value(), &settings.pages);
    } else if (word == "--runs") {
      ok = absl::SimpleAtoi(value(), &settings.runs);
    } else if (word == "--ssg") {
      settings.ssg = value();
    } else if (word == "--bound") {
      settings.bound = value();
    } else if (word == "--hugo") {
      settings.hugo = value();
    } else {
      settings.filter = word;
      ok = word[0] != '-';
    }
    if (!ok) {
      std::fprintf(stderr, "usage: bench [--pages N] [--runs N] [--ssg PATH] [--bound PATH] [--hugo PATH] [FILTER]\n");
      return 2;
    }
  }
  base::TempDir directory;
  const absl::Status status = SiteBench(settings, directory.path()).Run();
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace ssg

int main(int argc, char** argv) { return ssg::Main(argc, argv); }

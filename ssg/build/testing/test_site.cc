#include "ssg/build/testing/test_site.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace ssg {

TestSite::TestSite() {
  Write("ssg.toml", "title = \"Test\"\nbase_url = \"https://example.org/\"\n");
  Write("content/_index.md", "---\ntitle: Home\n---\n\nWelcome.\n");
}

void TestSite::Write(absl::string_view path, absl::string_view text) {
  const std::filesystem::path file = absl::StrCat(directory_.path(), "/", path);
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

bool TestSite::Exists(absl::string_view path) const {
  return std::filesystem::exists(absl::StrCat(directory_.path(), "/", path));
}

std::string TestSite::Read(absl::string_view path) const {
  std::ifstream file(absl::StrCat(directory_.path(), "/", path), std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void TestSite::Remove(absl::string_view path) {
  std::filesystem::remove_all(absl::StrCat(directory_.path(), "/", path));
}

void TestSite::Rename(absl::string_view from, absl::string_view to) {
  const std::filesystem::path target = absl::StrCat(directory_.path(), "/", to);
  std::filesystem::create_directories(target.parent_path());
  std::filesystem::rename(absl::StrCat(directory_.path(), "/", from), target);
}

FileTree TestSite::Tree(absl::string_view directory) const {
  FileTree tree;
  const std::filesystem::path root = absl::StrCat(directory_.path(), "/", directory);
  if (!std::filesystem::exists(root)) return tree;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = std::filesystem::relative(entry.path(), root).string();
    tree[path] = Read(absl::StrCat(directory, "/", path));
  }
  return tree;
}

BuildOptions TestSite::Options() const {
  BuildOptions options;
  options.site_dir = directory_.path();
  options.now = 1'700'000'000;
  options.jobs = 2;
  return options;
}

absl::StatusOr<BuildResult> TestSite::Build(const BuildOptions& options) {
  Diagnostics diagnostics;
  auto result = BuildSite(options, diagnostics);
  log_.clear();
  for (const Diagnostic& one : diagnostics.Sorted()) absl::StrAppend(&log_, one.ToString(), "\n");
  error_count_ = diagnostics.error_count();
  return result;
}

FileTree TestSite::CleanTree() {
  Remove(".ssg/clean");
  Remove(".ssg/clean-cache");
  BuildOptions options = Options();
  options.output_dir = ".ssg/clean";
  options.cache_name = "clean-cache";
  options.jobs = 1;
  const auto result = Build(options);
  return result.ok() && result->stored ? Tree(".ssg/clean") : FileTree();
}

}  // namespace ssg

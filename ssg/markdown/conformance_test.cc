// Every example of CommonMark 0.31.2 and of GFM's extension sections, compared
// after normalising blanks between block tags. Skipped, and counted as
// skipped, without CACHEFS_CONFORMANCE_DIR.
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "ssg/markdown/markdown.h"

namespace ssg {
namespace {

// Drops blanks beside block tags outside <pre>, " />" -> ">".
std::string Normalize(const std::string& html) {
  static const std::set<std::string> kBlocks = {"p",     "ul", "ol", "li", "blockquote", "h1",    "h2",
                                                "h3",    "h4", "h5", "h6", "hr",         "table", "thead",
                                                "tbody", "tr", "th", "td", "pre",        "br"};
  std::string out;
  bool after_block = true;
  size_t pre = 0;
  for (size_t i = 0; i < html.size();) {
    if (html[i] == '<') {
      size_t close = html.find('>', i);
      if (close == std::string::npos) close = html.size() - 1;
      std::string tag = html.substr(i, close - i + 1);
      std::string name = tag.substr(tag[1] == '/' ? 2 : 1);
      name = name.substr(0, name.find_first_of(" />\n"));
      const bool block = kBlocks.count(name) > 0;
      if (absl::EndsWith(tag, " />")) tag = tag.substr(0, tag.size() - 3) + ">";
      if (block && pre == 0) {
        while (!out.empty() && isspace(static_cast<unsigned char>(out.back()))) out.pop_back();
      }
      if (name == "pre") pre += tag[1] == '/' ? -1 : 1;
      out += tag;
      after_block = block && pre == 0;
      i = close + 1;
    } else {
      if (!(after_block && isspace(static_cast<unsigned char>(html[i])))) {
        out += html[i];
        after_block = false;
      }
      ++i;
    }
  }
  while (!out.empty() && isspace(static_cast<unsigned char>(out.back()))) out.pop_back();
  return absl::StrReplaceAll(out, {{"&quot;", "\""}, {" class=\"task-list-item\"", ""}});
}

bool ReadSpec(const std::string& name, nlohmann::json* spec) {
  const char* directory = std::getenv("CACHEFS_CONFORMANCE_DIR");
  if (directory == nullptr) return false;
  std::ifstream file(std::string(directory) + "/ssg/" + name);
  if (!file) return false;
  std::stringstream text;
  text << file.rdbuf();
  *spec = nlohmann::json::parse(text.str());
  return true;
}

std::set<int> Failures(const nlohmann::json& spec, const MarkdownOptions& options, bool extensions_only, int* run) {
  std::set<int> failed;
  for (const auto& example : spec) {
    const std::string section = example["section"];
    if (extensions_only && !absl::StrContains(section, "extension")) continue;
    ++*run;
    MarkdownHooks hooks;
    const auto rendered = RenderMarkdown(example["markdown"].get<std::string>(), options, hooks);
    const std::string html = rendered.ok() ? rendered->html : rendered.status().ToString();
    if (Normalize(html) == Normalize(example["html"])) continue;
    failed.insert(example["example"].get<int>());
    std::fprintf(stderr, "example %d (%s)\n--- want\n%s\n--- got\n%s\n", example["example"].get<int>(), section.c_str(),
                 Normalize(example["html"]).c_str(), Normalize(html).c_str());
  }
  return failed;
}

MarkdownOptions Plain() {
  MarkdownOptions options;
  options.github = false;
  options.footnotes = options.definition_lists = options.directives = options.alerts = false;
  options.heading_ids = false;
  return options;
}

TEST(Conformance, CommonMark) {
  nlohmann::json spec;
  if (!ReadSpec("commonmark_spec_0_31_2.json", &spec)) GTEST_SKIP() << "no conformance data";
  int run = 0;
  // What CommonMark changed after the 0.30 that Debian's md4c 0.4.8 follows.
  const std::set<int> known = {171, 354, 625, 626};
  EXPECT_EQ(Failures(spec, Plain(), false, &run), known);
  EXPECT_EQ(run, 652);
}

TEST(Conformance, GithubExtensions) {
  nlohmann::json spec;
  if (!ReadSpec("gfm_spec_0_29.json", &spec)) GTEST_SKIP() << "no conformance data";
  MarkdownOptions options = Plain();
  options.github = true;
  options.tag_filter = true;
  int run = 0;
  // 203: a header of more cells than the delimiter row has; md4c takes it for a table.
  EXPECT_EQ(Failures(spec, options, true, &run), (std::set<int>{203}));
  EXPECT_GT(run, 20);
}

}  // namespace
}  // namespace ssg

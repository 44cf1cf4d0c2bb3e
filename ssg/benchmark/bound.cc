// The bound: what any generator must at least do with a content tree. Reads every
// Markdown file, scans its front matter with libyaml, renders the body with
// md4c, puts a head and a foot around it and writes it.
//
// Usage: bound CONTENT_DIR OUTPUT_DIR
#include <md4c.h>
#include <yaml.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/thread_pool.h"
#include "ssg/markdown/html.h"

namespace ssg {
namespace {

constexpr const char* kBlockTags[] = {"", "blockquote", "ul",    "ol",    "li",    "hr", "h2", "pre",
                                      "", "p",          "table", "thead", "tbody", "tr", "th", "td"};
constexpr const char* kSpanTags[] = {"em", "strong", "a", "", "code", "del", "", "", "", "u"};

void Tag(const char* name, bool closing, void* out) {
  if (name[0] != '\0') absl::StrAppend(static_cast<std::string*>(out), closing ? "</" : "<", name, ">");
}
int EnterBlock(MD_BLOCKTYPE type, void*, void* out) {
  Tag(kBlockTags[type], false, out);
  return 0;
}
int LeaveBlock(MD_BLOCKTYPE type, void*, void* out) {
  Tag(kBlockTags[type], true, out);
  return 0;
}
int EnterSpan(MD_SPANTYPE type, void* detail, void* out) {
  if (type == MD_SPAN_A) {
    const MD_ATTRIBUTE& href = static_cast<MD_SPAN_A_DETAIL*>(detail)->href;
    static_cast<std::string*>(out)->append("<a href=\"");
    AppendUrlEscaped(absl::string_view(href.text, href.size), static_cast<std::string*>(out));
    static_cast<std::string*>(out)->append("\">");
  } else {
    Tag(kSpanTags[type], false, out);
  }
  return 0;
}
int LeaveSpan(MD_SPANTYPE type, void*, void* out) {
  Tag(kSpanTags[type], true, out);
  return 0;
}
int Text(MD_TEXTTYPE, const MD_CHAR* text, MD_SIZE size, void* out) {
  AppendHtmlEscaped(absl::string_view(text, size), static_cast<std::string*>(out));
  return 0;
}

// Counts the events of a YAML text; the bound keeps nothing of them.
size_t ScanYaml(absl::string_view text) {
  yaml_parser_t parser;
  yaml_parser_initialize(&parser);
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  size_t count = 0;
  for (bool done = false; !done; ++count) {
    yaml_event_t event;
    if (!yaml_parser_parse(&parser, &event)) break;
    done = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  return count;
}

bool RenderOne(const std::string& from, const std::string& to) {
  const auto source = base::ReadFile(from, 64 << 20);
  if (!source.ok()) return false;
  absl::string_view body = *source;
  if (absl::StartsWith(body, "---\n")) {
    const size_t end = body.find("\n---\n", 3);
    ScanYaml(body.substr(4, end - 3));
    body.remove_prefix(end + 5);
  }
  std::string html = "<!doctype html><html><head><title>x</title></head><body>";
  html.reserve(body.size() * 2);
  MD_PARSER parser{};
  parser.flags = MD_DIALECT_GITHUB;
  parser.enter_block = EnterBlock;
  parser.leave_block = LeaveBlock;
  parser.enter_span = EnterSpan;
  parser.leave_span = LeaveSpan;
  parser.text = Text;
  if (md_parse(body.data(), static_cast<MD_SIZE>(body.size()), &parser, &html) != 0) return false;
  html.append("</body></html>\n");
  if (!base::MakeDirectories(to).ok()) return false;
  FILE* file = std::fopen(absl::StrCat(to, "/index.html").c_str(), "w");
  if (file == nullptr) return false;
  const bool written = std::fwrite(html.data(), 1, html.size(), file) == html.size();
  return std::fclose(file) == 0 && written;
}

int Run(const std::string& content, const std::string& output) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(content)) {
    if (entry.path().extension() == ".md") files.push_back(entry.path().string());
  }
  std::atomic<size_t> failed{0};
  base::ParallelFor(files.size(), base::DefaultParallelism(), [&](size_t i) {
    const std::string stem = files[i].substr(content.size(), files[i].size() - content.size() - 3);
    if (!RenderOne(files[i], output + stem)) ++failed;
  });
  std::printf("%zu pages, %zu failed\n", files.size(), failed.load());
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace ssg

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bound CONTENT_DIR OUTPUT_DIR\n");
    return 2;
  }
  return ssg::Run(argv[1], argv[2]);
}

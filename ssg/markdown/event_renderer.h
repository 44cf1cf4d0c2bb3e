// The md4c side of RenderMarkdown: one call of md_parse, events to HTML.
// Internal to ssg/markdown.
//
// Threads: thread-compatible.
#ifndef SSG_MARKDOWN_EVENT_RENDERER_H_
#define SSG_MARKDOWN_EVENT_RENDERER_H_

#include <md4c.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ssg/markdown/markdown.h"
#include "ssg/markdown/shortcodes.h"

namespace ssg::internal {

struct Footnote {
  std::string body;
  uint32_t line = 0;
  uint32_t number = 0;  // 0 = not referred to yet
  uint32_t references = 0;
};

// What all pieces of one document share.
struct Document;

// Renders what a token stands for.
class TokenRenderer {
 public:
  virtual ~TokenRenderer() = default;
  virtual void RenderToken(size_t number, bool in_destination, std::string* html) = 0;
};

struct Document {
  const MarkdownOptions& options;
  MarkdownHooks& hooks;
  RenderedMarkdown& result;
  size_t html_bytes_max;
  absl::flat_hash_set<std::string> ids;
  absl::flat_hash_map<std::string, Footnote> footnotes;
  std::vector<std::string> footnote_order;
  std::vector<Shortcode> shortcodes;
  LineMap lines;
  TokenRenderer* tokens = nullptr;
  absl::Status failure;          // of rendering a shortcode
  uint32_t container_depth = 0;  // of directives, footnotes and lists around the piece
};

// `base` made unique in the document; it is taken then.
std::string TakeId(Document& document, std::string base);

class EventRenderer {
 public:
  // The first `prefix_size` bytes of `source` are reference definitions put in
  // front; what follows starts at `first_line`.
  EventRenderer(Document& document, absl::string_view source, size_t prefix_size, uint32_t first_line,
                std::string& out);

  absl::Status Run();

 private:
  struct Element {  // an open link or image
    std::string destination;
    std::string url;
    std::string title;
    size_t html_begin = 0;
    uint32_t line = 0;
  };

  static int OnEnterBlock(MD_BLOCKTYPE type, void* detail, void* self);
  static int OnLeaveBlock(MD_BLOCKTYPE type, void* detail, void* self);
  static int OnEnterSpan(MD_SPANTYPE type, void* detail, void* self);
  static int OnLeaveSpan(MD_SPANTYPE type, void* detail, void* self);
  static int OnText(MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* self);

  void EnterBlock(MD_BLOCKTYPE type, void* detail);
  void LeaveBlock(MD_BLOCKTYPE type, void* detail);
  void EnterSpan(MD_SPANTYPE type, void* detail);
  void LeaveSpan(MD_SPANTYPE type);
  void Text(MD_TEXTTYPE type, absl::string_view text);

  void EnterListItem(const MD_BLOCK_LI_DETAIL& detail);
  void EnterCell(const char* tag, const MD_BLOCK_TD_DETAIL& detail);
  void EnterCode(const MD_BLOCK_CODE_DETAIL& detail);
  void LeaveCode();
  void LeaveHeading(uint32_t level);
  void LeaveParagraph();
  void EnterLink(const MD_SPAN_A_DETAIL& detail);
  void LeaveLink();
  void LeaveImage();
  void NormalText(absl::string_view text);
  void RawHtml(absl::string_view text);
  // Turns the blockquote that was just opened into an alert if `text` is "[!KIND]".
  bool TryAlert(absl::string_view text);
  void FootnoteReference(const std::string& label, Footnote& footnote);
  void CountWords(absl::string_view text);
  void CollectText(absl::string_view text);
  void BlockBreak();

  // The 1-based line of the last text seen, or of `at` if it points into the source.
  uint32_t LineOf(const char* at);
  std::string Decode(const MD_ATTRIBUTE& attribute, bool destination = false, bool* had_token = nullptr);
  // Appends `text` with tokens rendered, or (`code`) as they were written.
  void AppendWithTokens(absl::string_view text, bool code, bool destination, std::string* out);
  void NormalWithTokens(absl::string_view text);
  void TextWithFootnotes(absl::string_view text);
  int Verdict() const;

  Document& document_;
  const absl::string_view source_;
  const size_t prefix_size_;
  std::string& out_;
  // Where counting of lines has come to.
  const char* line_at_;
  uint32_t line_;
  const char* last_text_;
  std::vector<Element> elements_;
  std::vector<bool> alerts_;             // of the open blockquotes
  size_t alert_at_ = std::string::npos;  // out_.size() where "[!KIND]" would make an alert
  bool alert_title_done_ = false;
  size_t heading_begin_ = 0;
  size_t heading_text_offset_ = 0;
  std::string heading_text_;
  bool in_heading_ = false;
  std::string code_;
  std::string code_language_;
  std::string code_info_;
  uint32_t code_line_ = 0;
  bool in_code_block_ = false;
  bool in_cell_ = false;
  std::string alt_;
  uint32_t image_depth_ = 0;
  uint32_t block_depth_ = 0;                 // of quotes and lists
  size_t tokens_begin_ = std::string::npos;  // where a paragraph of nothing but shortcodes begins
  bool in_word_ = false;
};

}  // namespace ssg::internal

#endif  // SSG_MARKDOWN_EVENT_RENDERER_H_

// Diffs and Markdown.
#include "absl/strings/match.h"
#include "ssg/highlight/language.h"

namespace ssg::highlight {

void LexDiff(Scanner& s) {
  while (!s.done()) {
    const absl::string_view line = s.code().substr(s.at(), s.LineEnd() - s.at());
    absl::string_view css_class;
    if (absl::StartsWith(line, "@@")) {
      css_class = "gu";
    } else if (absl::StartsWith(line, "diff ") || absl::StartsWith(line, "Index: ") ||
               absl::StartsWith(line, "index ") || absl::StartsWith(line, "=====")) {
      css_class = "gh";
    } else if (absl::StartsWith(line, "+")) {
      css_class = "gi";
    } else if (absl::StartsWith(line, "-")) {
      css_class = "gd";
    } else if (absl::StartsWith(line, "!")) {
      css_class = "gs";
    }
    s.EmitTo(css_class, s.LineEnd());
    s.TakeNewline();
  }
}

namespace {

class MarkdownLexer {
 public:
  explicit MarkdownLexer(Scanner& s) : s_(s) {}

  void Run() {
    while (!s_.done()) Line();
  }

 private:
  void Line() {
    const size_t end = s_.LineEnd();
    const size_t begin = s_.SkipBlanks(s_.at());
    const absl::string_view line = s_.code().substr(begin, end - begin);
    if (absl::StartsWith(line, "```")) {
      Fence(end, line);
      return;
    }
    if (begin == s_.at() && absl::StartsWith(line, "#")) {
      s_.EmitTo(absl::StartsWith(line, "##") ? "gu" : "gh", end);
    } else {
      s_.EmitTo("", begin);
      if (line.size() > 1 && absl::string_view("*-+").find(line[0]) != absl::string_view::npos && line[1] == ' ') {
        s_.Emit("k", 1);
      } else if (absl::StartsWith(line, ">")) {
        s_.Emit("k", 1);
        s_.EmitTo("ge", end);
      } else if (!line.empty() && IsDigit(line[0])) {
        size_t digits = 0;
        while (digits < line.size() && IsDigit(line[digits])) ++digits;
        if (digits + 1 < line.size() && line[digits] == '.' && line[digits + 1] == ' ') s_.Emit("k", digits + 1);
      }
      Inline(end);
    }
    s_.TakeNewline();
  }

  void Fence(size_t end, absl::string_view line) {
    const absl::string_view name = line.substr(3);
    const size_t close = s_.code().find("\n```", end);
    s_.EmitTo("", s_.SkipBlanks(s_.at()));
    if (close == absl::string_view::npos) {
      s_.EmitTo("", s_.code().size());
      return;
    }
    const Language* language = FindLanguage(name);
    s_.EmitTo("s", language == nullptr ? close : s_.at() + 3);
    if (language != nullptr) {
      s_.EmitTo("nb", end);
      s_.TakeNewline();
      for (const Token& token : Tokenize(name, s_.code().substr(s_.at(), close - s_.at()))) {
        s_.Emit(token.css_class, token.text.size());
      }
    }
    s_.TakeNewline();
    s_.EmitTo("s", s_.LineEnd());
    s_.TakeNewline();
  }

  // The run that begins here and ends with `close` on this line; 0 if there is none.
  size_t Span(absl::string_view open, absl::string_view close, size_t end) const {
    if (!s_.Starts(open) || IsBlank(s_.CharAt(s_.at() + open.size()))) return 0;
    const size_t found = s_.code().substr(0, end).find(close, s_.at() + open.size() + 1);
    return found == absl::string_view::npos ? 0 : found + close.size();
  }

  void Inline(size_t end) {
    while (s_.at() < end) {
      static constexpr std::pair<absl::string_view, absl::string_view> kSpans[] = {
          {"`", "sb"}, {"**", "gs"}, {"__", "gs"}, {"~~", "gd"}, {"*", "ge"}, {"_", "ge"}};
      size_t close = 0;
      for (const auto& [mark, css_class] : kSpans) {
        if (close != 0 || (IsWord(s_.Before()) && mark != "`")) continue;
        close = Span(mark, mark, end);
        if (close != 0) s_.EmitTo(css_class, close);
      }
      if (close != 0) continue;
      const size_t middle = s_.Peek() == '[' ? s_.code().substr(0, end).find("](", s_.at()) : absl::string_view::npos;
      if (middle != absl::string_view::npos) {
        const size_t link_end = std::min(s_.code().find(')', middle), end - 1);
        s_.Emit("", 1);
        s_.EmitTo("nt", middle);
        s_.EmitTo("", middle + 2);
        s_.EmitTo("na", link_end);
        s_.Emit("", 1);
        continue;
      }
      s_.Emit("", 1);
    }
  }

  Scanner& s_;
};

}  // namespace

void LexMarkdown(Scanner& scanner) { MarkdownLexer(scanner).Run(); }

}  // namespace ssg::highlight

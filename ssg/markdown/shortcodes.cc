#include "ssg/markdown/shortcodes.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace ssg::internal {
namespace {

constexpr absl::string_view kTokenBegin = "\xEF\xB7\x90";  // U+FDD0
constexpr absl::string_view kTokenEnd = "\xEF\xB7\x91";    // U+FDD1
constexpr size_t kShortcodesMax = 10'000;
constexpr size_t kCallBytesMax = 64 << 10;  // of a call without its body; of a code span
constexpr size_t kScannedMax = 256 << 20;   // in search of ends
constexpr size_t kNone = absl::string_view::npos;

bool IsNameByte(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '/' || c == '.'; }

// The forms in which a call is written.
enum class Form { kHugo, kZola, kZolaBlock };

struct Delimiters {
  absl::string_view open;
  absl::string_view close;
  Form form;
};
constexpr Delimiters kDelimiters[] = {{"{{<", ">}}", Form::kHugo},
                                      {"{{%", "%}}", Form::kHugo},
                                      {"{{", "}}", Form::kZola},
                                      {"{%", "%}", Form::kZolaBlock}};

const Delimiters* DelimitersAt(absl::string_view text) {
  for (const Delimiters& one : kDelimiters) {
    if (absl::StartsWith(text, one.open)) return &one;
  }
  return nullptr;
}

// The closing delimiter in `text`, quoted parts skipped.
size_t FindClose(absl::string_view text, absl::string_view close) {
  text = text.substr(0, kCallBytesMax);
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\' && quote != '`') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
    } else if (c == '"' || c == '`' || (c == '\'' && i > 0 && !absl::ascii_isalnum(text[i - 1]))) {
      quote = c;
    } else if (absl::StartsWith(text.substr(i), close)) {
      return i;
    } else if (absl::StartsWith(text.substr(i), "{{")) {
      return kNone;
    }
  }
  return kNone;
}

// Arguments: a="b", a=3, "b", 3, true; commas between them are optional.
class ArgumentParser {
 public:
  explicit ArgumentParser(absl::string_view text) : text_(text) {}

  // What is wrong; "" if all is well.
  std::string Run(std::vector<ShortcodeArgument>* arguments) {
    for (;;) {
      SkipBlanks();
      if (text_.empty()) return "";
      ShortcodeArgument argument;
      size_t size = 0;
      while (size < text_.size() && (absl::ascii_isalnum(text_[size]) || text_[size] == '_' || text_[size] == '-')) {
        ++size;
      }
      absl::string_view rest = absl::StripLeadingAsciiWhitespace(text_.substr(size));
      if (size > 0 && absl::ConsumePrefix(&rest, "=")) {
        argument.name = std::string(text_.substr(0, size));
        text_ = absl::StripLeadingAsciiWhitespace(rest);
        for (const ShortcodeArgument& other : *arguments) {
          if (other.name == argument.name) return absl::StrCat("argument \"", argument.name, "\" is given twice");
        }
      }
      const std::string problem = TakeValue(&argument);
      if (!problem.empty()) return problem;
      arguments->push_back(std::move(argument));
    }
  }

 private:
  void SkipBlanks() {
    while (!text_.empty() && (absl::ascii_isspace(text_[0]) || text_[0] == ',')) text_.remove_prefix(1);
  }

  std::string TakeValue(ShortcodeArgument* argument) {
    if (text_.empty()) return absl::StrCat("argument \"", argument->name, "\" has no value");
    const char quote = text_[0];
    if (quote == '"' || quote == '\'' || quote == '`') {
      argument->quoted = true;
      size_t i = 1;
      for (; i < text_.size() && text_[i] != quote; ++i) {
        if (text_[i] == '\\' && quote != '`' && i + 1 < text_.size()) ++i;
        argument->value.push_back(text_[i]);
      }
      if (i >= text_.size()) return "a quoted argument has no end";
      text_.remove_prefix(i + 1);
      return "";
    }
    size_t size = 0;
    while (size < text_.size() && !absl::ascii_isspace(text_[size]) && text_[size] != ',') ++size;
    argument->value = std::string(text_.substr(0, size));
    text_.remove_prefix(size);
    return "";
  }

  absl::string_view text_;
};

class Scanner {
 public:
  Scanner(absl::string_view source, uint32_t first_line, std::vector<Shortcode>* shortcodes, LineMap* lines,
          std::string* out)
      : source_(source),
        shortcodes_(*shortcodes),
        lines_(*lines),
        out_(*out),
        line_(first_line),
        out_line_(first_line) {}

  absl::Status Run() {
    if (absl::StrContains(source_, kTokenBegin)) {
      return absl::InvalidArgumentError(absl::StrCat(line_, ":1: content holds U+FDD0, which is no character"));
    }
    while (at_ < source_.size()) {
      const size_t end = SkipVerbatim(at_);
      if (end != at_) {
        Copy(end);
        continue;
      }
      Call call;
      if (source_[at_] != '{' || !ParseCall(at_, &call)) {
        Copy(at_ + 1);
        continue;
      }
      if (call.escaped) {
        // "{{</* x */>}}"; a backslash keeps "<" from being HTML.
        const Delimiters& marks = *call.marks;
        absl::StrAppend(&out_, marks.open.substr(0, 2),
                        marks.open.size() > 2 ? absl::StrCat("\\", marks.open.substr(2)) : "", call.content,
                        marks.close);
        Advance(call.end);
      } else if (call.closing) {
        return absl::InvalidArgumentError(absl::StrCat(line_, ":", Column(at_), ": \"",
                                                       source_.substr(at_, call.end - at_),
                                                       "\" ends a shortcode that has no beginning"));
      } else {
        if (shortcodes_.size() >= kShortcodesMax) {
          return absl::ResourceExhaustedError(
              absl::StrCat(line_, ":1: more than ", kShortcodesMax, " shortcodes in a page"));
        }
        Push(call);
        if (scanned_ > kScannedMax) {
          return absl::ResourceExhaustedError(absl::StrCat(line_, ":1: too many shortcodes without end"));
        }
      }
    }
    return absl::OkStatus();
  }

 private:
  struct Call {
    const Delimiters* marks = nullptr;
    absl::string_view content;  // between the delimiters
    std::string name;
    absl::string_view arguments;
    size_t end = 0;
    bool closing = false;
    bool self_closing = false;
    bool escaped = false;
  };

  uint32_t Column(size_t at) const {
    const size_t newline = at == 0 ? kNone : source_.rfind('\n', at - 1);
    return static_cast<uint32_t>(newline == kNone ? at + 1 : at - newline);
  }

  void Copy(size_t end) {
    out_.append(source_.data() + at_, end - at_);
    out_line_ += static_cast<uint32_t>(std::count(source_.begin() + at_, source_.begin() + end, '\n'));
    Advance(end);
  }

  void Advance(size_t end) {
    line_ += static_cast<uint32_t>(std::count(source_.begin() + at_, source_.begin() + end, '\n'));
    at_ = end;
  }

  // The end of the code or comment that begins at `at`, or `at`.
  size_t SkipVerbatim(size_t at) const {
    const char c = source_[at];
    if (c == '<' && absl::StartsWith(source_.substr(at), "<!--")) {
      const size_t end = source_.find("-->", at + 4);
      return end == kNone ? at : end + 3;
    }
    if (c == '\\' && at + 1 < source_.size()) return at + (source_[at + 1] == '`' ? 2 : 1);
    if (c != '`' && c != '~') return at;
    size_t size = 0;
    while (at + size < source_.size() && source_[at + size] == c) ++size;
    const size_t newline = at == 0 ? kNone : source_.rfind('\n', at - 1);
    const size_t line_begin = newline == kNone ? 0 : newline + 1;
    // Fences may follow the marks of quotes and lists.
    const bool starts_line =
        source_.substr(line_begin, at - line_begin).find_first_not_of(" \t>-*+0123456789.)") == kNone;
    if (size >= 3 && starts_line) return FenceEnd(at + size, c, size);
    if (c == '~') return at + size;
    // A code span: the next run of the same length in this paragraph.
    const size_t paragraph = std::min({source_.find("\n\n", at), source_.size(), at + kCallBytesMax});
    for (size_t i = source_.find('`', at + size); i < paragraph;) {
      size_t run = 0;
      while (i + run < paragraph && source_[i + run] == '`') ++run;
      if (run == size) return i + run;
      i = source_.find('`', i + run);
    }
    return at + size;
  }

  size_t FenceEnd(size_t at, char mark, size_t size) const {
    for (size_t line = source_.find('\n', at); line != kNone; line = source_.find('\n', line + 1)) {
      size_t i = line + 1;
      while (i < source_.size() && (source_[i] == ' ' || source_[i] == '>' || source_[i] == '\t')) ++i;
      size_t run = 0;
      while (i + run < source_.size() && source_[i + run] == mark) ++run;
      if (run < size) continue;
      const size_t end = std::min(source_.find('\n', i + run), source_.size());
      if (absl::StripAsciiWhitespace(source_.substr(i + run, end - i - run)).empty()) return end;
    }
    return source_.size();
  }

  // The call that begins at `at`; false if what is there is none.
  bool ParseCall(size_t at, Call* call) const {
    call->marks = DelimitersAt(source_.substr(at));
    if (call->marks == nullptr) return false;
    const size_t begin = at + call->marks->open.size();
    absl::string_view text = source_.substr(begin);
    if (absl::StartsWith(text, "/*")) {
      const std::string close = absl::StrCat("*/", call->marks->close);
      const size_t end = text.find(close);
      if (end == kNone) return false;
      call->escaped = true;
      call->content = text.substr(2, end - 2);
      call->end = begin + end + close.size();
      return true;
    }
    const size_t close = FindClose(text, call->marks->close);
    if (close == kNone) return false;
    call->end = begin + close + call->marks->close.size();
    call->content = text.substr(0, close);
    absl::string_view content = absl::StripAsciiWhitespace(call->content);
    if (call->marks->form == Form::kHugo) {
      call->closing = absl::ConsumePrefix(&content, "/");
      call->self_closing = !call->closing && absl::ConsumeSuffix(&content, "/");
      content = absl::StripAsciiWhitespace(content);
    } else if (call->marks->form == Form::kZolaBlock && content == "end") {
      call->closing = true;
      return true;
    }
    size_t size = 0;
    while (size < content.size() && IsNameByte(content[size])) ++size;
    if (size == 0 || !absl::ascii_isalpha(content[0])) return false;
    call->name = std::string(content.substr(0, size));
    content = absl::StripLeadingAsciiWhitespace(content.substr(size));
    if (call->marks->form != Form::kHugo) {
      if (!absl::ConsumePrefix(&content, "(") || !absl::ConsumeSuffix(&content, ")")) return false;
    }
    call->arguments = content;
    return true;
  }

  // Where the body of `call` ends and what follows its end; false if it has none.
  bool FindEnd(const Call& call, size_t* body_end, size_t* end) {
    size_t depth = 1;
    for (size_t at = call.end; at < source_.size();) {
      ++scanned_;
      const size_t skipped = SkipVerbatim(at);
      if (skipped != at) {
        at = skipped;
        continue;
      }
      Call inner;
      if (source_[at] != '{' || !ParseCall(at, &inner)) {
        ++at;
        continue;
      }
      const bool same = inner.marks->form == call.marks->form && !inner.escaped && !inner.self_closing &&
                        (inner.name == call.name || call.marks->form == Form::kZolaBlock);
      if (same && !inner.closing) ++depth;
      if (same && inner.closing && --depth == 0) {
        *body_end = at;
        *end = inner.end;
        return true;
      }
      at = inner.end;
    }
    return false;
  }

  void Push(const Call& call) {
    Shortcode one;
    one.name = call.name;
    one.line = line_;
    one.column = Column(at_);
    one.problem = ArgumentParser(call.arguments).Run(&one.arguments);
    size_t body_end = call.end;
    size_t end = call.end;
    if (call.marks->form != Form::kZola && !call.self_closing) {
      one.has_body = FindEnd(call, &body_end, &end);
      if (!one.has_body && call.marks->form == Form::kZolaBlock) {
        one.problem = absl::StrCat("shortcode \"", call.name, "\" has no end (\"{% end %}\")");
      }
      one.may_want_body = !one.has_body;
    }
    one.body_line = line_ + static_cast<uint32_t>(std::count(source_.begin() + at_, source_.begin() + call.end, '\n'));
    one.body = source_.substr(call.end, body_end - call.end);
    one.text = source_.substr(at_, end - at_);
    absl::StrAppend(&out_, kTokenBegin, shortcodes_.size(), kTokenEnd);
    shortcodes_.push_back(std::move(one));
    Advance(end);
    // What follows on this line still has its number; the next line has lost some.
    if (line_ - out_line_ != (lines_.shifts.empty() ? 0 : lines_.shifts.back().second)) {
      lines_.shifts.emplace_back(out_line_, line_ - out_line_);
    }
  }

  const absl::string_view source_;
  std::vector<Shortcode>& shortcodes_;
  LineMap& lines_;
  std::string& out_;
  size_t at_ = 0;
  uint32_t line_;      // of at_
  uint32_t out_line_;  // of the end of out_
  size_t scanned_ = 0;
};

}  // namespace

uint32_t LineMap::SourceLine(uint32_t line) const {
  const auto after = std::lower_bound(shifts.begin(), shifts.end(), line,
                                      [](const auto& shift, uint32_t key) { return shift.first < key; });
  return after == shifts.begin() ? line : line + std::prev(after)->second;
}

bool HasShortcodes(absl::string_view source) {
  for (size_t at = source.find('{'); at != kNone; at = source.find('{', at + 1)) {
    if (DelimitersAt(source.substr(at)) != nullptr) return true;
  }
  return false;
}

absl::Status TakeShortcodes(absl::string_view source, uint32_t first_line, std::vector<Shortcode>* shortcodes,
                            LineMap* lines, std::string* out) {
  return Scanner(source, first_line, shortcodes, lines, out).Run();
}

bool FindToken(absl::string_view text, size_t* begin, size_t* end, size_t* number) {
  *begin = text.find(kTokenBegin);
  if (*begin == kNone) return false;
  const size_t close = text.find(kTokenEnd, *begin);
  if (close == kNone) return false;
  const size_t digits = *begin + kTokenBegin.size();
  *end = close + kTokenEnd.size();
  return absl::SimpleAtoi(text.substr(digits, close - digits), number);
}

}  // namespace ssg::internal

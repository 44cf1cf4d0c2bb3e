// JSON, YAML, TOML and INI.
#include "ssg/highlight/language.h"

namespace ssg::highlight {
namespace {

// Where a quoted string that begins here ends, within its line.
size_t QuotedEnd(const Scanner& s, bool escapes) {
  const char quote = s.Peek();
  size_t end = s.at() + 1;
  const size_t line = s.LineEnd();
  while (end < line && s.CharAt(end) != quote) end += escapes && s.CharAt(end) == '\\' ? 2 : 1;
  return std::min(end + 1, line);
}

size_t NumberEnd(const Scanner& s, bool& real) {
  size_t end = s.at() + (s.Peek() == '-' || s.Peek() == '+' ? 1 : 0);
  real = false;
  while (IsWord(s.CharAt(end)) || s.CharAt(end) == '.' ||
         ((s.CharAt(end) == '-' || s.CharAt(end) == '+') && (s.CharAt(end - 1) | 32) == 'e')) {
    real |= s.CharAt(end) == '.' || (s.CharAt(end) | 32) == 'e';
    ++end;
  }
  return end;
}

}  // namespace

void LexJson(Scanner& s) {
  while (!s.done()) {
    if (s.TakeBlanks()) continue;
    const char c = s.Peek();
    if (c == '"') {
      const size_t end = QuotedEnd(s, true);
      size_t next = end;
      while (IsBlank(s.CharAt(next))) ++next;
      s.EmitTo(s.CharAt(next) == ':' ? "nt" : "s2", end);
    } else if (IsDigit(c) || (c == '-' && IsDigit(s.Peek(1)))) {
      bool real = false;
      const size_t end = NumberEnd(s, real);
      s.EmitTo(real ? "mf" : "mi", end);
    } else if (IsWordStart(c)) {
      const size_t end = s.WordEnd(s.at());
      const absl::string_view word = s.code().substr(s.at(), end - s.at());
      s.EmitTo(word == "true" || word == "false" || word == "null" ? "kc" : "err", end);
    } else if (s.Starts("//")) {
      s.EmitTo("c1", s.LineEnd());
    } else if (s.Starts("/*")) {
      const size_t end = s.code().find("*/", s.at());
      s.EmitTo("cm", end == absl::string_view::npos ? s.code().size() : end + 2);
    } else {
      s.Emit("p", 1);
    }
  }
}

namespace {

class YamlLexer {
 public:
  explicit YamlLexer(Scanner& s) : s_(s) {}

  void Run() {
    while (!s_.done()) Line();
  }

 private:
  void Line() {
    const size_t indent = s_.SkipBlanks(s_.at()) - s_.at();
    const size_t end = s_.LineEnd();
    if (block_indent_ >= 0 && (s_.at() + indent >= end || static_cast<int>(indent) > block_indent_)) {
      s_.EmitTo("", s_.at() + indent);
      s_.EmitTo("no", end);
      s_.TakeNewline();
      return;
    }
    block_indent_ = -1;
    s_.EmitTo("", s_.at() + indent);
    if (s_.Starts("---") || s_.Starts("...")) {
      s_.Emit("nn", 3);
    } else if (s_.Peek() == '%' && indent == 0) {
      s_.EmitTo("cp", end);
    }
    Content(end, static_cast<int>(indent));
    s_.TakeNewline();
  }

  void Content(size_t end, int indent) {
    while (s_.at() < end) {
      const char c = s_.Peek();
      const char next = s_.Peek(1);
      if (c == ' ' || c == '\t' || c == '\r') {
        s_.Emit("", 1);
      } else if (c == '#' && IsBlank(s_.Before())) {
        s_.EmitTo("c1", end);
      } else if ((c == '-' || c == '?' || c == ':') && (IsBlank(next) || next == '\0')) {
        s_.Emit(c == ':' ? "p" : "p p-Indicator", 1);
        if (c == '-') indent = static_cast<int>(s_.at() - LineBegin());
      } else if (c == '[' || c == ']' || c == '{' || c == '}' || (c == ',' && flow_ > 0)) {
        flow_ += c == '[' || c == '{' ? 1 : c == ',' ? 0 : -1;
        s_.Emit("p p-Indicator", 1);
      } else if (c == '"' || c == '\'') {
        const size_t close = QuotedEnd(s_, c == '"');
        const bool key = s_.CharAt(close) == ':' && (IsBlank(s_.CharAt(close + 1)) || close + 1 >= end);
        s_.EmitTo(key ? "nt" : c == '"' ? "s2" : "s1", close);
        if (key) s_.Emit("p", 1);
      } else if (c == '&' || c == '*' || c == '!') {
        size_t name = s_.at() + 1;
        while (name < end && !IsBlank(s_.CharAt(name)) && s_.CharAt(name) != ',') ++name;
        s_.EmitTo(c == '&' ? "nl" : c == '*' ? "nv" : "kt", name);
      } else if ((c == '|' || c == '>') && flow_ == 0) {
        s_.EmitTo("p p-Indicator", s_.at() + 1);
        while (s_.Peek() == '-' || s_.Peek() == '+' || IsDigit(s_.Peek())) s_.Emit("p p-Indicator", 1);
        block_indent_ = indent;
      } else {
        Scalar(end);
      }
    }
  }

  size_t LineBegin() const {
    const size_t newline = s_.at() == 0 ? absl::string_view::npos : s_.code().rfind('\n', s_.at() - 1);
    return newline == absl::string_view::npos ? 0 : newline + 1;
  }

  // A plain scalar: a key if a colon follows.
  void Scalar(size_t end) {
    size_t at = s_.at();
    while (at < end) {
      const char c = s_.CharAt(at);
      if (c == ':' && (at + 1 >= end || IsBlank(s_.CharAt(at + 1)))) break;
      if (c == '#' && IsBlank(s_.CharAt(at - 1))) break;
      if (flow_ > 0 && (c == ',' || c == ']' || c == '}')) break;
      ++at;
    }
    size_t last = at;
    while (last > s_.at() && (s_.CharAt(last - 1) == ' ' || s_.CharAt(last - 1) == '\t')) --last;
    const bool key = s_.CharAt(at) == ':' && at < end;
    s_.EmitTo(key ? "nt" : "l l-Scalar l-Scalar-Plain", std::max(last, s_.at() + 1));
    if (key && s_.at() == at) s_.Emit("p", 1);
  }

  Scanner& s_;
  int flow_ = 0;           // Brackets open.
  int block_indent_ = -1;  // Of the key whose block scalar runs; lines further in belong to it.
};

}  // namespace

void LexYaml(Scanner& scanner) { YamlLexer(scanner).Run(); }

void LexToml(Scanner& s) {
  bool value = false;
  int depth = 0;
  while (!s.done()) {
    const char c = s.Peek();
    if (c == '\n' && depth == 0) value = false;
    if (s.TakeBlanks()) {
      if (depth == 0 && s.Before() == '\n') value = false;
      continue;
    }
    if (c == '#') {
      s.EmitTo("c1", s.LineEnd());
    } else if (c == '[' && !value) {
      const size_t close = s.code().find(']', s.at());
      size_t end = close == absl::string_view::npos ? s.LineEnd() : close + 1;
      while (s.CharAt(end) == ']') ++end;
      s.EmitTo("k", std::min(end, s.LineEnd()));
    } else if (s.Starts("\"\"\"") || s.Starts("'''")) {
      const size_t end = s.code().find(s.code().substr(s.at(), 3), s.at() + 3);
      s.EmitTo(c == '"' ? "s2" : "s1", end == absl::string_view::npos ? s.code().size() : end + 3);
    } else if (c == '"' || c == '\'') {
      s.EmitTo(value ? (c == '"' ? "s2" : "s1") : "n", QuotedEnd(s, c == '"'));
    } else if (c == '=') {
      value = true;
      s.Emit("o", 1);
    } else if (value && (IsDigit(c) || ((c == '-' || c == '+') && IsDigit(s.Peek(1))))) {
      bool real = false;
      size_t end = NumberEnd(s, real);
      const bool date = s.CharAt(end) == '-' || s.CharAt(end) == ':';
      while (date && (IsWord(s.CharAt(end)) || s.CharAt(end) == '-' || s.CharAt(end) == ':' || s.CharAt(end) == '.'))
        ++end;
      s.EmitTo(date ? "ld" : real ? "mf" : "mi", end);
    } else if (IsWord(c) || c == '-') {
      size_t end = s.at() + 1;
      while (IsWord(s.CharAt(end)) || s.CharAt(end) == '-') ++end;
      const absl::string_view word = s.code().substr(s.at(), end - s.at());
      s.EmitTo(value && (word == "true" || word == "false") ? "kc" : "n", end);
    } else {
      depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
      s.Emit("p", 1);
    }
  }
}

void LexIni(Scanner& s) {
  while (!s.done()) {
    if (s.TakeBlanks()) continue;
    const size_t end = s.LineEnd();
    const char c = s.Peek();
    if (c == '#' || c == ';') {
      s.EmitTo("c1", end);
    } else if (c == '[') {
      s.EmitTo("k", end);
    } else {
      const size_t equals = std::min(s.code().find('=', s.at()), end);
      size_t name = equals;
      while (name > s.at() && IsBlank(s.CharAt(name - 1))) --name;
      s.EmitTo("na", std::max(name, s.at() + 1));
      s.EmitTo("", equals);
      if (equals >= end) continue;
      s.Emit("o", 1);
      s.EmitTo("", s.SkipBlanks(s.at()));
      s.EmitTo("s", end);
    }
  }
}

}  // namespace ssg::highlight

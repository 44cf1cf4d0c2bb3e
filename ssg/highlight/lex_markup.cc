// HTML, XML and CSS.
#include "absl/strings/match.h"
#include "ssg/highlight/language.h"

namespace ssg::highlight {
namespace {

bool IsTagChar(char c) { return IsWord(c) || c == '-' || c == ':' || c == '.'; }

size_t Find(Scanner& s, absl::string_view text, size_t from) {
  const size_t found = s.code().find(text, from);
  return found == absl::string_view::npos ? s.code().size() : found;
}

void Attribute(Scanner& s) {
  size_t end = s.at();
  while (IsTagChar(s.CharAt(end)) || s.CharAt(end) == '@' || s.CharAt(end) == '#') ++end;
  if (s.CharAt(end) == '=') {
    s.EmitTo("na", end);
    s.Emit("o", 1);
  } else {
    s.EmitTo("na", end);
  }
}

// From "<name" through ">".
void Tag(Scanner& s) {
  const bool closing = s.Peek(1) == '/';
  size_t end = s.at() + (closing ? 2 : 1);
  s.EmitTo("p", end);
  while (IsTagChar(s.CharAt(end))) ++end;
  s.EmitTo("nt", end);
  while (!s.done()) {
    if (s.TakeBlanks()) continue;
    const char c = s.Peek();
    if (c == '>') {
      s.Emit("p", 1);
      return;
    }
    if (c == '/' && s.Peek(1) == '>') {
      s.Emit("p", 2);
      return;
    }
    if (c == '"' || c == '\'') {
      s.EmitTo("s", Find(s, absl::string_view(&c, 1), s.at() + 1) + 1);
    } else if (s.Before() == '=') {
      size_t value = s.at();
      while (value < s.code().size() && !IsBlank(s.CharAt(value)) && s.CharAt(value) != '>') ++value;
      s.EmitTo("s", std::max(value, s.at() + 1));
    } else if (IsTagChar(c) || c == '@' || c == '#') {
      Attribute(s);
    } else {
      s.Emit("err", 1);
    }
  }
}

}  // namespace

void LexMarkup(Scanner& s) {
  while (!s.done()) {
    if (s.Starts("<!--")) {
      s.EmitTo("cm", Find(s, "-->", s.at()) + 3);
    } else if (s.Starts("<![CDATA[")) {
      s.EmitTo("cp", Find(s, "]]>", s.at()) + 3);
    } else if (s.Starts("<!") || s.Starts("<?")) {
      s.EmitTo("cp", Find(s, ">", s.at()) + 1);
    } else if (s.Peek() == '<' && (IsWordStart(s.Peek(1)) || s.Peek(1) == '/')) {
      const bool script = s.Starts("<script");
      const bool style = s.Starts("<style");
      Tag(s);
      if (!script && !style) continue;
      const size_t end = Find(s, script ? "</script" : "</style", s.at());
      Scanner inner(s.Slice(s.at(), end));
      if (script) {
        LexCode(*FindLanguage("javascript"), inner);
      } else {
        LexCss(inner);
      }
      for (const Token& token : inner.Take()) s.Emit(token.css_class, token.text.size());
    } else if (s.Peek() == '&' && s.Rest().substr(0, 12).find(';') != absl::string_view::npos) {
      s.EmitTo("ni", Find(s, ";", s.at()) + 1);
    } else {
      s.EmitTo("", std::min(s.code().find_first_of("<&", s.at() + 1), s.code().size()));
    }
  }
}

namespace {

class CssLexer {
 public:
  explicit CssLexer(Scanner& s) : s_(s) {}

  void Run() {
    while (!s_.done()) {
      if (s_.TakeBlanks() || Comment() || String()) continue;
      const char c = s_.Peek();
      if (c == '{') {
        // Rules of an at-rule nest; declarations do not.
        in_block_ = !at_rule_;
        at_rule_ = false;
        s_.Emit("p", 1);
      } else if (c == '}') {
        in_block_ = in_value_ = false;
        s_.Emit("p", 1);
      } else if (in_block_) {
        Declaration();
      } else {
        Selector();
      }
    }
  }

 private:
  bool Comment() {
    if (!s_.Starts("/*")) return false;
    s_.EmitTo("cm", Find(s_, "*/", s_.at()) + 2);
    return true;
  }

  bool String() {
    const char c = s_.Peek();
    if (c != '"' && c != '\'') return false;
    s_.EmitTo(c == '"' ? "s2" : "s1", std::min(Find(s_, absl::string_view(&c, 1), s_.at() + 1) + 1, s_.LineEnd()));
    return true;
  }

  size_t NameEnd(size_t from) const {
    while (IsWord(s_.CharAt(from)) || s_.CharAt(from) == '-') ++from;
    return from;
  }

  void Selector() {
    const char c = s_.Peek();
    const size_t end = NameEnd(s_.at() + 1);
    if (c == '@') {
      at_rule_ = true;
      s_.Emit("p", 1);
      s_.EmitTo("k", end);
      if (end >= 9 && s_.Slice(end - 9, end) == "font-face") at_rule_ = false;
    } else if (c == '.' || c == '#' || c == ':') {
      const size_t marks = c == ':' && s_.Peek(1) == ':' ? 2 : 1;
      s_.Emit("p", marks);
      s_.EmitTo(c == '.' ? "nc" : c == '#' ? "nn" : "nd", NameEnd(s_.at()));
    } else if (c == ';') {
      at_rule_ = false;
      s_.Emit("p", 1);
    } else if (IsDigit(c)) {
      Number();
    } else if (IsWordStart(c) || c == '-') {
      s_.EmitTo("nt", end);
    } else {
      s_.Emit(c == '(' || c == ')' || c == '[' || c == ']' || c == ',' ? "p" : "o", 1);
    }
  }

  void Number() {
    size_t end = s_.at() + (s_.Peek() == '-' || s_.Peek() == '+' ? 1 : 0);
    bool real = false;
    while (IsDigit(s_.CharAt(end)) || (s_.CharAt(end) == '.' && IsDigit(s_.CharAt(end + 1)))) {
      real |= s_.CharAt(end) == '.';
      ++end;
    }
    s_.EmitTo(real ? "mf" : "mi", std::max(end, s_.at() + 1));
    end = s_.at();
    const size_t unit = s_.Peek() == '%' ? end + 1 : s_.WordEnd(end);
    s_.EmitTo("kt", unit);
  }

  void Declaration() {
    const char c = s_.Peek();
    const size_t end = NameEnd(s_.at() + 1);
    if (c == ';') {
      in_value_ = false;
      s_.Emit("p", 1);
    } else if (c == ':') {
      in_value_ = true;
      s_.Emit("p", 1);
    } else if (!in_value_ && (IsWordStart(c) || c == '-')) {
      s_.EmitTo(s_.Starts("--") ? "nv" : "k", end);
    } else if (IsDigit(c) || ((c == '-' || c == '.' || c == '+') && IsDigit(s_.Peek(1)))) {
      Number();
    } else if (c == '#') {
      s_.EmitTo("mh", end);
    } else if (c == '!') {
      s_.EmitTo("cp", end);
    } else if (s_.Starts("--")) {
      s_.EmitTo("nv", end);
    } else if (IsWordStart(c) || c == '-') {
      const bool call = s_.CharAt(end) == '(';
      s_.EmitTo(call ? "nf" : "kc", end);
    } else {
      s_.Emit(c == '(' || c == ')' || c == ',' ? "p" : "o", 1);
    }
  }

  Scanner& s_;
  bool in_block_ = false;
  bool in_value_ = false;
  bool at_rule_ = false;
};

}  // namespace

void LexCss(Scanner& scanner) { CssLexer(scanner).Run(); }

}  // namespace ssg::highlight

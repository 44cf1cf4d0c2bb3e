// The lexer of all languages that look like code, driven by their tables.
#include <cctype>

#include "absl/strings/ascii.h"
#include "ssg/highlight/language.h"

namespace ssg::highlight {
namespace {

class CodeLexer {
 public:
  CodeLexer(const Language& language, Scanner& scanner) : language_(language), s_(scanner) {}

  void Run() {
    while (!s_.done()) {
      if (s_.TakeBlanks() || Comment() || Preprocessor() || String() || Number() || Variable() || Word() || Regex()) {
        continue;
      }
      Symbol();
    }
  }

 private:
  void Note(absl::string_view word) {
    last_word_ = word;
    operand_before_ = true;
  }

  bool Comment() {
    for (absl::string_view prefix : language_.line_comments) {
      if (!s_.Starts(prefix)) continue;
      const bool shebang = s_.at() == 0 && s_.Starts("#!");
      s_.EmitTo(shebang ? "ch" : language_.line_comment_class, s_.LineEnd());
      return true;
    }
    for (const auto& [open, close] : language_.block_comments) {
      if (!s_.Starts(open)) continue;
      const size_t end = s_.code().find(close, s_.at() + open.size());
      s_.EmitTo("cm", end == absl::string_view::npos ? s_.code().size() : end + close.size());
      return true;
    }
    return false;
  }

  // A line of "#", with what it continues on after a backslash.
  bool Preprocessor() {
    if (!language_.preprocessor || s_.Peek() != '#' || !s_.OnlyBlanksBefore()) return false;
    const size_t directive = s_.SkipBlanks(s_.at() + 1);
    const size_t directive_end = s_.WordEnd(directive);
    const absl::string_view name = s_.code().substr(directive, directive_end - directive);
    if (name == "include") {
      s_.EmitTo("cp", directive_end);
      s_.TakeBlanks();
      s_.EmitTo("cpf", s_.LineEnd());
      return true;
    }
    while (!s_.done()) {
      const size_t end = s_.LineEnd();
      for (size_t i = s_.at(); i + 1 < end; ++i) {
        if (s_.CharAt(i) != '/' || (s_.CharAt(i + 1) != '/' && s_.CharAt(i + 1) != '*')) continue;
        s_.EmitTo("cp", i);
        return true;
      }
      const bool continues = end > s_.at() && s_.CharAt(end - 1) == '\\';
      s_.EmitTo("cp", continues ? end + 1 : end);
      if (!continues) break;
    }
    return true;
  }

  bool String() {
    size_t prefix = 0;
    while (prefix < 2 && s_.Peek(prefix) != '\0' &&
           language_.string_prefixes.find(s_.Peek(prefix)) != std::string::npos) {
      ++prefix;
    }
    for (size_t skip = prefix + 1; skip-- > 0;) {
      for (const StringRule& rule : language_.strings) {
        if (s_.Slice(s_.at() + skip, s_.at() + skip + rule.open.size()) != rule.open) continue;
        bool raw = false;
        for (size_t i = 0; i < skip; ++i) raw |= (s_.Peek(i) | 32) == 'r';
        if (skip > 0) s_.Emit("sa", skip);
        Quoted(rule, raw);
        operand_before_ = true;
        last_word_ = absl::string_view();
        return true;
      }
    }
    return false;
  }

  size_t EscapeSize() const {
    const char c = s_.Peek(1);
    if (c == 'x') return IsHexDigit(s_.Peek(2)) && IsHexDigit(s_.Peek(3)) ? 4 : 2;
    if (c == 'u' && s_.Peek(2) == '{') {
      const size_t end = s_.Rest().substr(0, 12).find('}');
      return end == absl::string_view::npos ? 2 : end + 1;
    }
    if (c == 'u' || c == 'U') {
      const size_t wanted = c == 'u' ? 4 : 8;
      size_t digits = 0;
      while (digits < wanted && IsHexDigit(s_.Peek(2 + digits))) ++digits;
      return 2 + digits;
    }
    if (c >= '0' && c <= '7') {
      size_t digits = 1;
      while (digits < 3 && s_.Peek(1 + digits) >= '0' && s_.Peek(1 + digits) <= '7') ++digits;
      return 1 + digits;
    }
    return 2;
  }

  void Quoted(const StringRule& rule, bool raw) {
    s_.Emit(rule.css_class, rule.open.size());
    while (!s_.done()) {
      if (s_.Starts(rule.close)) {
        s_.Emit(rule.css_class, rule.close.size());
        return;
      }
      if (s_.Peek() == '\n' && !rule.multiline) return;
      if (s_.Peek() == '\\' && !rule.escape_class.empty()) {
        s_.Emit(raw ? rule.css_class : rule.escape_class, raw ? 2 : EscapeSize());
      } else if (!rule.interpolation.empty() && s_.Starts(rule.interpolation)) {
        Interpolated(rule);
      } else {
        s_.Emit(rule.css_class, 1);
      }
    }
  }

  // "${ … }", lexed as code up to its brace; nested as deep as the text goes, without recursion.
  void Interpolated(const StringRule& rule) {
    if (rule.interpolation == "$") {
      const size_t end = s_.WordEnd(s_.at() + 1);
      s_.EmitTo(end > s_.at() + 1 ? "si" : rule.css_class, std::max(end, s_.at() + 1));
      return;
    }
    s_.Emit("si", rule.interpolation.size());
    int depth = 1;
    while (!s_.done()) {
      if (s_.Peek() == '}' && --depth == 0) {
        s_.Emit("si", 1);
        return;
      }
      if (s_.Peek() == '{') ++depth;
      if (s_.Peek() == '"' || s_.Peek() == '\'' || s_.Peek() == '`') {
        const char quote = s_.Peek();
        size_t end = s_.at() + 1;
        while (end < s_.code().size() && s_.CharAt(end) != quote && s_.CharAt(end) != '\n') ++end;
        s_.EmitTo(quote == '"' ? "s2" : "s1", end + 1);
        continue;
      }
      if (s_.TakeBlanks() || Number() || Word()) continue;
      Symbol();
    }
  }

  bool Number() {
    const bool point = s_.Peek() == '.' && IsDigit(s_.Peek(1));
    if (!IsDigit(s_.Peek()) && !point) return false;
    size_t end = s_.at();
    absl::string_view css_class = language_.integer_class;
    const char base = s_.Peek() == '0' ? static_cast<char>(s_.Peek(1) | 32) : '\0';
    if (base == 'x' || base == 'b' || (base == 'o' && language_.name != "c" && language_.name != "cpp")) {
      css_class = base == 'x' ? "mh" : base == 'b' ? "mb" : "mo";
      end += 2;
      while (IsHexDigit(s_.CharAt(end)) || s_.CharAt(end) == '_' || s_.CharAt(end) == '\'') ++end;
    } else {
      const auto digits = [&] {
        while (IsDigit(s_.CharAt(end)) || (s_.CharAt(end) == '_' && IsDigit(s_.CharAt(end + 1))) ||
               (s_.CharAt(end) == '\'' && language_.name == "cpp" && IsDigit(s_.CharAt(end + 1)))) {
          ++end;
        }
      };
      digits();
      if (s_.CharAt(end) == '.' && s_.CharAt(end + 1) != '.' && !IsWordStart(s_.CharAt(end + 1))) {
        css_class = "mf";
        ++end;
        digits();
      }
      if ((s_.CharAt(end) | 32) == 'e') {
        const size_t sign = s_.CharAt(end + 1) == '-' || s_.CharAt(end + 1) == '+' ? 1 : 0;
        if (IsDigit(s_.CharAt(end + 1 + sign))) {
          css_class = "mf";
          end += 1 + sign;
          digits();
        }
      }
    }
    const size_t suffix = s_.WordEnd(end);
    if (suffix > end && (s_.CharAt(end) | 32) == 'f' && css_class == language_.integer_class) css_class = "mf";
    if (css_class == "mi" && suffix == end && s_.Peek() == '0' && end > s_.at() + 1) css_class = "mo";
    s_.EmitTo(css_class, suffix);
    Note(absl::string_view());
    return true;
  }

  bool IsNameChar(char c) const { return IsWord(c) || language_.word_extra.find(c) != std::string::npos; }

  size_t NameEnd(size_t from) const {
    while (from < s_.code().size() && IsNameChar(s_.CharAt(from))) ++from;
    return from;
  }

  // "$name", "@name" and decorators.
  bool Variable() {
    const char c = s_.Peek();
    if (language_.decorators && c == '@' && IsWordStart(s_.Peek(1))) {
      size_t end = s_.at() + 1;
      while (IsWord(s_.CharAt(end)) || s_.CharAt(end) == '.') ++end;
      s_.EmitTo("nd", end);
      Note(absl::string_view());
      return true;
    }
    if (language_.variable_class.empty() || language_.variable_marks.find(c) == absl::string_view::npos) return false;
    const size_t end = s_.WordEnd(s_.at() + 1 + (s_.Peek(1) == c ? 1 : 0));
    if (end == s_.at() + 1) return false;
    s_.EmitTo(language_.variable_class, end);
    Note(absl::string_view());
    return true;
  }

  bool Word() {
    if (!IsWordStart(s_.Peek()) && (s_.Peek() == '\0' || language_.word_extra.find(s_.Peek()) == std::string::npos)) {
      return false;
    }
    const size_t end = NameEnd(s_.at());
    if (end == s_.at()) return false;
    const absl::string_view word = s_.code().substr(s_.at(), end - s_.at());
    const std::string folded = language_.ignore_case ? absl::AsciiStrToLower(word) : std::string();
    const auto found = language_.words.find(language_.ignore_case ? absl::string_view(folded) : word);
    const bool after_dot = s_.Before() == '.' && s_.at() > 1 && s_.CharAt(s_.at() - 2) != '.';
    if (found != language_.words.end() && !(after_dot && !language_.after_dot.empty())) {
      s_.EmitTo(found->second, end);
      last_word_ = found->first;
      operand_before_ = found->second[0] != 'k' || found->second == "kc";
      return true;
    }
    s_.EmitTo(NameClass(word, end, after_dot), end);
    Note(absl::string_view());
    return true;
  }

  absl::string_view NameClass(absl::string_view, size_t end, bool after_dot) const {
    const auto context = language_.after.find(last_word_);
    if (!last_word_.empty() && context != language_.after.end()) return context->second;
    if (after_dot && !language_.after_dot.empty()) return language_.after_dot;
    const bool is_call = s_.CharAt(s_.SkipBlanks(end)) == '(';
    if (is_call && !language_.definition_class.empty() && DefinesFunction(end)) return language_.definition_class;
    if (is_call && !language_.call_class.empty()) return language_.call_class;
    return language_.name_class;
  }

  // "name(...) {" or "name(...) const {": looks a bounded way ahead.
  bool DefinesFunction(size_t end) const {
    constexpr size_t kLookMax = 400;
    int depth = 0;
    const size_t begin = s_.SkipBlanks(end);
    for (size_t i = begin; i < s_.code().size() && i < begin + kLookMax; ++i) {
      const char c = s_.CharAt(i);
      if (c == '(') ++depth;
      if (c == ';' && depth == 0) return false;
      if (c == ')' && --depth == 0) {
        size_t next = i + 1;
        while (IsBlank(s_.CharAt(next))) ++next;
        return s_.CharAt(next) == '{';
      }
    }
    return false;
  }

  bool Regex() {
    if (!language_.regexes || s_.Peek() != '/' || operand_before_) return false;
    bool in_class = false;
    for (size_t i = s_.at() + 1; i < s_.LineEnd(); ++i) {
      const char c = s_.CharAt(i);
      if (c == '\\') {
        ++i;
      } else if (c == '[') {
        in_class = true;
      } else if (c == ']') {
        in_class = false;
      } else if (c == '/' && !in_class) {
        s_.EmitTo("sr", s_.WordEnd(i + 1));
        Note(absl::string_view());
        return true;
      }
    }
    return false;
  }

  void Symbol() {
    const char c = s_.Peek();
    const bool is_operator = language_.operators.find(c) != absl::string_view::npos;
    const bool is_punctuation = language_.punctuation.find(c) != absl::string_view::npos;
    s_.Emit(is_punctuation ? "p" : is_operator ? "o" : "err", 1);
    operand_before_ = c == ')' || c == ']' || c == '}';
    if (c != '.' && c != ':' && c != '*' && c != '&') last_word_ = absl::string_view();
  }

  const Language& language_;
  Scanner& s_;
  absl::string_view last_word_;  // The last keyword, if nothing came since.
  bool operand_before_ = false;
};

}  // namespace

void LexCode(const Language& language, Scanner& scanner) { CodeLexer(language, scanner).Run(); }

}  // namespace ssg::highlight

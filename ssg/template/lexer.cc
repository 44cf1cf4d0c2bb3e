// tidy: long-file: one automaton.
#include "ssg/template/lexer.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

constexpr size_t kNone = absl::string_view::npos;

enum class Opening { kComment, kBlock, kVariable, kLineStatement, kLineComment, kRaw };

bool IsDigitChar(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  Lexer(absl::string_view source, const Syntax& syntax, Arena& arena, std::vector<Token>& tokens, SyntaxError& error)
      : source_(source), syntax_(syntax), arena_(arena), tokens_(tokens), error_(error) {
    openings_ = {{syntax.comment_start, Opening::kComment},
                 {syntax.block_start, Opening::kBlock},
                 {syntax.variable_start, Opening::kVariable}};
    if (!syntax.line_statement_prefix.empty()) {
      openings_.emplace_back(syntax.line_statement_prefix, Opening::kLineStatement);
    }
    if (!syntax.line_comment_prefix.empty()) {
      openings_.emplace_back(syntax.line_comment_prefix, Opening::kLineComment);
    }
    std::stable_sort(openings_.begin(), openings_.end(),
                     [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
    for (const auto& opening : openings_) first_chars_ += opening.first[0];
    if (!syntax.line_statement_prefix.empty() || !syntax.line_comment_prefix.empty()) {
      first_chars_ += absl::StrCat("\n\t\v ");
    }
  }

  bool Run() {
    while (at_ < source_.size()) {
      if (!LexRoot()) return false;
    }
    Add(TokenKind::kEnd, absl::string_view(), source_.size());
    return true;
  }

 private:
  struct Match {
    Opening opening = Opening::kComment;
    size_t size = 0;  // Of the opening delimiter with its sign.
    char sign = 0;    // '-', '+' or 0.
  };

  bool Fail(size_t offset, std::string message) {
    error_.message = std::move(message);
    error_.offset = offset;
    return false;
  }

  void Add(TokenKind kind, absl::string_view text, size_t offset) {
    tokens_.push_back(Token{kind, text, static_cast<uint32_t>(offset)});
  }

  bool At(absl::string_view text, size_t offset) const { return source_.substr(offset, text.size()) == text; }

  size_t SkipSpace(size_t offset) const {
    while (offset < source_.size()) {
      const CodePoint point = Decode(source_.substr(offset));
      if (!IsSpace(point.value)) break;
      offset += point.size;
    }
    return offset;
  }

  bool AtLineStart(size_t offset) const { return offset == 0 || source_[offset - 1] == '\n'; }

  // The opening delimiter at `offset`, if one begins there.
  bool MatchOpening(size_t offset, Match& match) const {
    if (MatchRaw(offset, match)) return true;
    for (const auto& [text, opening] : openings_) {
      size_t size = 0;
      if (opening == Opening::kLineStatement) {
        if (!AtLineStart(offset)) continue;
        size_t begin = offset;
        while (begin < source_.size() && absl::StrContains(" \t\v", source_[begin])) ++begin;
        if (!At(text, begin)) continue;
        size = begin - offset + text.size();
      } else if (opening == Opening::kLineComment) {
        size = MatchLineComment(offset, text);
        if (size == 0) continue;
      } else {
        if (!At(text, offset)) continue;
        size = text.size();
      }
      match = Match{opening, size, 0};
      const size_t after = offset + size;
      if (after < source_.size() && (source_[after] == '-' || source_[after] == '+')) {
        match.sign = source_[after];
        ++match.size;
      }
      return true;
    }
    return false;
  }

  // "(?:^|(?<=\S))[^\S\r\n]*" before the prefix.
  size_t MatchLineComment(size_t offset, absl::string_view prefix) const {
    if (!AtLineStart(offset) && absl::ascii_isspace(static_cast<unsigned char>(source_[offset - 1]))) {
      return 0;
    }
    size_t begin = offset;
    while (begin < source_.size() && absl::StrContains(" \t\v\f", source_[begin])) ++begin;
    return At(prefix, begin) ? begin - offset + prefix.size() : 0;
  }

  // "{%- raw -%}" as one opening.
  bool MatchRaw(size_t offset, Match& match) const {
    if (!At(syntax_.block_start, offset)) return false;
    size_t at = offset + syntax_.block_start.size();
    char sign = 0;
    if (at < source_.size() && (source_[at] == '-' || source_[at] == '+')) sign = source_[at++];
    at = SkipSpace(at);
    if (!At("raw", at)) return false;
    at = SkipSpace(at + 3);
    if (at < source_.size() && source_[at] == '-' && At(syntax_.block_end, at + 1)) {
      at = SkipSpace(at + 1 + syntax_.block_end.size());
    } else if (At(syntax_.block_end, at)) {
      at += syntax_.block_end.size();
    } else {
      return false;
    }
    match = Match{Opening::kRaw, at - offset, sign};
    return true;
  }

  // `text` begins at `begin`; what stays of it before a tag with `sign`.
  absl::string_view StripBefore(absl::string_view text, char sign, bool is_variable) const {
    if (sign == '-') return StripSpace(text, Side::kRight);
    if (sign == '+' || !syntax_.lstrip_blocks || is_variable) return text;
    const size_t newline = text.rfind('\n');
    const size_t line = newline == kNone ? 0 : newline + 1;
    if (line == 0 && !line_starting_) return text;
    const absl::string_view indent = text.substr(line);
    return !indent.empty() && StripSpace(indent).empty() ? text.substr(0, line) : text;
  }

  void AddData(absl::string_view text, size_t offset) {
    if (text.empty()) return;
    if (syntax_.newline_sequence != "\n") {
      text = arena_.Copy(absl::StrReplaceAll(text, {{"\n", syntax_.newline_sequence}}));
    }
    Add(TokenKind::kData, text, offset);
  }

  bool LexRoot() {
    const size_t begin = at_;
    Match match;
    size_t offset = begin;
    while (true) {
      offset = source_.find_first_of(first_chars_, offset);
      if (offset == kNone) break;
      if (MatchOpening(offset, match)) break;
      ++offset;
    }
    // A line statement may begin at the very start, where no newline shows it.
    if (!syntax_.line_statement_prefix.empty() || !syntax_.line_comment_prefix.empty()) {
      Match first;
      if ((offset == kNone || offset > begin) && MatchOpening(begin, first)) {
        match = first;
        offset = begin;
      }
    }
    if (offset == kNone) {
      AddData(source_.substr(begin), begin);
      at_ = source_.size();
      return true;
    }
    const absl::string_view text =
        StripBefore(source_.substr(begin, offset - begin), match.sign, match.opening == Opening::kVariable);
    AddData(text, begin);
    at_ = offset + match.size;
    line_starting_ = at_ > 0 && source_[at_ - 1] == '\n';
    switch (match.opening) {
      case Opening::kRaw:
        return LexRaw(offset);
      case Opening::kComment:
        return LexComment(offset);
      case Opening::kLineComment:
        at_ = std::min(source_.find('\n', at_), source_.size());
        line_starting_ = false;
        return true;
      case Opening::kVariable:
        Add(TokenKind::kVariableBegin, absl::string_view(), offset);
        return LexTag(match.opening, offset);
      default:
        Add(TokenKind::kBlockBegin, absl::string_view(), offset);
        return LexTag(match.opening, offset);
    }
  }

  // The size of a closing delimiter `text` at `offset` with its sign and the
  // whitespace it takes along; 0 when there is none.
  size_t MatchClosing(absl::string_view text, size_t offset, bool plus_allowed, bool trims) const {
    const bool minus = offset < source_.size() && source_[offset] == '-';
    const bool plus = plus_allowed && offset < source_.size() && source_[offset] == '+';
    if (plus && At(text, offset + 1)) return 1 + text.size();
    if (minus && At(text, offset + 1)) return SkipSpace(offset + 1 + text.size()) - offset;
    if (!At(text, offset)) return 0;
    const size_t end = offset + text.size();
    const bool newline = trims && end < source_.size() && source_[end] == '\n';
    return text.size() + (newline ? 1 : 0);
  }

  void Close(size_t end) {
    line_starting_ = end > 0 && source_[end - 1] == '\n';
    at_ = end;
  }

  bool LexComment(size_t opened) {
    for (size_t offset = at_; offset < source_.size(); ++offset) {
      if (const size_t size = MatchClosing(syntax_.comment_end, offset, true, syntax_.trim_blocks)) {
        Close(offset + size);
        return true;
      }
    }
    return Fail(opened, "Missing end of comment tag");
  }

  bool LexRaw(size_t opened) {
    const size_t begin = at_;
    for (size_t offset = source_.find(syntax_.block_start, at_); offset != kNone;
         offset = source_.find(syntax_.block_start, offset + 1)) {
      size_t at = offset + syntax_.block_start.size();
      char sign = 0;
      if (at < source_.size() && (source_[at] == '-' || source_[at] == '+')) sign = source_[at++];
      at = SkipSpace(at);
      if (!At("endraw", at)) continue;
      at = SkipSpace(at + 6);
      const size_t size = MatchClosing(syntax_.block_end, at, true, syntax_.trim_blocks);
      if (size == 0) continue;
      AddData(StripBefore(source_.substr(begin, offset - begin), sign, false), begin);
      Close(at + size);
      return true;
    }
    return Fail(opened, "Missing end of raw directive");
  }

  // Ends the tag if its closing delimiter is here.
  bool TagEnds(Opening opening) {
    if (opening == Opening::kLineStatement) {
      const size_t end = SkipSpace(at_);
      const absl::string_view space = source_.substr(at_, end - at_);
      const size_t newline = space.rfind('\n');
      if (newline == kNone && end < source_.size()) return false;
      Add(TokenKind::kBlockEnd, absl::string_view(), at_);
      Close(newline == kNone ? end : at_ + newline + 1);
      return true;
    }
    const bool is_block = opening == Opening::kBlock;
    const size_t size = MatchClosing(is_block ? syntax_.block_end : syntax_.variable_end, at_, is_block,
                                     is_block && syntax_.trim_blocks);
    if (size == 0) return false;
    Add(is_block ? TokenKind::kBlockEnd : TokenKind::kVariableEnd, absl::string_view(), at_);
    Close(at_ + size);
    return true;
  }

  bool LexTag(Opening opening, size_t opened) {
    std::string closers;  // The brackets still open, as what closes them.
    while (true) {
      if (closers.empty() && TagEnds(opening)) return true;
      at_ = SkipSpace(at_);
      if (closers.empty() && TagEnds(opening)) return true;
      if (at_ >= source_.size()) {
        if (opening == Opening::kLineStatement && closers.empty()) {
          Add(TokenKind::kBlockEnd, absl::string_view(), at_);
          return true;
        }
        // The parser says what is missing; it knows more.
        unclosed_ = opened;
        return true;
      }
      if (!LexToken(closers)) return false;
    }
  }

  bool LexToken(std::string& closers) {
    const size_t begin = at_;
    const char c = source_[begin];
    if (IsDigitChar(c)) return LexNumber();
    const CodePoint point = Decode(source_.substr(begin));
    if (IsIdentifierStart(point.value)) {
      while (at_ < source_.size()) {
        const CodePoint next = Decode(source_.substr(at_));
        if (!IsIdentifierPart(next.value)) break;
        at_ += next.size;
      }
      Add(TokenKind::kName, source_.substr(begin, at_ - begin), begin);
      return true;
    }
    if (c == '\'' || c == '"') return LexString(c);
    static constexpr absl::string_view kOperators[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                       "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                       ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
    for (absl::string_view op : kOperators) {
      if (!At(op, begin)) continue;
      if (op == "(") closers += ')';
      if (op == "[") closers += ']';
      if (op == "{") closers += '}';
      if (op == ")" || op == "]" || op == "}") {
        if (closers.empty()) return Fail(begin, absl::StrCat("unexpected '", op, "'"));
        if (closers.back() != op[0]) {
          return Fail(begin, absl::StrCat("unexpected '", op, "', expected '", std::string(1, closers.back()), "'"));
        }
        closers.pop_back();
      }
      at_ += op.size();
      Add(TokenKind::kOperator, op, begin);
      return true;
    }
    return Fail(begin, absl::StrCat("unexpected char '", source_.substr(begin, point.size), "'"));
  }

  // Digits with single underscores between them, from `at`; where they end.
  size_t SkipDigits(size_t at, bool (*is_digit)(char), bool underscore_first = false) const {
    size_t end = at;
    while (at < source_.size()) {
      if (is_digit(source_[at])) {
        end = ++at;
      } else if (source_[at] == '_' && (end == at) && (at > 0) && (underscore_first || is_digit(source_[at - 1])) &&
                 at + 1 < source_.size() && is_digit(source_[at + 1])) {
        ++at;
      } else {
        break;
      }
      underscore_first = false;
    }
    return end;
  }

  // Where the float that begins here ends; `at_` if it is none.
  size_t FloatEnd() const {
    if (at_ > 0 && source_[at_ - 1] == '.') return at_;
    const size_t whole = SkipDigits(at_, IsDigitChar);
    size_t end = whole;
    bool is_float = false;
    if (whole + 1 < source_.size() && source_[whole] == '.' && IsDigitChar(source_[whole + 1])) {
      end = SkipDigits(whole + 1, IsDigitChar);
      is_float = true;
    }
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      size_t exponent = end + 1;
      if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-')) {
        ++exponent;
      }
      const size_t exponent_end = SkipDigits(exponent, IsDigitChar);
      if (exponent_end > exponent) {
        end = exponent_end;
        is_float = true;
      }
    }
    return is_float ? end : at_;
  }

  bool LexNumber() {
    const size_t begin = at_;
    size_t end = FloatEnd();
    const bool is_float = end > begin;
    if (!is_float) {
      const char prefix = source_[begin] == '0' && begin + 1 < source_.size() ? source_[begin + 1] : 0;
      const auto is_binary = [](char c) { return c == '0' || c == '1'; };
      const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
      const auto is_hex = [](char c) { return absl::ascii_isxdigit(static_cast<uint8_t>(c)); };
      const auto is_zero = [](char c) { return c == '0'; };
      if (prefix == 'b' || prefix == 'B') end = SkipDigits(begin + 2, is_binary, true);
      if (prefix == 'o' || prefix == 'O') end = SkipDigits(begin + 2, is_octal, true);
      if (prefix == 'x' || prefix == 'X') end = SkipDigits(begin + 2, is_hex, true);
      if (end <= begin + 2) {
        end = source_[begin] == '0' ? SkipDigits(begin, is_zero) : SkipDigits(begin, IsDigitChar);
      }
    }
    std::string digits(source_.substr(begin, end - begin));
    digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
    Add(is_float ? TokenKind::kFloat : TokenKind::kInteger, arena_.Copy(digits), begin);
    at_ = end;
    return true;
  }

  bool LexString(char quote) {
    const size_t begin = at_;
    size_t end = begin + 1;
    bool escaped = false;
    while (end < source_.size() && source_[end] != quote) {
      if (source_[end] == '\\') {
        escaped = true;
        ++end;
      }
      ++end;
    }
    if (end >= source_.size()) {
      return Fail(begin,
                  absl::StrCat("unexpected char ", quote == '"' ? "'\"'" : "\"'\"", ": the string does not end"));
    }
    absl::string_view text = source_.substr(begin + 1, end - begin - 1);
    at_ = end + 1;
    if (escaped && !Unescape(text, begin + 1)) return false;
    if (syntax_.newline_sequence != "\n" && text.find('\n') != kNone) {
      text = arena_.Copy(absl::StrReplaceAll(text, {{"\n", syntax_.newline_sequence}}));
    }
    Add(TokenKind::kString, text, begin);
    return true;
  }

  // Python's "unicode-escape" codec.
  bool Unescape(absl::string_view& text, size_t offset) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\' || i + 1 >= text.size()) {
        out += text[i];
        continue;
      }
      static constexpr absl::string_view kFrom = "\\'\"abfnrtv";
      static constexpr absl::string_view kTo = "\\'\"\a\b\f\n\r\t\v";
      const char c = text[++i];
      const size_t simple = kFrom.find(c);
      if (c == '\n') continue;
      if (simple != kNone) {
        out += kTo[simple];
      } else if (c >= '0' && c <= '7') {
        int32_t code = 0;
        size_t digits = 0;
        for (; digits < 3 && i + digits < text.size() && text[i + digits] >= '0' && text[i + digits] <= '7'; ++digits) {
          code = code * 8 + (text[i + digits] - '0');
        }
        i += digits - 1;
        AppendCodePoint(code, out);
      } else if (c == 'x' || c == 'u' || c == 'U') {
        const size_t count = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        const absl::string_view hex = text.substr(i + 1, count);
        uint64_t code = 0;
        if (hex.size() < count || !std::all_of(hex.begin(), hex.end(),
                                               [](char h) { return absl::ascii_isxdigit(static_cast<uint8_t>(h)); })) {
          return Fail(offset + i - 1, absl::StrCat("truncated \\", std::string(1, c), " escape"));
        }
        for (char h : hex) {
          code = code * 16 + (IsDigitChar(h) ? h - '0' : absl::ascii_tolower(h) - 'a' + 10);
        }
        if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
          return Fail(offset + i - 1, "illegal Unicode character");
        }
        AppendCodePoint(static_cast<int32_t>(code), out);
        i += count;
      } else if (c == 'N') {
        return Fail(offset + i - 1, "\\N escapes are not supported");
      } else {
        out += '\\';
        out += c;
      }
    }
    text = arena_.Copy(out);
    return true;
  }

  const absl::string_view source_;
  const Syntax& syntax_;
  Arena& arena_;
  std::vector<Token>& tokens_;
  SyntaxError& error_;
  std::vector<std::pair<absl::string_view, Opening>> openings_;
  std::string first_chars_;
  size_t at_ = 0;
  size_t unclosed_ = 0;
  bool line_starting_ = true;
};

}  // namespace

std::string NormalizeSource(absl::string_view source, const Syntax& syntax) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
      out += '\n';
    } else {
      out += source[i];
    }
  }
  if (!syntax.keep_trailing_newline && !out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

bool Tokenize(absl::string_view source, const Syntax& syntax, Arena& arena, std::vector<Token>& tokens,
              SyntaxError& error) {
  return Lexer(source, syntax, arena, tokens, error).Run();
}

}  // namespace ssg::tmpl

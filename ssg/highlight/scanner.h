// A Scanner walks over code and collects tokens; the lexers of all languages are written against it.
//
// Every lexer advances at each step, so that lexing is linear.
// Threads: thread-compatible.
#ifndef SSG_HIGHLIGHT_SCANNER_H_
#define SSG_HIGHLIGHT_SCANNER_H_

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/highlight/highlight.h"

namespace ssg::highlight {

inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsHexDigit(char c) { return IsDigit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f'); }
inline bool IsWordStart(char c) { return ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' || (c & 0x80) != 0; }
inline bool IsWord(char c) { return IsWordStart(c) || IsDigit(c); }
inline bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

class Scanner {
 public:
  explicit Scanner(absl::string_view code) : code_(code) {}

  bool done() const { return at_ >= code_.size(); }
  size_t at() const { return at_; }
  absl::string_view code() const { return code_; }
  char Peek(size_t ahead = 0) const { return at_ + ahead < code_.size() ? code_[at_ + ahead] : '\0'; }
  char Before() const { return at_ > 0 ? code_[at_ - 1] : '\n'; }
  bool Starts(absl::string_view text) const { return code_.substr(at_, text.size()) == text; }
  bool AtLineStart() const { return Before() == '\n'; }
  // [begin, end), cut to what there is.
  absl::string_view Slice(size_t begin, size_t end) const {
    begin = std::min(begin, code_.size());
    return code_.substr(begin, std::max(std::min(end, code_.size()), begin) - begin);
  }
  absl::string_view Rest() const { return code_.substr(at_); }
  // The end of the line, its newline excluded.
  size_t LineEnd() const { return std::min(code_.find('\n', at_), code_.size()); }
  // Only blanks between the line's begin and here.
  bool OnlyBlanksBefore() const {
    size_t i = at_;
    while (i > 0 && (code_[i - 1] == ' ' || code_[i - 1] == '\t')) --i;
    return i == 0 || code_[i - 1] == '\n';
  }
  size_t SkipBlanks(size_t from) const {
    while (from < code_.size() && (code_[from] == ' ' || code_[from] == '\t')) ++from;
    return from;
  }
  char CharAt(size_t index) const { return index < code_.size() ? code_[index] : '\0'; }
  size_t WordEnd(size_t from) const {
    while (from < code_.size() && IsWord(code_[from])) ++from;
    return from;
  }

  void Emit(absl::string_view css_class, size_t size) { EmitTo(css_class, at_ + size); }
  void EmitTo(absl::string_view css_class, size_t end) {
    end = std::min(end, code_.size());
    if (end <= at_) return;
    if (!tokens_.empty() && tokens_.back().css_class == css_class) {
      tokens_.back().text = absl::string_view(tokens_.back().text.data(), tokens_.back().text.size() + (end - at_));
    } else {
      tokens_.push_back(Token{code_.substr(at_, end - at_), css_class});
    }
    at_ = end;
  }
  // Blanks here, if any, as plain text.
  bool TakeBlanks() {
    size_t end = at_;
    while (end < code_.size() && IsBlank(code_[end])) ++end;
    if (end == at_) return false;
    EmitTo("", end);
    return true;
  }

  void TakeNewline() {
    if (Peek() == '\n') Emit("", 1);
  }

  std::vector<Token> Take() { return std::move(tokens_); }

 private:
  const absl::string_view code_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace ssg::highlight

#endif  // SSG_HIGHLIGHT_SCANNER_H_

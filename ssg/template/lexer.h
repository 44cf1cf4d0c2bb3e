// Splits template source into tokens, with whitespace control applied.
//
// The rules, including their order, are those of Jinja2's lexer: delimiters
// are tried longest first, `-` and `+` beside them, trim_blocks, lstrip_blocks,
// raw blocks, comments, line statements and line comments.
// Threads: no state.
#ifndef SSG_TEMPLATE_LEXER_H_
#define SSG_TEMPLATE_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ssg/template/environment.h"

namespace ssg::tmpl {

enum class TokenKind : uint8_t {
  kData,
  kVariableBegin,
  kVariableEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  // The text that the parser wants: data and strings are already decoded.
  absl::string_view text;
  uint32_t offset = 0;  // Of its first byte in the source.

  bool Is(absl::string_view op) const { return kind == TokenKind::kOperator && text == op; }
  bool IsName(absl::string_view name) const { return kind == TokenKind::kName && text == name; }
};

// Line ends become '\n'; without keep_trailing_newline the last one goes.
std::string NormalizeSource(absl::string_view source, const Syntax& syntax);

// A failure at a byte of the source.
struct SyntaxError {
  std::string message;
  size_t offset = 0;
  std::string hint;
};

// Token texts point into `source` (normalised) or `arena`. False on failure,
// which `error` then describes. The last token is kEnd.
bool Tokenize(absl::string_view source, const Syntax& syntax, Arena& arena, std::vector<Token>& tokens,
              SyntaxError& error);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_LEXER_H_

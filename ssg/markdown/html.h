// Escaping for HTML text, attributes and URLs, and HTML5's named characters.
//
// Everything appends to a string that the caller owns, in one scan.
// Threads: no state.
#ifndef SSG_MARKDOWN_HTML_H_
#define SSG_MARKDOWN_HTML_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace ssg {

// `text` with & < > " replaced by references: fit for text and quoted attributes.
void AppendHtmlEscaped(absl::string_view text, std::string* out);

// `url` with every byte that may not stand in a URL percent-encoded (existing
// %xx are kept), then escaped for an attribute.
void AppendUrlEscaped(absl::string_view url, std::string* out);

// The UTF-8 of `code_point`, U+FFFD for zero, surrogates and what lies beyond Unicode.
void AppendUtf8(uint32_t code_point, std::string* out);

// The characters that `reference` ("&copy;", "&#233;", "&#xE9;") stands for. False
// if there are none; then nothing is appended.
bool AppendDecodedEntity(absl::string_view reference, std::string* out);

// `html` without tags and with references decoded; for feeds and descriptions.
std::string HtmlToText(absl::string_view html);

}  // namespace ssg

#endif  // SSG_MARKDOWN_HTML_H_

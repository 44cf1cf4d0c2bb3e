// Splits a Markdown source into plain Markdown and the blocks that CommonMark
// does not have: directives, admonitions, footnotes and definition lists.
//
//   :::note Title          !!! note "Title"       [^id]: text      Term
//   body                       body                   more         : definition
//   :::
//
// Shape:   segments in source order; those of plain Markdown are views of the source.
//          Fenced code and HTML comments are never split. A block starts at most
//          three blanks in.
// Errors:  InvalidArgument  a directive without end; the message starts with its line
// Threads: no state.
#ifndef SSG_MARKDOWN_SEGMENTS_H_
#define SSG_MARKDOWN_SEGMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ssg {

// A dedented piece of Markdown and the line it began on (1 = the source's first).
struct MarkdownPiece {
  std::string text;
  uint32_t line = 1;
};

struct DefinitionGroup {
  std::vector<MarkdownPiece> terms;
  std::vector<MarkdownPiece> definitions;
};

struct Segment {
  enum class Kind { kMarkdown, kDirective, kFootnote, kDefinitionList };

  Kind kind = Kind::kMarkdown;
  uint32_t line = 1;
  absl::string_view markdown;           // kMarkdown
  std::string name;                     // directive's name, footnote's label
  std::string argument;                 // the rest of a directive's first line
  bool collapsible = false;             // "???" admonitions
  MarkdownPiece body;                   // kDirective, kFootnote
  std::vector<DefinitionGroup> groups;  // kDefinitionList
};

// False if the whole source is plain Markdown; one cheap scan.
bool HasSegments(absl::string_view source);

absl::StatusOr<std::vector<Segment>> SplitSegments(absl::string_view source);

// The lines of `source` that look like link reference definitions, in order.
std::string CollectReferenceDefinitions(absl::string_view source);

}  // namespace ssg

#endif  // SSG_MARKDOWN_SEGMENTS_H_

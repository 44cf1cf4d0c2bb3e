#include "ssg/markdown/segments.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace ssg {
namespace {

constexpr size_t kIndentMax = 3;

bool IsBlank(absl::string_view line) { return line.find_first_not_of(" \t\r") == absl::string_view::npos; }

size_t Indent(absl::string_view line) {
  size_t columns = 0;
  for (const char c : line) {
    if (c == ' ') {
      ++columns;
    } else if (c == '\t') {
      columns += 4 - columns % 4;
    } else {
      break;
    }
  }
  return columns;
}

// `line` without up to `columns` columns of blanks.
absl::string_view Dedent(absl::string_view line, size_t columns) {
  size_t at = 0;
  for (size_t column = 0; at < line.size() && column < columns; ++at) {
    if (line[at] == ' ') {
      ++column;
    } else if (line[at] == '\t') {
      column += 4 - column % 4;
    } else {
      break;
    }
  }
  return line.substr(at);
}

size_t CountLeading(absl::string_view text, char c) {
  const size_t end = text.find_first_not_of(c);
  return end == absl::string_view::npos ? text.size() : end;
}

// Follows fences and comments, so that nothing inside them is taken for a block.
class VerbatimTracker {
 public:
  // Whether `line` is inside (or opens, or closes) something verbatim.
  bool Consume(absl::string_view line) {
    if (comment_) {
      comment_ = !absl::StrContains(line, "-->");
      return true;
    }
    if (Indent(line) > kIndentMax) return fence_size_ != 0;
    const absl::string_view text = absl::StripLeadingAsciiWhitespace(line);
    if (fence_size_ != 0) {
      const size_t size = CountLeading(text, fence_);
      if (size >= fence_size_ && IsBlank(text.substr(size))) fence_size_ = 0;
      return true;
    }
    if (absl::StartsWith(text, "<!--")) {
      comment_ = !absl::StrContains(text, "-->");
      return true;
    }
    if (text.empty() || (text[0] != '`' && text[0] != '~')) return false;
    const size_t size = CountLeading(text, text[0]);
    if (size < 3 || (text[0] == '`' && absl::StrContains(text.substr(size), '`'))) return false;
    fence_ = text[0];
    fence_size_ = size;
    return true;
  }

 private:
  char fence_ = 0;
  size_t fence_size_ = 0;
  bool comment_ = false;
};

bool IsNameByte(char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '/' || c == '.'; }

// "{note} Title", "note Title", "note[Title]", "note{open=1}" after the colons.
bool ParseDirectiveHead(absl::string_view text, Segment* segment) {
  text = absl::StripAsciiWhitespace(text);
  const bool braced = absl::ConsumePrefix(&text, "{");
  size_t size = 0;
  while (size < text.size() && IsNameByte(text[size])) ++size;
  if (size == 0) return false;
  segment->name = std::string(text.substr(0, size));
  text.remove_prefix(size);
  if (braced && !absl::ConsumePrefix(&text, "}")) return false;
  if (!text.empty() && !absl::ascii_isspace(text[0]) && text[0] != '[' && text[0] != '{') return false;
  segment->argument = std::string(absl::StripAsciiWhitespace(text));
  return true;
}

// `!!! note "Title"`, `???+ note`.
bool ParseAdmonitionHead(absl::string_view line, Segment* segment) {
  if (!absl::ConsumePrefix(&line, "!!!")) {
    if (!absl::ConsumePrefix(&line, "???")) return false;
    segment->collapsible = true;
    absl::ConsumePrefix(&line, "+");
  }
  return !line.empty() && line[0] == ' ' && ParseDirectiveHead(line, segment);
}

// "[^label]: rest"; the view after the colon goes to `rest`.
bool ParseFootnoteHead(absl::string_view line, std::string* label, absl::string_view* rest) {
  line = absl::StripLeadingAsciiWhitespace(line);
  if (!absl::ConsumePrefix(&line, "[^")) return false;
  const size_t close = line.find("]:");
  if (close == absl::string_view::npos || close == 0 || close > 200) return false;
  *label = std::string(line.substr(0, close));
  if (absl::StrContains(*label, ' ') || absl::StrContains(*label, ']')) return false;
  *rest = line.substr(close + 2);
  return true;
}

bool IsDefinition(absl::string_view line) {
  return Indent(line) <= kIndentMax && [&] {
    const absl::string_view text = absl::StripLeadingAsciiWhitespace(line);
    return text.size() > 2 && text[0] == ':' && (text[1] == ' ' || text[1] == '\t') && !IsBlank(text.substr(2));
  }();
}

class Splitter {
 public:
  explicit Splitter(absl::string_view source) : source_(source) {
    for (size_t at = 0; at <= source.size();) {
      size_t end = source.find('\n', at);
      if (end == absl::string_view::npos) end = source.size();
      lines_.push_back(source.substr(at, end - at));
      at = end + 1;
    }
  }

  absl::StatusOr<std::vector<Segment>> Run() {
    while (index_ < lines_.size()) {
      const absl::string_view line = lines_[index_];
      if (verbatim_.Consume(line) || line.empty() || Indent(line) > kIndentMax) {
        ++index_;
        continue;
      }
      Segment segment;
      segment.line = static_cast<uint32_t>(index_ + 1);
      const absl::string_view text = absl::StripLeadingAsciiWhitespace(line);
      absl::string_view rest;
      if (absl::StartsWith(text, ":::") && ParseDirectiveHead(text.substr(CountLeading(text, ':')), &segment)) {
        if (absl::Status status = TakeDirective(CountLeading(text, ':'), std::move(segment)); !status.ok()) {
          return status;
        }
      } else if (ParseAdmonitionHead(text, &segment)) {
        EndMarkdown(index_);
        segment.kind = Segment::Kind::kDirective;
        TakeIndented(&segment.body, "", 4, /*lazy=*/false);
        Push(std::move(segment));
      } else if (ParseFootnoteHead(line, &segment.name, &rest)) {
        EndMarkdown(index_);
        segment.kind = Segment::Kind::kFootnote;
        TakeIndented(&segment.body, rest, 4, /*lazy=*/true);
        Push(std::move(segment));
      } else if (!IsDefinition(line) || !TakeDefinitionList()) {
        ++index_;
      }
    }
    EndMarkdown(lines_.size());
    return std::move(segments_);
  }

 private:
  // Ends the plain Markdown before line `end`.
  void EndMarkdown(size_t end) {
    if (markdown_begin_ < end) {
      Segment segment;
      segment.line = static_cast<uint32_t>(markdown_begin_ + 1);
      const char* begin = lines_[markdown_begin_].data();
      const char* stop = lines_[end - 1].data() + lines_[end - 1].size();
      if (stop < source_.data() + source_.size()) ++stop;  // its newline
      segment.markdown = absl::string_view(begin, stop - begin);
      if (!IsBlankText(segment.markdown)) segments_.push_back(std::move(segment));
    }
    markdown_begin_ = end;
  }

  static bool IsBlankText(absl::string_view text) {
    return text.find_first_not_of(" \t\r\n") == absl::string_view::npos;
  }

  void Push(Segment segment) {
    segments_.push_back(std::move(segment));
    markdown_begin_ = index_;
  }

  absl::Status TakeDirective(size_t colons, Segment segment) {
    EndMarkdown(index_);
    segment.kind = Segment::Kind::kDirective;
    segment.body.line = segment.line + 1;
    std::vector<size_t> open = {colons};
    VerbatimTracker verbatim;
    for (++index_; index_ < lines_.size(); ++index_) {
      const absl::string_view line = lines_[index_];
      const absl::string_view text = absl::StripLeadingAsciiWhitespace(line);
      if (!verbatim.Consume(line) && absl::StartsWith(text, ":::")) {
        const size_t size = CountLeading(text, ':');
        Segment inner;
        if (IsBlank(text.substr(size))) {
          // The innermost open directive with as many colons ends; what was
          // opened inside it and not closed ends with it.
          const auto found = std::find(open.rbegin(), open.rend(), size);
          if (found != open.rend()) open.erase(std::prev(found.base()), open.end());
          if (open.empty()) break;
        } else if (ParseDirectiveHead(text.substr(size), &inner)) {
          open.push_back(size);
        }
      }
      absl::StrAppend(&segment.body.text, line, "\n");
    }
    if (index_ == lines_.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(segment.line, ": directive \"", segment.name, "\" has no end (\":::\")"));
    }
    ++index_;
    Push(std::move(segment));
    return absl::OkStatus();
  }

  // The body that starts with `first` on the current line and goes on in lines
  // indented by `columns`; `lazy`: also in unindented lines of the same paragraph.
  void TakeIndented(MarkdownPiece* body, absl::string_view first, size_t columns, bool lazy) {
    body->line = static_cast<uint32_t>(index_ + 1);
    absl::StrAppend(&body->text, absl::StripLeadingAsciiWhitespace(first), "\n");
    size_t kept = body->text.size();
    size_t end = index_ + 1;
    bool paragraph = !IsBlank(first);
    std::string label;
    absl::string_view rest;
    for (size_t i = end; i < lines_.size(); ++i) {
      const absl::string_view line = lines_[i];
      if (IsBlank(line)) {
        body->text.push_back('\n');
        paragraph = false;
        continue;
      }
      if (Indent(line) < columns &&
          !(lazy && paragraph && !ParseFootnoteHead(line, &label, &rest) && !IsDefinition(line))) {
        break;
      }
      absl::StrAppend(&body->text, Dedent(line, columns), "\n");
      kept = body->text.size();
      end = i + 1;
      paragraph = true;
    }
    body->text.resize(kept);
    index_ = end;
  }

  // The index of the first line of the paragraph that ends before `end`, which
  // can serve as terms; `end` if there is none.
  size_t TermsBegin(size_t end) const {
    size_t begin = end;
    while (begin > markdown_begin_ && !IsBlank(lines_[begin - 1])) {
      const absl::string_view line = lines_[begin - 1];
      const char c = line[0];
      if (absl::ascii_isspace(c) || absl::StrContains("#>|`~-+*=<", c) ||
          (absl::ascii_isdigit(c) && absl::StrContains(line, ". "))) {
        return end;
      }
      --begin;
    }
    return begin;
  }

  // At a line that starts with ": ": takes it, its terms and all that follow.
  bool TakeDefinitionList() {
    size_t terms_end = index_;
    if (terms_end > markdown_begin_ && IsBlank(lines_[terms_end - 1])) --terms_end;
    size_t terms_begin = TermsBegin(terms_end);
    if (terms_begin == terms_end) return false;
    EndMarkdown(terms_begin);
    Segment list;
    list.kind = Segment::Kind::kDefinitionList;
    list.line = static_cast<uint32_t>(terms_begin + 1);
    while (terms_begin != terms_end) {
      DefinitionGroup group;
      for (size_t i = terms_begin; i < terms_end; ++i) {
        group.terms.push_back({std::string(lines_[i]), static_cast<uint32_t>(i + 1)});
      }
      while (index_ < lines_.size() && IsDefinition(lines_[index_])) {
        MarkdownPiece piece;
        TakeIndented(&piece, absl::StripLeadingAsciiWhitespace(lines_[index_]).substr(1), 2, /*lazy=*/true);
        group.definitions.push_back(std::move(piece));
        while (index_ < lines_.size() && IsBlank(lines_[index_])) ++index_;
      }
      list.groups.push_back(std::move(group));
      terms_begin = terms_end = index_;
      FindNextTerms(&terms_begin, &terms_end);
    }
    Push(std::move(list));
    return true;
  }

  // If a paragraph followed by a definition starts at index_, its range; the
  // current line becomes the definition's.
  void FindNextTerms(size_t* begin, size_t* end) {
    size_t stop = index_;
    while (stop < lines_.size() && !IsBlank(lines_[stop]) && !IsDefinition(lines_[stop])) ++stop;
    size_t definition = stop;
    if (definition < lines_.size() && IsBlank(lines_[definition])) ++definition;
    if (stop == index_ || definition >= lines_.size() || !IsDefinition(lines_[definition])) return;
    markdown_begin_ = index_;
    if (TermsBegin(stop) != index_) return;
    *begin = index_;
    *end = stop;
    index_ = definition;
  }

  const absl::string_view source_;
  std::vector<absl::string_view> lines_;
  std::vector<Segment> segments_;
  VerbatimTracker verbatim_;
  size_t index_ = 0;
  size_t markdown_begin_ = 0;
};

}  // namespace

bool HasSegments(absl::string_view source) {
  for (size_t at = 0; at < source.size();) {
    size_t text = at;
    while (text < source.size() && text - at < 4 && source[text] == ' ') ++text;
    const absl::string_view line = source.substr(text, 4);
    if (line.size() >= 2) {
      switch (line[0]) {
        case ':':
          if (line[1] == ' ' || line[1] == '\t' || absl::StartsWith(line, ":::")) return true;
          break;
        case '[':
          if (line[1] == '^') return true;
          break;
        case '!':
          if (line == "!!! ") return true;
          break;
        case '?':
          if (absl::StartsWith(line, "???")) return true;
          break;
        default:
          break;
      }
    }
    const size_t newline = source.find('\n', text);
    if (newline == absl::string_view::npos) break;
    at = newline + 1;
  }
  return false;
}

absl::StatusOr<std::vector<Segment>> SplitSegments(absl::string_view source) { return Splitter(source).Run(); }

std::string CollectReferenceDefinitions(absl::string_view source) {
  std::string definitions;
  VerbatimTracker verbatim;
  for (size_t at = 0; at < source.size();) {
    size_t end = source.find('\n', at);
    if (end == absl::string_view::npos) end = source.size();
    const absl::string_view line = source.substr(at, end - at);
    at = end + 1;
    if (verbatim.Consume(line) || Indent(line) > kIndentMax) continue;
    const absl::string_view text = absl::StripLeadingAsciiWhitespace(line);
    if (text.size() < 4 || text[0] != '[' || text[1] == '^') continue;
    const size_t close = text.find("]:");
    if (close == absl::string_view::npos || IsBlank(text.substr(close + 2))) continue;
    absl::StrAppend(&definitions, text, "\n");
  }
  if (!definitions.empty()) definitions.push_back('\n');
  return definitions;
}

}  // namespace ssg

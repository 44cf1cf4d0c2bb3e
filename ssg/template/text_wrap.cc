#include "ssg/template/text_wrap.h"

#include <algorithm>

#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

// textwrap's own idea of whitespace: ASCII only.
bool IsBlank(int32_t code) { return code == ' ' || (code >= 9 && code <= 13); }

bool IsWordPunctuation(int32_t code) {
  return code == '_' || code == '!' || code == '"' || code == '\'' || code == '&' || code == '.' || code == ',' ||
         code == '?' || IsAlphanumeric(code);
}

bool IsLetter(int32_t code) { return code == '_' || (IsAlphanumeric(code) && !IsDecimal(code)); }

struct Points {
  std::vector<absl::string_view> texts;
  std::vector<int32_t> codes;
};

class Splitter {
 public:
  Splitter(const Points& points, bool on_hyphens) : points_(points), on_hyphens_(on_hyphens) {}

  // Runs of whitespace and of words, words cut after hyphens.
  std::vector<std::pair<size_t, size_t>> Split() {
    std::vector<std::pair<size_t, size_t>> chunks;
    size_t at = 0;
    while (at < points_.codes.size()) {
      size_t end = at;
      if (IsBlank(Code(at))) {
        while (end < points_.codes.size() && IsBlank(Code(end))) ++end;
      } else {
        end = on_hyphens_ ? WordEnd(at) : SpaceOrEnd(at);
      }
      chunks.emplace_back(at, end);
      at = end;
    }
    return chunks;
  }

 private:
  int32_t Code(size_t index) const { return index < points_.codes.size() ? points_.codes[index] : 0; }
  bool IsEnd(size_t index) const { return index >= points_.codes.size(); }

  size_t SpaceOrEnd(size_t at) const {
    while (!IsEnd(at) && !IsBlank(Code(at))) ++at;
    return at;
  }

  size_t DashesFrom(size_t at) const {
    size_t end = at;
    while (Code(end) == '-' && !IsEnd(end)) ++end;
    return end;
  }

  // "(?<=[\w!\"'&.,?])-{2,}(?=\w)": a dash between words.
  bool IsEmDash(size_t at) const {
    const size_t end = DashesFrom(at);
    return end - at >= 2 && at > 0 && IsWordPunctuation(Code(at - 1)) && !IsEnd(end) &&
           (Code(end) == '_' || IsAlphanumeric(Code(end)));
  }

  // A hyphen after a word's letters and before letters: "well-known".
  bool BreaksAfterHyphen(size_t begin, size_t end) const {
    if (Code(end - 1) != '-' || end - begin < 2) return false;
    const bool letters_before =
        (end >= 3 && IsLetter(Code(end - 2)) && IsLetter(Code(end - 3))) ||
        (end >= 4 && IsLetter(Code(end - 2)) && Code(end - 3) == '-' && IsLetter(Code(end - 4)));
    if (!letters_before) return false;
    const size_t second = Code(end + 1) == '-' ? end + 2 : end + 1;
    return IsLetter(Code(end)) && IsLetter(Code(second));
  }

  size_t WordEnd(size_t at) const {
    if (IsEmDash(at)) return DashesFrom(at);
    size_t end = at;
    while (!IsEnd(end)) {
      ++end;
      if (IsEnd(end) || IsBlank(Code(end))) return end;
      if (BreaksAfterHyphen(at, end)) return end;
      if (Code(end) == '-' && IsEmDash(end)) return end;
    }
    return end;
  }

  const Points& points_;
  const bool on_hyphens_;
};

// Fills lines with chunks from the front.
class Wrapper {
 public:
  Wrapper(const Points& points, const WrapOptions& options)
      : points_(points), options_(options), width_(static_cast<size_t>(options.width)) {}

  std::vector<std::string> Wrap(std::vector<std::pair<size_t, size_t>> chunks) {
    std::vector<std::string> lines;
    size_t next = 0;
    while (next < chunks.size()) {
      std::vector<std::pair<size_t, size_t>> line;
      size_t size = 0;
      if (!lines.empty() && IsBlankChunk(chunks[next])) ++next;
      while (next < chunks.size() && size + Size(chunks[next]) <= width_) {
        size += Size(chunks[next]);
        line.push_back(chunks[next++]);
      }
      if (next < chunks.size() && Size(chunks[next]) > width_) {
        TakeLong(chunks[next], line, size);
        if (Size(chunks[next]) == 0) ++next;
      }
      if (!line.empty() && IsBlankChunk(line.back())) line.pop_back();
      if (!line.empty()) lines.push_back(Join(line));
    }
    return lines;
  }

 private:
  static size_t Size(const std::pair<size_t, size_t>& chunk) { return chunk.second - chunk.first; }

  bool IsBlankChunk(const std::pair<size_t, size_t>& chunk) const {
    return std::all_of(points_.codes.begin() + chunk.first, points_.codes.begin() + chunk.second, IsSpace);
  }

  // A chunk longer than a line: cut it, or give it a line of its own.
  void TakeLong(std::pair<size_t, size_t>& chunk, std::vector<std::pair<size_t, size_t>>& line, size_t size) const {
    const size_t room = width_ < 1 ? 1 : width_ - size;
    if (!options_.break_long_words) {
      if (line.empty()) {
        line.push_back(chunk);
        chunk.first = chunk.second;
      }
      return;
    }
    size_t end = room;
    if (options_.break_on_hyphens && Size(chunk) > room) {
      // The last hyphen that still fits, unless only hyphens stand before it.
      for (size_t at = room; at-- > 1;) {
        if (points_.codes[chunk.first + at] != '-') continue;
        const bool only_hyphens =
            std::all_of(points_.codes.begin() + chunk.first, points_.codes.begin() + chunk.first + at,
                        [](int32_t code) { return code == '-'; });
        if (!only_hyphens) end = at + 1;
        break;
      }
    }
    line.emplace_back(chunk.first, chunk.first + end);
    chunk.first += end;
  }

  std::string Join(const std::vector<std::pair<size_t, size_t>>& line) const {
    std::string out;
    for (const auto& [begin, end] : line) {
      for (size_t i = begin; i < end; ++i) {
        out.append(points_.texts[i].data(), points_.texts[i].size());
      }
    }
    return out;
  }

  const Points& points_;
  const WrapOptions& options_;
  const size_t width_;
};

}  // namespace

std::vector<std::string> WrapText(absl::string_view text, const WrapOptions& options) {
  Points points;
  points.texts = SplitCodePoints(text);
  for (absl::string_view point : points.texts) points.codes.push_back(Decode(point).value);
  return Wrapper(points, options).Wrap(Splitter(points, options.break_on_hyphens).Split());
}

}  // namespace ssg::tmpl

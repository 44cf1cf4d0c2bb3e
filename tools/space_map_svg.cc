#include "tools/space_map_svg.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/units.h"

namespace tools {
namespace {

constexpr int kSquare = 12;  // pixels, with the gap
constexpr int kMargin = 16;
constexpr int kHead = 56;
constexpr int kBarHeight = 18;
constexpr size_t kBarsMax = 24;
constexpr int kColumnsMax = 160;

struct Kind {
  const char* type;
  const char* colour;
  const char* meaning;
};
constexpr Kind kKinds[] = {{"free", "#e8eaed", "free"},
                           {"meta", "#8e63ce", "tree pages"},
                           {"pack", "#2e8b57", "small files"},
                           {"extent", "#3b78c3", "large files"},
                           {"bad", "#c0392b", "given up"}};

const Kind& KindOf(const std::string& type) {
  for (const Kind& kind : kKinds) {
    if (type == kind.type) return kind;
  }
  return kKinds[0];
}

// One or more chunks that follow each other.
struct Square {
  size_t first = 0;
  size_t count = 0;
  std::string type;
  size_t directory = fs::SpaceMap::kNoDirectory;
  uint64_t used_bytes = 0;
  uint64_t reads = 0;
};

std::string Escaped(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default:
        // XML has no other control characters.
        out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

std::vector<Square> SquaresOf(const fs::SpaceMap& map) {
  const size_t share = std::max<size_t>(1, (map.chunks.size() + kSquaresMax - 1) / kSquaresMax);
  std::vector<Square> squares;
  for (size_t first = 0; first < map.chunks.size(); first += share) {
    Square square;
    square.first = first;
    square.count = std::min(share, map.chunks.size() - first);
    std::map<std::string, uint64_t> types;
    std::map<size_t, uint64_t> directories;
    for (size_t i = first; i < first + square.count; ++i) {
      const fs::SpaceMap::Chunk& chunk = map.chunks[i];
      square.used_bytes += chunk.used_bytes;
      square.reads += chunk.reads;
      types[chunk.type] += chunk.used_bytes + 1;
      if (chunk.directory != fs::SpaceMap::kNoDirectory) directories[chunk.directory] += chunk.used_bytes + 1;
    }
    const auto most = [](const auto& counts) {
      return std::max_element(counts.begin(), counts.end(),
                              [](const auto& a, const auto& b) { return a.second < b.second; })->first;
    };
    square.type = most(types);
    if (!directories.empty()) square.directory = most(directories);
    squares.push_back(std::move(square));
  }
  return squares;
}

class Picture {
 public:
  Picture(const fs::SpaceMap& map, absl::string_view title) : map_(map), squares_(SquaresOf(map)) {
    const auto count = static_cast<int>(squares_.size());
    columns_ = std::clamp(static_cast<int>(std::ceil(std::sqrt(count * 2.0))), 40, kColumnsMax);
    rows_ = (count + columns_ - 1) / columns_;
    for (const Square& square : squares_) reads_max_ = std::max(reads_max_, square.reads);
    const std::vector<std::pair<uint64_t, size_t>> bars = Bars();
    const int width = 2 * kMargin + columns_ * kSquare;
    const int height = kHead + rows_ * kSquare + kMargin + static_cast<int>(bars.size()) * kBarHeight + kMargin;
    absl::StrAppendFormat(&svg_,
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
                          "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
                          width, height, width, height, width, height);
    Head(title);
    for (size_t i = 0; i < squares_.size(); ++i) Draw(i);
    DrawBars(bars, width);
    svg_ += "</svg>\n";
  }
  std::string TakeText() { return std::move(svg_); }

 private:
  void Head(absl::string_view title) {
    absl::StrAppendFormat(&svg_, "<text x=\"%d\" y=\"20\" font-size=\"14\" font-weight=\"bold\">%s</text>\n", kMargin,
                          Escaped(title));
    int x = kMargin;
    for (const Kind& kind : kKinds) {
      const std::string type = kind.type;
      const auto count =
          std::count_if(map_.chunks.begin(), map_.chunks.end(), [&](const auto& chunk) { return chunk.type == type; });
      const std::string text = absl::StrCat(kind.meaning, " ", base::HumanCount(static_cast<uint64_t>(count)));
      absl::StrAppendFormat(&svg_, "<rect x=\"%d\" y=\"32\" width=\"10\" height=\"10\" fill=\"%s\"/>"
                                   "<text x=\"%d\" y=\"41\">%s</text>\n",
                            x, kind.colour, x + 14, text);
      x += 30 + static_cast<int>(text.size()) * 7;
    }
  }

  // Heat: from grey to red by the logarithm of the reads.
  std::string Frame(uint64_t reads) const {
    if (reads == 0 || reads_max_ == 0) return "#bdc1c6";
    const double heat = std::log1p(static_cast<double>(reads)) / std::log1p(static_cast<double>(reads_max_));
    return absl::StrFormat("#%02x%02x20", 140 + static_cast<int>(heat * 115), 120 - static_cast<int>(heat * 100));
  }

  void Draw(size_t i) {
    const Square& square = squares_[i];
    const int x = kMargin + static_cast<int>(i) % columns_ * kSquare;
    const int y = kHead + static_cast<int>(i) / columns_ * kSquare;
    const int inner = kSquare - 3;
    const double fill = std::min(1.0, static_cast<double>(square.used_bytes) /
                                          static_cast<double>(std::max<uint64_t>(1, map_.chunk_bytes * square.count)));
    const int filled = square.used_bytes == 0 ? 0 : std::max(1, static_cast<int>(std::lround(fill * inner)));
    std::string where = square.count == 1 ? absl::StrCat("chunk ", square.first)
                                          : absl::StrCat("chunks ", square.first, " to ", square.first + square.count - 1);
    absl::StrAppend(&where, ": ", square.type, ", ", base::HumanSize(square.used_bytes), " in use, ",
                    base::HumanCount(square.reads), " reads");
    if (square.directory != fs::SpaceMap::kNoDirectory) absl::StrAppend(&where, ", ", map_.directories[square.directory]);
    absl::StrAppendFormat(&svg_, "<g><title>%s</title><rect x=\"%d.5\" y=\"%d.5\" width=\"%d\" height=\"%d\" fill=\"%s\" "
                                 "stroke=\"%s\"/>",
                          Escaped(where), x, y, inner + 1, inner + 1,
                          square.type == "bad" ? KindOf("bad").colour : KindOf("free").colour, Frame(square.reads));
    if (filled > 0) {
      absl::StrAppendFormat(&svg_, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>", x + 1,
                            y + 1 + inner - filled, inner, filled, KindOf(square.type).colour);
    }
    svg_ += "</g>\n";
  }

  // The directories that most data belongs to, largest first: bytes, index.
  std::vector<std::pair<uint64_t, size_t>> Bars() const {
    std::vector<std::pair<uint64_t, size_t>> bars;
    for (size_t i = 0; i < map_.directories.size(); ++i) bars.emplace_back(0, i);
    for (const fs::SpaceMap::Chunk& chunk : map_.chunks) {
      if (chunk.directory != fs::SpaceMap::kNoDirectory) bars[chunk.directory].first += chunk.used_bytes;
    }
    std::sort(bars.begin(), bars.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    bars.resize(std::min(bars.size(), kBarsMax));
    return bars;
  }

  void DrawBars(const std::vector<std::pair<uint64_t, size_t>>& bars, int width) {
    int y = kHead + rows_ * kSquare + kMargin;
    for (const auto& bar : bars) {
      const double share = static_cast<double>(bar.first) / static_cast<double>(std::max<uint64_t>(1, bars[0].first));
      absl::StrAppendFormat(&svg_, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#cfe0f5\"/>"
                                   "<text x=\"%d\" y=\"%d\">%s  %s</text>\n",
                            kMargin, y, std::max(1, static_cast<int>(share * (width - 2 * kMargin))), kBarHeight - 3,
                            kMargin + 4, y + 12, base::HumanSize(bar.first), Escaped(map_.directories[bar.second]));
      y += kBarHeight;
    }
  }

  const fs::SpaceMap& map_;
  const std::vector<Square> squares_;
  int columns_ = 0;
  int rows_ = 0;
  uint64_t reads_max_ = 0;
  std::string svg_;
};

}  // namespace

std::string SpaceMapSvg(const fs::SpaceMap& map, absl::string_view title) { return Picture(map, title).TakeText(); }

}  // namespace tools

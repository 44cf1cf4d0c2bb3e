#include "hashcache/benchmark/corpus.h"

#include <fcntl.h>

#include <algorithm>
#include <cstdint>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/hasher.h"

namespace hashcache {
namespace {

constexpr size_t kPerDirectory = 100;
constexpr uint64_t kOutputMax = uint64_t{1} << 30;

class Noise {
 public:
  explicit Noise(uint64_t seed) : random_(seed) {}
  void Fill(std::string* text) {
    for (size_t i = 0; i + 8 <= text->size(); i += 8) {
      const uint64_t word = random_();
      std::copy_n(reinterpret_cast<const char*>(&word), 8, text->begin() + static_cast<ptrdiff_t>(i));
    }
  }

 private:
  std::mt19937_64 random_;
};

class PathSink : public TreeSink {
 public:
  bool Visit(const TreeEntry& entry, FileResult&&) override {
    if (entry.kind == EntryKind::kFile) paths.emplace_back(entry.path);
    return true;
  }
  std::vector<std::string> paths;
};

// "hex path" of one line; "" if it is none.
std::string Normalise(absl::string_view line, absl::string_view directory) {
  if (line.empty() || line[0] == '%' || line[0] == '#') return "";
  if (absl::StrContains(line, ") = ")) {
    const size_t open = line.find('(');
    const size_t close = line.rfind(") = ");
    return absl::StrCat(line.substr(close + 4), " ", line.substr(open + 1, close - open - 1));
  }
  const std::vector<absl::string_view> csv = absl::StrSplit(line, absl::MaxSplits(',', 2));
  if (csv.size() == 3 && !absl::StrContains(csv[0], ' ')) {
    absl::string_view path = csv[2];
    absl::ConsumePrefix(&path, absl::StrCat(directory, "/"));
    return absl::StrCat(csv[1], " ", path);
  }
  const size_t space = line.find(' ');
  if (space == absl::string_view::npos || space + 2 > line.size()) return "";
  return absl::StrCat(line.substr(0, space), " ", line.substr(space + 2));
}

}  // namespace

absl::Status MakeTree(const std::string& root, size_t count, size_t size_bytes) {
  std::vector<size_t> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = i;
  std::mt19937_64 random(count);
  std::shuffle(order.begin(), order.end(), random);
  for (size_t d = 0; d * kPerDirectory < count; ++d) {
    RETURN_IF_ERROR(base::MakeDirectories(absl::StrFormat("%s/d%05d", root, d)));
  }
  Noise noise(size_bytes);
  std::string content(size_bytes, '\0');
  for (const size_t i : order) {
    noise.Fill(&content);
    const std::string path = absl::StrFormat("%s/d%05d/f%07d", root, i / kPerDirectory, i);
    ASSIGN_OR_RETURN(const base::Fd fd, base::OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    RETURN_IF_ERROR(base::WriteFull(fd.get(), content));
  }
  return absl::OkStatus();
}

absl::Status MakeFile(const std::string& path, uint64_t size_bytes) {
  ASSIGN_OR_RETURN(const base::Fd fd, base::OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  Noise noise(size_bytes);
  std::string content(1 << 20, '\0');
  for (uint64_t done = 0; done < size_bytes; done += content.size()) {
    noise.Fill(&content);
    RETURN_IF_ERROR(base::WriteFull(fd.get(), content));
  }
  return absl::OkStatus();
}

absl::Status ListFiles(const std::string& root, const std::string& list) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Hasher> hasher, Hasher::Create({.use_cache = false}));
  PathSink sink;
  TreeOptions options;
  options.algorithms = AlgorithmSet();
  RETURN_IF_ERROR(hasher->HashTree(root, options, sink));
  std::string text;
  for (const std::string& path : sink.paths) absl::StrAppend(&text, root, "/", path, "\n");
  return base::ReplaceFile(list, text, {});
}

absl::StatusOr<std::string> OutputDigest(const std::string& path, absl::string_view directory) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kOutputMax));
  std::vector<std::string> lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    std::string normal = Normalise(line, directory);
    if (!normal.empty()) lines.push_back(std::move(normal));
  }
  std::sort(lines.begin(), lines.end());
  HashStream stream(Algorithm::kXxh3_128);
  for (const std::string& line : lines) {
    const std::string ended = line + "\n";
    stream.Update({reinterpret_cast<const uint8_t*>(ended.data()), ended.size()});
  }
  return absl::StrCat(lines.size(), " lines ", stream.Finish().Hex(Algorithm::kXxh3_128));
}

}  // namespace hashcache

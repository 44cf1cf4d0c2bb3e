// BLAKE3 of one large input by several threads, over the primitives of the official C sources,
// which hash on one thread only.
//
// Shape:   the input is cut into segments of 1 MiB (1,024 chunks), each of which is a whole subtree
//          of BLAKE3's tree. Blake3Segment() gives a segment's chaining value; a Blake3Tree joins
//          them, in any order of arrival.
// Bounds:  a Blake3Tree keeps one value per level and those that arrived early.
// Threads: Blake3Segment has no state; Blake3Tree is thread-compatible.
// Source:  the BLAKE3 paper, sections 2.4 to 2.6 (chunks, parents, root).
//
// Example:
//   Blake3Tree tree;
//   for (i...) tree.Add(i, Blake3Segment(data.subspan(i * kBlake3SegmentSize, ...), i));
//   tree.Finish();
#ifndef HASHCACHE_DIGEST_BLAKE3_TREE_H_
#define HASHCACHE_DIGEST_BLAKE3_TREE_H_

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/types/span.h"

namespace hashcache {

constexpr size_t kBlake3SegmentSize = size_t{1} << 20;
using Blake3Value = std::array<uint8_t, 32>;

// The chaining value of the segment number `index`.
// REQUIRES: 0 < data.size() <= kBlake3SegmentSize; only the last may be shorter.
Blake3Value Blake3Segment(absl::Span<const uint8_t> data, uint64_t index);

class Blake3Tree {
 public:
  // REQUIRES: `index` was not added before.
  void Add(uint64_t index, const Blake3Value& value);
  // The digest. REQUIRES: segments 0..n-1 were added, n >= 2 (a single segment
  // is the root itself: hash it with HashStream).
  Blake3Value Finish();

 private:
  void AddInOrder(const Blake3Value& value);

  uint64_t count_ = 0;  // segments joined so far
  std::vector<Blake3Value> stack_;  // roots of whole subtrees, largest first
  std::map<uint64_t, Blake3Value> early_;
};

}  // namespace hashcache

#endif  // HASHCACHE_DIGEST_BLAKE3_TREE_H_

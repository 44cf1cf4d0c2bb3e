// Invariants of Blake3Tree:
//  I1  stack_ holds the roots of subtrees over segments [0, count_), left to right,
//      of strictly falling sizes, all of them whole powers of two but for the last
//      value, which is joined only when a later segment shows that it is not the end.
//  I2  hence stack_ has at most 64 values, and Finish() joins them from the right,
//      the last join being the root.
#include "hashcache/digest/blake3_tree.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "glog/logging.h"

extern "C" {
#include "blake3_impl.h"
}

namespace hashcache {
namespace {

// Chaining values of up to kFanOut whole chunks are computed by one call, which
// is what the widest vector units take at once, a few times over.
constexpr size_t kFanOut = 64;
constexpr size_t kSegmentChunks = kBlake3SegmentSize / BLAKE3_CHUNK_LEN;

// A chunk that may be shorter than 1 KiB, as the last of an input.
Blake3Value ShortChunk(absl::Span<const uint8_t> data, uint64_t counter) {
  uint32_t cv[8];
  std::memcpy(cv, IV, sizeof cv);
  uint8_t start = CHUNK_START;
  while (data.size() > BLAKE3_BLOCK_LEN) {
    blake3_compress_in_place(cv, data.data(), BLAKE3_BLOCK_LEN, counter, start);
    start = 0;
    data.remove_prefix(BLAKE3_BLOCK_LEN);
  }
  uint8_t block[BLAKE3_BLOCK_LEN] = {};
  std::memcpy(block, data.data(), data.size());
  blake3_compress_in_place(cv, block, static_cast<uint8_t>(data.size()), counter, start | CHUNK_END);
  Blake3Value value;
  store_cv_words(value.data(), cv);
  return value;
}

// Replaces the values of neighbours by those of their parents; an odd last one stays.
void JoinPairs(std::vector<Blake3Value>* values) {
  const size_t pairs = values->size() / 2;
  std::array<const uint8_t*, kFanOut> inputs;
  std::array<Blake3Value, kFanOut> parents;
  for (size_t done = 0; done < pairs;) {
    const size_t count = std::min(kFanOut, pairs - done);
    for (size_t i = 0; i < count; ++i) inputs[i] = (*values)[2 * (done + i)].data();
    blake3_hash_many(inputs.data(), count, 1, IV, 0, false, PARENT, 0, 0, parents[0].data());
    std::copy_n(parents.begin(), count, values->begin() + static_cast<ptrdiff_t>(done));
    done += count;
  }
  if (values->size() % 2 != 0) (*values)[pairs] = values->back();
  values->resize((values->size() + 1) / 2);
}

Blake3Value Join(const Blake3Value& left, const Blake3Value& right, bool root) {
  uint8_t block[BLAKE3_BLOCK_LEN];
  std::memcpy(block, left.data(), left.size());
  std::memcpy(block + left.size(), right.data(), right.size());
  uint32_t cv[8];
  std::memcpy(cv, IV, sizeof cv);
  blake3_compress_in_place(cv, block, BLAKE3_BLOCK_LEN, 0, static_cast<uint8_t>(PARENT | (root ? ROOT : 0)));
  Blake3Value value;
  store_cv_words(value.data(), cv);
  return value;
}

}  // namespace

Blake3Value Blake3Segment(absl::Span<const uint8_t> data, uint64_t index) {
  CHECK(!data.empty() && data.size() <= kBlake3SegmentSize) << data.size();
  uint64_t counter = index * kSegmentChunks;
  std::vector<Blake3Value> values;
  values.reserve(kSegmentChunks);
  std::array<const uint8_t*, kFanOut> inputs;
  while (data.size() >= BLAKE3_CHUNK_LEN) {
    const size_t count = std::min(kFanOut, data.size() / BLAKE3_CHUNK_LEN);
    for (size_t i = 0; i < count; ++i) inputs[i] = data.data() + i * BLAKE3_CHUNK_LEN;
    values.resize(values.size() + count);
    blake3_hash_many(inputs.data(), count, BLAKE3_CHUNK_LEN / BLAKE3_BLOCK_LEN, IV, counter, true, 0, CHUNK_START,
                     CHUNK_END, values[values.size() - count].data());
    counter += count;
    data.remove_prefix(count * BLAKE3_CHUNK_LEN);
  }
  if (!data.empty()) values.push_back(ShortChunk(data, counter));
  // Joining neighbours level by level, an odd one rising, is BLAKE3's tree: the
  // left subtree of every node is the largest power of two that leaves a right.
  while (values.size() > 1) JoinPairs(&values);
  return values[0];
}

void Blake3Tree::Add(uint64_t index, const Blake3Value& value) {
  CHECK(index >= count_ && early_.count(index) == 0) << index;
  if (index != count_) {
    early_.emplace(index, value);
    return;
  }
  AddInOrder(value);
  for (auto next = early_.begin(); next != early_.end() && next->first == count_; next = early_.erase(next)) {
    AddInOrder(next->second);
  }
}

void Blake3Tree::AddInOrder(const Blake3Value& value) {
  // I1: what count_ segments leave on the stack is one value per bit of count_.
  while (stack_.size() > static_cast<size_t>(std::popcount(count_))) {
    const Blake3Value right = stack_.back();
    stack_.pop_back();
    stack_.back() = Join(stack_.back(), right, false);
  }
  stack_.push_back(value);
  ++count_;
}

Blake3Value Blake3Tree::Finish() {
  CHECK(early_.empty() && count_ >= 2) << "segments are missing; joined " << count_;
  Blake3Value value = stack_.back();
  for (size_t i = stack_.size() - 1; i > 0; --i) value = Join(stack_[i - 1], value, i == 1);
  stack_.clear();
  count_ = 0;
  return value;
}

}  // namespace hashcache

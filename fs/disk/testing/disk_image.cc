#include "fs/disk/testing/disk_image.h"

#include <algorithm>
#include <cstring>

#include "glog/logging.h"
#include "xxhash.h"

namespace fs::testing {
namespace {

// Calls `piece(block, offset in it, length)` for each block that [offset, offset + length) touches.
template <typename Piece>
void ForEachBlock(uint64_t offset, uint64_t length, Piece piece) {
  while (length > 0) {
    const size_t inside = offset % DiskImage::kBlockBytes;
    const size_t count = std::min<uint64_t>(length, DiskImage::kBlockBytes - inside);
    piece(offset / DiskImage::kBlockBytes, inside, count);
    offset += count;
    length -= count;
  }
}

}  // namespace

DiskImage::DiskImage(uint64_t size_bytes)
    : size_bytes_((size_bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes),
      leaves_((size_bytes_ / kBlockBytes + kLeafBlocks - 1) / kLeafBlocks) {}

const DiskImage::Block* DiskImage::Find(uint64_t block) const {
  const std::shared_ptr<Leaf>& leaf = leaves_[block / kLeafBlocks];
  return leaf == nullptr ? nullptr : (*leaf)[block % kLeafBlocks].get();
}

DiskImage::Block& DiskImage::Own(uint64_t block, bool overwritten) {
  std::shared_ptr<Leaf>& leaf = leaves_[block / kLeafBlocks];
  if (leaf == nullptr) {
    leaf = std::make_shared<Leaf>();
  } else if (leaf.use_count() > 1) {
    leaf = std::make_shared<Leaf>(*leaf);
  }
  std::shared_ptr<Block>& own = (*leaf)[block % kLeafBlocks];
  if (own == nullptr) {
    own = std::make_shared<Block>();
  } else if (own.use_count() > 1) {
    const Digest digest = own->digest;
    own = overwritten ? std::make_shared<Block>() : std::make_shared<Block>(*own);
    own->digest = digest;
  }
  return *own;
}

DiskImage::Digest DiskImage::DigestOf(const Bytes& bytes, uint64_t block) {
  static const Bytes kZeros = {};
  if (bytes == kZeros) return {};
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), block);
  return {hash.low64, hash.high64};
}

template <typename Change>
void DiskImage::Alter(uint64_t block, bool overwritten, Change change) {
  Block& own = Own(block, overwritten);
  change(own.bytes);
  const Digest digest = DigestOf(own.bytes, block);
  digest_.low += digest.low - own.digest.low;
  digest_.high += digest.high - own.digest.high;
  own.digest = digest;
}

void DiskImage::Read(uint64_t offset, absl::Span<uint8_t> out) const {
  CHECK(offset <= size_bytes_ && out.size() <= size_bytes_ - offset);
  uint8_t* to = out.data();
  ForEachBlock(offset, out.size(), [&](uint64_t block, size_t inside, size_t count) {
    const Block* found = Find(block);
    if (found == nullptr) {
      std::memset(to, 0, count);
    } else {
      std::memcpy(to, found->bytes.data() + inside, count);
    }
    to += count;
  });
}

void DiskImage::Write(uint64_t offset, absl::Span<const uint8_t> bytes) {
  CHECK(offset <= size_bytes_ && bytes.size() <= size_bytes_ - offset);
  const uint8_t* from = bytes.data();
  ForEachBlock(offset, bytes.size(), [&](uint64_t block, size_t inside, size_t count) {
    Alter(block, count == kBlockBytes, [&](Bytes& to) { std::memcpy(to.data() + inside, from, count); });
    from += count;
  });
}

void DiskImage::Fill(uint64_t offset, uint64_t length, uint8_t byte) {
  CHECK(offset <= size_bytes_ && length <= size_bytes_ - offset);
  ForEachBlock(offset, length, [&](uint64_t block, size_t inside, size_t count) {
    Alter(block, count == kBlockBytes, [&](Bytes& to) { std::memset(to.data() + inside, byte, count); });
  });
}

void DiskImage::FlipBit(uint64_t offset, int bit) {
  CHECK_LT(offset, size_bytes_);
  Alter(offset / kBlockBytes, false,
        [&](Bytes& bytes) { bytes[offset % kBlockBytes] ^= static_cast<uint8_t>(1u << bit); });
}

bool operator==(const DiskImage& a, const DiskImage& b) {
  if (a.size_bytes_ != b.size_bytes_) return false;
  static const DiskImage::Bytes zeros = {};
  for (uint64_t block = 0; block < a.size_bytes_ / DiskImage::kBlockBytes; ++block) {
    const DiskImage::Block* first = a.Find(block);
    const DiskImage::Block* second = b.Find(block);
    if (first == second) continue;
    if ((first == nullptr ? zeros : first->bytes) != (second == nullptr ? zeros : second->bytes)) return false;
  }
  return true;
}

}  // namespace fs::testing

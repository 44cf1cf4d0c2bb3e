// A DiskImage is what a small disk holds, as a value that is cheap to copy.
//
// Shape:   4 KiB blocks in a two-level table; copies share all they can, and a write clones
//          one table leaf and the blocks it touches. Blocks never written are zeros. A digest
//          of the content is kept up to date.
// Bounds:  a copy costs one pointer for each 256 KiB: meant for disks up to some 100 MiB.
// Threads: thread-compatible; copies that share blocks may be used by distinct threads.
#ifndef FS_DISK_TESTING_DISK_IMAGE_H_
#define FS_DISK_TESTING_DISK_IMAGE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"

namespace fs::testing {

class DiskImage {
 public:
  static constexpr size_t kBlockBytes = 4096;

  // Zeros. A size that is no multiple of kBlockBytes is rounded up.
  explicit DiskImage(uint64_t size_bytes);

  uint64_t size_bytes() const { return size_bytes_; }

  // REQUIRES (all): the range lies inside the disk; it may start anywhere.
  void Read(uint64_t offset, absl::Span<uint8_t> out) const;
  void Write(uint64_t offset, absl::Span<const uint8_t> bytes);
  void Fill(uint64_t offset, uint64_t length, uint8_t byte);
  void FlipBit(uint64_t offset, int bit);

  // Whether both hold the same bytes.
  friend bool operator==(const DiskImage& a, const DiskImage& b);

  // Of what the disk holds: equal for equal contents, and for others with a chance of 2^-128.
  struct Digest {
    uint64_t low = 0;
    uint64_t high = 0;
    friend bool operator==(const Digest& a, const Digest& b) { return a.low == b.low && a.high == b.high; }
  };
  Digest digest() const { return digest_; }

 private:
  using Bytes = std::array<uint8_t, kBlockBytes>;
  struct Block {
    Bytes bytes;
    Digest digest;  // of bytes and place, as it is part of digest_; of zeros: {}
  };
  static constexpr size_t kLeafBlocks = 64;
  using Leaf = std::array<std::shared_ptr<Block>, kLeafBlocks>;

  // Null stands for zeros.
  const Block* Find(uint64_t block) const;
  // Lets `change(bytes)` change a block's bytes; all of them if `overwritten`.
  template <typename Change>
  void Alter(uint64_t block, bool overwritten, Change change);
  Block& Own(uint64_t block, bool overwritten);
  static Digest DigestOf(const Bytes& bytes, uint64_t block);

  uint64_t size_bytes_;
  Digest digest_;  // the sum of all blocks'
  std::vector<std::shared_ptr<Leaf>> leaves_;
};

}  // namespace fs::testing

#endif  // FS_DISK_TESTING_DISK_IMAGE_H_

#include "hashcache/store/record.h"

#include <string>

#include "base/endian.h"
#include "gtest/gtest.h"
#include "hashcache/digest/hash_stream.h"

namespace hashcache {
namespace {

TEST(Crc32cTest, EqualsTheAlgorithmAtEverySize) {
  std::string text;
  HashStream stream(Algorithm::kCrc32c);
  for (int size = 0; size < 700; ++size) {
    const Digests digests = stream.HashWhole({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    ASSERT_EQ(Crc32c(text.data(), text.size()),
              base::LoadBig<uint32_t>(digests.Get(Algorithm::kCrc32c).data()))
        << size;
    text.push_back(static_cast<char>(size * 131));
  }
}

TEST(RecordTest, AnyFlippedBitIsAMiss) {
  Record record;
  record.fingerprint = {.inode = 7, .size_bytes = 8, .mtime_ns = 9, .ctime_ns = 10, .btime_ns = 11};
  record.trust = TrustClass::kLeased;
  record.digests = HashStream(Algorithm::kBlake3).HashWhole({});
  uint8_t bytes[kRecordSize];
  EncodeRecord(record, bytes);
  ASSERT_TRUE(DecodeRecord(bytes).has_value());
  EXPECT_EQ(DecodeRecord(bytes)->fingerprint, record.fingerprint);
  EXPECT_EQ(DecodeRecord(bytes)->digests, record.digests);
  for (size_t bit = 0; bit < 8 * kRecordSize; ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(DecodeRecord(bytes).has_value()) << bit;
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
}

}  // namespace
}  // namespace hashcache

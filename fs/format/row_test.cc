#include <sys/stat.h>

#include "base/testing/status_matchers.h"
#include "fs/format/inode_row.h"
#include "fs/format/name_row.h"
#include "fs/format/varint.h"
#include "fs/format/volume_row.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::base::StatusIs;
using ::testing::HasSubstr;

// The one test for every row type: round trip, truncation at every byte, every
// single bit flipped. What still decodes after damage must mean what its bytes
// say.
template <typename Row>
class RowTest : public ::testing::Test {};
using RowTypes = ::testing::Types<InodeRow, NameRow, OrderRow, UsageRow, PolicyRow>;
TYPED_TEST_SUITE(RowTest, RowTypes);

TYPED_TEST(RowTest, RoundTrip) {
  for (const TypeParam& row : TypeParam::TestInstances()) {
    ASSERT_OK_AND_ASSIGN(const TypeParam decoded, TypeParam::Decode(row.Encode()));
    EXPECT_EQ(decoded, row) << decoded.DebugString() << " != " << row.DebugString();
    EXPECT_EQ(decoded.DebugString(), row.DebugString());
  }
}

TYPED_TEST(RowTest, TruncationNeverDecodesToTheWholeRow) {
  for (const TypeParam& row : TypeParam::TestInstances()) {
    const std::string bytes = row.Encode();
    for (size_t size = 0; size < bytes.size(); ++size) {
      const absl::StatusOr<TypeParam> decoded = TypeParam::Decode(absl::string_view(bytes).substr(0, size));
      if (decoded.ok()) {
        EXPECT_NE(*decoded, row);
      }
    }
  }
}

TYPED_TEST(RowTest, WhatDecodesEncodesToTheSameBytes) {
  for (const TypeParam& row : TypeParam::TestInstances()) {
    const std::string bytes = row.Encode();
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      std::string damaged = bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      const absl::StatusOr<TypeParam> decoded = TypeParam::Decode(damaged);
      if (decoded.ok()) {
        EXPECT_EQ(decoded->Encode(), damaged) << "bit " << bit << " of " << row.DebugString();
      }
    }
  }
}

TEST(InodeRowTest, PlainFileIsSmall) { EXPECT_LE(InodeRow::TestInstances()[0].Encode().size(), 32u); }

TEST(InodeRowTest, TruncationAlwaysFails) {
  for (const InodeRow& row : InodeRow::TestInstances()) {
    const std::string bytes = row.Encode();
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(InodeRow::Decode(absl::string_view(bytes).substr(0, size)).ok());
    }
  }
}

TEST(InodeRowTest, NewerFormatIsUnimplemented) {
  std::string bytes = InodeRow::TestInstances()[0].Encode();
  bytes[0] = InodeRow::kFormat + 1;
  EXPECT_THAT(InodeRow::Decode(bytes), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("format 2")));
}

TEST(InodeRowTest, TrailingBytesAreDataLoss) {
  const std::string bytes = InodeRow::TestInstances()[0].Encode() + "x";
  EXPECT_THAT(InodeRow::Decode(bytes), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("1 bytes too many")));
}

TEST(InodeRowTest, UnknownTypeIsDataLoss) {
  InodeRow row = InodeRow::TestInstances()[0];
  row.mode = 0644;
  EXPECT_THAT(InodeRow::Decode(row.Encode()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("mode")));
}

TEST(InodeRowTest, SizeBeyondSignedIsDataLoss) {
  InodeRow row = InodeRow::TestInstances()[0];
  row.size_bytes = uint64_t{1} << 63;
  EXPECT_THAT(InodeRow::Decode(row.Encode()), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(InodeRowTest, XattrsOutOfOrderAreDataLoss) {
  InodeRow row = InodeRow::TestInstances()[0];
  row.xattrs = {{"user.b", "1"}, {"user.a", "2"}};
  EXPECT_THAT(InodeRow::Decode(row.Encode()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("xattrs")));
}

TEST(InodeRowTest, XattrSizeThatLiesIsDataLoss) {
  InodeRow row = InodeRow::TestInstances()[0];
  row.xattrs = {{"user.a", std::string(InodeRow::kInlineXattrBytesMax, 'x')}};
  EXPECT_THAT(InodeRow::Decode(row.Encode()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("xattrs")));
}

TEST(NameRowTest, NamesThatCannotBeAreRefused) {
  for (const absl::string_view name : {"", ".", "..", "a/b"}) {
    EXPECT_FALSE(IsEntryName(name)) << name;
    EXPECT_THAT(NameRow::Decode(NameRow{5, 6, std::string(name)}.Encode()), StatusIs(absl::StatusCode::kDataLoss));
  }
  EXPECT_FALSE(IsEntryName(absl::string_view("a\0b", 3)));
  EXPECT_FALSE(IsEntryName(std::string(256, 'a')));
  EXPECT_TRUE(IsEntryName(std::string(255, 'a')));
  EXPECT_TRUE(IsEntryName("..."));
}

TEST(VarintTest, LongerThanNeededIsRefused) {
  absl::string_view in("\x80\x00", 2);
  uint64_t value;
  EXPECT_FALSE(ConsumeVarint(&in, &value));
  EXPECT_EQ(in.size(), 2u);
}

TEST(VarintTest, MoreThan64BitsIsRefused) {
  absl::string_view in("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
  uint64_t value;
  EXPECT_FALSE(ConsumeVarint(&in, &value));
}

TEST(VarintTest, Extremes) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{127}, uint64_t{128}, UINT64_MAX}) {
    std::string bytes;
    AppendVarint(&bytes, value);
    absl::string_view in = bytes;
    uint64_t decoded = 1;
    ASSERT_TRUE(ConsumeVarint(&in, &decoded));
    EXPECT_EQ(decoded, value);
    EXPECT_TRUE(in.empty());
  }
  for (const int64_t value : {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{1}, INT64_MAX}) {
    EXPECT_EQ(UnZigZag(ZigZag(value)), value);
  }
}

TEST(TimestampTest, NanosecondsBothWays) {
  EXPECT_EQ(Timestamp::FromNs(-1), (Timestamp{-1, 999'999'999}));
  EXPECT_EQ(Timestamp::FromNs(-1).ToNs(), -1);
  EXPECT_EQ((Timestamp{INT64_MAX, 0}).ToNs(), INT64_MAX);
  EXPECT_EQ((Timestamp{1, 999'999'999}).Next(), (Timestamp{2, 0}));
}

}  // namespace
}  // namespace fs

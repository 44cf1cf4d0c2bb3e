// One test for every structure: what was encoded decodes to the same; cut short anywhere
// or with any bit flipped it is refused, never misread.
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/testing/status_matchers.h"
#include "fs/format/chunk_row.h"
#include "fs/format/extent_row.h"
#include "fs/format/log_batch.h"
#include "fs/format/page.h"
#include "fs/format/superblock.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

constexpr uint64_t kVolume = 0x1122334455667788;
constexpr uint64_t kAddress = 1 << 20;

using Bytes = std::vector<uint8_t>;
using Decode = std::function<absl::Status(absl::Span<const uint8_t>)>;

struct Case {
  const char* name;
  std::vector<Bytes> instances;
  Decode decode;
  bool checksummed;  // else the checksum is that of the page around it
};

Bytes ToBytes(const std::string& text) { return Bytes(text.begin(), text.end()); }

absl::string_view View(absl::Span<const uint8_t> bytes) {
  return absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

absl::Status DecodeWholeBatch(absl::Span<const uint8_t> bytes) {
  const absl::StatusOr<LogBatchHeader> header = DecodeLogBatchHeader(bytes, kVolume, kAddress);
  if (!header.ok()) return header.status();
  if (bytes.size() < kLogHeaderBytes + header->payload_bytes) return absl::DataLossError("cut short");
  return DecodeLogPayload(*header, bytes.subspan(kLogHeaderBytes, header->payload_bytes), [](const LogRecord& record) {
    EXPECT_FALSE(DebugString(record).empty());
    return absl::OkStatus();
  });
}

std::vector<Case> Cases() {
  std::vector<Case> cases(5);
  cases[0] = {"superblock", {}, [](absl::Span<const uint8_t> b) { return DecodeSuperblock(b, kAddress).status(); }, true};
  for (const Superblock& superblock : SuperblockTestInstances()) {
    Bytes block(kSuperblockBytes);
    Encode(superblock, kAddress, absl::MakeSpan(block));
    EXPECT_FALSE(DebugString(superblock).empty());
    cases[0].instances.push_back(std::move(block));
  }
  cases[1] = {"log batch", LogBatchTestInstances(kVolume, kAddress), DecodeWholeBatch, true};
  cases[2] = {"page", PageTestInstances(4096, kVolume, kAddress), [](absl::Span<const uint8_t> b) {
                if (b.size() != 4096) return absl::DataLossError("cut short");
                PageHeader header;
                std::memcpy(&header, b.data(), sizeof header);
                return VerifyPage(b, kVolume, {kAddress, 3, header.header.crc32c, 0});
              }, true};
  cases[3] = {"extent row", {}, [](absl::Span<const uint8_t> b) { return DecodeExtent(View(b)).status(); }, false};
  for (const std::string& value : ExtentTestInstances()) cases[3].instances.push_back(ToBytes(value));
  cases[4] = {"chunk row", {}, [](absl::Span<const uint8_t> b) { return DecodeChunkRow(View(b), 1 << 20).status(); }, false};
  for (const ChunkRow& row : ChunkRowTestInstances(1 << 20)) cases[4].instances.push_back(ToBytes(EncodeChunkRow(row)));
  return cases;
}

TEST(RoundTripTest, InstancesDecodeTruncationsAndBitFlipsDoNot) {
  for (const Case& c : Cases()) {
    for (const Bytes& instance : c.instances) {
      EXPECT_OK(c.decode(instance)) << c.name;
      for (size_t size = 0; size < instance.size(); ++size) {
        const Bytes cut(instance.begin(), instance.begin() + static_cast<ptrdiff_t>(size));
        const absl::Status status = c.decode(cut);
        // Zeros that pad a log batch may be missing.
        const bool padding = std::string(c.name) == "log batch" && status.ok();
        if (padding) continue;
        EXPECT_THAT(status, base::StatusIs(absl::StatusCode::kDataLoss)) << c.name << " cut to " << size;
      }
      for (size_t bit = 0; bit < instance.size() * 8; ++bit) {
        Bytes flipped = instance;
        flipped[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
        const absl::Status status = c.decode(flipped);  // must not crash, whatever it says
        if (!c.checksummed) continue;
        const bool padding = std::string(c.name) == "log batch" && status.ok() && bit / 8 >= kLogHeaderBytes;
        EXPECT_TRUE(!status.ok() || padding) << c.name << " bit " << bit;
      }
    }
  }
}

TEST(RoundTripTest, RowsComeBackAsTheyWere) {
  const uint32_t crcs[2] = {7, 8};
  const std::string encoded = EncodeDeviceExtent(ExtentKind::kPacked, 5000, 640, crcs);
  ASSERT_OK_AND_ASSIGN(const ExtentView extent, DecodeExtent(encoded));
  EXPECT_EQ(extent.length, 5000u);
  EXPECT_EQ(extent.address, 640u);
  EXPECT_EQ(extent.Crc(1), 8u);
  EXPECT_EQ(extent.UnitBytes(0), 4096u);
  EXPECT_EQ(extent.UnitBytes(1), 904u);
  for (const ChunkRow& row : ChunkRowTestInstances(1 << 20)) {
    ASSERT_OK_AND_ASSIGN(const ChunkRow back, DecodeChunkRow(EncodeChunkRow(row), 1 << 20));
    EXPECT_EQ(DebugString(back), DebugString(row));
    EXPECT_EQ(back.bitmap, row.bitmap);
  }
}

TEST(RoundTripTest, PackSummaries) {
  constexpr uint32_t kPosition = 128 << 10;
  const PackSummary summary = {3, {{5, 0, 0, 1000}, {6, 4096, 1024, 300}, {7, 0, 16384, 60000}}};
  Bytes block(PackSummaryBytes(summary.owners.size()));
  const auto encode = [&](uint32_t position) {
    EncodePackSummary(summary, kVolume, 3, kAddress + position, absl::MakeSpan(block));
    return DecodePackSummary(block, kVolume, kAddress, position);
  };
  ASSERT_OK_AND_ASSIGN(const PackSummary back, encode(kPosition));
  EXPECT_EQ(back.previous_block, 3u);
  ASSERT_EQ(back.owners.size(), 3u);
  EXPECT_EQ(back.owners[1].inode, 6u);
  EXPECT_EQ(back.owners[2].length, 60000u);
  EXPECT_THAT(DecodePackSummary(block, kVolume, kAddress + 4096, kPosition), base::StatusIs(absl::StatusCode::kDataLoss));
  // V45: owners lie before their summary; V48: so does the summary before it.
  const absl::Status owners = encode(64 << 10).status(), chain = encode(3 * kBlockBytes).status();
  EXPECT_THAT(owners, base::StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_NE(owners.message().find("V45"), absl::string_view::npos) << owners;
  EXPECT_THAT(chain, base::StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_NE(chain.message().find("V48"), absl::string_view::npos) << chain;
}

TEST(RoundTripTest, OwnerRows) {
  const ExtentOwner owner = {uint64_t{1} << 50, 40960, 5000};
  const std::string value = EncodeOwnerRow(owner);
  ASSERT_OK_AND_ASSIGN(const ExtentOwner back, DecodeOwnerRow(value));
  EXPECT_EQ(back, owner);
  EXPECT_LT(OwnerKey(2, 255), OwnerKey(3, 0));
  EXPECT_THAT(DecodeOwnerRow(value.substr(1)), base::StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeOwnerRow(EncodeOwnerRow({1, 5, 1})), base::StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeOwnerRow(EncodeOwnerRow({1, 0, 0})), base::StatusIs(absl::StatusCode::kDataLoss));
}

// A program of this version refuses what it cannot know, and says why.
TEST(RoundTripTest, FeatureFlags) {
  Superblock superblock = SuperblockTestInstances()[0];
  Bytes block(kSuperblockBytes);
  const auto decode = [&] {
    Encode(superblock, kAddress, absl::MakeSpan(block));
    return DecodeSuperblock(block, kAddress).status();
  };
  superblock.features_compat = ~uint64_t{0};
  EXPECT_OK(decode());
  superblock.features_ro_compat = 1;
  EXPECT_OK(decode());  // whoever writes has to look
  for (const uint64_t feature : {kIncompatCompressedExtents, kIncompatSharedExtents, uint64_t{1} << 63}) {
    superblock.features_incompat = feature;
    EXPECT_THAT(decode(), base::StatusIs(absl::StatusCode::kUnimplemented));
  }
  superblock.features_incompat = 0;
  superblock.format_version = kFormatVersion + 1;
  EXPECT_THAT(decode(), base::StatusIs(absl::StatusCode::kUnimplemented));
}

}  // namespace
}  // namespace fs

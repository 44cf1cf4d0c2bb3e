// FORMAT.md and the code say the same.
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/testing/status_matchers.h"
#include "fs/format/block_header.h"
#include "fs/format/chunk_row.h"
#include "fs/format/log_batch.h"
#include "fs/format/page.h"
#include "fs/format/superblock.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

#define FIELD(type, name) absl::StrFormat("%d %d %s", offsetof(type, name), sizeof(type::name), #name)

std::map<std::string, std::vector<std::string>> FromCode() {
  using B = BlockHeader;
  using S = Superblock;
  using R = PageRef;
  using L = LogBatchHeader;
  using P = PageHeader;
  using T = Page::Slot;
  using O = PackOwner;
  return {
      {"BlockHeader 40", {FIELD(B, magic), FIELD(B, type), FIELD(B, version), FIELD(B, reserved), FIELD(B, volume_id),
                          FIELD(B, generation), FIELD(B, address), FIELD(B, length), FIELD(B, crc32c)}},
      {"Superblock 296",
       {FIELD(S, header), FIELD(S, format_version), FIELD(S, flags), FIELD(S, features_compat), FIELD(S, features_ro_compat),
        FIELD(S, features_incompat), FIELD(S, uuid), FIELD(S, device_bytes), FIELD(S, page_bytes), FIELD(S, chunk_bytes),
        FIELD(S, block_bytes), FIELD(S, chunk_count), FIELD(S, chunks_address), FIELD(S, log_address), FIELD(S, log_bytes),
        FIELD(S, mount_epoch), FIELD(S, log_epoch), FIELD(S, tree_generation), FIELD(S, root), FIELD(S, tree_height),
        FIELD(S, tail_chain), FIELD(S, tree_pages), FIELD(S, tail_offset), FIELD(S, tail_batch), FIELD(S, fence_batch),
        FIELD(S, fence_chain), FIELD(S, reserved0), FIELD(S, tree_sequence),
        FIELD(S, void_batch), FIELD(S, void_bytes), FIELD(S, created_ns), FIELD(S, label)}},
      {"PageRef 24", {FIELD(R, address), FIELD(R, generation), FIELD(R, crc32c), FIELD(R, reserved)}},
      {"LogBatchHeader 128",
       {FIELD(L, header), FIELD(L, kind), FIELD(L, previous_crc), FIELD(L, epoch), FIELD(L, first_sequence),
        FIELD(L, last_sequence), FIELD(L, durable_batch), FIELD(L, payload_bytes), FIELD(L, payload_crc32c),
        FIELD(L, record_count), FIELD(L, reserved0), FIELD(L, reserved1), FIELD(L, reserved2), FIELD(L, reserved3)}},
      {"PageHeader 64",
       {FIELD(P, header), FIELD(P, level), FIELD(P, reserved0), FIELD(P, count), FIELD(P, prefix_bytes), FIELD(P, heap_begin),
        FIELD(P, dead_bytes), FIELD(P, reserved1), FIELD(P, reserved2), FIELD(P, reserved3)}},
      {"PageSlot 8", {FIELD(T, head), FIELD(T, offset), FIELD(T, key_bytes)}},
      {"PackOwner 24", {FIELD(O, inode), FIELD(O, offset), FIELD(O, position), FIELD(O, length)}},
  };
}

std::string FormatMd() {
  std::ifstream file("fs/format/FORMAT.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Superblock Smallest() {
  GeometryOptions options;
  options.device_bytes = 4 << 20;
  options.page_bytes = 4 << 10;
  options.chunk_bytes = 64 << 10;
  options.log_bytes = 128 << 10;
  Superblock superblock = *LayOut(options);
  superblock.header.volume_id = 0x0123456789abcdef;
  superblock.header.generation = 1;
  superblock.tail_batch = 1;
  return superblock;
}

TEST(FormatMdTest, TablesAreWhatTheCompilerSays) {
  std::map<std::string, std::vector<std::string>> from_text;
  std::istringstream lines(FormatMd());
  std::vector<std::string>* open = nullptr;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("```layout ", 0) == 0) {
      open = &from_text[line.substr(10)];
    } else if (line == "```") {
      open = nullptr;
    } else if (open != nullptr) {
      open->push_back(line);
    }
  }
  EXPECT_EQ(from_text, FromCode());
}

TEST(FormatMdTest, TheSmallestVolumeDecodes) {
  std::vector<uint8_t> block(kSuperblockBytes);
  Encode(Smallest(), 0, absl::MakeSpan(block));
  std::string hex = "```hex\n";
  for (size_t i = 0; i < 320; i += 32) {
    absl::StrAppend(&hex, absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(block.data()) + i, 32)), "\n");
  }
  EXPECT_NE(FormatMd().find(hex + "```"), std::string::npos) << "FORMAT.md should say\n" << hex;
  const std::string text = FormatMd();
  const size_t at = text.find("```hex\n") + 7;
  std::string digits = text.substr(at, text.find("```", at) - at);
  digits.erase(std::remove(digits.begin(), digits.end(), '\n'), digits.end());
  std::string bytes = absl::HexStringToBytes(digits);
  bytes.resize(kSuperblockBytes, '\0');
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  ASSERT_OK_AND_ASSIGN(const Superblock decoded, DecodeSuperblock(absl::MakeConstSpan(data, bytes.size()), 0));
  EXPECT_EQ(decoded.chunk_count, Smallest().chunk_count);
}

// Every rule that the code can name is explained.
TEST(FormatMdTest, RulesAreExplained) {
  const std::string text = FormatMd();
  for (int rule = 0; rule <= 48; ++rule) {
    if ((rule >= 16 && rule < 20) || rule == 37 || rule == 38 || rule == 39) continue;  // not given away
    EXPECT_NE(text.find(absl::StrFormat("V%d ", rule)), std::string::npos) << "V" << rule;
  }
  for (int rule = 1; rule <= 11; ++rule) EXPECT_NE(text.find(absl::StrFormat("R%d ", rule)), std::string::npos) << "R" << rule;
}

}  // namespace
}  // namespace fs

#include "fs/cache/testing/mem_engine.h"

#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::base::IsOkAndHolds;
using ::base::StatusIs;

constexpr InodeNumber kFile = 7;

std::string ReadAll(Engine& engine, uint64_t offset, size_t size) {
  std::string bytes(size, 'x');
  EXPECT_OK(engine.ReadData({kFile, offset, absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), size)}));
  return bytes;
}

TEST(MemEngineTest, RowsAndDataOfOneMutationArriveTogether) {
  MemEngine engine;
  Mutation mutation;
  mutation.Put("k", "v");
  mutation.Write(kFile, 4095, "ab", {});
  ASSERT_THAT(engine.Apply(mutation), IsOkAndHolds(1u));
  std::string value;
  ASSERT_THAT(engine.Get("k", &value), IsOkAndHolds(true));
  EXPECT_EQ(value, "v");
  EXPECT_EQ(ReadAll(engine, 4094, 4), std::string("\0ab\0", 4));
  EXPECT_EQ(engine.AllocatedBytes(kFile), 8192u);
}

TEST(MemEngineTest, PowerCutKeepsExactlyAPrefix) {
  MemEngine engine;
  for (int i = 1; i <= 3; ++i) {
    Mutation mutation;
    mutation.Put(std::string(1, static_cast<char>('0' + i)), "");
    ASSERT_OK(engine.Apply(mutation).status());
    if (i == 1) {
      ASSERT_OK(engine.Commit(1, Priority::kSync));
    }
  }
  for (const Sequence kept : {0, 1, 2, 3}) {
    const std::unique_ptr<MemEngine> after = engine.CutPower(kept);
    EXPECT_THAT(after->Get("1", nullptr), IsOkAndHolds(true)) << "committed";
    EXPECT_THAT(after->Get("2", nullptr), IsOkAndHolds(kept >= 2));
    EXPECT_THAT(after->Get("3", nullptr), IsOkAndHolds(kept >= 3));
    EXPECT_EQ(after->mount_epoch(), 2u);
  }
}

TEST(MemEngineTest, PunchZeroesPartsAndFreesWholeBlocks) {
  MemEngine engine;
  const std::string bytes(3 * 4096, 'a');
  Mutation mutation;
  mutation.Write(kFile, 0, bytes, {});
  mutation.Punch(kFile, 4000, 4096 + 200);
  ASSERT_OK(engine.Apply(mutation).status());
  EXPECT_EQ(ReadAll(engine, 3999, 2), std::string("a\0", 2));
  EXPECT_EQ(ReadAll(engine, 8295, 2), std::string("\0a", 2));
  EXPECT_EQ(engine.AllocatedBytes(kFile), 2 * 4096u);
  EXPECT_THAT(engine.Seek(kFile, 0, true), IsOkAndHolds(4096u));
  EXPECT_THAT(engine.Seek(kFile, 4096, false), IsOkAndHolds(8192u));
  EXPECT_THAT(engine.Seek(kFile, 3 * 4096, false), StatusIs(absl::StatusCode::kNotFound));
}

TEST(MemEngineTest, FullRefusesButFreeingStillWorks) {
  MemEngine engine(100 * 4096);
  Mutation big;
  const std::string bytes(200 * 4096, 'a');
  big.Write(kFile, 0, bytes, {});
  EXPECT_THAT(engine.Apply(big), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(engine.AllocatedBytes(kFile), 0u);
  Mutation most;
  most.Write(kFile, 0, absl::string_view(bytes).substr(0, 94 * 4096), {});
  ASSERT_OK(engine.Apply(most).status());
  Mutation row;
  for (int i = 0; i < 3; ++i) row.Put(std::string(1, static_cast<char>('k' + i)), std::string(2000, 'v'));
  EXPECT_THAT(engine.Apply(row), StatusIs(absl::StatusCode::kResourceExhausted));
  row.set_frees_space();
  EXPECT_OK(engine.Apply(row).status());
}

}  // namespace
}  // namespace fs

#include "fs/volume/space_map.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/testing/status_matchers.h"
#include "fs/cache/raw_engine.h"
#include "fs/disk/testing/mem_device.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using base::StatusIs;
using ::testing::Contains;

class SpaceMapTest : public ::testing::Test {
 protected:
  SpaceMapTest() : device_(64 << 20) {
    MkfsOptions mkfs;
    mkfs.log_bytes = 4 << 20;
    mkfs.seed = 1;
    EXPECT_OK(Mkfs(device_, mkfs));
    EngineOptions options;
    options.manual = true;
    absl::StatusOr<std::unique_ptr<RawEngine>> engine = OpenEngine(device_, options);
    EXPECT_OK(engine);
    engine_ = *std::move(engine);
    EXPECT_OK(Volume::Format(*engine_, base::Clock::Real(), 1, 2));
    absl::StatusOr<std::unique_ptr<Volume>> volume = Volume::Open(*engine_, {});
    EXPECT_OK(volume);
    volume_ = *std::move(volume);
  }
  InodeNumber MakeDir(InodeNumber parent, absl::string_view name) {
    return volume_->MakeDirectory(parent, name, 0755, {}).value().inode;
  }
  void MakeFile(InodeNumber parent, absl::string_view name, size_t bytes) {
    const InodeNumber inode = volume_->MakeNode(parent, name, {.mode = 0644}, {}).value().inode;
    ASSERT_OK(volume_->Write(inode, 0, std::string(bytes, 'x')));
  }

  testing::MemDevice device_;
  std::unique_ptr<RawEngine> engine_;
  std::unique_ptr<Volume> volume_;
};

TEST_F(SpaceMapTest, EachChunkHasItsTypeItsFillAndItsDirectory) {
  const InodeNumber large = MakeDir(kRootInode, "large");
  const InodeNumber below = MakeDir(large, "below");
  MakeFile(below, "f", 8 << 20);
  const InodeNumber small = MakeDir(kRootInode, "small");
  for (int i = 0; i < 100; ++i) MakeFile(small, absl::StrCat("f", i), 20000);
  ASSERT_OK(volume_->Sync());
  ASSERT_OK(engine_->Checkpoint());
  ASSERT_OK_AND_ASSIGN(const SpaceMap map, MapSpace(*engine_, *volume_));
  EXPECT_EQ(map.chunk_bytes, 1u << 20);
  std::set<std::pair<std::string, std::string>> owned;
  uint64_t used = 0, extents = 0;
  for (const SpaceMap::Chunk& chunk : map.chunks) {
    EXPECT_LE(chunk.used_bytes, map.chunk_bytes);
    if (chunk.type == "free") {
      EXPECT_EQ(chunk.used_bytes, 0u);
    }
    if (chunk.type != "meta") used += chunk.used_bytes;
    if (chunk.type == "extent") ++extents;
    if (chunk.directory != SpaceMap::kNoDirectory) owned.emplace(chunk.type, map.directories[chunk.directory]);
  }
  EXPECT_GE(used, (8u << 20) + 100 * 20000u);
  EXPECT_GE(extents, 8u);
  EXPECT_THAT(owned, Contains(std::make_pair("extent", "/large/below")));
  EXPECT_THAT(owned, Contains(std::make_pair("pack", "/small")));
}

TEST_F(SpaceMapTest, TheTextKeepsAll) {
  MakeFile(kRootInode, "f", 1 << 20);
  ASSERT_OK(engine_->Checkpoint());
  ASSERT_OK_AND_ASSIGN(const SpaceMap map, MapSpace(*engine_, *volume_));
  const std::string json = SpaceMapJson(map);
  ASSERT_OK_AND_ASSIGN(const SpaceMap read, ParseSpaceMap(json));
  EXPECT_EQ(SpaceMapJson(read), json);
  EXPECT_EQ(read.chunks.size(), map.chunks.size());
}

TEST(SpaceMapTextTest, HostileTextIsNoMap) {
  const char* const texts[] = {"",
                               "[]",
                               "{}",
                               "{\"chunk_bytes\":1,\"directories\":[],\"chunks\":[[\"free\",0,0,0,0]]}",
                               "{\"chunk_bytes\":-1,\"directories\":[],\"chunks\":[]}",
                               "{\"chunk_bytes\":1,\"directories\":[1],\"chunks\":[]}",
                               "{\"chunk_bytes\":1,\"directories\":[],\"chunks\":[[]]}",
                               "{\"chunk_bytes\":1,\"directories\":[],\"chunks\":[[\"free\",-1,0,0,-1]]}"};
  for (const char* const text : texts) {
    EXPECT_THAT(ParseSpaceMap(text), StatusIs(absl::StatusCode::kDataLoss)) << text;
  }
}

}  // namespace
}  // namespace fs

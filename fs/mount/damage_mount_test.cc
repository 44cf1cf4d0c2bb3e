// Flipped bits, zeroed and swapped sectors all over a store, seen through a real mount: the mount is refused, or what is
// read is right, or reading gives EIO; and cachectl fsck names it.
//
// fs/testing/damage_test.cc does the same to many more samples without a kernel. Samples: DAMAGE_SAMPLES (default 30);
// seed: TEST_SEED.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "fs/format/block_header.h"
#include "fs/format/superblock.h"
#include "fs/mount/testing/test_mount.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

constexpr size_t kSectorBytes = 512;
constexpr size_t kBlockBytes = 4096;

uint64_t FromEnvironment(const char* name, uint64_t fallback) {
  uint64_t value = fallback;
  const char* const given = std::getenv(name);
  if (given != nullptr && !absl::SimpleAtoi(given, &value)) ADD_FAILURE() << name << "=" << given;
  return value;
}

class DamageMountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_FUSE();
    SKIP_UNLESS_ROOT();
    sound_ = mount_.directory() + "/sound.img";
    ASSERT_EQ(Cachectl({"mkfs", "-q", "--size", "32M", mount_.store()}), 0) << said_;
    ASSERT_OK(mount_.Start());
    std::mt19937_64 random(7);
    for (int i = 0; i < 60; ++i) {
      static constexpr size_t kSizes[] = {0, 90, 700, 4096, 9000, 60000, 400000};
      std::string content(kSizes[i % std::size(kSizes)], ' ');
      for (char& c : content) c = static_cast<char>(random());
      const std::string directory = absl::StrCat("d", i % 4);
      if (i < 4) {
        ASSERT_EQ(mkdir(mount_.Path(directory).c_str(), 0755), 0);
      }
      const std::string name = absl::StrCat(directory, "/file-", i);
      ASSERT_TRUE(WriteAll(mount_.Path(name), content));
      contents_[name] = std::move(content);
    }
  }
  // How the mount ended decides what the log still holds.
  void Save() {
    ASSERT_EQ(rename(mount_.store().c_str(), sound_.c_str()), 0);
    const std::string image = ReadAll(sound_);
    ASSERT_OK_AND_ASSIGN(
        const Superblock superblock,
        DecodeSuperblock(absl::MakeSpan(reinterpret_cast<const uint8_t*>(image.data()), kSuperblockBytes), 0));
    uint64_t page_end = 0;
    for (uint64_t at = 0; at + kBlockBytes <= image.size(); at += kBlockBytes) {
      const uint8_t* const block = reinterpret_cast<const uint8_t*>(image.data()) + at;
      const bool chunk = at >= superblock.ChunkAddress(0) && at < superblock.ChunkAddress(superblock.chunk_count);
      if (chunk && base::LoadLittle<uint32_t>(block) == kBlockMagic) page_end = at + superblock.page_bytes;
      if (image.compare(at, kBlockBytes, std::string(kBlockBytes, '\0')) == 0) continue;
      (!chunk || at < page_end ? structure_blocks_ : data_blocks_).push_back(at);
    }
    ASSERT_GT(structure_blocks_.size(), 5u);
    ASSERT_GT(data_blocks_.size(), 100u);
  }
  int Cachectl(std::vector<std::string> words) {
    words.insert(words.begin(), ProgramFromEnvironment("CACHECTL"));
    return RunProgram(words, &said_);
  }

  // Harms a fresh copy of the store; says how.
  std::string Harm(std::mt19937_64& random) {
    EXPECT_EQ(RunProgram({"cp", "--sparse=always", sound_, mount_.store()}), 0);
    const base::Fd file(open(mount_.store().c_str(), O_RDWR));
    // Every other one of superblocks, log and pages, which are few.
    const auto block = [&] {
      const std::vector<uint64_t>& blocks = random() % 2 == 0 ? structure_blocks_ : data_blocks_;
      return blocks[random() % blocks.size()];
    };
    const auto read = [&](uint64_t at, size_t size) {
      std::string bytes(size, '\0');
      EXPECT_EQ(pread(file.get(), bytes.data(), size, static_cast<off_t>(at)), static_cast<ssize_t>(size));
      return bytes;
    };
    const auto write = [&](uint64_t at, const std::string& bytes) {
      EXPECT_EQ(pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(at)),
                static_cast<ssize_t>(bytes.size()));
    };
    const uint64_t sector = block() + random() % (kBlockBytes / kSectorBytes) * kSectorBytes;
    switch (random() % 4) {
      case 0: {
        const uint64_t at = block() + random() % kBlockBytes;
        std::string byte = read(at, 1);
        byte[0] = static_cast<char>(byte[0] ^ (1 << random() % 8));
        write(at, byte);
        return absl::StrCat("a bit flipped at ", at);
      }
      case 1:
        write(sector, std::string(kSectorBytes, '\0'));
        return absl::StrCat("a sector zeroed at ", sector);
      case 2: {
        const uint64_t other = block() + random() % (kBlockBytes / kSectorBytes) * kSectorBytes;
        const std::string here = read(sector, kSectorBytes);
        write(sector, read(other, kSectorBytes));
        write(other, here);
        return absl::StrCat("sectors swapped at ", sector, " and ", other);
      }
      default: {
        const uint64_t first = block();
        const uint64_t second = block();
        const std::string here = read(first, kBlockBytes);
        write(first, read(second, kBlockBytes));
        write(second, here);
        return absl::StrCat("blocks swapped at ", first, " and ", second);
      }
    }
  }

  // Reads everything; the number of EIOs. Anything else but what was stored is a failure, but for names of a newest
  // commit that was `cut`.
  int ReadEverything(const std::string& damage, bool cut) {
    int errors = 0;
    for (const auto& [name, content] : contents_) {
      const base::Fd file(open(mount_.Path(name).c_str(), O_RDONLY));
      if (!file.valid()) {
        EXPECT_TRUE(errno == EIO || (cut && errno == ENOENT)) << damage << "; " << name << ": " << strerror(errno);
        ++errors;
        continue;
      }
      // Page by page: an error of one does not excuse the others.
      std::string found(kBlockBytes, '\0');
      for (size_t at = 0; at < std::max<size_t>(content.size(), 1); at += kBlockBytes) {
        const ssize_t count = pread(file.get(), found.data(), kBlockBytes, static_cast<off_t>(at));
        if (count < 0) {
          EXPECT_EQ(errno, EIO) << damage << "; " << name;
          ++errors;
          continue;
        }
        EXPECT_TRUE(found.substr(0, static_cast<size_t>(count)) == content.substr(at, kBlockBytes))
            << damage << "; wrong data in " << name << " at " << at;
      }
    }
    for (int d = 0; d < 4; ++d) {
      DIR* const directory = opendir(mount_.Path(absl::StrCat("d", d)).c_str());
      if (directory != nullptr) errno = 0;
      while (directory != nullptr && readdir(directory) != nullptr) {
      }
      if (errno != 0) {
        EXPECT_TRUE(errno == EIO || (cut && errno == ENOENT))
            << damage << "; listing d" << d << ": " << strerror(errno);
        ++errors;
      }
      if (directory != nullptr) closedir(directory);
    }
    return errors;
  }

  void RunSamples() {
    const uint64_t seed = FromEnvironment("TEST_SEED", 1);
    const uint64_t samples = FromEnvironment("DAMAGE_SAMPLES", 30);
    std::printf("seed=%llu\n", static_cast<unsigned long long>(seed));
    std::mt19937_64 random(seed);
    int refused = 0, found = 0, named = 0, cuts = 0;
    for (uint64_t i = 0; i < samples && !HasFailure(); ++i) {
      const std::string damage = Harm(random);
      const int fsck = Cachectl({"fsck", "--data", mount_.store()});
      const std::string findings = said_;
      EXPECT_TRUE(fsck == 0 || fsck == 4 || fsck == 8) << damage << ": " << findings;
      if (fsck != 0) ++named;
      for (const std::vector<std::string>& look : std::vector<std::vector<std::string>>{
               {"dump", "--rows", "--records", mount_.store()}, {"info", mount_.store()}}) {
        const int code = Cachectl(look);
        EXPECT_TRUE(code == 0 || code == 1) << damage << ": cachectl " << look[0] << " ended with " << code;
      }
      const size_t said_before = mount_.Output().size();
      const absl::Status mounted = mount_.Start();
      if (!mounted.ok()) {
        ++refused;
        EXPECT_TRUE(absl::IsUnavailable(mounted)) << damage << ": " << mounted;
        EXPECT_NE(fsck, 0) << damage << ": fsck found nothing, but " << mounted;
        continue;
      }
      // Two places at once, the data of the newest commit and the mark that it was durable: that looks like a power cut,
      // and is said.
      const bool cut = mount_.Output().find("newest commit was incomplete", said_before) != std::string::npos;
      const int errors = ReadEverything(damage, cut);
      if (cut) ++cuts;
      if (errors > 0 && !cut) ++found;
      EXPECT_TRUE(errors == 0 || fsck != 0 || absl::StrContains(findings, "R9"))
          << damage << ": fsck found nothing, but " << errors << " reads failed";
      mount_.Kill();
    }
    std::printf("%llu damages: %d mounts refused, %d with EIO in places, %d told of a cut; fsck found fault with %d\n",
                static_cast<unsigned long long>(samples), refused, found, cuts, named);
    EXPECT_LT(cuts, 2 + refused + found) << "cuts are rare";
    EXPECT_GT(refused + found, 0) << "nothing was hit";
  }

  TestMount mount_;
  std::string sound_;
  std::map<std::string, std::string> contents_;
  std::vector<uint64_t> data_blocks_;
  std::vector<uint64_t> structure_blocks_;
  std::string said_;
};

TEST_F(DamageMountTest, OfAClosedVolume) {
  ASSERT_OK(mount_.Stop());
  Save();
  RunSamples();
}

// Most of the tree is in the log; everything was acknowledged, and the end marked by a second of rest.
TEST_F(DamageMountTest, OfAVolumeKilledWhenIdle) {
  {
    const base::Fd root(open(mount_.mount_point().c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_EQ(fsync(root.get()), 0);
  }
  // The newest batch is marked as durable by the mount itself, within seconds of rest.
  sleep(3);
  mount_.Kill();
  Save();
  RunSamples();
}

}  // namespace
}  // namespace fs::testing

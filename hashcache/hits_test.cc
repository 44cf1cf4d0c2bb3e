// Wrong hits, hunted on every filesystem there is: tests T1 to T6, T10 and T20 of the
// rules in store/rules.h, with the real clock and real files.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <random>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gtest/gtest.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/hasher.h"
#include "hashcache/testing/filesystems.h"

namespace hashcache {
namespace {

constexpr Algorithm kAlgorithm = Algorithm::kXxh3_128;

Digests DigestOf(absl::string_view content) {
  HashStream stream(kAlgorithm);
  return stream.HashWhole({reinterpret_cast<const uint8_t*>(content.data()), content.size()});
}

int64_t EnvironmentNumber(const char* name, int64_t fallback) {
  const char* const text = std::getenv(name);
  int64_t value = 0;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : fallback;
}

class HitsTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const TestFilesystem& filesystem = FilesystemByName(GetParam());
    if (filesystem.directory.empty()) GTEST_SKIP() << GetParam() << ": " << filesystem.why_not;
    directory_ = std::make_unique<base::TempDir>(filesystem.directory);
    Reopen();
  }
  void Reopen(HasherOptions options = {}) {
    hasher_ = nullptr;
    options.cache_directory = cache_.path() + "/cache";
    options.audit_share = 0;
    options.threads = 1;
    auto hasher = Hasher::Create(options);
    ASSERT_OK(hasher.status());
    hasher_ = *std::move(hasher);
  }
  std::string Path(absl::string_view name) const { return absl::StrCat(directory_->path(), "/", name); }

  // Hashes `name`; whatever comes back must be the digest of what is there now.
  FileResult Check(absl::string_view name) {
    FileResult one;
    const std::string path = Path(name);
    const HashRequest requests[] = {{.path = path, .algorithms = kAlgorithm}};
    EXPECT_OK(hasher_->HashBatch(requests, [&one](size_t, FileResult&& result) { one = std::move(result); }));
    EXPECT_OK(one.status);
    const absl::StatusOr<std::string> content = base::ReadFile(path, 1 << 30);
    EXPECT_OK(content.status());
    if (one.status.ok() && content.ok() && !(one.digests == DigestOf(*content))) {
      ++wrong_;
      ADD_FAILURE() << "wrong digest; " << OutcomeName(one.outcome) << "; " << path;
    }
    return one;
  }
  void Put(absl::string_view name, absl::string_view content) {
    const base::Fd fd = *base::OpenFile(Path(name), O_WRONLY | O_CREAT | O_TRUNC);
    ASSERT_OK(base::WriteFull(fd.get(), content));
  }
  void Edit(absl::string_view name, absl::string_view content) {
    const base::Fd fd = *base::OpenFile(Path(name), O_WRONLY);
    ASSERT_OK(base::PWriteFull(fd.get(), content, 0));
  }

  base::TempDir cache_;
  std::unique_ptr<base::TempDir> directory_;
  std::unique_ptr<Hasher> hasher_;
  int wrong_ = 0;
};

TEST_P(HitsTest, T1SameSizeEditsAtOnce) {
  Put("a", "0000");
  for (int i = 0; i < 2000 && wrong_ == 0; ++i) {
    Edit("a", absl::StrCat(1000 + i));
    Check("a");
    if (i % 3 == 0) Check("a");
  }
}

TEST_P(HitsTest, T2EditWithTimesRestored) {
  Put("a", "before");
  Check("a");
  struct stat attributes;
  ASSERT_EQ(stat(Path("a").c_str(), &attributes), 0);
  for (int i = 0; i < 200 && wrong_ == 0; ++i) {
    Edit("a", absl::StrCat("aft", 100 + i));
    const timespec times[2] = {attributes.st_atim, attributes.st_mtim};
    ASSERT_EQ(utimensat(AT_FDCWD, Path("a").c_str(), times, 0), 0);
    Check("a");
  }
}

TEST_P(HitsTest, T3FileOfTheSameTimeMovedOver) {
  Put("a", "one");
  Put("b", "two");
  const timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  utimensat(AT_FDCWD, Path("a").c_str(), times, 0);
  utimensat(AT_FDCWD, Path("b").c_str(), times, 0);
  Check("a");
  ASSERT_EQ(rename(Path("b").c_str(), Path("a").c_str()), 0);
  Check("a");
}

TEST_P(HitsTest, T4InodeReused) {
  for (int i = 0; i < 500 && wrong_ == 0; ++i) {
    unlink(Path("a").c_str());
    Put("a", absl::StrCat(1000 + i));
    Check("a");
  }
}

TEST_P(HitsTest, T5StoresThroughAMapping) {
  for (const bool with_msync : {false, true}) {
    Put("a", std::string(4096, 'a'));
    base::Fd fd = *base::OpenFile(Path("a"), O_RDWR);
    auto* const page = static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
    ASSERT_NE(page, MAP_FAILED);
    fd.Reset();
    page[0] = 'b';
    for (int i = 0; i < 20 && wrong_ == 0; ++i) {
      const FileResult result = Check("a");
      EXPECT_EQ(result.outcome, Outcome::kBusy) << "a writable mapping cannot be excluded";
      page[i + 1] = static_cast<char>('c' + i);
      if (with_msync) msync(page, 4096, MS_SYNC);
      usleep(1000);
    }
    munmap(page, 4096);
    Check("a");
    Check("a");
  }
}

TEST_P(HitsTest, T10HardLinksShareAnEntry) {
  Put("a", "content");
  usleep(30'000);
  ASSERT_EQ(link(Path("a").c_str(), Path("b").c_str()), 0);
  if (GetParam() == "ext4_128") usleep(3'100'000);  // stamps of whole seconds
  usleep(30'000);
  EXPECT_EQ(Check("a").outcome, Outcome::kHashed);
  EXPECT_EQ(Check("b").outcome, Outcome::kHit);
  EXPECT_EQ(hasher_->metrics().hashed, 1u);
}

// A file left alone is a hit, or all of this proves nothing.
TEST_P(HitsTest, UnchangedFilesAreHits) {
  Put("a", "content");
  if (GetParam() == "ext4_128") usleep(3'100'000);
  usleep(30'000);
  EXPECT_EQ(Check("a").outcome, Outcome::kHashed);
  EXPECT_EQ(Check("a").outcome, Outcome::kHit);
  Reopen();
  EXPECT_EQ(Check("a").outcome, Outcome::kHit);
  Reopen({.strict = true});
  EXPECT_EQ(Check("a").outcome, Outcome::kHit);
}

// One random step after the other on a few files.
class RandomSteps {
 public:
  static constexpr size_t kFiles = 6;
  static constexpr size_t kSize = 64;

  RandomSteps(uint64_t seed, std::function<std::string(size_t)> path_of) : random_(seed), path_of_(std::move(path_of)) {
    for (size_t i = 0; i < kFiles; ++i) Write(path_of_(i), O_CREAT | O_TRUNC, std::string(kSize, 'x'));
  }
  ~RandomSteps() {
    for (char* const page : pages_) {
      if (page != nullptr) munmap(page, kSize);
    }
  }

  // The file to check now, if the step says so.
  absl::optional<size_t> Step() {
    const size_t i = random_() % kFiles;
    const std::string path = path_of_(i);
    const std::string content(kSize, static_cast<char>('a' + random_() % 26));
    const uint64_t what = random_() % 16;
    if (what >= 13) return i;
    if (what >= 9 && what <= 11) {
      Map(i, path, what, content[0]);
    } else {
      Change(path, what, content);
    }
    return absl::nullopt;
  }
  uint64_t Random() { return random_(); }

 private:
  static void Write(const std::string& path, int flags, absl::string_view content) {
    const base::Fd fd = *base::OpenFile(path, O_WRONLY | flags);
    ASSERT_OK(base::WriteFull(fd.get(), content));
  }

  void Change(const std::string& path, uint64_t what, const std::string& content) {
    struct stat attributes;
    const std::string other = path_of_(random_() % kFiles);
    switch (what) {
      case 0:
      case 1:
        return Write(path, 0, content);
      case 2:
        return Write(path, 0, content.substr(0, 1));
      case 3: {  // an edit that hides itself
        ASSERT_EQ(stat(path.c_str(), &attributes), 0);
        Write(path, 0, content);
        const timespec times[2] = {attributes.st_atim, attributes.st_mtim};
        utimensat(AT_FDCWD, path.c_str(), times, 0);
        return;
      }
      case 4:
        return Write(path, O_TRUNC, content.substr(0, random_() % kSize + 1));
      case 5:
        unlink(path.c_str());
        return Write(path, O_CREAT, content);
      case 6:
        if (other == path) return;
        rename(path.c_str(), other.c_str());
        return Write(path, O_CREAT, content);
      case 7:
        chmod(path.c_str(), random_() % 2 == 0 ? 0600 : 0644);
        return;
      case 8:
        if (link(path.c_str(), path_of_(kFiles).c_str()) != 0) unlink(path_of_(kFiles).c_str());
        return;
      default:
        stat(path.c_str(), &attributes);
    }
  }

  void Map(size_t i, const std::string& path, uint64_t what, char content) {
    char*& page = pages_[i];
    if (what == 9 && page == nullptr) {
      const base::Fd fd = *base::OpenFile(path, O_RDWR);
      void* const mapped = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
      if (mapped != MAP_FAILED) page = static_cast<char*>(mapped);
    } else if (what == 9) {
      munmap(page, kSize);
      page = nullptr;
    } else if (page != nullptr && what == 10) {
      struct stat attributes;
      // The file may have another content by now, or be gone; the page stays mapped.
      if (stat(path.c_str(), &attributes) == 0) page[0] = content;
    } else if (page != nullptr && random_() % 8 == 0) {
      msync(page, kSize, MS_SYNC);
    }
  }

  std::mt19937_64 random_;
  const std::function<std::string(size_t)> path_of_;
  char* pages_[kFiles] = {};
};

// HASHCACHE_MODEL_STEPS makes it longer.
TEST_P(HitsTest, T20RandomSteps) {
  const auto seed = static_cast<uint64_t>(EnvironmentNumber("TEST_SEED", 20));
  const int64_t steps = EnvironmentNumber("HASHCACHE_MODEL_STEPS", 6000);
  std::cout << "seed=" << seed << " steps=" << steps << "\n";
  RandomSteps random(seed, [this](size_t i) { return Path(absl::StrCat("f", i)); });
  uint64_t hits = 0, hashed = 0;
  const auto reopen = [&](bool strict) {
    hits += hasher_->metrics().hits;
    hashed += hasher_->metrics().hashed;
    Reopen({.strict = strict});
  };
  for (int64_t step = 0; step < steps && wrong_ == 0; ++step) {
    const absl::optional<size_t> check = random.Step();
    if (check.has_value()) Check(absl::StrCat("f", *check));
    if (random.Random() % 2000 == 0) reopen(random.Random() % 2 == 0);
  }
  reopen(false);
  std::cout << "hits=" << hits << " hashed=" << hashed << "\n";
}

INSTANTIATE_TEST_SUITE_P(Filesystems, HitsTest, ::testing::ValuesIn(FilesystemNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace hashcache

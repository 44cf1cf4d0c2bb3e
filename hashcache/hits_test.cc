// Wrong hits, hunted on every filesystem there is: tests T1 to T5, T9, T10, T13, T17, T18 and T20
// of the rules in store/rules.h, with the real clock and real files.
//
// A cachefs mount answers for the bytes that were handed over to it; those stored through a mapping
// count from msync or munmap on, or at once with --strict.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gtest/gtest.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/hasher.h"
#include "hashcache/provider/cachefs.h"
#include "hashcache/testing/filesystems.h"

namespace hashcache {
namespace {

// One that the mount knows.
constexpr Algorithm kAlgorithm = Algorithm::kXxh3_64;

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
    options.providers = {CachefsProviderFor};
    strict_ = options.strict;
    auto hasher = Hasher::Create(options);
    ASSERT_OK(hasher.status());
    hasher_ = *std::move(hasher);
  }
  std::string Path(absl::string_view name) const { return absl::StrCat(directory_->path(), "/", name); }
  bool OnCachefs() const { return GetParam() == "cachefs"; }
  // What is to come of an unchanged file: cachefs is never remembered, for it can be asked.
  Outcome Unread() const { return OnCachefs() ? Outcome::kProvider : Outcome::kHit; }
  // Until stamps made before are a clock's tick old.
  void WaitForTheClock() const { usleep(GetParam() == "ext4_128" ? 3'130'000 : 30'000); }

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
  bool strict_ = false;
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
  if (OnCachefs()) Reopen({.strict = true});
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

TEST_P(HitsTest, T9StampsOfTheFutureAreNotBelieved) {
  Put("a", "content");
  const timespec times[2] = {{4'000'000'000, 5}, {4'000'000'000, 5}};
  ASSERT_EQ(utimensat(AT_FDCWD, Path("a").c_str(), times, 0), 0);
  WaitForTheClock();
  const Outcome expected = OnCachefs() ? Outcome::kProvider : Outcome::kHashed;
  EXPECT_EQ(Check("a").outcome, expected);
  EXPECT_EQ(Check("a").outcome, expected);
}

TEST_P(HitsTest, T10HardLinksShareAnEntry) {
  Put("a", "content");
  ASSERT_EQ(link(Path("a").c_str(), Path("b").c_str()), 0);
  WaitForTheClock();
  EXPECT_EQ(Check("a").outcome, OnCachefs() ? Outcome::kProvider : Outcome::kHashed);
  EXPECT_EQ(Check("b").outcome, Unread());
  EXPECT_EQ(hasher_->metrics().hashed, OnCachefs() ? 0u : 1u);
}

// A file left alone is a hit, or all of this proves nothing.
TEST_P(HitsTest, UnchangedFilesAreNotReadAgain) {
  Put("a", "content");
  WaitForTheClock();
  EXPECT_EQ(Check("a").outcome, OnCachefs() ? Outcome::kProvider : Outcome::kHashed);
  EXPECT_EQ(Check("a").outcome, Unread());
  Reopen();
  EXPECT_EQ(Check("a").outcome, Unread());
  Reopen({.strict = true});
  EXPECT_EQ(Check("a").outcome, OnCachefs() ? Outcome::kHashed : Outcome::kHit);
}

class EntriesSink : public TreeSink {
 public:
  bool Visit(const TreeEntry& entry, FileResult&& result) override {
    kinds[std::string(entry.path)] = entry.kind;
    results[std::string(entry.path)] = std::move(result);
    return true;
  }
  std::map<std::string, EntryKind> kinds;
  std::map<std::string, FileResult> results;
};

TEST_P(HitsTest, T13SpecialFilesNeverHang) {
  Put("a", "content");
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  if (geteuid() == 0) {
    ASSERT_EQ(mknod(Path("terminal").c_str(), S_IFCHR | 0600, makedev(5, 0)), 0);
  }
  ASSERT_EQ(mknod(Path("socket").c_str(), S_IFSOCK | 0600, 0), 0);
  EntriesSink sink;
  ASSERT_OK(hasher_->HashTree(directory_->path(), {.algorithms = kAlgorithm}, sink));
  EXPECT_EQ(sink.results.at("a").digests, DigestOf("content"));
  for (const char* const name : {"fifo", "socket"}) {
    EXPECT_EQ(sink.kinds.at(name), EntryKind::kOther);
    const std::string path = Path(name);
    const HashRequest requests[] = {{.path = path, .algorithms = kAlgorithm}};
    EXPECT_OK(hasher_->HashBatch(requests, [&](size_t, FileResult&& result) {
      EXPECT_FALSE(result.status.ok()) << name;
      EXPECT_TRUE(result.digests.algorithms().empty()) << name;
    }));
  }
}

TEST_P(HitsTest, T18NamesOfAnyBytes) {
  const std::string names[] = {"\xff\xfe not UTF-8", "new\nline", "back\\slash", "\r", " ", "-", std::string(255, 'n')};
  for (const std::string& name : names) Put(name, name);
  for (int pass = 0; pass < 2; ++pass) {
    EntriesSink sink;
    ASSERT_OK(hasher_->HashTree(directory_->path(), {.algorithms = kAlgorithm}, sink));
    for (const std::string& name : names) EXPECT_EQ(sink.results.at(name).digests, DigestOf(name)) << name;
    WaitForTheClock();
  }
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
  void SyncMappings() {
    for (char* const page : pages_) {
      if (page != nullptr) msync(page, kSize, MS_SYNC);
    }
  }

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
    hits += hasher_->metrics().hits + hasher_->metrics().provided;
    hashed += hasher_->metrics().hashed;
    Reopen({.strict = strict});
  };
  for (int64_t step = 0; step < steps && wrong_ == 0; ++step) {
    const absl::optional<size_t> check = random.Step();
    if (check.has_value() && OnCachefs() && !strict_) random.SyncMappings();
    if (check.has_value()) Check(absl::StrCat("f", *check));
    if (random.Random() % 2000 == 0) reopen(random.Random() % 2 == 0);
  }
  reopen(false);
  std::cout << "hits=" << hits << " hashed=" << hashed << "\n";
}

// T17: a copy-up changes what is below the same name.
TEST(OverlayTest, T17IsNeverBelieved) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  base::TempDir directory;
  base::TempDir cache;
  const std::string top = directory.path();
  for (const char* const name : {"lower", "upper", "work", "merged"}) ASSERT_OK(base::MakeDirectories(top + "/" + name));
  ASSERT_OK(base::ReplaceFile(top + "/lower/a", "old", {}));
  const std::string words = absl::StrCat("lowerdir=", top, "/lower,upperdir=", top, "/upper,workdir=", top, "/work");
  const std::string merged = top + "/merged";
  if (mount("overlay", merged.c_str(), "overlay", 0, words.c_str()) != 0) GTEST_SKIP() << "no overlays here";
  usleep(30'000);
  const std::string path = merged + "/a";
  const auto hasher = *Hasher::Create({.cache_directory = cache.path() + "/cache"});
  const auto check = [&](absl::string_view content) {
    const HashRequest requests[] = {{.path = path, .algorithms = kAlgorithm}};
    EXPECT_OK(hasher->HashBatch(requests, [&](size_t, FileResult&& result) {
      EXPECT_EQ(result.outcome, Outcome::kHashed);
      EXPECT_EQ(result.digests, DigestOf(content));
    }));
  };
  check("old");
  check("old");
  {
    const base::Fd fd = *base::OpenFile(path, O_WRONLY);
    ASSERT_OK(base::PWriteFull(fd.get(), "new", 0));
  }
  check("new");
  umount2(merged.c_str(), MNT_DETACH);
}

INSTANTIATE_TEST_SUITE_P(Filesystems, HitsTest, ::testing::ValuesIn(FilesystemNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace hashcache

// The cache as a library. The suite RawDiskCacheBugsTest has a test for each bug of the
// cache that this one replaces, named for its symptom.
#include "fs/volume/raw_disk_cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/testing/temp_dir.h"
#include "fs/volume/testing/volume_fixture.h"

namespace fs {
namespace {

using ::base::IsOkAndHolds;
using ::base::StatusIs;
using ::testing::HasSubstr;

constexpr auto kNotFound = absl::StatusCode::kNotFound;

// On an engine in memory, where faults and power cuts can be played.
class RawDiskCacheTest : public VolumeTest {
 protected:
  explicit RawDiskCacheTest(uint64_t capacity_bytes = base::kTiB) : VolumeTest(capacity_bytes) {
    options_.clock = &clock_;
    options_.flush_interval = absl::InfiniteDuration();
    OpenCache();
  }
  ~RawDiskCacheTest() override { cache_ = nullptr; }

  void OpenCache() {
    cache_ = nullptr;
    absl::StatusOr<std::unique_ptr<RawDiskCache>> cache = RawDiskCache::OnVolume(*volume_, kRootInode, options_);
    ASSERT_OK(cache.status());
    cache_ = *std::move(cache);
  }
  void CutPowerNow() {
    // The disk as it is now; what the old cache still does happens to the old one.
    std::unique_ptr<MemEngine> next = engine_->CutPower(engine_->durable_sequence());
    cache_ = nullptr;
    volume_ = nullptr;
    engine_ = std::move(next);
    Open();
    OpenCache();
  }

  RawDiskCacheOptions options_;
  std::unique_ptr<RawDiskCache> cache_;
};

TEST_F(RawDiskCacheTest, KeysArePathsAndValuesFiles) {
  ASSERT_OK(cache_->Store("a/b/c", "value"));
  EXPECT_THAT(cache_->Lookup("a/b/c"), IsOkAndHolds("value"));
  ASSERT_OK_AND_ASSIGN(const Attributes a, Look(kRootInode, "a"));
  ASSERT_OK_AND_ASSIGN(const Attributes b, Look(a.inode, "b"));
  EXPECT_EQ(Content(Look(b.inode, "c")->inode), "value") << "the file that a mount shows";
  EXPECT_THAT(cache_->Lookup("a/b"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(cache_->Store("a/b", "x"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(cache_->Lookup("a/x/y"), StatusIs(kNotFound));
}

TEST_F(RawDiskCacheTest, BadKeysAndValues) {
  for (const absl::string_view key : {"", "/a", "a/", "a//b", ".", "..", "a/../b", ".cachefs/x"}) {
    EXPECT_THAT(cache_->Store(key, "x"), StatusIs(absl::StatusCode::kInvalidArgument)) << key;
    EXPECT_THAT(cache_->Lookup(key), StatusIs(absl::StatusCode::kInvalidArgument)) << key;
    EXPECT_THAT(cache_->Remove(key), StatusIs(absl::StatusCode::kInvalidArgument)) << key;
  }
  EXPECT_THAT(cache_->Store(absl::string_view("a\0b", 3), "x"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(cache_->Store(std::string(256, 'k'), "x"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_OK(cache_->Store(std::string(255, 'k'), ""));
  EXPECT_THAT(cache_->Lookup(std::string(255, 'k')), IsOkAndHolds(""));
  EXPECT_THAT(cache_->Store("a", "x", {.ttl = -absl::Seconds(1)}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(RawDiskCacheTest, OptionsAreChecked) {
  const auto refused = [](const std::function<void(RawDiskCacheOptions&)>& edit) {
    RawDiskCacheOptions options;
    edit(options);
    return absl::IsInvalidArgument(options.Validate());
  };
  EXPECT_TRUE(refused([](auto& options) { options.block_bytes = 5000; }));
  EXPECT_TRUE(refused([](auto& options) { options.size_bytes = 5000; }));
  EXPECT_TRUE(refused([](auto& options) { options.ttl = absl::ZeroDuration(); }));
  EXPECT_TRUE(refused([](auto& options) { options.read_threads = 0; }));
  EXPECT_FALSE(refused([](auto&) {}));
}

TEST_F(RawDiskCacheTest, StoreIsDurableBufferedIsNotYet) {
  ASSERT_OK(cache_->Store("durable", "1"));
  ASSERT_OK(cache_->StoreBuffered("buffered", "2"));
  CutPowerNow();
  EXPECT_THAT(cache_->Lookup("durable"), IsOkAndHolds("1"));
  EXPECT_THAT(cache_->Lookup("buffered"), StatusIs(kNotFound));
  ASSERT_OK(cache_->StoreBuffered("buffered", "2"));
  ASSERT_OK(cache_->FlushWrites());
  CutPowerNow();
  EXPECT_THAT(cache_->Lookup("buffered"), IsOkAndHolds("2"));
}

TEST_F(RawDiskCacheTest, FullBufferFlushesByItself) {
  for (int i = 0; i < 31; ++i) ASSERT_OK(cache_->StoreBuffered(absl::StrCat(i), "x"));
  EXPECT_EQ(cache_->Stats().pending_writes, 31u);
  EXPECT_EQ(cache_->Stats().flushes, 0u);
  ASSERT_OK(cache_->StoreBuffered("31", "x"));
  EXPECT_EQ(cache_->Stats().pending_writes, 0u) << "32 operations";
  ASSERT_OK(cache_->StoreBuffered("large", std::string(4 << 20, 'x')));
  EXPECT_EQ(cache_->Stats().flushes, 2u) << "4 MiB";
  EXPECT_EQ(cache_->Stats().batch_operations_average, 16.5);
}

TEST_F(RawDiskCacheTest, UrgentEntriesDoNotWaitForTheBatch) {
  ASSERT_OK(cache_->StoreBuffered("normal", "1"));
  ASSERT_OK(cache_->StoreBuffered("urgent", "2", {.priority = EntryPriority::kUrgent}));
  EXPECT_EQ(cache_->Stats().pending_writes, 0u);
  CutPowerNow();
  EXPECT_THAT(cache_->Lookup("urgent"), IsOkAndHolds("2"));
}

TEST_F(RawDiskCacheTest, BufferedAndDurableStoresMixFreely) {
  ASSERT_OK(cache_->StoreBuffered("k", "1"));
  ASSERT_OK(cache_->Store("k", "2"));
  ASSERT_OK(cache_->StoreBuffered("k", "3"));
  EXPECT_THAT(cache_->Lookup("k"), IsOkAndHolds("3"));
  CutPowerNow();
  EXPECT_THAT(cache_->Lookup("k"), IsOkAndHolds("2"));
}

TEST_F(RawDiskCacheTest, BatchOfStoresAppearsAtOneMoment) {
  const Sequence before = engine_->last_sequence();
  const CacheEntry entries[] = {{"a", "1", {}}, {"b", "2", {}}, {"a", "3", {}}};
  ASSERT_OK(cache_->StoreBatch(entries));
  EXPECT_EQ(engine_->last_sequence(), before + 1);
  EXPECT_THAT(cache_->Lookup("a"), IsOkAndHolds("3")) << "the later one of a key wins";
  const CacheEntry bad[] = {{"c", "1", {}}, {"..", "2", {}}};
  EXPECT_THAT(cache_->StoreBatch(bad), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(cache_->Lookup("c"), StatusIs(kNotFound));
}

TEST_F(RawDiskCacheTest, RemoveAnswersWhetherItWasThere) {
  ASSERT_OK(cache_->Store("a", "1"));
  const absl::string_view keys[] = {"a", "b", "..", "a"};
  const std::vector<absl::StatusOr<bool>> answers = cache_->RemoveBatch(keys);
  EXPECT_THAT(answers[0], IsOkAndHolds(true));
  EXPECT_THAT(answers[1], IsOkAndHolds(false));
  EXPECT_THAT(answers[2], StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(answers[3], IsOkAndHolds(false));
}

TEST_F(RawDiskCacheTest, BatchOfRemovesHappensAtOneMoment) {
  const CacheEntry entries[] = {{"a", "1", {}}, {"d/b", "2", {}}, {"d/c", "3", {}}};
  ASSERT_OK(cache_->StoreBatch(entries));
  const Sequence before = engine_->last_sequence();
  const absl::string_view keys[] = {"d/c", "none", "a", "d/c", "d", "none/at/all", "d/b"};
  const std::vector<absl::StatusOr<bool>> answers = cache_->RemoveBatch(keys);
  EXPECT_EQ(engine_->last_sequence(), before + 1);
  EXPECT_THAT(answers[0], IsOkAndHolds(true));
  EXPECT_THAT(answers[1], IsOkAndHolds(false));
  EXPECT_THAT(answers[2], IsOkAndHolds(true));
  EXPECT_THAT(answers[3], IsOkAndHolds(false)) << "gone by the same batch";
  EXPECT_THAT(answers[4], StatusIs(absl::StatusCode::kFailedPrecondition)) << "a directory";
  EXPECT_THAT(answers[5], IsOkAndHolds(false));
  EXPECT_THAT(answers[6], IsOkAndHolds(true));
  EXPECT_THAT(cache_->Lookup("a"), StatusIs(kNotFound));
  EXPECT_THAT(cache_->Lookup("d/b"), StatusIs(kNotFound));
  EXPECT_EQ(cache_->Stats().removes, 3u);
  ASSERT_OK(cache_->Store("d/b", "again"));
  EXPECT_THAT(cache_->Lookup("d/b"), IsOkAndHolds("again"));
}

TEST_F(RawDiskCacheTest, AsynchronousFormsAnswerOnce) {
  engine_->HoldCommits();
  int stored = 0, flushed = 0;
  cache_->StoreAsync("a", "1", {}, [&](absl::Status status) { stored += status.ok() ? 1 : 100; });
  cache_->FlushWritesAsync([&](absl::Status status) { flushed += status.ok() ? 1 : 100; });
  EXPECT_THAT(cache_->Lookup("a"), IsOkAndHolds("1")) << "seen at once";
  EXPECT_EQ(stored + flushed, 0) << "but not durable";
  engine_->ReleaseCommits();
  EXPECT_EQ(stored, 1);
  EXPECT_EQ(flushed, 1);
  cache_->StoreAsync("..", "1", {}, [&](absl::Status status) { stored += absl::IsInvalidArgument(status) ? 1 : 100; });
  EXPECT_EQ(stored, 2);
}

TEST_F(RawDiskCacheTest, AsynchronousLookupsOfColdValuesUseAnotherThread) {
  ASSERT_OK(cache_->Store("a", "1"));
  const std::thread::id self = std::this_thread::get_id();
  const auto look = [&](absl::string_view key) {
    base::Notification answered;
    std::thread::id thread;
    absl::StatusOr<std::string> value = absl::UnknownError("");
    cache_->LookupAsync(key, [&](absl::StatusOr<std::string> answer) {
      value = std::move(answer);
      thread = std::this_thread::get_id();
      answered.Notify();
    });
    answered.Wait();
    return std::pair(value, thread == self);
  };
  EXPECT_THAT(look("a").first, IsOkAndHolds("1"));
  EXPECT_TRUE(look("a").second);
  EXPECT_THAT(look("b").first, StatusIs(kNotFound));
  engine_->set_cold(true);
  EXPECT_THAT(look("a").first, IsOkAndHolds("1"));
  EXPECT_FALSE(look("a").second);
}

TEST_F(RawDiskCacheTest, QuotaBoundsTheCache) {
  options_.quota_bytes = 100 << 10;
  OpenCache();
  for (int i = 0; i < 100; ++i) ASSERT_OK(cache_->StoreBuffered(absl::StrCat(i), std::string(4096, 'x')));
  EXPECT_GT(cache_->Stats().evicted_entries, 70u);
  EXPECT_OK(cache_->Lookup("99").status());
  EXPECT_THAT(cache_->Store("too large", std::string(200 << 10, 'x')), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(RawDiskCacheTest, ClosedCacheRefuses) {
  ASSERT_OK(cache_->StoreBuffered("a", "1"));
  ASSERT_OK(cache_->Close());
  EXPECT_EQ(engine_->durable_sequence(), engine_->last_sequence());
  EXPECT_THAT(cache_->Store("a", "2"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(cache_->Lookup("a"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(cache_->FlushWrites(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_OK(cache_->Close());
}

TEST_F(RawDiskCacheTest, ManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t, &wrong] {
      for (int i = 0; i < 300; ++i) {
        const std::string own = absl::StrCat("t", t, "/", i % 20), value = absl::StrCat(t, ":", i);
        if (!cache_->StoreBuffered(own, value).ok()) ++wrong;
        if (cache_->Lookup(own).value_or("") != value) ++wrong;
        if (!cache_->StoreBuffered("shared", value).ok()) ++wrong;
        if (!cache_->Lookup("shared").ok()) ++wrong;
        if (i % 50 == 0 && !cache_->FlushWrites().ok()) ++wrong;
        if (i % 7 == 0 && !cache_->Remove(own).value_or(false)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(cache_->Stats().buffered_stores, 2400u);
}

// --- the twelve bugs of the cache that this one replaces

using RawDiskCacheBugsTest = RawDiskCacheTest;

TEST_F(RawDiskCacheBugsTest, BatchAnswersComeInTheOrderOfTheKeys) {
  for (int i = 0; i < 50; ++i) ASSERT_OK(cache_->StoreBuffered(absl::StrCat("k", i), absl::StrCat("v", i)));
  std::vector<std::string> names;
  for (int i = 49; i >= 0; --i) names.push_back(absl::StrCat("k", (i * 7) % 60));
  const std::vector<absl::string_view> keys(names.begin(), names.end());
  const std::vector<absl::StatusOr<std::string>> answers = cache_->LookupBatch(keys);
  for (size_t i = 0; i < keys.size(); ++i) {
    const int number = std::stoi(names[i].substr(1));
    if (number < 50) {
      EXPECT_THAT(answers[i], IsOkAndHolds(absl::StrCat("v", number)));
    } else {
      EXPECT_THAT(answers[i], StatusIs(kNotFound));
    }
  }
}

TEST_F(RawDiskCacheBugsTest, BatchLookupHonoursTheTtl) {
  ASSERT_OK(cache_->Store("short", "1", {.ttl = absl::Seconds(10)}));
  ASSERT_OK(cache_->Store("long", "2", {.ttl = absl::Hours(1)}));
  ASSERT_OK(cache_->Store("forever", "3"));
  clock_.Advance(absl::Seconds(11));
  const absl::string_view keys[] = {"short", "long", "forever"};
  const std::vector<absl::StatusOr<std::string>> answers = cache_->LookupBatch(keys);
  EXPECT_THAT(answers[0], StatusIs(kNotFound));
  EXPECT_THAT(answers[1], IsOkAndHolds("2"));
  EXPECT_THAT(answers[2], IsOkAndHolds("3"));
  EXPECT_THAT(cache_->Lookup("short"), StatusIs(kNotFound));
}

TEST_F(RawDiskCacheBugsTest, BufferedStoreIsReadAtOnce) {
  ASSERT_OK(cache_->Store("k", "old"));
  ASSERT_OK(cache_->StoreBuffered("k", "new"));
  EXPECT_THAT(cache_->Lookup("k"), IsOkAndHolds("new"));
  const absl::string_view keys[] = {"k"};
  EXPECT_THAT(cache_->LookupBatch(keys)[0], IsOkAndHolds("new"));
  ASSERT_OK(cache_->Remove("k").status());
  EXPECT_THAT(cache_->Lookup("k"), StatusIs(kNotFound));
}

TEST_F(RawDiskCacheBugsTest, FlushOfOverwritesLeavesTheLastValue) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK(cache_->StoreBuffered("k", std::string(static_cast<size_t>(20 - i) * 100, static_cast<char>('a' + i))));
  }
  ASSERT_OK(cache_->FlushWrites());
  CutPowerNow();
  EXPECT_THAT(cache_->Lookup("k"), IsOkAndHolds(std::string(100, 't')));
}

TEST_F(RawDiskCacheBugsTest, OneCommitForAWholeFlush) {
  const uint64_t before = engine_->commit_count();
  for (int i = 0; i < 31; ++i) ASSERT_OK(cache_->StoreBuffered(absl::StrCat(i), "x"));
  ASSERT_OK(cache_->FlushWrites());
  EXPECT_EQ(engine_->commit_count(), before + 1);
}

TEST_F(RawDiskCacheBugsTest, FailedFlushKeepsTheBuffer) {
  ASSERT_OK(cache_->StoreBuffered("k", "value"));
  engine_->FailCommits(absl::UnavailableError("flush failed"));
  EXPECT_THAT(cache_->FlushWrites(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(cache_->Stats().pending_writes, 1u);
  EXPECT_EQ(cache_->Stats().failed_flushes, 1u);
  EXPECT_THAT(cache_->Lookup("k"), IsOkAndHolds("value"));
  engine_->FailCommits(absl::OkStatus());
  ASSERT_OK(cache_->FlushWrites());
  CutPowerNow();
  EXPECT_THAT(cache_->Lookup("k"), IsOkAndHolds("value"));
}

TEST_F(RawDiskCacheBugsTest, RemoveFreesItsOwnBlocksOnly) {
  for (int i = 0; i < 10; ++i)
    ASSERT_OK(cache_->Store(absl::StrCat(i), std::string(10000, static_cast<char>('0' + i))));
  const uint64_t before = cache_->Stats().space.free_bytes;
  for (int i = 0; i < 10; i += 2) ASSERT_OK(cache_->Remove(absl::StrCat(i)).status());
  EXPECT_GE(cache_->Stats().space.free_bytes, before + 5 * 10000);
  for (int i = 1; i < 10; i += 2) {
    EXPECT_THAT(cache_->Lookup(absl::StrCat(i)), IsOkAndHolds(std::string(10000, static_cast<char>('0' + i))));
  }
}

TEST_F(RawDiskCacheBugsTest, OverwritesDoNotLeakSpace) {
  ASSERT_OK(cache_->Store("k", std::string(50000, 'x')));
  const uint64_t before = cache_->Stats().space.free_bytes;
  for (int i = 0; i < 100; ++i) ASSERT_OK(cache_->Store("k", std::string(50000, 'y')));
  EXPECT_EQ(cache_->Stats().space.free_bytes, before);
  EXPECT_EQ(cache_->Stats().space.files, 2u);
}

// On a real image file.
class RawDiskCacheImageTest : public ::testing::Test {
 protected:
  RawDiskCacheImageTest() {
    options_.path = directory_.path() + "/cache.img";
    options_.size_bytes = 48 << 20;
  }
  std::unique_ptr<RawDiskCache> Open() {
    absl::StatusOr<std::unique_ptr<RawDiskCache>> cache = RawDiskCache::Open(options_);
    EXPECT_OK(cache.status());
    return cache.ok() ? *std::move(cache) : nullptr;
  }

  base::TempDir directory_;
  RawDiskCacheOptions options_;
};

TEST_F(RawDiskCacheImageTest, ValuesOfAnySizeSurviveClosingAndOpening) {
  const size_t sizes[] = {0, 1, 511, 512, 4095, 4096, 4097, 65537, 1 << 20, (3 << 20) + 17};
  {
    const std::unique_ptr<RawDiskCache> cache = Open();
    ASSERT_NE(cache, nullptr);
    for (const size_t size : sizes) ASSERT_OK(cache->StoreBuffered(absl::StrCat("v/", size), std::string(size, 'v')));
    ASSERT_OK(cache->Close());
  }
  const std::unique_ptr<RawDiskCache> cache = Open();
  ASSERT_NE(cache, nullptr);
  std::vector<std::string> names;
  for (const size_t size : sizes) names.push_back(absl::StrCat("v/", size));
  const std::vector<absl::string_view> keys(names.begin(), names.end());
  const std::vector<absl::StatusOr<std::string>> answers = cache->LookupBatch(keys);
  for (size_t i = 0; i < keys.size(); ++i) {
    ASSERT_OK(answers[i].status());
    EXPECT_TRUE(*answers[i] == std::string(sizes[i], 'v')) << keys[i];
    EXPECT_TRUE(cache->Lookup(keys[i]).value_or("") == *answers[i]) << keys[i];
  }
}

TEST_F(RawDiskCacheImageTest, ForeignDisksAreNotFormattedSilently) {
  std::string foreign(8 << 20, '\0');
  foreign.replace(1080, 2, "\x53\xef");  // the magic of ext4
  ASSERT_OK(base::ReplaceFile(options_.path, foreign, {}));
  EXPECT_THAT(RawDiskCache::Open(options_), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK_AND_ASSIGN(const std::string after, base::ReadFile(options_.path, 16 << 20));
  EXPECT_TRUE(after == foreign) << "untouched";
}

TEST_F(RawDiskCacheImageTest, OneDiskIsOpenedOnce) {
  const std::unique_ptr<RawDiskCache> cache = Open();
  ASSERT_NE(cache, nullptr);
  EXPECT_THAT(RawDiskCache::Open(options_), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("in use")));
}

TEST_F(RawDiskCacheImageTest, MissingImageWithoutASize) {
  options_.size_bytes = 0;
  EXPECT_THAT(RawDiskCache::Open(options_), StatusIs(kNotFound, HasSubstr("cache.img")));
  EXPECT_NE(access(options_.path.c_str(), F_OK), 0);
}

TEST_F(RawDiskCacheImageTest, ReadsRunBesideStores) {
  const std::unique_ptr<RawDiskCache> cache = Open();
  ASSERT_NE(cache, nullptr);
  ASSERT_OK(cache->Store("warm", "w"));
  std::atomic<bool> stop{false};
  std::atomic<int> stores{0};
  std::thread writer([&] {
    while (!stop) {
      EXPECT_OK(cache->Store(absl::StrCat("w", stores % 50), std::string(20000, 'x')));
      ++stores;
    }
  });
  int lookups = 0;
  while (stores < 20) {
    EXPECT_THAT(cache->Lookup("warm"), IsOkAndHolds("w"));
    ++lookups;
  }
  stop = true;
  writer.join();
  EXPECT_GT(lookups, 20) << "no lookup waits for a flush";
}

}  // namespace
}  // namespace fs

#include "hashcache/store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hashcache {
namespace {

using ::base::StatusIs;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'700'000'000 * kSecond;
constexpr int64_t kHour = 3600 * kSecond;

// A digest that tells which inode and version it belongs to.
Digests DigestFor(uint64_t inode, uint64_t version) {
  uint8_t bytes[16];
  base::StoreLittle<uint64_t>(bytes, inode);
  base::StoreLittle<uint64_t>(bytes + 8, version);
  Digests digests;
  digests.Set(Algorithm::kXxh3_128, bytes);
  return digests;
}

Record RecordFor(uint64_t inode, uint64_t version, int64_t ctime_ns = kStart) {
  Record record;
  record.fingerprint = {.inode = inode, .size_bytes = version, .mtime_ns = ctime_ns, .ctime_ns = ctime_ns};
  record.hashed_at_ns = ctime_ns + 1000 * kSecond;
  record.boot_tag = 7;
  record.trust = TrustClass::kLeased;
  record.seen_day = static_cast<uint16_t>(kStart / (24 * kHour));
  record.digests = DigestFor(inode, version);
  return record;
}

class FakeBoot : public ForwardingFilesystem {
 public:
  uint32_t BootTag() override { return tag; }
  int64_t SinceBootNs() override { return since_ns; }
  uint32_t tag = 7;
  int64_t since_ns = 10 * kHour;
};

class StoreTest : public ::testing::Test {
 protected:
  StoreOptions Options() {
    return {.directory = directory_.path() + "/fs", .filesystem_id = "fs", .clock = &clock_, .filesystem = &boot_};
  }
  std::unique_ptr<Store> OpenStore(StoreOptions options) {
    auto store = Store::Open(std::move(options));
    EXPECT_OK(store.status());
    return *std::move(store);
  }
  std::unique_ptr<Store> OpenStore() { return OpenStore(Options()); }
  std::string File(absl::string_view prefix) {
    for (const std::string& name : Names()) {
      if (absl::StartsWith(name, prefix)) return Options().directory + "/" + name;
    }
    return "";
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const std::string command = "ls " + Options().directory;
    FILE* const pipe = popen(command.c_str(), "r");
    char line[256];
    while (fgets(line, sizeof line, pipe) != nullptr) names.emplace_back(line, strlen(line) - 1);
    pclose(pipe);
    return names;
  }
  std::string Read(const std::string& path) { return *base::ReadFile(path, 1 << 30); }
  void Overwrite(const std::string& path, absl::string_view bytes) {
    const base::Fd fd = *base::OpenFile(path, O_WRONLY | O_TRUNC);
    ASSERT_OK(base::WriteFull(fd.get(), bytes));
  }
  // Whatever is found must be right; returns how many of 1..count are found.
  size_t CountRight(const Store& store, uint64_t count, uint64_t version = 1) {
    size_t found = 0;
    for (uint64_t inode = 1; inode <= count; ++inode) {
      const absl::optional<Record> record = store.Find(inode);
      if (!record.has_value()) continue;
      EXPECT_EQ(record->fingerprint.inode, inode);
      EXPECT_EQ(record->digests, DigestFor(inode, record->fingerprint.size_bytes));
      EXPECT_LE(record->fingerprint.size_bytes, version);
      ++found;
    }
    return found;
  }

  base::TempDir directory_;
  base::ManualClock clock_{kStart + kHour};
  FakeBoot boot_;
};

TEST_F(StoreTest, RemembersAcrossOpensAndCompactions) {
  {
    const auto store = OpenStore();
    for (uint64_t inode = 1; inode <= 3000; ++inode) store->Put(RecordFor(inode, 1));
    EXPECT_EQ(CountRight(*store, 3000), 3000u);
    EXPECT_FALSE(store->MayHave(5000));
  }
  EXPECT_EQ(CountRight(*OpenStore(), 3000), 3000u);
  {
    const auto store = OpenStore();
    ASSERT_OK(store->Compact());
    EXPECT_EQ(store->Stats().base_records, 3000u);
    EXPECT_EQ(store->Stats().journal_records, 0u);
    for (uint64_t inode = 1; inode <= 3000; inode += 3) store->Put(RecordFor(inode, 2));
    EXPECT_EQ(store->Find(1)->fingerprint.size_bytes, 2u);
    EXPECT_EQ(store->Find(2)->fingerprint.size_bytes, 1u);
    ASSERT_OK(store->Compact());
    EXPECT_EQ(store->Stats().base_records, 3000u);
    EXPECT_EQ(store->Find(1)->fingerprint.size_bytes, 2u);
    StoreStats stats;
    EXPECT_OK(store->Verify(&stats));
  }
  EXPECT_EQ(Names().size(), 4u) << "base, log, lock, state and nothing else";
}

TEST_F(StoreTest, DropAllForgets) {
  const auto store = OpenStore();
  store->Put(RecordFor(1, 1));
  ASSERT_OK(store->Compact(/*drop_all=*/true));
  EXPECT_FALSE(store->Find(1).has_value());
  EXPECT_FALSE(OpenStore()->Find(1).has_value());
}

TEST_F(StoreTest, UnseenEntriesGo) {
  const auto store = OpenStore();
  Record old = RecordFor(1, 1);
  old.seen_day -= 91;
  store->Put(old);
  store->Put(RecordFor(2, 1));
  ASSERT_OK(store->Compact());
  EXPECT_FALSE(store->Find(1).has_value());
  EXPECT_TRUE(store->Find(2).has_value());
}

TEST_F(StoreTest, AnotherFilesystemFindsNothing) {
  { OpenStore()->Put(RecordFor(1, 1)); }
  StoreOptions other = Options();
  other.filesystem_id = "other";
  EXPECT_FALSE(OpenStore(other)->Find(1).has_value());
}

// T14: a log cut at any byte loses only what was cut.
TEST_F(StoreTest, TornLogAtEveryByte) {
  { const auto store = OpenStore(); for (uint64_t i = 1; i <= 5; ++i) store->Put(RecordFor(i, 1)); }
  const std::string log = Read(File("log."));
  const std::string path = File("log.");
  for (size_t size = 0; size <= log.size(); ++size) {
    Overwrite(path, absl::string_view(log).substr(0, size));
    {
      const auto store = OpenStore();
      const size_t whole = size < kRecordSize ? 0 : size / kRecordSize - 1;
      EXPECT_EQ(CountRight(*store, 5), std::min<size_t>(whole, 5)) << size;
      store->Put(RecordFor(9, 1));  // what comes after a torn tail is found again
    }
    EXPECT_TRUE(OpenStore()->Find(9).has_value()) << size;
  }
}

// T14: every flipped bit is a miss, never a wrong hit.
TEST_F(StoreTest, FlippedBits) {
  { const auto store = OpenStore(); for (uint64_t i = 1; i <= 3; ++i) store->Put(RecordFor(i, 1)); }
  { ASSERT_OK(OpenStore()->Compact()); }
  { OpenStore()->Put(RecordFor(4, 1)); }
  for (const char* const kind : {"base.", "log.", "state"}) {
    const std::string path = File(kind);
    const std::string bytes = Read(path);
    for (size_t bit = 0; bit < bytes.size() * 8; bit += bytes.size() > 1000 ? 3 : 1) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      Overwrite(path, flipped);
      const auto store = OpenStore();
      CountRight(*store, 8);
    }
    Overwrite(path, bytes);
  }
  EXPECT_EQ(CountRight(*OpenStore(), 4), 4u);
}

// T14: the process is killed before every single change on disk.
TEST_F(StoreTest, KilledAtEveryWrite) {
  for (int step = 1;; ++step) {
    base::TempDir directory;
    StoreOptions options = Options();
    options.directory = directory.path() + "/fs";
    {
      const auto store = OpenStore(options);
      for (uint64_t i = 1; i <= 100; ++i) store->Put(RecordFor(i, 1));
    }
    const pid_t child = fork();
    if (child == 0) {
      int left = step;
      options.on_write = [&left](absl::string_view) {
        if (--left == 0) _exit(42);
      };
      auto store = Store::Open(options);
      if (!store.ok()) _exit(1);
      for (uint64_t i = 1; i <= 50; ++i) (*store)->Put(RecordFor(i, 2));
      if (!(*store)->Compact().ok()) _exit(2);
      for (uint64_t i = 51; i <= 60; ++i) (*store)->Put(RecordFor(i, 2));
      if (!(*store)->Flush().ok()) _exit(3);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    options.on_write = nullptr;
    const auto store = OpenStore(options);
    EXPECT_EQ(CountRight(*store, 100, 2), 100u) << "killed before change " << step;
    ASSERT_OK(store->Compact());
    EXPECT_EQ(CountRight(*store, 100, 2), 100u);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 0) {
      EXPECT_GT(step, 5);
      break;
    }
    ASSERT_EQ(WEXITSTATUS(status), 42);
  }
}

// T15
TEST_F(StoreTest, ManyProcesses) {
  constexpr int kProcesses = 8;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = fork();
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    std::mt19937_64 random(static_cast<uint64_t>(p));
    for (int round = 0; round < 6; ++round) {
      auto store = Store::Open(Options());
      if (!store.ok()) _exit(1);
      for (int i = 0; i < 200; ++i) {
        const uint64_t inode = random() % 500 + 1;
        const absl::optional<Record> record = (*store)->Find(inode);
        if (record.has_value() && !(record->digests == DigestFor(inode, record->fingerprint.size_bytes))) _exit(2);
        (*store)->Put(RecordFor(inode, random() % 1000));
      }
      if (random() % 2 == 0 && !(*store)->Compact().ok()) _exit(3);
    }
    _exit(0);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const auto store = OpenStore();
  EXPECT_GT(CountRight(*store, 500, 1000), 400u);
  StoreStats stats;
  EXPECT_OK(store->Verify(&stats));
}

TEST_F(StoreTest, ReadersBesideAWriter) {
  const auto store = OpenStore();
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!stop) CountRight(*store, 300, 1000);
    });
  }
  for (uint64_t version = 1; version <= 40; ++version) {
    for (uint64_t inode = 1; inode <= 300; ++inode) store->Put(RecordFor(inode, version));
    if (version % 10 == 0) {
      EXPECT_OK(store->Compact());
    }
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

// T16
TEST_F(StoreTest, BaseCutShortWhileMapped) {
  { const auto store = OpenStore(); for (uint64_t i = 1; i <= 2000; ++i) store->Put(RecordFor(i, 1)); }
  { ASSERT_OK(OpenStore()->Compact()); }
  const auto store = OpenStore();
  EXPECT_EQ(CountRight(*store, 2000), 2000u);
  ASSERT_EQ(truncate(File("base.").c_str(), 8192), 0);
  EXPECT_LT(CountRight(*store, 2000), 2000u);
  StoreStats stats;
  EXPECT_THAT(store->Verify(&stats), StatusIs(absl::StatusCode::kDataLoss));
  ASSERT_OK(store->Compact());
  store->Put(RecordFor(3, 1));
  EXPECT_TRUE(store->Find(3).has_value());
}

TEST_F(StoreTest, ReplacedByGarbage) {
  { const auto store = OpenStore(); for (uint64_t i = 1; i <= 20; ++i) store->Put(RecordFor(i, 1)); }
  { ASSERT_OK(OpenStore()->Compact()); }
  for (const char* const kind : {"base.", "log.", "state", "lock"}) Overwrite(File(kind), std::string(5000, 'x'));
  {
    const auto store = OpenStore();
    EXPECT_EQ(CountRight(*store, 20), 0u);
  }
}

TEST_F(StoreTest, UnwritableIsReportedAndHarmless) {
  StoreOptions options = Options();
  options.directory = "/proc/no/such/place";
  const auto store = OpenStore(options);
  store->Put(RecordFor(1, 1));
  EXPECT_FALSE(store->Flush().ok());
  EXPECT_FALSE(store->problem().ok());
  EXPECT_TRUE(store->Find(1).has_value()) << "this run still knows";
}

// T8, R6
TEST_F(StoreTest, ClockSetBackMakesTheRepeatedHourRacy) {
  {
    const auto store = OpenStore();
    store->Put(RecordFor(1, 1, clock_.NowNs() - 2 * kHour));
    store->Put(RecordFor(2, 1, clock_.NowNs() - kHour / 2));
  }
  clock_.Step(absl::Hours(-1));
  {
    const auto store = OpenStore();
    EXPECT_FALSE(store->Find(1)->racy);
    EXPECT_TRUE(store->Find(2)->racy);
    store->Put(RecordFor(3, 1, clock_.NowNs() - kHour / 4));
    EXPECT_FALSE(store->Find(3)->racy) << "hashed after the step";
    ASSERT_OK(store->Compact());
    EXPECT_TRUE(store->Find(2)->racy) << "for good";
  }
  clock_.Step(absl::Hours(1));
  EXPECT_TRUE(OpenStore()->Find(2)->racy);
  EXPECT_FALSE(OpenStore()->Find(1)->racy);
}

TEST_F(StoreTest, ClockThatFellBackOverABootIsSeen) {
  { const auto store = OpenStore(); store->Put(RecordFor(1, 1, clock_.NowNs() - kHour / 4)); }
  boot_.tag = 9;
  boot_.since_ns = kHour / 10;
  clock_.Step(absl::Minutes(-30));
  EXPECT_TRUE(OpenStore()->Find(1)->racy);
}

// A full disk: the file size limit stands in for it.
TEST_F(StoreTest, FullDiskIsReportedOnce) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    auto store = Store::Open(Options());
    const rlimit limit = {20'000, 20'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    for (uint64_t i = 1; i <= 2000; ++i) (*store)->Put(RecordFor(i, 1));
    const bool reported = !(*store)->Flush().ok() && !(*store)->problem().ok() && (*store)->Find(2000).has_value();
    _exit(reported ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  const auto store = OpenStore();
  const size_t found = CountRight(*store, 2000);
  EXPECT_LT(found, 2000u);
  store->Put(RecordFor(3000, 1));
  EXPECT_OK(store->Flush());
}

}  // namespace
}  // namespace hashcache

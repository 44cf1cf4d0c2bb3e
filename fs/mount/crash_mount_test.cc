// kill -9 at random moments: nothing that fsync acknowledged is missing afterwards, and
// nothing else is mixed or torn.
//
// Each round three processes work on the mount and write down, outside of it, what was
// acknowledged; the daemon is killed; the store is mounted again and compared with the
// journals. Rounds: CRASH_ROUNDS (default 5); the slow target does 200.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "fs/mount/testing/test_mount.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

constexpr size_t kSlotBytes = 6000;  // spans units of 4 KiB, so a torn one would show
constexpr int kSlots = 40;
constexpr int kNames = 30;

// What a value with that number looks like: told from its first bytes, checked in all.
std::string ValueText(uint64_t number, size_t size) {
  std::string text = absl::StrCat(number, ":");
  while (text.size() < size) text.push_back(static_cast<char>('a' + (number * 31 + text.size()) % 26));
  text.resize(size);
  return text;
}

// The number of a whole value; -1 if the text is none.
int64_t NumberOf(const std::string& text) {
  int64_t number = -1;
  const size_t colon = text.find(':');
  if (colon == std::string::npos || !absl::SimpleAtoi(text.substr(0, colon), &number)) return -1;
  return text == ValueText(static_cast<uint64_t>(number), text.size()) ? number : -1;
}

// The acknowledged numbers, by what they are of; the newest counts.
class Journal {
 public:
  explicit Journal(std::string path) : path_(std::move(path)) {}
  // Async-signal safe enough for a forked child: one write(2).
  void Acknowledge(const std::string& what, uint64_t number) {
    if (fd_ < 0) fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    const std::string line = absl::StrCat(what, " ", number, "\n");
    if (write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(3);
  }
  std::map<std::string, uint64_t> Read() const {
    std::map<std::string, uint64_t> newest;
    for (absl::string_view line : absl::StrSplit(ReadAll(path_), '\n', absl::SkipEmpty())) {
      const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, ' ');
      uint64_t number = 0;
      if (absl::SimpleAtoi(parts.second, &number)) newest[std::string(parts.first)] = number;
    }
    return newest;
  }

 private:
  const std::string path_;
  int fd_ = -1;
};

class CrashMountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_FUSE();
    SKIP_UNLESS_ROOT();
    uint64_t seed = std::random_device()();
    const char* const given = getenv("TEST_SEED");
    if (given != nullptr && !absl::SimpleAtoi(given, &seed)) FAIL() << "TEST_SEED is not a number";
    printf("seed=%llu\n", static_cast<unsigned long long>(seed));
    random_.seed(seed);
    const char* const rounds = getenv("CRASH_ROUNDS");
    if (rounds != nullptr && !absl::SimpleAtoi(rounds, &rounds_)) FAIL() << "CRASH_ROUNDS is not a number";
  }
  std::string JournalPath(const char* name) const { return mount_.directory() + "/journal-" + name; }

  // --- the workers; each ends when the mount is gone

  // Temp file, fsync, rename, fsync of the directory: how careful programs store files.
  int StoreFiles(uint64_t first) {
    Journal journal(JournalPath("files"));
    const std::string temporary = mount_.Path("files/temporary");
    for (uint64_t number = first;; ++number) {
      const std::string name = absl::StrCat("f", number % kNames);
      const int file = open(temporary.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644);
      const std::string text = ValueText(number, 20 + number * 977 % 90'000);
      if (file < 0 || write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) return 0;
      if (fsync(file) != 0 || close(file) != 0) return 0;
      if (rename(temporary.c_str(), mount_.Path("files/" + name).c_str()) != 0) return 0;
      const int directory = open(mount_.Path("files").c_str(), O_RDONLY | O_DIRECTORY);
      if (directory < 0 || fsync(directory) != 0) return 0;
      close(directory);
      journal.Acknowledge(name, number);
    }
  }
  // Overwrites slots of one file in place, as databases do. Directly: over pages that it does
  // not hold, the kernel hands a buffered write of 6,000 bytes over as two requests.
  int Overwrite(uint64_t first) {
    Journal journal(JournalPath("slots"));
    const int file = open(mount_.Path("slots").c_str(), O_WRONLY | O_DIRECT);
    for (uint64_t number = first; file >= 0; ++number) {
      const std::string text = ValueText(number, kSlotBytes);
      const auto slot = static_cast<off_t>(number % kSlots);
      if (pwrite(file, text.data(), text.size(), slot * static_cast<off_t>(kSlotBytes)) < 0) return 0;
      if (fdatasync(file) != 0) return 0;
      journal.Acknowledge(absl::StrCat(slot), number);
    }
    return 0;
  }
  // Appends to a log, syncing now and then.
  int Append(uint64_t first) {
    Journal journal(JournalPath("log"));
    const int file = open(mount_.Path("log").c_str(), O_WRONLY | O_APPEND);
    for (uint64_t number = first; file >= 0; ++number) {
      const std::string line = absl::StrCat(ValueText(number, 100), "\n");
      if (write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return 0;
      if (number % 7 != 0) continue;
      if (fsync(file) != 0) return 0;
      journal.Acknowledge("log", number);
    }
    return 0;
  }

  // --- the comparisons

  void CheckFiles() {
    for (const auto& [name, number] : Journal(JournalPath("files")).Read()) {
      const int64_t found = NumberOf(ReadAll(mount_.Path("files/" + name)));
      EXPECT_GE(found, static_cast<int64_t>(number)) << name;
      // A later value may have come through without its acknowledgement.
      EXPECT_LE(found, static_cast<int64_t>(LastOf("files") + 1 + kNames)) << name;
    }
  }
  void CheckSlots() {
    const std::string text = ReadAll(mount_.Path("slots"));
    for (const auto& [slot, number] : Journal(JournalPath("slots")).Read()) {
      size_t index = 0;
      ASSERT_TRUE(absl::SimpleAtoi(slot, &index));
      ASSERT_GE(text.size(), (index + 1) * kSlotBytes);
      EXPECT_GE(NumberOf(text.substr(index * kSlotBytes, kSlotBytes)), static_cast<int64_t>(number)) << slot;
    }
  }
  // Returns the last number of the log. The kernel hands a write over page by page, so its
  // last line may be cut, which is taken away as a program would; no other may.
  uint64_t CheckLog() {
    constexpr size_t kLineBytes = 101;
    const std::map<std::string, uint64_t> acknowledged = Journal(JournalPath("log")).Read();
    const std::string text = ReadAll(mount_.Path("log"));
    const size_t lines = text.size() / kLineBytes;
    for (size_t i = 0; i < lines; ++i) {
      const std::string line = text.substr(i * kLineBytes, kLineBytes - 1);
      EXPECT_EQ(NumberOf(line), static_cast<int64_t>(i + 1)) << line;
      if (NumberOf(line) != static_cast<int64_t>(i + 1)) return lines;
    }
    const std::string rest = text.substr(lines * kLineBytes);
    EXPECT_EQ(rest, ValueText(lines + 1, 100).substr(0, rest.size()));
    EXPECT_EQ(truncate(mount_.Path("log").c_str(), static_cast<off_t>(lines * kLineBytes)), 0);
    const auto last = acknowledged.find("log");
    if (last != acknowledged.end()) {
      EXPECT_GE(lines, last->second);
    }
    return lines;
  }
  uint64_t LastOf(const char* journal) {
    uint64_t last = 0;
    for (const auto& [what, number] : Journal(JournalPath(journal)).Read()) last = std::max(last, number);
    return last;
  }

  pid_t Fork(const std::function<int()>& body) {
    const pid_t child = fork();
    if (child == 0) _exit(body());
    return child;
  }

  TestMount mount_;
  std::mt19937_64 random_;
  int rounds_ = 5;
};

TEST_F(CrashMountTest, NothingAcknowledgedIsMissing) {
  const std::string cachectl = ProgramFromEnvironment("CACHECTL");
  ASSERT_OK(mount_.Start());
  ASSERT_EQ(mkdir(mount_.Path("files").c_str(), 0755), 0);
  ASSERT_TRUE(WriteAll(mount_.Path("slots"), std::string(kSlots * kSlotBytes, ' ')));
  ASSERT_TRUE(WriteAll(mount_.Path("log"), ""));
  uint64_t lines = 0;
  for (int round = 0; round < rounds_; ++round) {
    const uint64_t files = LastOf("files") + kNames, slots = LastOf("slots") + kSlots;
    const std::vector<pid_t> workers = {Fork([&] { return StoreFiles(files); }), Fork([&] { return Overwrite(slots); }),
                                        Fork([&] { return Append(lines + 1); })};
    absl::SleepFor(absl::Milliseconds(50 + random_() % 1500));
    mount_.Kill();
    for (const pid_t worker : workers) waitpid(worker, nullptr, 0);
    std::string said;
    if (!cachectl.empty()) {
      EXPECT_EQ(RunProgram({cachectl, "fsck", mount_.store()}, &said), 0) << "round " << round << "\n" << said;
    }
    ASSERT_OK(mount_.Start()) << "round " << round;
    CheckFiles();
    CheckSlots();
    lines = CheckLog();
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  printf("rounds=%d files=%llu slots=%llu lines=%llu\n", rounds_, static_cast<unsigned long long>(LastOf("files")),
         static_cast<unsigned long long>(LastOf("slots")), static_cast<unsigned long long>(lines));
  EXPECT_GT(LastOf("files"), 0);
  EXPECT_OK(mount_.Stop());
}

}  // namespace
}  // namespace fs::testing

// Random operations on one file of a real mount, against a string in memory.
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "fs/mount/testing/shared_mount.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

constexpr size_t kFileBytesMax = 400 << 10;
constexpr size_t kLengthMax = 64 << 10;
constexpr size_t kPage = 4096;

// One file and what it must hold.
class Fuzzed {
 public:
  Fuzzed(std::string path, uint64_t seed) : path_(std::move(path)), random_(seed) {
    file_ = base::Fd(open(path_.c_str(), O_CREAT | O_RDWR | O_TRUNC, 0644));
  }

  // Does something; "" or what went wrong.
  std::string Step() {
    switch (Below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Write(file_.get());
      case 4:
        return WriteMapped();
      case 5:
        return Truncate();
      case 6:
        return Punch(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
      case 7:
        return Punch(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE);
      case 8:
        return Copy();
      case 9:
        return fsync(file_.get()) == 0 ? "" : Error("fsync");
      case 10:
        return posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED) == 0 ? "" : Error("fadvise");
      case 11:
        return Reopen();
      case 12:
        return SeekAgrees();
      default:
        return Read();
    }
  }

  std::string Whole() {
    const std::string text = ReadAll(path_);
    if (text == model_) return "";
    const size_t at = static_cast<size_t>(
        std::mismatch(text.begin(), text.begin() + std::min(text.size(), model_.size()), model_.begin()).first -
        text.begin());
    return absl::StrCat("whole file differs at ", at, "; sizes ", text.size(), " and ", model_.size());
  }

 private:
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  // Often page-aligned, since that is where the seams are.
  size_t Offset(size_t bound) { return Below(3) == 0 ? Below(bound) / kPage * kPage : Below(bound); }
  static std::string Error(const char* what) { return absl::StrCat(what, ": ", strerror(errno)); }

  std::string RandomText(size_t size) {
    std::string text(size, '\0');
    const char first = static_cast<char>(random_());
    for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(first + i * 7 + i / kPage);
    return text;
  }
  void Put(size_t offset, const std::string& text) {
    if (model_.size() < offset + text.size()) model_.resize(offset + text.size());
    model_.replace(offset, text.size(), text);
  }

  std::string Write(int fd) {
    const size_t offset = Offset(kFileBytesMax - kLengthMax);
    const std::string text = RandomText(1 + Below(Below(2) ? kLengthMax : 300));
    if (pwrite(fd, text.data(), text.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(text.size())) {
      return Error("write");
    }
    Put(offset, text);
    return "";
  }
  std::string WriteMapped() {
    if (model_.empty()) return "";
    void* const memory = mmap(nullptr, model_.size(), PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
    if (memory == MAP_FAILED) return Error("mmap");
    const size_t offset = Offset(model_.size());
    const std::string text = RandomText(1 + Below(std::min<size_t>(kLengthMax, model_.size() - offset)));
    const std::string part = text.substr(0, model_.size() - offset);
    memcpy(static_cast<char*>(memory) + offset, part.data(), part.size());
    Put(offset, part);
    const bool synced = Below(2) == 0 || msync(memory, model_.size(), MS_SYNC) == 0;
    munmap(memory, model_.size());
    return synced ? "" : Error("msync");
  }
  std::string Truncate() {
    const size_t size = Offset(kFileBytesMax);
    if (ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return Error("truncate");
    model_.resize(size);
    return "";
  }
  std::string Punch(int mode) {
    const size_t offset = Offset(kFileBytesMax);
    const size_t length = 1 + Below(kLengthMax);
    if (fallocate(file_.get(), mode, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
      return Error("fallocate");
    }
    if (offset < model_.size()) {
      const size_t inside = std::min(length, model_.size() - offset);
      model_.replace(offset, inside, std::string(inside, '\0'));
    }
    return "";
  }
  std::string Copy() {
    if (model_.size() < 2) return "";
    const size_t from = Offset(model_.size() - 1);
    const size_t length = 1 + Below(std::min<size_t>(kLengthMax, model_.size() - from - 1));
    const size_t to = from + length + Below(kPage);
    auto source = static_cast<off_t>(from), target = static_cast<off_t>(to);
    const ssize_t got = copy_file_range(file_.get(), &source, file_.get(), &target, length, 0);
    if (got != static_cast<ssize_t>(length)) return Error("copy_file_range");
    Put(to, model_.substr(from, length));
    return "";
  }
  std::string Reopen() {
    file_ = base::Fd(open(path_.c_str(), O_RDWR));
    return file_.valid() ? "" : Error("open");
  }
  std::string SeekAgrees() {
    // What SEEK_HOLE calls a hole must be zeros. Pages that only a mapping has changed are
    // the kernel's until they are written back.
    if (fsync(file_.get()) != 0) return Error("fsync");
    off_t at = 0;
    while (at < static_cast<off_t>(model_.size())) {
      off_t hole = lseek(file_.get(), at, SEEK_HOLE);
      if (hole < 0) return Error("SEEK_HOLE");
      off_t data = lseek(file_.get(), hole, SEEK_DATA);
      if (data < 0) data = static_cast<off_t>(model_.size());
      for (off_t i = hole; i < data; ++i) {
        if (model_[static_cast<size_t>(i)] != 0) return absl::StrCat("a hole at ", i, " is none");
      }
      at = data;
    }
    return "";
  }
  std::string Read() {
    const size_t offset = Offset(kFileBytesMax);
    std::string text(1 + Below(kLengthMax), '?');
    const ssize_t got = pread(file_.get(), text.data(), text.size(), static_cast<off_t>(offset));
    if (got < 0) return Error("read");
    const std::string expected = offset < model_.size() ? model_.substr(offset, text.size()) : "";
    text.resize(static_cast<size_t>(got));
    return text == expected ? "" : absl::StrCat("read of ", text.size(), " at ", offset, " differs");
  }

  const std::string path_;
  std::mt19937_64 random_;
  base::Fd file_;
  std::string model_;
};

class RandomMountTest : public SharedMountTest {};

TEST_F(RandomMountTest, AFileHoldsWhatAStringHolds) {
  const char* const given = getenv("TEST_SEED");
  uint64_t seed = std::random_device()();
  if (given != nullptr && !absl::SimpleAtoi(given, &seed)) FAIL() << "TEST_SEED is not a number";
  int steps = 4000;
  const char* const count = getenv("FSX_STEPS");
  if (count != nullptr && !absl::SimpleAtoi(count, &steps)) FAIL() << "FSX_STEPS is not a number";
  printf("seed=%llu\n", static_cast<unsigned long long>(seed));
  Fuzzed file(At("f"), seed);
  for (int step = 0; step < steps; ++step) {
    ASSERT_EQ(file.Step(), "") << "seed=" << seed << " step=" << step;
    if (step % 250 == 0) {
      ASSERT_EQ(file.Whole(), "") << "seed=" << seed << " step=" << step;
    }
  }
  ASSERT_EQ(file.Whole(), "") << "seed=" << seed;
}

}  // namespace
}  // namespace fs::testing

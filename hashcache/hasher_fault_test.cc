// The Hasher against a kernel and files that misbehave: T6, T7, T11, T12, T19, T21, and
// every way to read (ring, threads, direct, mapped) on the same files; on every filesystem
// there is, cachefs as one that is not asked.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <map>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/hasher.h"
#include "hashcache/testing/filesystems.h"

namespace hashcache {
namespace {

using ::base::StatusIs;

Digests DigestOf(absl::string_view content, AlgorithmSet algorithms = Algorithm::kBlake3) {
  HashStream stream(algorithms);
  return stream.HashWhole({reinterpret_cast<const uint8_t*>(content.data()), content.size()});
}

class AheadClock : public base::Clock {
 public:
  int64_t NowNs() override { return base::Clock::Real().NowNs() + ahead_ns; }
  int64_t MonotonicNs() override { return base::Clock::Real().MonotonicNs(); }
  int64_t ahead_ns = 60 * int64_t{1'000'000'000};
};

// Bends what a test asks it to.
class Bent : public ForwardingFilesystem {
 public:
  int Open(int directory, const char* name, int flags, bool follow, bool cached_only) override {
    if (before_open) before_open(name);
    if (cached_only && all_cold) return -EAGAIN;
    const auto error = open_errors.find(name);
    if (error != open_errors.end()) return -error->second;
    return ForwardingFilesystem::Open(directory, name, flags, follow, cached_only);
  }
  ssize_t Read(int fd, absl::Span<uint8_t> out, uint64_t offset, bool cached_only) override {
    if (cached_only && all_cold) return -EAGAIN;
    if (read_error != 0) return -read_error;
    const ssize_t size = ForwardingFilesystem::Read(fd, out, offset, cached_only);
    if (after_read) after_read(fd);
    return size;
  }
  Lease TakeLease(int fd) override { return no_leases ? Lease::kImpossible : ForwardingFilesystem::TakeLease(fd); }
  double ResidentShare(int fd, uint64_t size) override {
    return residency >= 0 ? residency : ForwardingFilesystem::ResidentShare(fd, size);
  }
  absl::StatusOr<FilesystemFacts> Facts(int fd, uint64_t device) override {
    if (remote) return FilesystemFacts{.id = "remote", .type = 0x6969};
    return ForwardingFilesystem::Facts(fd, device);
  }
  uint32_t BootTag() override { return boot_tag != 0 ? boot_tag : ForwardingFilesystem::BootTag(); }
  absl::StatusOr<std::unique_ptr<AsyncFiles>> NewAsyncFiles(unsigned depth) override {
    if (no_ring) return absl::UnavailableError("no ring");
    return ForwardingFilesystem::NewAsyncFiles(depth);
  }

  std::function<void(absl::string_view)> before_open;
  std::function<void(int)> after_read;
  std::map<std::string, int> open_errors;
  int read_error = 0;
  bool no_leases = false, all_cold = false, no_ring = false, remote = false;
  double residency = -1;
  uint32_t boot_tag = 0;
};

class Sink : public TreeSink {
 public:
  bool Visit(const TreeEntry& entry, FileResult&& result) override {
    results[std::string(entry.path)] = std::move(result);
    return true;
  }
  std::map<std::string, FileResult> results;
};

class HasherFaultTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const TestFilesystem& filesystem = FilesystemByName(GetParam());
    if (filesystem.directory.empty()) GTEST_SKIP() << GetParam() << ": " << filesystem.why_not;
    directory_ = std::make_unique<base::TempDir>(filesystem.directory);
  }
  // Attributes of a FUSE mount are not.
  bool Believed() const { return GetParam() != "cachefs"; }
  std::unique_ptr<Hasher> NewHasher(HasherOptions options = {}) {
    options.cache_directory = cache_.path() + "/cache";
    options.clock = &clock_;
    options.filesystem = &bent_;
    options.audit_share = 0;
    return *Hasher::Create(options);
  }
  std::string Path(absl::string_view name) const { return absl::StrCat(directory_->path(), "/", name); }
  void Write(absl::string_view name, absl::string_view content) {
    ASSERT_OK(base::MakeDirectories(std::string(base::DirectoryName(Path(name)))));
    ASSERT_OK(base::ReplaceFile(Path(name), content, {}));
  }
  FileResult One(Hasher& hasher, absl::string_view name, AlgorithmSet algorithms = Algorithm::kBlake3) {
    FileResult one;
    const std::string path = Path(name);
    const HashRequest requests[] = {{.path = path, .algorithms = algorithms}};
    EXPECT_OK(hasher.HashBatch(requests, [&one](size_t, FileResult&& result) { one = std::move(result); }));
    return one;
  }
  std::map<std::string, FileResult> Tree(Hasher& hasher, TreeOptions options = {}) {
    Sink sink;
    EXPECT_OK(hasher.HashTree(directory_->path(), options, sink));
    return std::move(sink.results);
  }

  std::unique_ptr<base::TempDir> directory_;
  base::TempDir cache_;
  AheadClock clock_;
  Bent bent_;
};

// The writer waits until the file is hashed, then goes on at once.
TEST_P(HasherFaultTest, T6WriterOpensDuringTheRead) {
  // Two writes within one of its seconds look alike; only the right time tells that they may.
  if (GetParam() == "ext4_128") clock_.ahead_ns = 0;
  Write("a", "old");
  std::thread writer;
  bent_.after_read = [&](int) {
    bent_.after_read = nullptr;
    writer = std::thread([&] {
      const base::Fd fd = *base::OpenFile(Path("a"), O_WRONLY);
      ASSERT_OK(base::PWriteFull(fd.get(), "new", 0));
    });
    usleep(20'000);
  };
  const auto hasher = NewHasher();
  EXPECT_EQ(One(*hasher, "a").digests, DigestOf("old"));
  ASSERT_TRUE(writer.joinable()) << "the file was not read";
  const int64_t start = clock_.MonotonicNs();
  writer.join();
  EXPECT_LT(clock_.MonotonicNs() - start, 5 * int64_t{1'000'000'000});
  EXPECT_EQ(One(*hasher, "a").digests, DigestOf("new"));
}

TEST_P(HasherFaultTest, T6OpenForWritingIsBusyAndNotRemembered) {
  Write("a", "content");
  const base::Fd writer = *base::OpenFile(Path("a"), O_WRONLY);
  const auto hasher = NewHasher();
  for (int i = 0; i < 2; ++i) {
    const FileResult result = One(*hasher, "a");
    EXPECT_EQ(result.outcome, Outcome::kBusy);
    EXPECT_EQ(result.digests, DigestOf("content"));
  }
}

TEST_P(HasherFaultTest, T7GrowingAndShrinkingFilesAreUnstable) {
  bent_.no_leases = true;
  for (const bool grow : {true, false}) {
    for (const size_t size : {size_t{100}, size_t{3'000'000}}) {
      Write("a", std::string(size, 'a'));
      bent_.after_read = [&, now = size](int) mutable {
        now = grow ? now + 1 : now - 1;
        ASSERT_EQ(truncate(Path("a").c_str(), static_cast<off_t>(now)), 0);
      };
      const FileResult result = One(*NewHasher(), "a");
      EXPECT_EQ(result.outcome, Outcome::kUnstable);
      EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kAborted));
      EXPECT_TRUE(result.digests.algorithms().empty());
      bent_.after_read = nullptr;
      EXPECT_EQ(One(*NewHasher(), "a").outcome, Outcome::kHashed) << "nothing was remembered";
    }
  }
}

TEST_P(HasherFaultTest, T7VanishingFileIsHashedFromItsDescriptor) {
  Write("a", "content");
  bent_.after_read = [&](int) { unlink(Path("a").c_str()); };
  bent_.no_leases = true;
  const FileResult result = One(*NewHasher(), "a");
  if (GetParam() == "ext4_128") {
    EXPECT_EQ(result.digests, DigestOf("content")) << "no stamp is fine enough to show the unlink";
    return;
  }
  // The unlink changes ctime, and then there is nothing to open again.
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(HasherFaultTest, WithoutLeasesYoungFilesAreNotBelieved) {
  bent_.no_leases = true;
  Write("a", "content");
  EXPECT_EQ(One(*NewHasher(), "a").trust, Believed() ? TrustClass::kUnproven : TrustClass::kNone);
  // The clock is a minute ahead, so the file looks a minute old. Pages of a tmpfs are never written
  // back, so that age proves nothing there.
  const bool old_enough = Believed() && GetParam() != "tmpfs";
  EXPECT_EQ(One(*NewHasher(), "a").outcome, old_enough ? Outcome::kHit : Outcome::kHashed);
  EXPECT_EQ(One(*NewHasher({.strict = true}), "a").outcome, Outcome::kHashed);
}

// T11, T12
TEST_P(HasherFaultTest, SwapsDuringTheWalkStayBeneath) {
  base::TempDir outside;
  ASSERT_OK(base::ReplaceFile(outside.path() + "/secret", "secret", {}));
  for (const bool all_cold : {false, true}) {
    Write("d/file", "inside");
    Write("e", "inside");
    bent_.all_cold = all_cold;
    bent_.before_open = [&](absl::string_view name) {
      if (name == "d") {
        ASSERT_EQ(rename(Path("d").c_str(), Path("moved").c_str()), 0);
        ASSERT_EQ(symlink(outside.path().c_str(), Path("d").c_str()), 0);
      } else if (name == "e") {
        unlink(Path("e").c_str());
        ASSERT_EQ(symlink((outside.path() + "/secret").c_str(), Path("e").c_str()), 0);
      }
    };
    const auto results = Tree(*NewHasher({.threads = 1}));
    for (const auto& [path, result] : results) {
      EXPECT_FALSE(result.digests == DigestOf("secret")) << path;
      EXPECT_FALSE(absl::StrContains(path, "secret"));
    }
    EXPECT_FALSE(results.at("d").status.ok());
    EXPECT_FALSE(results.at("e").status.ok());
    bent_.before_open = nullptr;
    unlink(Path("d").c_str());
    unlink(Path("e").c_str());
    ASSERT_OK(base::RemoveTree(Path("moved")));
  }
}

TEST_P(HasherFaultTest, T19UncleanBoot) {
  Write("a", "content");
  EXPECT_EQ(One(*NewHasher(), "a").outcome, Outcome::kHashed);
  EXPECT_EQ(One(*NewHasher(), "a").outcome, Believed() ? Outcome::kHit : Outcome::kHashed);
  bent_.boot_tag = 12345;
  EXPECT_EQ(One(*NewHasher(), "a").outcome, Outcome::kHashed) << "hashed within 120 s of its ctime, then a boot";
}

TEST_P(HasherFaultTest, T21ErrorsOfOneFileLeaveTheOthers) {
  for (int i = 0; i < 30; ++i) Write(absl::StrCat("d", i % 3, "/f", i), absl::StrCat("content ", i));
  bent_.open_errors = {{"f7", EACCES}, {"d1", EACCES}, {"f8", EIO}};
  for (const bool use_cache : {true, false}) {
    const auto hasher = NewHasher({.use_cache = use_cache});
    const auto results = Tree(*hasher);
    EXPECT_THAT(results.at("d1").status, StatusIs(absl::StatusCode::kPermissionDenied));
    EXPECT_FALSE(results.at("d2/f8").status.ok());
    EXPECT_EQ(results.count("d1/f1"), 0u);
    size_t right = 0;
    for (int i = 0; i < 30; ++i) {
      const auto found = results.find(absl::StrCat("d", i % 3, "/f", i));
      if (found != results.end() && found->second.digests == DigestOf(absl::StrCat("content ", i))) ++right;
    }
    EXPECT_EQ(right, 19u);
  }
  bent_.open_errors.clear();
  bent_.read_error = EIO;
  const FileResult result = One(*NewHasher({.use_cache = false}), "d0/f0");
  EXPECT_EQ(result.outcome, Outcome::kError);
  EXPECT_TRUE(result.digests.algorithms().empty());
}

TEST_P(HasherFaultTest, EveryWayToReadGivesTheSameDigests) {
  std::map<std::string, std::string> files;
  for (int i = 0; i < 300; ++i) files[absl::StrCat("small/", i)] = std::string(i * 37 % 9000, static_cast<char>(i));
  files["medium"] = std::string(700'000, 'm');
  files["large"] = std::string(9'500'000, 'l');
  for (size_t i = 0; i < files["large"].size(); i += 4097) files["large"][i] = static_cast<char>(i);
  for (const auto& [name, content] : files) Write(name, content);
  struct Way {
    const char* name;
    bool all_cold, no_ring;
    double residency;
    bool remote = false;
  };
  for (const Way& way : {Way{"warm", false, false, -1}, Way{"ring", true, false, 0}, Way{"threads", true, true, 0},
                         Way{"mapped", false, false, 1}, Way{"unknown residency", true, false, -0.5},
                         Way{"remote", true, false, 0, true}, Way{"remote, threads", true, true, 0, true}}) {
    bent_.all_cold = way.all_cold;
    bent_.no_ring = way.no_ring;
    bent_.residency = way.residency;
    bent_.remote = way.remote;
    for (const bool use_cache : {false, true}) {
      const auto hasher = NewHasher({.use_cache = use_cache});
      TreeOptions options;
      options.algorithms = AlgorithmSet::All();
      const auto results = Tree(*hasher, options);
      for (const auto& [name, content] : files) {
        EXPECT_EQ(results.at(name).digests, DigestOf(content, AlgorithmSet::All())) << way.name << " " << name;
      }
      EXPECT_EQ(hasher->metrics().hashed, files.size()) << way.name;
    }
    ASSERT_OK(base::RemoveTree(cache_.path() + "/cache"));
  }
}

TEST_P(HasherFaultTest, DirectReadingGivesTheSameDigest) {
  if (GetParam() != "tmp" && GetParam() != "cachefs") GTEST_SKIP() << "the image is too small for a large file";
  bent_.residency = 0;
  std::string content(66'000'123, 'd');
  for (size_t i = 0; i < content.size(); i += 4093) content[i] = static_cast<char>(i);
  Write("large", content);
  const Digests expected = DigestOf(content, AlgorithmSet::All());
  for (const bool no_ring : {false, true}) {
    bent_.no_ring = no_ring;
    EXPECT_EQ(One(*NewHasher({.use_cache = false}), "large", AlgorithmSet::All()).digests, expected);
  }
}

TEST_P(HasherFaultTest, AuditFindsAChangedRecord) {
  if (!Believed()) GTEST_SKIP() << "nothing is remembered";
  Write("a", "content");
  const auto hasher = NewHasher();
  EXPECT_EQ(One(*hasher, "a").outcome, Outcome::kHashed);
  // Bit rot: other bytes, the same fingerprint. The kernel's answers are bent instead of the disk.
  class Rotten : public Bent {
   public:
    ssize_t Read(int fd, absl::Span<uint8_t> out, uint64_t offset, bool cached_only) override {
      const ssize_t size = Bent::Read(fd, out, offset, cached_only);
      if (size > 0) out[0] ^= 1;
      return size;
    }
  } rotten;
  HasherOptions options;
  options.cache_directory = cache_.path() + "/cache";
  options.clock = &clock_;
  options.filesystem = &rotten;
  options.audit_share = 1;
  ASSERT_OK(hasher->Flush());
  const auto auditing = *Hasher::Create(options);
  One(*auditing, "a");
  ASSERT_EQ(auditing->audit_findings().size(), 1u);
  EXPECT_EQ(auditing->audit_findings()[0].remembered, DigestOf("content"));
  EXPECT_EQ(One(*NewHasher(), "a").outcome, Outcome::kHashed) << "the cache was emptied";
}

INSTANTIATE_TEST_SUITE_P(Filesystems, HasherFaultTest, ::testing::ValuesIn(FilesystemNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace hashcache

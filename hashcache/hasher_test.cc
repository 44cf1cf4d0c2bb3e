#include "hashcache/hasher.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hashcache/digest/hash_stream.h"

namespace hashcache {
namespace {

using ::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Digests DigestsOf(absl::string_view content, AlgorithmSet algorithms) {
  HashStream stream(algorithms);
  return stream.HashWhole({reinterpret_cast<const uint8_t*>(content.data()), content.size()});
}

// The clock of the tests is a minute ahead, so that no file is too young.
class LaterClock : public base::Clock {
 public:
  int64_t NowNs() override { return base::Clock::Real().NowNs() + ahead_ns; }
  int64_t MonotonicNs() override { return base::Clock::Real().MonotonicNs(); }
  int64_t ahead_ns = 60 * int64_t{1'000'000'000};
};

class CollectingSink : public TreeSink {
 public:
  bool Visit(const TreeEntry& entry, FileResult&& result) override {
    paths.emplace_back(entry.path);
    kinds.push_back(entry.kind);
    if (entry.kind == EntryKind::kSymlink) targets[std::string(entry.path)] = std::string(entry.link_target);
    results[std::string(entry.path)] = std::move(result);
    return paths.size() < stop_after;
  }
  std::vector<std::string> paths;
  std::vector<EntryKind> kinds;
  std::map<std::string, FileResult> results;
  std::map<std::string, std::string> targets;
  size_t stop_after = ~size_t{0};
};

class HasherTest : public ::testing::Test {
 protected:
  std::unique_ptr<Hasher> NewHasher(HasherOptions options = {}) {
    options.cache_directory = base::JoinPath(cache_.path(), "cache");
    if (options.clock == nullptr) options.clock = &clock_;
    auto hasher = Hasher::Create(options);
    EXPECT_OK(hasher.status());
    return *std::move(hasher);
  }
  std::string Path(absl::string_view name) const { return base::JoinPath(directory_.path(), name); }
  void Write(absl::string_view name, absl::string_view content) {
    ASSERT_OK(base::MakeDirectories(std::string(base::DirectoryName(Path(name)))));
    ASSERT_OK(base::ReplaceFile(Path(name), content, {}));
  }
  CollectingSink Tree(Hasher& hasher, TreeOptions options = {}) {
    CollectingSink sink;
    EXPECT_OK(hasher.HashTree(directory_.path(), options, sink));
    return sink;
  }
  FileResult One(Hasher& hasher, absl::string_view name, AlgorithmSet algorithms = Algorithm::kBlake3) {
    FileResult one;
    const std::string path = Path(name);
    const HashRequest requests[] = {{.path = path, .algorithms = algorithms}};
    EXPECT_OK(hasher.HashBatch(requests, [&one](size_t, FileResult&& result) { one = std::move(result); }));
    return one;
  }

  base::TempDir directory_;
  base::TempDir cache_;
  LaterClock clock_;
};

TEST_F(HasherTest, HashesThenRemembers) {
  Write("a", "hello");
  {
    const auto hasher = NewHasher();
    const FileResult first = One(*hasher, "a", AlgorithmSet::All());
    EXPECT_OK(first.status);
    EXPECT_EQ(first.outcome, Outcome::kHashed);
    EXPECT_EQ(first.trust, TrustClass::kLeased);
    EXPECT_EQ(first.digests, DigestsOf("hello", AlgorithmSet::All()));
    EXPECT_EQ(One(*hasher, "a").outcome, Outcome::kHit);
  }
  const auto again = NewHasher();
  const FileResult hit = One(*again, "a", AlgorithmSet::All());
  EXPECT_EQ(hit.outcome, Outcome::kHit);
  EXPECT_EQ(hit.digests, DigestsOf("hello", AlgorithmSet::All()));
  Write("a", "HELLO");
  const FileResult changed = One(*again, "a");
  EXPECT_EQ(changed.outcome, Outcome::kHashed);
  EXPECT_EQ(changed.digests, DigestsOf("HELLO", Algorithm::kBlake3));
}

TEST_F(HasherTest, AnotherAlgorithmIsReadOnceAndKeptBeside) {
  Write("a", "hello");
  const auto hasher = NewHasher();
  EXPECT_EQ(One(*hasher, "a", Algorithm::kBlake3).outcome, Outcome::kHashed);
  EXPECT_EQ(One(*hasher, "a", Algorithm::kSha256).outcome, Outcome::kHashed);
  const AlgorithmSet both = AlgorithmSet(Algorithm::kBlake3).Add(Algorithm::kSha256);
  const FileResult result = One(*hasher, "a", both);
  EXPECT_EQ(result.outcome, Outcome::kHit);
  EXPECT_EQ(result.digests, DigestsOf("hello", both));
}

TEST_F(HasherTest, BatchAnswersInOrderWithErrorsPerFile) {
  std::vector<std::string> paths;
  for (int i = 0; i < 3000; ++i) {
    const std::string name = absl::StrFormat("d%d/f%d", i % 7, i);
    if (i % 100 != 50) Write(name, absl::StrCat("content ", i));
    paths.push_back(Path(name));
  }
  std::vector<HashRequest> requests;
  for (const std::string& path : paths) requests.push_back({.path = path});
  for (const int threads : {1, 2, 5}) {
    const auto hasher = NewHasher({.threads = threads});
    size_t next = 0;
    ASSERT_OK(hasher->HashBatch(requests, [&](size_t i, FileResult&& result) {
      ASSERT_EQ(i, next++);
      if (i % 100 == 50) {
        EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kNotFound));
        EXPECT_EQ(result.outcome, Outcome::kError);
        EXPECT_TRUE(result.digests.algorithms().empty());
      } else {
        EXPECT_EQ(result.digests, DigestsOf(absl::StrCat("content ", i), Algorithm::kBlake3)) << i;
      }
    }));
    EXPECT_EQ(next, requests.size());
    EXPECT_EQ(hasher->metrics().errors, 30u);
  }
}

TEST_F(HasherTest, TreeIsInOrderOfPathsWhateverTheThreads) {
  for (const char* const name : {"a/x", "a.b", "a-b", "ab", "b/c/d/e", "b/c/d.e", "b/c/d-", "z", "A"})
    Write(name, name);
  ASSERT_EQ(symlink("a.b", Path("link").c_str()), 0);
  for (const int threads : {1, 2, 8}) {
    const auto hasher = NewHasher({.threads = threads});
    const CollectingSink sink = Tree(*hasher);
    EXPECT_THAT(sink.paths, ElementsAre("", "A", "a-b", "a.b", "a", "a/x", "ab", "b", "b/c", "b/c/d-",
                                        "b/c/d.e", "b/c/d", "b/c/d/e", "link", "z"));
    EXPECT_EQ(sink.targets.at("link"), "a.b");
    EXPECT_EQ(sink.results.at("b/c/d.e").digests, DigestsOf("b/c/d.e", Algorithm::kBlake3));
  }
}

TEST_F(HasherTest, TreeOfManyFilesIsHitTheSecondTime) {
  for (int i = 0; i < 2000; ++i)
    Write(absl::StrFormat("d%02d/e%d/f%d", i % 20, i % 3, i), absl::StrCat("file ", i));
  {
    const auto hasher = NewHasher();
    EXPECT_EQ(Tree(*hasher).results.at("d01/e1/f1").outcome, Outcome::kHashed);
    EXPECT_EQ(hasher->metrics().hashed, 2000u);
  }
  const auto hasher = NewHasher({.audit_share = 0});
  const CollectingSink sink = Tree(*hasher);
  EXPECT_EQ(hasher->metrics().hits, 2000u);
  for (int i = 0; i < 2000; ++i) {
    EXPECT_EQ(sink.results.at(absl::StrFormat("d%02d/e%d/f%d", i % 20, i % 3, i)).digests,
              DigestsOf(absl::StrCat("file ", i), Algorithm::kBlake3));
  }
}

TEST_F(HasherTest, AuditReadsHitsAgain) {
  for (int i = 0; i < 50; ++i) Write(absl::StrCat("f", i), absl::StrCat("file ", i));
  { Tree(*NewHasher()); }
  const auto hasher = NewHasher({.audit_share = 1});
  Tree(*hasher);
  EXPECT_EQ(hasher->metrics().audited, 50u);
  EXPECT_EQ(hasher->metrics().audit_mismatches, 0u);
}

TEST_F(HasherTest, WithoutCacheNothingIsRememberedOrWritten) {
  Write("a", "hello");
  Write("empty", "");
  Write("large", std::string(3'000'000, 'x'));
  for (int round = 0; round < 2; ++round) {
    const auto hasher = NewHasher({.use_cache = false});
    const CollectingSink sink = Tree(*hasher);
    EXPECT_EQ(sink.results.at("a").outcome, Outcome::kHashed);
    EXPECT_EQ(sink.results.at("a").digests, DigestsOf("hello", Algorithm::kBlake3));
    EXPECT_EQ(sink.results.at("empty").digests, DigestsOf("", Algorithm::kBlake3));
    EXPECT_EQ(sink.results.at("large").digests, DigestsOf(std::string(3'000'000, 'x'), Algorithm::kBlake3));
  }
  EXPECT_THAT(cache_.List(), ElementsAre());
}

TEST_F(HasherTest, StoppingEndsTheWalk) {
  for (int i = 0; i < 1000; ++i) Write(absl::StrFormat("d%d/f%d", i % 10, i), "x");
  const auto hasher = NewHasher();
  CollectingSink sink;
  sink.stop_after = 10;
  ASSERT_OK(hasher->HashTree(directory_.path(), {}, sink));
  EXPECT_EQ(sink.paths.size(), 10u);
}

TEST_F(HasherTest, MissingRootFails) {
  CollectingSink sink;
  EXPECT_THAT(NewHasher()->HashTree(Path("none"), {}, sink),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

TEST_F(HasherTest, OptionsAreValidated) {
  EXPECT_THAT(Hasher::Create({.threads = -1}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Hasher::Create({.audit_share = 2}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Hasher::Create({.memory_bytes_max = 1}), StatusIs(absl::StatusCode::kInvalidArgument));
}

// T13
TEST_F(HasherTest, SpecialFilesNeverHang) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  Write("a", "x");
  for (const bool use_cache : {true, false}) {
    const auto hasher = NewHasher({.use_cache = use_cache});
    EXPECT_THAT(One(*hasher, "fifo").status,
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("pipe")));
    EXPECT_THAT(One(*hasher, "/dev/zero").status, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(One(*hasher, ".").status.ok(), false);
    EXPECT_OK(One(*hasher, "/proc/self/status").status);
    const CollectingSink sink = Tree(*hasher);
    EXPECT_THAT(sink.paths, ElementsAre("", "a", "fifo"));
    EXPECT_THAT(sink.kinds, ElementsAre(EntryKind::kDirectory, EntryKind::kFile, EntryKind::kOther));
  }
}

}  // namespace
}  // namespace hashcache

#include "hashcache/provider/cachefs.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/hasher.h"

namespace hashcache {
namespace {

using ::base::StatusIs;

// A mount that knows digests of some files and what changed.
class FakeMount : public fs::TreeClient {
 public:
  uint32_t capabilities() const override { return offered; }
  absl::Status Digest(fs::Paths paths, fs::DigestKind kind, fs::Sink<absl::string_view> raw) override {
    ++*digest_calls;
    if (failing) return absl::UnavailableError("the session broke");
    for (size_t i = 0; i < paths.size(); ++i) {
      const auto known = digests.find(std::string(paths[i]));
      if (known == digests.end() || kind != fs::DigestKind::kBlake3) {
        raw(i, absl::NotFoundError("not yet"));
      } else {
        raw(i, absl::string_view(known->second));
      }
    }
    return absl::OkStatus();
  }
  absl::StatusOr<fs::Changes> ChangedSince(absl::string_view token) override {
    if (token.empty()) return fs::Changes{.token = "7"};
    if (token == "old") return fs::Changes{.token = "9", .overflow = true};
    return fs::Changes{.paths = {"b", "a"}, .token = "8"};
  }
  absl::Status Store(absl::Span<const fs::StoreItem>, fs::WriteOptions, fs::Sink<bool>) override { return Not(); }
  absl::Status Remove(fs::Paths, fs::WriteOptions, fs::Sink<bool>) override { return Not(); }
  absl::Status Rename(absl::string_view, absl::string_view) override { return Not(); }
  absl::Status Flush() override { return Not(); }
  absl::Status Lookup(fs::Paths, size_t, fs::Sink<absl::string_view>) override { return Not(); }
  absl::Status Stat(fs::Paths, fs::Sink<fs::FileStat>) override { return Not(); }
  absl::Status List(absl::string_view, bool, fs::Sink<fs::DirEntry>) override { return Not(); }
  absl::StatusOr<std::unique_ptr<fs::FileWriter>> Create(absl::string_view) override { return Not(); }
  static absl::Status Not() { return absl::UnimplementedError("not asked for here"); }

  uint32_t offered = fs::kDigest | fs::kChanges;
  bool failing = false;
  std::map<std::string, std::string> digests;
  int* digest_calls = nullptr;
};

class CachefsProviderTest : public ::testing::Test {
 protected:
  // Says that everything lies on FUSE.
  class OnFuse : public ForwardingFilesystem {
    absl::StatusOr<FilesystemFacts> Facts(int, uint64_t) override {
      return FilesystemFacts{.id = "fuse", .type = 0x65735546};
    }
  } on_fuse_;

  std::unique_ptr<Hasher> NewHasher() {
    HasherOptions options;
    options.filesystem = &on_fuse_;
    options.cache_directory = cache_.path() + "/cache";
    options.providers = {[this](absl::string_view) -> absl::StatusOr<std::unique_ptr<DigestProvider>> {
      auto mount = std::make_unique<FakeMount>(mount_);
      mount->digest_calls = &digest_calls_;
      return CachefsProviderOver(std::move(mount));
    }};
    return *Hasher::Create(options);
  }
  struct Sink : TreeSink {
    bool Visit(const TreeEntry& entry, FileResult&& result) override {
      results[std::string(entry.path)] = std::move(result);
      return true;
    }
    std::map<std::string, FileResult> results;
  };
  std::map<std::string, FileResult> Tree(AlgorithmSet algorithms = Algorithm::kBlake3) {
    Sink sink;
    TreeOptions options;
    options.algorithms = algorithms;
    EXPECT_OK(NewHasher()->HashTree(directory_.path(), options, sink));
    return sink.results;
  }

  base::TempDir directory_;
  base::TempDir cache_;
  FakeMount mount_;
  int digest_calls_ = 0;
};

TEST_F(CachefsProviderTest, TheMountIsAskedFirstAndTheRestIsRead) {
  for (const char* const name : {"a", "b", "c"}) ASSERT_OK(base::ReplaceFile(directory_.path() + "/" + name, name, {}));
  mount_.digests = {{"a", std::string(32, 'A')}, {"b", std::string(5, 'B')}};
  const auto results = Tree();
  EXPECT_EQ(results.at("a").outcome, Outcome::kProvider);
  EXPECT_EQ(results.at("a").digests.Hex(Algorithm::kBlake3), ToHex(std::vector<uint8_t>(32, 'A')));
  EXPECT_EQ(results.at("a").fingerprint.size_bytes, 1u);
  EXPECT_NE(results.at("a").mode, 0u);
  EXPECT_EQ(results.at("b").outcome, Outcome::kHashed) << "a digest of a wrong size is no digest";
  EXPECT_EQ(results.at("c").outcome, Outcome::kHashed);
  EXPECT_EQ(digest_calls_, 1) << "one question for the whole directory";
}

TEST_F(CachefsProviderTest, BatchesAskTheMountToo) {
  std::vector<std::string> paths;
  for (const char* const name : {"a", "b"}) {
    paths.push_back(directory_.path() + "/" + name);
    ASSERT_OK(base::ReplaceFile(paths.back(), name, {}));
  }
  mount_.digests = {{"a", std::string(32, 'A')}};
  const HashRequest requests[] = {{.path = paths[0]}, {.path = paths[1]}};
  std::vector<Outcome> outcomes;
  ASSERT_OK(NewHasher()->HashBatch(
      requests, [&outcomes](size_t, FileResult&& result) { outcomes.push_back(result.outcome); }));
  EXPECT_THAT(outcomes, ::testing::ElementsAre(Outcome::kProvider, Outcome::kHashed));
  EXPECT_LE(digest_calls_, 2);
}

TEST_F(CachefsProviderTest, ABrokenSessionFallsBackToReading) {
  ASSERT_OK(base::ReplaceFile(directory_.path() + "/a", "a", {}));
  mount_.digests = {{"a", std::string(32, 'A')}};
  mount_.failing = true;
  EXPECT_EQ(Tree().at("a").outcome, Outcome::kHashed);
}

TEST_F(CachefsProviderTest, AlgorithmsItDoesNotKnowAreRead) {
  ASSERT_OK(base::ReplaceFile(directory_.path() + "/a", "a", {}));
  mount_.digests = {{"a", std::string(32, 'A')}};
  EXPECT_EQ(Tree(Algorithm::kXxh3_128).at("a").outcome, Outcome::kHashed);
  EXPECT_EQ(digest_calls_, 0);
}

TEST_F(CachefsProviderTest, ChangesComeFromTheMount) {
  const auto hasher = NewHasher();
  ASSERT_OK_AND_ASSIGN(const ChangeSet first, hasher->ChangedSince(directory_.path(), "", {}));
  EXPECT_EQ(first.token, "provider:cachefs:7");
  EXPECT_TRUE(first.changes.empty());
  ASSERT_OK_AND_ASSIGN(const ChangeSet second, hasher->ChangedSince(directory_.path(), first.token, {}));
  ASSERT_EQ(second.changes.size(), 2u);
  EXPECT_EQ(second.changes[0].path, "a");
  EXPECT_EQ(second.token, "provider:cachefs:8");
  ASSERT_OK_AND_ASSIGN(const ChangeSet lost, hasher->ChangedSince(directory_.path(), "provider:cachefs:old", {}));
  EXPECT_TRUE(lost.rescan);
}

TEST_F(CachefsProviderTest, ADirectoryElsewhereHasNoProvider) {
  EXPECT_THAT(CachefsProviderFor(directory_.path()), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace hashcache

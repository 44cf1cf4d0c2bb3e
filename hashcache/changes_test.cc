// ChangedSince on ordinary filesystems: against every kind of change, with ignore
// rules, with damaged tokens.
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hashcache/hasher.h"

namespace hashcache {
namespace {

using ::base::StatusIs;
using ::testing::ElementsAre;

class ChangesTest : public ::testing::Test {
 protected:
  std::unique_ptr<Hasher> NewHasher(int threads = 2) {
    HasherOptions options;
    options.cache_directory = cache_.path() + "/cache";
    options.threads = threads;
    return *Hasher::Create(options);
  }
  std::string Path(absl::string_view name) const { return absl::StrCat(directory_.path(), "/", name); }
  void Write(absl::string_view name, absl::string_view content) {
    ASSERT_OK(base::MakeDirectories(std::string(base::DirectoryName(Path(name)))));
    const base::Fd fd = *base::OpenFile(Path(name), O_WRONLY | O_CREAT | O_TRUNC);
    ASSERT_OK(base::WriteFull(fd.get(), content));
  }
  // What changed since the last call, as "+a ~b -c"; moves the token on.
  std::vector<std::string> Changed(const TreeOptions& options = {}) {
    const auto changes = NewHasher()->ChangedSince(directory_.path(), token_, options);
    EXPECT_OK(changes.status());
    if (!changes.ok()) return {};
    token_ = changes->token;
    rescan_ = changes->rescan;
    std::vector<std::string> list;
    for (const ChangeSet::Change& change : changes->changes) {
      using Kind = ChangeSet::Change::Kind;
      const char* const sign = change.kind == Kind::kAdded ? "+" : change.kind == Kind::kChanged ? "~" : "-";
      list.push_back(sign + change.path);
    }
    return list;
  }

  base::TempDir directory_;
  base::TempDir cache_;
  std::string token_;
  bool rescan_ = false;
};

TEST_F(ChangesTest, EveryKindOfChange) {
  for (const char* const name : {"a", "d/b", "d/c", "d/e/f", "g/h"}) Write(name, name);
  EXPECT_THAT(Changed(), ElementsAre());
  const std::string first = token_;
  usleep(30'000);
  EXPECT_THAT(Changed(), ElementsAre());
  EXPECT_EQ(token_, first) << "nothing changed: the same token";
  Write("d/b", "B");
  EXPECT_THAT(Changed(), ElementsAre("~d/b"));
  unlink(Path("d/c").c_str());
  Write("d/new", "n");
  ASSERT_EQ(symlink("x", Path("d/e/link").c_str()), 0);
  EXPECT_THAT(Changed(), ElementsAre("-d/c", "+d/e/link", "+d/new"));
  ASSERT_OK(base::RemoveTree(Path("d")));
  Write("d", "a file now");
  EXPECT_THAT(Changed(), ElementsAre("+d", "-d/b", "-d/e/f", "-d/e/link", "-d/new"));
  ASSERT_EQ(unlink(Path("d").c_str()), 0);
  Write("d/again", "x");
  ASSERT_EQ(rename(Path("a").c_str(), Path("g/a").c_str()), 0);
  EXPECT_THAT(Changed(), ElementsAre("-a", "-d", "+d/again", "+g/a"));
  ASSERT_OK(base::MakeDirectories(Path("empty")));
  EXPECT_THAT(Changed(), ElementsAre());
  usleep(30'000);
  EXPECT_THAT(Changed(), ElementsAre());
}

TEST_F(ChangesTest, IgnoreRulesAndTheirChanges) {
  Write(".hashcacheignore", "*.tmp\n");
  Write("d/a.tmp", "x");
  Write("d/b", "x");
  EXPECT_THAT(Changed(), ElementsAre());
  usleep(30'000);
  Write("d/a.tmp", "y");
  Write("d/c.tmp", "y");
  EXPECT_THAT(Changed(), ElementsAre());
  usleep(30'000);
  // The directory d is as it was; what was left out of it appears all the same.
  const base::Fd fd = *base::OpenFile(Path(".hashcacheignore"), O_WRONLY);
  ASSERT_OK(base::PWriteFull(fd.get(), "*.xxx\n", 0));
  EXPECT_THAT(Changed(), ElementsAre("~.hashcacheignore", "+d/a.tmp", "+d/c.tmp"));
}

TEST_F(ChangesTest, DamagedAndForeignTokens) {
  Write("a", "x");
  Changed();
  const auto hasher = NewHasher();
  EXPECT_THAT(hasher->ChangedSince(directory_.path(), "nonsense", {}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(hasher->ChangedSince(directory_.path(), "hc1-../../../../xx", {}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(hasher->ChangedSince(cache_.path(), token_, {}), StatusIs(absl::StatusCode::kInvalidArgument))
      << "another tree";
  TreeOptions other;
  other.use_gitignore = true;
  EXPECT_THAT(hasher->ChangedSince(directory_.path(), token_, other), StatusIs(absl::StatusCode::kInvalidArgument));
  const std::string path = cache_.path() + "/cache/snapshots/" + token_;
  const std::string bytes = *base::ReadFile(path, 1 << 20);
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_OK(base::ReplaceFile(path, absl::string_view(bytes).substr(0, size), {}));
    const auto changes = hasher->ChangedSince(directory_.path(), token_, {});
    ASSERT_OK(changes.status());
    EXPECT_TRUE(changes->rescan) << size;
  }
  for (size_t bit = 0; bit < bytes.size() * 8; bit += 5) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    ASSERT_OK(base::ReplaceFile(path, flipped, {}));
    const auto changes = hasher->ChangedSince(directory_.path(), token_, {});
    if (changes.ok()) {
      EXPECT_TRUE(changes->rescan) << bit;
    }
  }
}

// Random changes against a model of the tree.
TEST_F(ChangesTest, RandomChangesAgainstAModel) {
  std::mt19937_64 random(5);
  std::map<std::string, uint64_t> model, before;
  uint64_t counter = 0;
  Changed();
  for (int round = 0; round < 30; ++round) {
    for (uint64_t steps = random() % 12; steps > 0; --steps) {
      const std::string name = absl::StrCat("d", random() % 3, "/e", random() % 3, "/f", random() % 4);
      if (random() % 3 == 0) {
        if (unlink(Path(name).c_str()) == 0) model.erase(name);
      } else {
        Write(name, absl::StrCat(++counter));
        model[name] = counter;
      }
    }
    std::vector<std::string> expected;
    std::map<std::string, uint64_t> both = before;
    both.insert(model.begin(), model.end());
    for (const auto& [name, unused] : both) {
      const bool was = before.count(name) != 0;
      const bool is = model.count(name) != 0;
      if (was && !is) expected.push_back("-" + name);
      if (!was && is) expected.push_back("+" + name);
      if (was && is && before[name] != model[name]) expected.push_back("~" + name);
    }
    EXPECT_EQ(Changed(), expected) << round;
    before = model;
    usleep(25'000);
  }
}

}  // namespace
}  // namespace hashcache

#include "fs/client/testing/tree_client_conformance.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <set>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"

namespace fs {
namespace {

using ::base::IsOkAndHolds;
using ::base::StatusIs;
using ::testing::ElementsAre;

// Answers of a batch, by index; fails the test if one is answered twice.
template <typename T>
class Answers {
 public:
  bool operator()(size_t index, absl::StatusOr<T> answer) const {
    EXPECT_TRUE(all.emplace(index, std::move(answer)).second) << index << " was answered twice";
    return true;
  }
  mutable std::map<size_t, absl::StatusOr<T>> all;  // a FunctionRef calls const functors
};

struct TextAnswers {
  bool operator()(size_t index, absl::StatusOr<absl::string_view> answer) const {
    all.emplace(index, answer.ok() ? absl::StatusOr<std::string>(std::string(*answer)) : answer.status());
    return true;
  }
  mutable std::map<size_t, absl::StatusOr<std::string>> all;
};

absl::StatusOr<bool> StoreOne(TreeClient& client, const StoreItem& item, WriteOptions options = {}) {
  Answers<bool> answers;
  RETURN_IF_ERROR(client.Store({&item, 1}, options, answers));
  return answers.all.at(0);
}

absl::StatusOr<std::string> LookupOne(TreeClient& client, absl::string_view path, size_t bytes_max = 1 << 20) {
  TextAnswers answers;
  RETURN_IF_ERROR(client.Lookup({&path, 1}, bytes_max, answers));
  return answers.all.at(0);
}

absl::StatusOr<FileStat> StatOne(TreeClient& client, absl::string_view path) {
  Answers<FileStat> answers;
  RETURN_IF_ERROR(client.Stat({&path, 1}, answers));
  return answers.all.at(0);
}

absl::StatusOr<bool> RemoveOne(TreeClient& client, absl::string_view path) {
  Answers<bool> answers;
  RETURN_IF_ERROR(client.Remove({&path, 1}, {}, answers));
  return answers.all.at(0);
}

std::vector<std::string> ListPaths(TreeClient& client, absl::string_view dir, bool recursive) {
  std::vector<std::string> paths;
  EXPECT_OK(client.List(dir, recursive, [&paths](size_t index, absl::StatusOr<DirEntry> entry) {
    EXPECT_EQ(index, paths.size());
    EXPECT_OK(entry);
    paths.push_back(entry.ok() ? entry->path : "?");
    return true;
  }));
  return paths;
}

}  // namespace

void TreeClientConformanceTest::SetUp() {
  root_ = GetParam().make_directory();
  if (root_.empty()) GTEST_SKIP() << GetParam().name << " is not to be had here";
  ASSERT_OK_AND_ASSIGN(client_, GetParam().open(root_));
}

void TreeClientConformanceTest::TearDown() {
  client_.reset();
  if (root_.empty()) return;
  EXPECT_OK(base::RemoveTree(root_));
}

TEST_P(TreeClientConformanceTest, StoresAndLooksUpInCallerOrder) {
  std::vector<std::string> paths;
  std::vector<std::string> data;
  for (int i = 0; i < 200; ++i) {
    paths.push_back(absl::StrCat("d", i % 7, "/e/f", i * 37 % 200));
    data.push_back(std::string(static_cast<size_t>(i) * 50, static_cast<char>('a' + i % 26)));
  }
  std::vector<StoreItem> items;
  std::vector<absl::string_view> views;
  for (size_t i = 0; i < paths.size(); ++i) {
    items.push_back({.path = paths[i], .data = data[i]});
    views.push_back(paths[i]);
  }
  Answers<bool> stored;
  ASSERT_OK(client_->Store(items, {}, stored));
  ASSERT_EQ(stored.all.size(), items.size());
  for (const auto& [index, answer] : stored.all) EXPECT_THAT(answer, IsOkAndHolds(true)) << index;
  TextAnswers found;
  ASSERT_OK(client_->Lookup(views, 1 << 20, found));
  ASSERT_EQ(found.all.size(), items.size());
  for (size_t i = 0; i < items.size(); ++i) EXPECT_THAT(found.all.at(i), IsOkAndHolds(data[i])) << paths[i];
}

TEST_P(TreeClientConformanceTest, ItemsOnOnePathApplyInOrder) {
  std::vector<StoreItem> items;
  std::vector<std::string> data;
  for (int i = 0; i < 100; ++i) data.push_back(absl::StrCat("version ", i));
  for (const std::string& text : data) items.push_back({.path = "same", .data = text});
  Answers<bool> stored;
  ASSERT_OK(client_->Store(items, {}, stored));
  EXPECT_THAT(LookupOne(*client_, "same"), IsOkAndHolds(std::string("version 99")));
}

TEST_P(TreeClientConformanceTest, BadPathsAreRefusedOthersGoOn) {
  const std::string long_name(256, 'n');
  const std::string with_nul("a\0b", 3);
  const std::vector<std::string> bad = {"", "/a", "a//b", "a/", ".", "..", "a/../b", "./a", long_name, with_nul};
  std::vector<StoreItem> items;
  for (const std::string& path : bad) items.push_back({.path = path, .data = "x"});
  items.push_back({.path = "good", .data = "x"});
  Answers<bool> stored;
  ASSERT_OK(client_->Store(items, {}, stored));
  for (size_t i = 0; i < bad.size(); ++i) {
    EXPECT_THAT(stored.all.at(i), StatusIs(absl::StatusCode::kInvalidArgument)) << i;
    EXPECT_THAT(LookupOne(*client_, bad[i]), StatusIs(absl::StatusCode::kInvalidArgument)) << i;
    EXPECT_THAT(StatOne(*client_, bad[i]), StatusIs(absl::StatusCode::kInvalidArgument)) << i;
    EXPECT_THAT(RemoveOne(*client_, bad[i]), StatusIs(absl::StatusCode::kInvalidArgument)) << i;
  }
  EXPECT_THAT(stored.all.at(bad.size()), IsOkAndHolds(true));
  EXPECT_THAT(ListPaths(*client_, "", true), ElementsAre("good"));
}

TEST_P(TreeClientConformanceTest, AwkwardNamesAreBytes) {
  const std::string name = "\xff new\nline \\ \"%20";
  ASSERT_OK(StoreOne(*client_, {.path = name, .data = "x"}));
  EXPECT_THAT(ListPaths(*client_, "", false), ElementsAre(name));
  const std::string longest(255, 'n');
  ASSERT_OK(StoreOne(*client_, {.path = longest, .data = "y"}));
  EXPECT_THAT(LookupOne(*client_, longest), IsOkAndHolds(std::string("y")));
}

TEST_P(TreeClientConformanceTest, WrongTypesAreFailedPreconditions) {
  ASSERT_OK(StoreOne(*client_, {.path = "dir/file", .data = "x"}));
  ASSERT_EQ(symlink("dir", (root_ + "/link").c_str()), 0);
  EXPECT_THAT(StoreOne(*client_, {.path = "dir", .data = "x"}), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(StoreOne(*client_, {.path = "dir/file/below", .data = "x"}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(LookupOne(*client_, "dir"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(LookupOne(*client_, "link"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(LookupOne(*client_, "link/file"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(StoreOne(*client_, {.path = "link/file", .data = "y"}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(RemoveOne(*client_, "dir"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(LookupOne(*client_, "dir/file"), IsOkAndHolds(std::string("x")));
  // Storing to a link's own name replaces the link, never what it names.
  EXPECT_THAT(StoreOne(*client_, {.path = "link", .data = "z"}), IsOkAndHolds(true));
  EXPECT_THAT(LookupOne(*client_, "link"), IsOkAndHolds(std::string("z")));
}

TEST_P(TreeClientConformanceTest, LinksAreListedAndStatedAsLinks) {
  ASSERT_EQ(symlink("/etc/passwd", (root_ + "/link").c_str()), 0);
  ASSERT_OK_AND_ASSIGN(const FileStat stat, StatOne(*client_, "link"));
  EXPECT_TRUE(S_ISLNK(stat.mode));
  EXPECT_THAT(ListPaths(*client_, "", true), ElementsAre("link"));
}

TEST_P(TreeClientConformanceTest, ModeAndTimeAreSet) {
  const mode_t before = umask(027);
  const absl::Time mtime = absl::FromUnixNanos(1'600'000'000'123'456'789);
  // A session keeps the umask that it was opened with.
  absl::StatusOr<std::unique_ptr<TreeClient>> client = GetParam().open(root_);
  ASSERT_OK(client);
  const absl::StatusOr<bool> stored = StoreOne(**client, {.path = "f", .data = "x", .mode = 0777, .mtime = mtime});
  umask(before);
  ASSERT_OK(stored);
  ASSERT_OK_AND_ASSIGN(const FileStat stat, StatOne(*client_, "f"));
  EXPECT_EQ(stat.mode, S_IFREG | 0750u);
  EXPECT_EQ(stat.mtime_ns, 1'600'000'000'123'456'789);
  EXPECT_EQ(stat.size_bytes, 1u);
  EXPECT_EQ(stat.link_count, 1u);
  EXPECT_EQ(stat.uid, geteuid());
  EXPECT_GT(stat.ctime_ns, stat.mtime_ns);
}

TEST_P(TreeClientConformanceTest, KeepIfEqualLeavesTheInode) {
  ASSERT_OK(StoreOne(*client_, {.path = "f", .data = "same"}));
  ASSERT_OK_AND_ASSIGN(const FileStat before, StatOne(*client_, "f"));
  EXPECT_THAT(StoreOne(*client_, {.path = "f", .data = "same", .keep_if_equal = true}), IsOkAndHolds(false));
  ASSERT_OK_AND_ASSIGN(const FileStat kept, StatOne(*client_, "f"));
  EXPECT_EQ(kept.inode, before.inode);
  EXPECT_EQ(kept.ctime_ns, before.ctime_ns);
  EXPECT_THAT(StoreOne(*client_, {.path = "f", .data = "diff", .keep_if_equal = true}), IsOkAndHolds(true));
  EXPECT_THAT(LookupOne(*client_, "f"), IsOkAndHolds(std::string("diff")));
}

TEST_P(TreeClientConformanceTest, ReplacedFileStaysWholeForItsReaders) {
  ASSERT_OK(StoreOne(*client_, {.path = "f", .data = "old"}));
  ASSERT_OK_AND_ASSIGN(const base::Fd reader, base::OpenFile(root_ + "/f", O_RDONLY));
  ASSERT_OK(StoreOne(*client_, {.path = "f", .data = "newer"}));
  EXPECT_THAT(base::ReadToEnd(reader.get(), 100), IsOkAndHolds(std::string("old")));
  EXPECT_THAT(base::ReadFile(root_ + "/f", 100), IsOkAndHolds(std::string("newer")));
}

TEST_P(TreeClientConformanceTest, LookupBoundsAndMissing) {
  const std::string large(3 << 20, 'l');
  ASSERT_OK(StoreOne(*client_, {.path = "large", .data = large}));
  ASSERT_OK(StoreOne(*client_, {.path = "empty", .data = ""}));
  EXPECT_THAT(LookupOne(*client_, "large", large.size()), IsOkAndHolds(large));
  EXPECT_THAT(LookupOne(*client_, "large", large.size() - 1), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(LookupOne(*client_, "empty", 0), IsOkAndHolds(std::string()));
  EXPECT_THAT(LookupOne(*client_, "none"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(LookupOne(*client_, "none/below"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(StatOne(*client_, "none"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(TreeClientConformanceTest, RemovesAndSaysWhatExisted) {
  ASSERT_OK(StoreOne(*client_, {.path = "d/f", .data = "x"}));
  EXPECT_THAT(RemoveOne(*client_, "d/f"), IsOkAndHolds(true));
  EXPECT_THAT(RemoveOne(*client_, "d/f"), IsOkAndHolds(false));
  EXPECT_THAT(RemoveOne(*client_, "none/f"), IsOkAndHolds(false));
  EXPECT_THAT(RemoveOne(*client_, "d"), IsOkAndHolds(true));  // an empty directory
  EXPECT_TRUE(ListPaths(*client_, "", true).empty());
}

TEST_P(TreeClientConformanceTest, RenamesFilesAndDirectoriesMakingParents) {
  ASSERT_OK(StoreOne(*client_, {.path = "a/f", .data = "1"}));
  ASSERT_OK(StoreOne(*client_, {.path = "g", .data = "2"}));
  ASSERT_OK(client_->Rename("a/f", "b/c/f"));
  ASSERT_OK(client_->Rename("b", "moved"));
  EXPECT_THAT(LookupOne(*client_, "moved/c/f"), IsOkAndHolds(std::string("1")));
  ASSERT_OK(client_->Rename("g", "moved/c/f"));
  EXPECT_THAT(LookupOne(*client_, "moved/c/f"), IsOkAndHolds(std::string("2")));
  EXPECT_THAT(client_->Rename("none", "x/y"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(client_->Rename("moved", "a"), base::IsOk());  // `a` is empty by now
  ASSERT_OK(StoreOne(*client_, {.path = "full/f", .data = "3"}));
  EXPECT_THAT(client_->Rename("a", "full"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(ListPaths(*client_, "", true), ElementsAre("a", "full", "a/c", "a/c/f", "full/f"));
}

TEST_P(TreeClientConformanceTest, ListStopsWhenTold) {
  for (const char* path : {"a", "b", "c"}) ASSERT_OK(StoreOne(*client_, {.path = path, .data = "x"}));
  size_t seen = 0;
  ASSERT_OK(client_->List("", true, [&seen](size_t, absl::StatusOr<DirEntry>) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2u);
  EXPECT_THAT(client_->List("none", true, [](size_t, absl::StatusOr<DirEntry>) { return true; }),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(TreeClientConformanceTest, WriterAppearsOnlyOnCommit) {
  ASSERT_OK(StoreOne(*client_, {.path = "f", .data = "old"}));
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<FileWriter> abandoned, client_->Create("f"));
    ASSERT_OK(abandoned->Append("never seen"));
  }
  EXPECT_THAT(LookupOne(*client_, "f"), IsOkAndHolds(std::string("old")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<FileWriter> writer, client_->Create("new/f"));
  ASSERT_OK(writer->Append("one"));
  EXPECT_THAT(LookupOne(*client_, "new/f"), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_OK(writer->Append("two"));
  ASSERT_OK(writer->Commit(Durability::kOnReturn));
  EXPECT_THAT(LookupOne(*client_, "new/f"), IsOkAndHolds(std::string("onetwo")));
  EXPECT_THAT(ListPaths(*client_, "", true), ElementsAre("f", "new", "new/f"));
}

TEST_P(TreeClientConformanceTest, DurableStoreAndFlushReturnOk) {
  EXPECT_THAT(StoreOne(*client_, {.path = "a/b/f", .data = "x"}, {.durability = Durability::kOnReturn}),
              IsOkAndHolds(true));
  EXPECT_THAT(StoreOne(*client_, {.path = "a/b/f", .data = "x", .keep_if_equal = true},
                       {.durability = Durability::kOnReturn}),
              IsOkAndHolds(false));
  ASSERT_OK(StoreOne(*client_, {.path = "a/g", .data = "y"}));
  EXPECT_THAT(RemoveOne(*client_, "a/g"), IsOkAndHolds(true));
  EXPECT_OK(client_->Flush());
  EXPECT_OK(client_->Flush());
}

TEST_P(TreeClientConformanceTest, CapabilitiesSayWhatIsUnimplemented) {
  ASSERT_OK(StoreOne(*client_, {.path = "f", .data = "x"}));
  const uint32_t has = client_->capabilities();
  if ((has & kTtl) == 0) {
    EXPECT_THAT(StoreOne(*client_, {.path = "t", .data = "x", .ttl = absl::Hours(1)}),
                StatusIs(absl::StatusCode::kUnimplemented));
  } else {
    ASSERT_OK(StoreOne(*client_, {.path = "lives", .data = "x", .ttl = absl::Hours(1)}));
    EXPECT_THAT(LookupOne(*client_, "lives"), IsOkAndHolds("x"));
  }
  if ((has & kAtomicBatch) == 0) {
    EXPECT_THAT(StoreOne(*client_, {.path = "t", .data = "x"}, {.atomic = true}),
                StatusIs(absl::StatusCode::kUnimplemented));
  } else {
    const std::vector<StoreItem> items = {{.path = "t1", .data = "x"}, {.path = "f/below", .data = "x"}};
    Answers<bool> answers;
    EXPECT_FALSE(client_->Store(items, {.atomic = true}, answers).ok() && answers.all.at(0).ok());
  }
  EXPECT_THAT(LookupOne(*client_, "t"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(LookupOne(*client_, "t1"), StatusIs(absl::StatusCode::kNotFound));
  if ((has & kChanges) == 0) {
    EXPECT_THAT(client_->ChangedSince("").status(), StatusIs(absl::StatusCode::kUnimplemented));
  } else {
    ASSERT_OK_AND_ASSIGN(const Changes first, client_->ChangedSince(""));
    ASSERT_OK(StoreOne(*client_, {.path = "f", .data = "changed"}));
    ASSERT_OK_AND_ASSIGN(const Changes second, client_->ChangedSince(first.token));
    EXPECT_TRUE(second.overflow || std::set<std::string>(second.paths.begin(), second.paths.end()).count("f") == 1);
  }
  const absl::string_view path = "f";
  TextAnswers digests;
  ASSERT_OK(client_->Digest({&path, 1}, DigestKind::kSha256, digests));
  if ((has & kDigest) == 0) {
    EXPECT_THAT(digests.all.at(0), StatusIs(absl::StatusCode::kUnimplemented));
  } else {
    ASSERT_OK(digests.all.at(0));
    EXPECT_EQ(digests.all.at(0)->size(), 32u);
  }
}

TEST_P(TreeClientConformanceTest, CallsRunAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string path = absl::StrCat("shared/", t, "/f", i);
        EXPECT_OK(StoreOne(*client_, {.path = path, .data = path}));
        EXPECT_THAT(LookupOne(*client_, path), IsOkAndHolds(path));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ListPaths(*client_, "shared", true).size(), 104u);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TreeClientConformanceTest);

}  // namespace fs

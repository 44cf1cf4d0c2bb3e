#include "base/os/watch.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gtest/gtest.h"

namespace base {
namespace {

bool Has(const Watch::Events& events, const std::string& path) {
  return std::find(events.paths.begin(), events.paths.end(), path) != events.paths.end();
}

TEST(WatchTest, ReportsChangesInOldAndNewDirectories) {
  const TempDir dir;
  ASSERT_OK(MakeDirectories(JoinPath(dir.path(), "a/skip")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Watch> watch,
                       Watch::Create([](const std::string& path) { return absl::EndsWith(path, "skip"); }));
  ASSERT_OK(watch->Add(dir.path()));

  const std::string file = JoinPath(dir.path(), "a/f");
  ASSERT_OK(ReplaceFile(file, "1", {}));
  ASSERT_OK(ReplaceFile(JoinPath(dir.path(), "a/skip/g"), "1", {}));
  ASSERT_OK_AND_ASSIGN(const Watch::Events first, watch->Wait(absl::Seconds(10), absl::Milliseconds(10), -1));
  EXPECT_TRUE(Has(first, file));
  EXPECT_FALSE(Has(first, JoinPath(dir.path(), "a/skip/g")));

  const std::string made = JoinPath(dir.path(), "b");
  ASSERT_EQ(mkdir(made.c_str(), 0755), 0);
  ASSERT_OK_AND_ASSIGN(const Watch::Events second, watch->Wait(absl::Seconds(10), absl::Milliseconds(10), -1));
  EXPECT_TRUE(Has(second, made));
  EXPECT_TRUE(second.rescan);

  ASSERT_OK(ReplaceFile(JoinPath(made, "h"), "1", {}));
  ASSERT_OK_AND_ASSIGN(const Watch::Events third, watch->Wait(absl::Seconds(10), absl::Milliseconds(10), -1));
  EXPECT_TRUE(Has(third, JoinPath(made, "h")));
}

TEST(WatchTest, TimesOutEmpty) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Watch> watch, Watch::Create(nullptr));
  ASSERT_OK(watch->Add(dir.path()));
  ASSERT_OK_AND_ASSIGN(const Watch::Events events, watch->Wait(absl::Milliseconds(1), absl::Milliseconds(1), -1));
  EXPECT_TRUE(events.paths.empty());
}

}  // namespace
}  // namespace base

#include "base/os/spawn.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace base {
namespace {

TEST(Spawn, GivesInputAndTakesOutput) {
  const std::string text(300'000, 'x');
  const auto result = Spawn({.words = {"cat"}, .input = text});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 0);
  EXPECT_EQ(result->output, text);
}

TEST(Spawn, KeepsWordsApart) {
  const auto result = Spawn({.words = {"printf", "%s|", "a b", "$HOME", "`id`", ""}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output, "a b|$HOME|`id`||");
}

TEST(Spawn, TellsHowItEnded) {
  const auto failed = Spawn({.words = {"cat", "/nowhere/at/all"}});
  ASSERT_TRUE(failed.ok()) << failed.status();
  EXPECT_EQ(failed->exit_code, 1);
  EXPECT_NE(failed->errors.find("/nowhere/at/all"), std::string::npos);
  EXPECT_EQ(Spawn({.words = {"no-such-program-here"}}).status().code(), absl::StatusCode::kNotFound);
}

TEST(Spawn, StopsWhatIsTooLongOrTooSlow) {
  EXPECT_EQ(Spawn({.words = {"cat", "/dev/zero"}, .output_bytes_max = 100'000}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Spawn({.words = {"sleep", "100"}, .timeout_ms_max = 20}).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace base

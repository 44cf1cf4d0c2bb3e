#include "base/command_line.h"

#include <string>
#include <vector>

#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace base {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Command Tool() {
  return {.name = "tool",
          .summary = "does things",
          .description = "A tool for tests.\n\nSecond paragraph.",
          .flags = {{.name = "verbose", .letter = 'v', .help = "say more"}},
          .subcommands = {{.name = "mkfs",
                           .summary = "make a volume",
                           .arguments = "STORE",
                           .flags = {{.name = "size", .letter = 's', .value = "SIZE", .help = "how large", .fallback = "8G"},
                                     {.name = "mode", .value = "MODE", .help = "how", .choices = {"fast", "safe"}},
                                     {.name = "force", .letter = 'f', .help = "overwrite"}},
                           .examples = {{"tool mkfs disk.img", "makes a volume in a file"}},
                           .run = [](const Arguments&) { return 0; }},
                          {.name = "info", .summary = "show", .run = [](const Arguments&) { return 0; }}}};
}

TEST(CommandLineTest, ParsesEveryFormOfFlag) {
  const Command tool = Tool();
  ASSERT_OK_AND_ASSIGN(const Arguments arguments,
                       ParseArguments(tool, std::vector<std::string>{"-v", "mkfs", "-fs4K", "a.img", "--mode=safe", "-",
                                                                     "--size", "1M", "--", "--odd"}));
  EXPECT_EQ(arguments.full_name(), "tool mkfs");
  EXPECT_TRUE(arguments.Has("verbose"));
  EXPECT_TRUE(arguments.Has("force"));
  EXPECT_EQ(arguments.Get("mode"), "safe");
  EXPECT_THAT(arguments.GetAll("size"), ElementsAre("4K", "1M"));
  EXPECT_THAT(arguments.GetSize("size"), IsOkAndHolds(uint64_t{1} << 20));
  EXPECT_THAT(arguments.positional(), ElementsAre("a.img", "-", "--odd"));
}

TEST(CommandLineTest, FallsBackToDefault) {
  const Command tool = Tool();
  ASSERT_OK_AND_ASSIGN(const Arguments arguments, ParseArguments(tool, std::vector<std::string>{"mkfs", "x"}));
  EXPECT_FALSE(arguments.Has("size"));
  EXPECT_EQ(arguments.Get("size"), "8G");
  EXPECT_THAT(arguments.GetInt("size", 0, 9), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--size")));
}

TEST(CommandLineTest, ErrorsNameTheWordAndANearMiss) {
  const Command tool = Tool();
  const auto error = [&tool](std::vector<std::string> words) {
    return std::string(ParseArguments(tool, words).status().message());
  };
  EXPECT_THAT(error({"mkfs", "--sise=1"}), HasSubstr("did you mean \"--size\"?"));
  EXPECT_THAT(error({"mkfz"}), HasSubstr("did you mean \"mkfs\"?"));
  EXPECT_THAT(error({"mkfs", "--size"}), HasSubstr("needs a value"));
  EXPECT_THAT(error({"mkfs", "--mode", "x"}), HasSubstr("fast, safe"));
  EXPECT_THAT(error({"mkfs", "--force=1"}), HasSubstr("takes no value"));
  EXPECT_THAT(error({"info", "x"}), HasSubstr("one argument too many"));
}

TEST(CommandLineTest, TextsNameEveryFlagAndCommand) {
  const Command tool = Tool();
  const std::vector<std::string> path = {"mkfs"};
  const std::string help = HelpText(tool, path);
  for (const char* expected : {"tool mkfs", "--size SIZE", "[default: 8G]", "(fast, safe)", "--verbose", "disk.img"}) {
    EXPECT_THAT(help, HasSubstr(expected));
  }
  EXPECT_THAT(HelpText(tool, {}), HasSubstr("make a volume"));
  const std::string man = ManPage(tool);
  for (const char* expected : {".TH TOOL 1", ".SS mkfs", "\\-\\-size"}) EXPECT_THAT(man, HasSubstr(expected));
  for (const char* shell : {"bash", "zsh", "fish"}) {
    ASSERT_OK_AND_ASSIGN(const std::string script, CompletionScript(tool, shell));
    for (const char* expected : {"mkfs", "force", "safe"}) EXPECT_THAT(script, HasSubstr(expected)) << shell;
  }
  EXPECT_THAT(CompletionScript(tool, "tcsh"), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace base

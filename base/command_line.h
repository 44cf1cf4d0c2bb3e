// One table per command gives its parser, --help, man page and shell completions.
//
// Shape:   a Command is a tree: a program, its subcommands, theirs. Flags of a
//          parent are accepted by its subcommands too. Every program has
//          --help, --version, --man and --completion=bash|zsh|fish.
// Grammar: -x, -xVALUE, -x VALUE, --name, --name=VALUE, --name VALUE, bundled
//          short booleans (-rz); "--" ends flags; "-" alone is an argument.
//          Flags and arguments may be mixed.
// Errors:  InvalidArgument  names the word, the command, and a near miss
// Threads: thread-compatible.
//
// Example:
//   const base::Command kCommand = {
//       .name = "hashcache", .summary = "hash files and remember the digests",
//       .subcommands = {{.name = "sum", .summary = "print digests", .arguments = "[FILE]...",
//                        .flags = {{.name = "jobs", .letter = 'j', .value = "N", .help = "threads"}},
//                        .run = RunSum}}};
//   int main(int argc, char** argv) { return base::RunCommand(kCommand, argc, argv); }
#ifndef BASE_COMMAND_LINE_H_
#define BASE_COMMAND_LINE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace base {

class Arguments;

struct Flag {
  std::string name;       // long name without dashes
  char letter = 0;        // short form, 0 = none
  std::string value;      // what the value is called, e.g. "SIZE"; empty = boolean
  std::string help;       // one or two sentences, no full stop at the end needed
  std::string fallback;   // shown as the default and returned when absent
  std::vector<std::string> choices;  // if not empty, other values are refused
};

struct Example {
  std::string command;
  std::string meaning;
};

struct ExitCode {
  int code;
  std::string meaning;
};

struct Command {
  std::string name;
  std::string summary;      // half a line, lower case
  std::string arguments;    // e.g. "[STORE] MOUNTPOINT"; empty = none are accepted
  std::string description;  // paragraphs separated by blank lines
  std::vector<Flag> flags;
  std::vector<Command> subcommands;
  std::vector<Example> examples;
  std::vector<ExitCode> exit_codes;
  // Further sections of the man page: title, text.
  std::vector<std::pair<std::string, std::string>> sections;
  // Returns the exit code. Missing on a command that only holds subcommands.
  std::function<int(const Arguments&)> run;
  int usage_error_code = 2;  // the exit code for a wrong command line
};

class Arguments {
 public:
  // Whether the flag was given. REQUIRES: the command's table has it.
  bool Has(absl::string_view flag) const;
  // The last value given, else the fallback.
  std::string Get(absl::string_view flag) const;
  std::vector<std::string> GetAll(absl::string_view flag) const;
  // Errors: InvalidArgument  the value is not a number in [min, max]; names the flag
  absl::StatusOr<int64_t> GetInt(absl::string_view flag, int64_t min, int64_t max) const;
  // A size such as 64M. Errors: InvalidArgument, as above.
  absl::StatusOr<uint64_t> GetSize(absl::string_view flag) const;

  const std::vector<std::string>& positional() const { return positional_; }
  // All flags in the order they were given, for commands where order matters.
  const std::vector<std::pair<std::string, std::string>>& in_order() const { return values_; }
  const Command& command() const { return *command_; }
  // "cachectl mkfs".
  const std::string& full_name() const { return full_name_; }

 private:
  friend absl::StatusOr<Arguments> ParseArguments(const Command&, absl::Span<const std::string>);
  const Flag& Find(absl::string_view flag) const;
  // Makes `command` the current one and its flags known.
  void Enter(const Command& command);
  // Each takes one word; those with `index` may take the next one as a value.
  absl::Status TakeArgument(const std::string& word, bool may_be_command);
  absl::Status TakeLongFlag(absl::Span<const std::string> words, size_t* index);
  absl::Status TakeShortFlags(absl::Span<const std::string> words, size_t* index);
  absl::Status TakeValue(const Flag& flag, std::string value, absl::Span<const std::string> words, size_t* index);

  const Command* command_ = nullptr;
  std::string full_name_;
  std::vector<const Flag*> flags_;
  std::vector<std::pair<std::string, std::string>> values_;  // flag name, value
  std::vector<std::string> positional_;
};

// `words` are argv without the program. The result borrows `command`.
absl::StatusOr<Arguments> ParseArguments(const Command& command, absl::Span<const std::string> words);

// Text of --help for `path` (empty = the program, {"mkfs"} = its subcommand).
std::string HelpText(const Command& command, absl::Span<const std::string> path);
// roff source of the program's man page, section 1 (8 for `admin`).
std::string ManPage(const Command& command, bool admin = false);
// `shell` is bash, zsh or fish. Errors: InvalidArgument  another shell
absl::StatusOr<std::string> CompletionScript(const Command& command, absl::string_view shell);

// The whole of a main(): init, parse, answer --help and friends, run. Enters
// the directory `bazel run` was called from. Returns the exit code.
int RunCommand(const Command& command, int argc, char** argv);

// "name: message" on stderr, coloured on a terminal unless NO_COLOR is set.
void PrintError(absl::string_view program, absl::string_view message);
void PrintWarning(absl::string_view program, absl::string_view message);

// The candidate nearest to `word` within a third of its length, else "".
std::string NearestWord(absl::string_view word, absl::Span<const std::string> candidates);

}  // namespace base

#endif  // BASE_COMMAND_LINE_H_

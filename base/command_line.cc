#include "base/command_line.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/command_line_text.h"
#include "base/init.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "glog/logging.h"

namespace base {
namespace {

// Flags that every program has.
const std::vector<Flag>& CommonFlags() {
  static const auto* const flags = new std::vector<Flag>{
      {.name = "help", .letter = 'h', .help = "print this help and exit"},
      {.name = "version", .letter = 0, .help = "print the version and exit"},
      {.name = "man", .letter = 0, .help = "print the man page's source and exit"},
      {.name = "completion", .letter = 0, .value = "SHELL",
       .help = "print the completion script for a shell and exit", .choices = {"bash", "zsh", "fish"}},
  };
  return *flags;
}

const Flag* FindLong(const std::vector<const Flag*>& flags, absl::string_view name) {
  for (const Flag* flag : flags) {
    if (flag->name == name) return flag;
  }
  return nullptr;
}

const Flag* FindShort(const std::vector<const Flag*>& flags, char letter) {
  for (const Flag* flag : flags) {
    if (flag->letter == letter) return flag;
  }
  return nullptr;
}

absl::Status Unknown(absl::string_view kind, absl::string_view word, const std::vector<std::string>& known) {
  std::string message = absl::StrCat("unknown ", kind, " \"", word, "\"");
  const std::string near = NearestWord(word, known);
  if (!near.empty()) absl::StrAppend(&message, "; did you mean \"", near, "\"?");
  return absl::InvalidArgumentError(message);
}

absl::Status UnknownFlag(absl::string_view word, const std::vector<const Flag*>& flags) {
  std::vector<std::string> names;
  for (const Flag* flag : flags) names.push_back(absl::StrCat("--", flag->name));
  return Unknown("flag", word, names);
}

absl::Status CheckChoice(const Flag& flag, const std::string& value) {
  if (flag.value.empty() || flag.choices.empty() || std::find(flag.choices.begin(), flag.choices.end(), value) != flag.choices.end()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("--", flag.name, " cannot be \"", value, "\"; it is one of ",
                                                 absl::StrJoin(flag.choices, ", ")));
}

bool ColourOn(int fd) {
  const char* const no_color = std::getenv("NO_COLOR");
  return isatty(fd) != 0 && (no_color == nullptr || *no_color == '\0');
}

void PrintLine(absl::string_view program, absl::string_view kind, const char* colour, absl::string_view message) {
  const bool on = ColourOn(STDERR_FILENO);
  const std::string line = absl::StrCat(program, ": ", on ? colour : "", kind, on ? "\033[0m" : "", message, "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

// The words between the program's name and the end of `arguments`' command.
std::vector<std::string> CommandPath(const Command& command, const Arguments& arguments) {
  std::vector<std::string> path;
  for (const Command* at = &command; at != &arguments.command();) {
    for (const Command& sub : at->subcommands) {
      const std::string prefix = absl::StrJoin(path, " ");
      const std::string name =
          absl::StrCat(command.name, " ", prefix, prefix.empty() ? "" : " ", sub.name);
      if (arguments.full_name() == name || absl::StartsWith(arguments.full_name(), name + " ")) {
        path.push_back(sub.name);
        at = &sub;
        break;
      }
    }
  }
  return path;
}

}  // namespace

bool Arguments::Has(absl::string_view flag) const {
  Find(flag);
  return std::any_of(values_.begin(), values_.end(), [flag](const auto& entry) { return entry.first == flag; });
}

std::string Arguments::Get(absl::string_view flag) const {
  for (auto entry = values_.rbegin(); entry != values_.rend(); ++entry) {
    if (entry->first == flag) return entry->second;
  }
  return Find(flag).fallback;
}

std::vector<std::string> Arguments::GetAll(absl::string_view flag) const {
  Find(flag);
  std::vector<std::string> all;
  for (const auto& [name, value] : values_) {
    if (name == flag) all.push_back(value);
  }
  return all;
}

absl::StatusOr<int64_t> Arguments::GetInt(absl::string_view flag, int64_t min, int64_t max) const {
  const std::string text = Get(flag);
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value) || value < min || value > max) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, " cannot be \"", text, "\"; it is a whole number from ", min, " to ", max));
  }
  return value;
}

absl::StatusOr<uint64_t> Arguments::GetSize(absl::string_view flag) const {
  absl::StatusOr<uint64_t> size = ParseSize(Get(flag));
  if (!size.ok()) return absl::InvalidArgumentError(absl::StrCat("--", flag, ": ", size.status().message()));
  return size;
}

const Flag& Arguments::Find(absl::string_view flag) const {
  const Flag* const found = FindLong(flags_, flag);
  CHECK(found != nullptr) << "no flag --" << std::string(flag) << " in the table of " << full_name_;
  return *found;
}

absl::StatusOr<Arguments> ParseArguments(const Command& command, absl::Span<const std::string> words) {
  Arguments result;
  result.full_name_ = command.name;
  for (const Flag& flag : CommonFlags()) result.flags_.push_back(&flag);
  result.Enter(command);
  bool flags_ended = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!flags_ended && word == "--") {
      flags_ended = true;
    } else if (flags_ended || word.size() < 2 || word[0] != '-') {
      RETURN_IF_ERROR(result.TakeArgument(word, /*may_be_command=*/!flags_ended));
    } else if (word[1] == '-') {
      RETURN_IF_ERROR(result.TakeLongFlag(words, &i));
    } else {
      RETURN_IF_ERROR(result.TakeShortFlags(words, &i));
    }
  }
  return result;
}

void Arguments::Enter(const Command& command) {
  command_ = &command;
  // The innermost table wins when a letter is used twice.
  std::vector<const Flag*> flags;
  for (const Flag& flag : command.flags) flags.push_back(&flag);
  flags.insert(flags.end(), flags_.begin(), flags_.end());
  flags_ = std::move(flags);
}

absl::Status Arguments::TakeArgument(const std::string& word, bool may_be_command) {
  const std::vector<Command>& subcommands = command_->subcommands;
  if (may_be_command && !subcommands.empty() && positional_.empty()) {
    for (const Command& sub : subcommands) {
      if (sub.name != word) continue;
      absl::StrAppend(&full_name_, " ", word);
      Enter(sub);
      return absl::OkStatus();
    }
    if (command_->arguments.empty()) {
      std::vector<std::string> names;
      for (const Command& sub : subcommands) names.push_back(sub.name);
      return Unknown("command", word, names);
    }
  }
  if (command_->arguments.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", word, "\" is one argument too many"));
  }
  positional_.push_back(word);
  return absl::OkStatus();
}

absl::Status Arguments::TakeLongFlag(absl::Span<const std::string> words, size_t* index) {
  const std::string& word = words[*index];
  const size_t equals = word.find('=');
  const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
  const Flag* const flag = FindLong(flags_, name);
  if (flag == nullptr) return UnknownFlag(absl::StrCat("--", name), flags_);
  if (equals == std::string::npos) return TakeValue(*flag, "", words, index);
  if (flag->value.empty()) return absl::InvalidArgumentError(absl::StrCat("--", name, " takes no value"));
  const std::string value = word.substr(equals + 1);
  RETURN_IF_ERROR(CheckChoice(*flag, value));
  values_.emplace_back(flag->name, value);
  return absl::OkStatus();
}

absl::Status Arguments::TakeShortFlags(absl::Span<const std::string> words, size_t* index) {
  const std::string& word = words[*index];
  for (size_t at = 1; at < word.size(); ++at) {
    const Flag* const flag = FindShort(flags_, word[at]);
    if (flag == nullptr) return UnknownFlag(absl::StrCat("-", word.substr(at, 1)), flags_);
    if (!flag->value.empty()) return TakeValue(*flag, word.substr(at + 1), words, index);
    values_.emplace_back(flag->name, "");
  }
  return absl::OkStatus();
}

absl::Status Arguments::TakeValue(const Flag& flag, std::string value, absl::Span<const std::string> words,
                                  size_t* index) {
  if (!flag.value.empty() && value.empty()) {
    if (*index + 1 >= words.size()) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag.name, " needs a value (", flag.value, ")"));
    }
    value = words[++*index];
  }
  RETURN_IF_ERROR(CheckChoice(flag, value));
  values_.emplace_back(flag.name, std::move(value));
  return absl::OkStatus();
}

std::string HelpText(const Command& command, absl::Span<const std::string> path) {
  const Command* at = &command;
  std::string full_name = command.name;
  std::vector<const Flag*> inherited;
  for (const std::string& name : path) {
    const auto found = std::find_if(at->subcommands.begin(), at->subcommands.end(),
                                    [&name](const Command& sub) { return sub.name == name; });
    CHECK(found != at->subcommands.end()) << name;
    for (const Flag& flag : at->flags) inherited.push_back(&flag);
    absl::StrAppend(&full_name, " ", name);
    at = &*found;
  }
  for (const Flag& flag : CommonFlags()) inherited.push_back(&flag);
  return internal::FormatHelp(*at, full_name, inherited);
}

std::string ManPage(const Command& command, bool admin) {
  return internal::FormatManPage(command, CommonFlags(), admin, ProgramVersion());
}

absl::StatusOr<std::string> CompletionScript(const Command& command, absl::string_view shell) {
  if (shell == "bash") return internal::BashCompletion(command, CommonFlags());
  if (shell == "zsh") return internal::ZshCompletion(command, CommonFlags());
  if (shell == "fish") return internal::FishCompletion(command, CommonFlags());
  return absl::InvalidArgumentError(absl::StrCat("no completion for \"", shell, "\"; there is bash, zsh and fish"));
}

int RunCommand(const Command& command, int argc, char** argv) {
  InitProgram(argv[0]);
  const std::vector<std::string> words(argv + 1, argv + argc);
  const absl::StatusOr<Arguments> arguments = ParseArguments(command, words);
  if (!arguments.ok()) {
    PrintError(command.name, arguments.status().message());
    std::fprintf(stderr, "Try '%s --help'.\n", command.name.c_str());
    return command.usage_error_code;
  }
  const auto print = [](const std::string& text) {
    std::fputs(text.c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 1;
  };
  if (arguments->Has("help")) return print(HelpText(command, CommandPath(command, *arguments)));
  if (arguments->Has("version")) return print(absl::StrCat(command.name, " ", ProgramVersion(), "\n"));
  if (arguments->Has("man")) return print(ManPage(command));
  if (arguments->Has("completion")) return print(*CompletionScript(command, arguments->Get("completion")));
  if (!arguments->command().run) {
    std::fputs(HelpText(command, CommandPath(command, *arguments)).c_str(), stderr);
    return command.usage_error_code;
  }
  return arguments->command().run(*arguments);
}

void PrintError(absl::string_view program, absl::string_view message) {
  PrintLine(program, "error: ", "\033[31;1m", message);
}

void PrintWarning(absl::string_view program, absl::string_view message) {
  PrintLine(program, "warning: ", "\033[33;1m", message);
}

std::string NearestWord(absl::string_view word, absl::Span<const std::string> candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  std::vector<size_t> row;
  for (const std::string& candidate : candidates) {
    row.resize(candidate.size() + 1);
    for (size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= word.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j < row.size(); ++j) {
        const size_t substituted = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace base

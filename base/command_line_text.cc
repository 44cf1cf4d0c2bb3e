#include "base/command_line_text.h"

#include <algorithm>
#include <functional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace base::internal {
namespace {

constexpr size_t kWidth = 79;

// Breaks `text` into lines of at most kWidth columns, each after `indent` spaces.
std::string Wrap(absl::string_view text, size_t indent) {
  std::string out;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) absl::StrAppend(&out, std::string(indent, ' '), line, "\n");
    line.clear();
  };
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > kWidth) flush();
    absl::StrAppend(&line, line.empty() ? "" : " ", word);
  }
  flush();
  return out;
}

std::string FlagSyntax(const Flag& flag) {
  std::string text = flag.letter != 0 ? absl::StrCat("-", std::string(1, flag.letter), ", ") : "    ";
  absl::StrAppend(&text, "--", flag.name);
  if (!flag.value.empty()) absl::StrAppend(&text, " ", flag.value);
  return text;
}

std::string FlagHelp(const Flag& flag) {
  std::string text = flag.help;
  if (!flag.choices.empty()) absl::StrAppend(&text, " (", absl::StrJoin(flag.choices, ", "), ")");
  if (!flag.fallback.empty()) absl::StrAppend(&text, " [default: ", flag.fallback, "]");
  return text;
}

std::string FormatFlags(absl::string_view title, const std::vector<const Flag*>& flags) {
  if (flags.empty()) return "";
  std::string out = absl::StrCat("\n", title, ":\n");
  for (const Flag* flag : flags) {
    absl::StrAppend(&out, "  ", FlagSyntax(*flag), "\n", Wrap(FlagHelp(*flag), 10));
  }
  return out;
}

std::vector<const Flag*> Pointers(const std::vector<Flag>& flags) {
  std::vector<const Flag*> pointers;
  for (const Flag& flag : flags) pointers.push_back(&flag);
  return pointers;
}

std::string Roff(absl::string_view text) {
  std::string escaped = absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}});
  std::vector<std::string> lines = absl::StrSplit(escaped, '\n');
  for (std::string& line : lines) {
    // A control character that opens a line would be taken for a request.
    if (!line.empty() && (line[0] == '.' || line[0] == '\'')) line.insert(0, "\\&");
  }
  return absl::StrJoin(lines, "\n");
}

std::string RoffParagraphs(absl::string_view text) {
  std::string out;
  for (absl::string_view paragraph : absl::StrSplit(text, "\n\n", absl::SkipWhitespace())) {
    absl::StrAppend(&out, ".PP\n", Roff(absl::StripAsciiWhitespace(paragraph)), "\n");
  }
  return out;
}

std::string RoffFlags(const std::vector<Flag>& flags) {
  std::string out;
  for (const Flag& flag : flags) {
    absl::StrAppend(&out, ".TP\n.B ", Roff(absl::StripAsciiWhitespace(FlagSyntax(flag))), "\n", Roff(FlagHelp(flag)),
                    "\n");
  }
  return out;
}

void RoffSubcommands(const Command& command, const std::string& prefix, std::string* out) {
  for (const Command& sub : command.subcommands) {
    const std::string name = prefix.empty() ? sub.name : absl::StrCat(prefix, " ", sub.name);
    absl::StrAppend(out, ".SS ", Roff(name), sub.arguments.empty() ? "" : " ", Roff(sub.arguments), "\n",
                    Roff(sub.summary), "\n", RoffParagraphs(sub.description), RoffFlags(sub.flags));
    RoffSubcommands(sub, name, out);
  }
}

std::string RoffExamples(const Command& command) {
  std::string out;
  for (const Example& example : command.examples) {
    absl::StrAppend(&out, ".TP\n.B ", Roff(example.command), "\n", Roff(example.meaning), "\n");
  }
  for (const Command& sub : command.subcommands) absl::StrAppend(&out, RoffExamples(sub));
  return out;
}

// Calls `visit` for the program and each subcommand with its words.
void Walk(const Command& command, std::vector<std::string>* path,
          const std::function<void(const Command&, const std::vector<std::string>&)>& visit) {
  visit(command, *path);
  for (const Command& sub : command.subcommands) {
    path->push_back(sub.name);
    Walk(sub, path, visit);
    path->pop_back();
  }
}

std::string ShellQuote(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

std::string FunctionName(absl::string_view program) {
  return absl::StrCat("_", absl::StrReplaceAll(program, {{"-", "_"}, {".", "_"}}));
}

}  // namespace

std::string FormatHelp(const Command& command, absl::string_view full_name,
                       const std::vector<const Flag*>& inherited) {
  std::string out = absl::StrCat(full_name, " - ", command.summary, "\n\nUsage: ", full_name);
  if (!command.subcommands.empty()) absl::StrAppend(&out, command.run ? " [COMMAND]" : " COMMAND");
  absl::StrAppend(&out, " [FLAGS]", command.arguments.empty() ? "" : " ", command.arguments, "\n");
  for (absl::string_view paragraph : absl::StrSplit(command.description, "\n\n", absl::SkipWhitespace())) {
    absl::StrAppend(&out, "\n", Wrap(paragraph, 0));
  }
  if (!command.subcommands.empty()) {
    absl::StrAppend(&out, "\nCommands:\n");
    size_t width = 0;
    for (const Command& sub : command.subcommands) width = std::max(width, sub.name.size());
    for (const Command& sub : command.subcommands) {
      absl::StrAppend(&out, "  ", sub.name, std::string(width - sub.name.size() + 2, ' '), sub.summary, "\n");
    }
    absl::StrAppend(&out, "\n'", full_name, " COMMAND --help' tells more of each.\n");
  }
  absl::StrAppend(&out, FormatFlags("Flags", Pointers(command.flags)), FormatFlags("Common flags", inherited));
  if (!command.examples.empty()) {
    absl::StrAppend(&out, "\nExamples:\n");
    for (const Example& example : command.examples) {
      absl::StrAppend(&out, "  ", example.command, "\n", Wrap(example.meaning, 10));
    }
  }
  if (!command.exit_codes.empty()) {
    absl::StrAppend(&out, "\nExit codes:\n");
    for (const ExitCode& exit_code : command.exit_codes) {
      absl::StrAppend(&out, "  ", exit_code.code, "  ", exit_code.meaning, "\n");
    }
  }
  return out;
}

std::string FormatManPage(const Command& command, const std::vector<Flag>& common, bool admin,
                          absl::string_view version) {
  std::string out = absl::StrCat(".TH ", absl::AsciiStrToUpper(command.name), admin ? " 8" : " 1", " \"\" \"",
                                 command.name, " ", version, "\" \"cachefs\"\n.SH NAME\n", Roff(command.name),
                                 " \\- ", Roff(command.summary), "\n.SH SYNOPSIS\n.B ", Roff(command.name), "\n");
  if (!command.subcommands.empty()) absl::StrAppend(&out, command.run ? "[COMMAND]\n" : "COMMAND\n");
  absl::StrAppend(&out, "[FLAGS] ", Roff(command.arguments), "\n.SH DESCRIPTION\n",
                  RoffParagraphs(command.description));
  if (!command.subcommands.empty()) {
    absl::StrAppend(&out, ".SH COMMANDS\n");
    RoffSubcommands(command, "", &out);
  }
  absl::StrAppend(&out, ".SH OPTIONS\n", RoffFlags(command.flags), RoffFlags(common));
  const std::string examples = RoffExamples(command);
  if (!examples.empty()) absl::StrAppend(&out, ".SH EXAMPLES\n", examples);
  for (const auto& [title, text] : command.sections) {
    absl::StrAppend(&out, ".SH ", absl::AsciiStrToUpper(title), "\n", RoffParagraphs(text));
  }
  if (!command.exit_codes.empty()) {
    absl::StrAppend(&out, ".SH EXIT STATUS\n");
    for (const ExitCode& exit_code : command.exit_codes) {
      absl::StrAppend(&out, ".TP\n.B ", exit_code.code, "\n", Roff(exit_code.meaning), "\n");
    }
  }
  return out;
}

std::string BashCompletion(const Command& command, const std::vector<Flag>& common) {
  const std::string function = FunctionName(command.name);
  std::string cases;
  std::string values;
  std::vector<std::string> path;
  std::vector<std::string> shared;
  for (const Flag& flag : command.flags) shared.push_back("--" + flag.name);
  for (const Flag& flag : common) shared.push_back("--" + flag.name);
  Walk(command, &path, [&](const Command& at, const std::vector<std::string>& words) {
    std::vector<std::string> choices = shared;
    for (const Flag& flag : at.flags) choices.push_back("--" + flag.name);
    for (const Command& sub : at.subcommands) choices.push_back(sub.name);
    absl::StrAppend(&cases, "    ", ShellQuote(absl::StrJoin(words, " ")), ") words=",
                    ShellQuote(absl::StrJoin(choices, " ")), " ;;\n");
    for (const Flag& flag : at.flags) {
      if (!flag.choices.empty()) {
        absl::StrAppend(&values, "    --", flag.name, ") COMPREPLY=($(compgen -W ",
                        ShellQuote(absl::StrJoin(flag.choices, " ")), " -- \"$current\")); return ;;\n");
      }
    }
  });
  return absl::StrCat("# bash completion for ", command.name, "\n", function, "() {\n",
                      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" path=\"\" word words\n"
                      "  case \"${COMP_WORDS[COMP_CWORD-1]}\" in\n",
                      values, "    --completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$current\")); return ;;\n",
                      "  esac\n"
                      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                      "    case \"$word\" in -*) ;; *) path=\"${path:+$path }$word\" ;; esac\n"
                      "  done\n"
                      "  while :; do\n"
                      "    case \"$path\" in\n",
                      cases,
                      "    *) path=\"${path% *}\"; [ \"${path#* }\" = \"$path\" ] && [ -n \"$path\" ] && path=\"\"; continue ;;\n"
                      "    esac\n"
                      "    break\n"
                      "  done\n"
                      "  case \"$current\" in\n"
                      "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$current\")) ;;\n"
                      "    *) COMPREPLY=($(compgen -W \"$(printf '%s\\n' $words | grep -v '^-')\" -- \"$current\") "
                      "$(compgen -f -- \"$current\")) ;;\n"
                      "  esac\n"
                      "}\ncomplete -o filenames -F ",
                      function, " ", command.name, "\n");
}

std::string ZshCompletion(const Command& command, const std::vector<Flag>& common) {
  const std::string function = FunctionName(command.name);
  const auto bracket = [](absl::string_view text) {
    return absl::StrReplaceAll(text, {{"[", "("}, {"]", ")"}, {":", " -"}});
  };
  const auto spec = [&bracket](const Flag& flag) {
    std::string text = absl::StrCat("--", flag.name, flag.value.empty() ? "" : "=", "[", bracket(flag.help), "]");
    if (!flag.choices.empty()) {
      absl::StrAppend(&text, ":", flag.value, ":(", absl::StrJoin(flag.choices, " "), ")");
    } else if (!flag.value.empty()) {
      absl::StrAppend(&text, ":", flag.value, ":_files");
    }
    return ShellQuote(text);
  };
  std::string out = absl::StrCat("#compdef ", command.name, "\n", function, "() {\n  local -a commands\n");
  std::string cases;
  std::vector<std::string> path;
  Walk(command, &path, [&](const Command& at, const std::vector<std::string>& words) {
    std::string specs;
    for (const Flag& flag : at.flags) absl::StrAppend(&specs, " ", spec(flag));
    if (!words.empty()) {
      for (const Flag& flag : command.flags) absl::StrAppend(&specs, " ", spec(flag));
    }
    for (const Flag& flag : common) absl::StrAppend(&specs, " ", spec(flag));
    std::string commands;
    for (const Command& sub : at.subcommands) {
      absl::StrAppend(&commands, " ", ShellQuote(absl::StrCat(sub.name, ":", bracket(sub.summary))));
    }
    absl::StrAppend(&cases, "    ", ShellQuote(absl::StrJoin(words, " ")), ")\n      commands=(", commands,
                    ")\n      (( $#commands )) && _describe command commands\n      _arguments -s", specs,
                    " '*:file:_files' ;;\n");
  });
  absl::StrAppend(&out,
                  "  local -a named=(${(M)words[2,CURRENT-1]:#[^-]*})\n"
                  "  local key=\"${(j: :)named}\"\n"
                  "  case \"$key\" in\n",
                  cases, "    *) _files ;;\n  esac\n}\n", function, " \"$@\"\n");
  return out;
}

std::string FishCompletion(const Command& command, const std::vector<Flag>& common) {
  std::string out = absl::StrCat("# fish completion for ", command.name, "\n");
  std::vector<std::string> path;
  const auto line = [&](absl::string_view condition, const Flag& flag) {
    absl::StrAppend(&out, "complete -c ", command.name, condition, " -l ", flag.name,
                    flag.letter != 0 ? absl::StrCat(" -s ", std::string(1, flag.letter)) : "",
                    flag.value.empty() ? "" : " -r",
                    flag.choices.empty() ? "" : absl::StrCat(" -f -a ", ShellQuote(absl::StrJoin(flag.choices, " "))),
                    " -d ", ShellQuote(flag.help), "\n");
  };
  for (const Flag& flag : common) line("", flag);
  Walk(command, &path, [&](const Command& at, const std::vector<std::string>& words) {
    const std::string condition =
        words.empty() ? "" : absl::StrCat(" -n ", ShellQuote("__fish_seen_subcommand_from " + words.back()));
    for (const Flag& flag : at.flags) line(condition, flag);
    for (const Command& sub : at.subcommands) {
      const std::string when = words.empty() ? "__fish_use_subcommand" : "__fish_seen_subcommand_from " + words.back();
      absl::StrAppend(&out, "complete -c ", command.name, " -n ", ShellQuote(when), " -a ", sub.name, " -d ",
                      ShellQuote(sub.summary), "\n");
    }
  });
  return out;
}

}  // namespace base::internal

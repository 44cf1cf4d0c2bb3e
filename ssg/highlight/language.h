// What the lexers know of each language: tables for those that look like code, functions for the others.
//
// Threads: tables are made once and never change.
#ifndef SSG_HIGHLIGHT_LANGUAGE_H_
#define SSG_HIGHLIGHT_LANGUAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "ssg/highlight/scanner.h"

namespace ssg::highlight {

struct StringRule {
  absl::string_view open;
  absl::string_view close;
  absl::string_view css_class;
  absl::string_view escape_class = "se";  // Empty: a backslash means nothing.
  bool multiline = false;
  absl::string_view interpolation;  // What opens it: "${", "#{", "$".
};

struct Language {
  absl::string_view name;
  std::vector<absl::string_view> aliases;
  // For languages of its own kind; the tables below are then unused.
  void (*lex)(Scanner&) = nullptr;

  std::vector<absl::string_view> line_comments;
  absl::string_view line_comment_class = "c1";
  std::vector<std::pair<absl::string_view, absl::string_view>> block_comments;
  std::vector<StringRule> strings;
  std::string string_prefixes;                                      // Letters that may stand before a quote.
  absl::flat_hash_map<absl::string_view, absl::string_view> words;  // Class by word.
  // What a name is after a word: {"class", "nc"}.
  absl::flat_hash_map<absl::string_view, absl::string_view> after;
  absl::string_view name_class = "n";
  absl::string_view call_class;        // A name before "(", if that shows.
  absl::string_view after_dot;         // A name after ".", if that shows.
  absl::string_view definition_class;  // A name before "(...) {" where functions are defined so.
  absl::string_view operators = "+-*/%&|^~<>=!?:";
  absl::string_view punctuation = "()[]{};,.";
  std::string word_extra;            // Characters that names hold besides: "$", "-".
  absl::string_view variable_class;  // Names that begin with "$" or "@".
  absl::string_view variable_marks;
  bool preprocessor = false;  // Lines of "#".
  bool decorators = false;    // "@name"
  bool ignore_case = false;
  bool regexes = false;  // "/…/" where an operand may stand.
  absl::string_view integer_class = "mi";
};

// nullptr when unknown.
const Language* FindLanguage(absl::string_view name);
const std::vector<Language>& AllLanguages();

std::vector<Language> CodeLanguages();  // languages_code.cc

void LexCode(const Language& language, Scanner& scanner);  // lex_code.cc
void LexMarkup(Scanner& scanner);                          // lex_markup.cc
void LexCss(Scanner& scanner);
void LexJson(Scanner& scanner);  // lex_config.cc
void LexYaml(Scanner& scanner);
void LexToml(Scanner& scanner);
void LexIni(Scanner& scanner);
void LexDiff(Scanner& scanner);  // lex_text.cc
void LexMarkdown(Scanner& scanner);
void LexBash(Scanner& scanner);  // lex_shell.cc
void LexConsole(Scanner& scanner);
void LexMakefile(Scanner& scanner);
void LexDockerfile(Scanner& scanner);

}  // namespace ssg::highlight

#endif  // SSG_HIGHLIGHT_LANGUAGE_H_

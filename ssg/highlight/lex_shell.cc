// Shell scripts, shell sessions, makefiles and Dockerfiles.
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ssg/highlight/language.h"

namespace ssg::highlight {
namespace {

bool IsKeyword(absl::string_view word) {
  static const auto* const words = new absl::flat_hash_set<absl::string_view>{
      "if",     "fi",       "else", "while",  "in",    "do",       "done",  "for",  "then",
      "return", "function", "case", "select", "break", "continue", "until", "esac", "elif"};
  return words->contains(word);
}

bool IsBuiltin(absl::string_view word) {
  static const auto* const words = new absl::flat_hash_set<absl::string_view>{
      "alias",   "bg",    "bind",    "builtin", "caller",  "cd",      "command", "compgen", "complete",
      "declare", "dirs",  "disown",  "echo",    "enable",  "eval",    "exec",    "exit",    "export",
      "false",   "fc",    "fg",      "getopts", "hash",    "help",    "history", "jobs",    "kill",
      "let",     "local", "logout",  "popd",    "printf",  "pushd",   "pwd",     "read",    "readonly",
      "set",     "shift", "shopt",   "source",  "suspend", "test",    "time",    "times",   "trap",
      "true",    "type",  "typeset", "ulimit",  "umask",   "unalias", "unset",   "wait"};
  return words->contains(word);
}

class BashLexer {
 public:
  explicit BashLexer(Scanner& s) : s_(s) {}

  void Run() {
    while (!s_.done()) {
      if (HereDocument() || s_.TakeBlanks()) continue;
      Step();
    }
  }

 private:
  void Step() {
    const char c = s_.Peek();
    if (c == '#' && (IsBlank(s_.Before()) || s_.Before() == ';')) {
      s_.EmitTo(s_.at() == 0 && s_.Peek(1) == '!' ? "ch" : "c1", s_.LineEnd());
    } else if (c == '\\') {
      s_.Emit("se", 2);
    } else if (c == '\'') {
      Single();
    } else if (c == '"') {
      Double();
    } else if (c == '$') {
      Dollar();
    } else if (s_.Starts("<<") && !s_.Starts("<<<")) {
      HereStart();
    } else if (c == '`') {
      s_.Emit("sb", 1);
    } else if (IsDigit(c) && !IsWord(s_.Before()) && s_.Before() != '-' && s_.Before() != '.' && s_.Before() != '/') {
      const size_t end = s_.WordEnd(s_.at());
      bool number = true;
      for (size_t i = s_.at(); i < end; ++i) number &= IsDigit(s_.CharAt(i));
      s_.EmitTo(number ? "m" : "", end);
    } else if (IsWordStart(c)) {
      Name();
    } else if (s_.Starts("[[") || s_.Starts("]]")) {
      s_.Emit("o", 2);
    } else if (s_.Starts("&&") || s_.Starts("||")) {
      s_.Emit("o", 2);
    } else if (c == '[' || c == ']' || c == '{' || c == '}' || c == '(' || c == ')' || c == '=' || c == '!') {
      s_.Emit("o", 1);
    } else if (c == ';' || c == '|' || c == '&') {
      s_.Emit("p", 1);
    } else {
      s_.Emit("", 1);
    }
  }

  void Name() {
    size_t end = s_.WordEnd(s_.at());
    const absl::string_view word = s_.code().substr(s_.at(), end - s_.at());
    const char next = s_.CharAt(end);
    const bool separate = !IsWord(s_.Before()) && s_.Before() != '-' && s_.Before() != '/' && s_.Before() != '.';
    const bool ends =
        IsBlank(next) || next == ';' || next == ')' || next == '\0' || next == '`' || next == '&' || next == '|';
    if (separate && next == '=') {
      s_.EmitTo("nv", end);
    } else if (separate && next == '+' && s_.CharAt(end + 1) == '=') {
      s_.EmitTo("nv", end);
      s_.Emit("o", 1);
    } else if (separate && ends && IsKeyword(word)) {
      s_.EmitTo("k", end);
    } else if (separate && ends && IsBuiltin(word)) {
      s_.EmitTo("nb", end);
    } else {
      s_.EmitTo("", end);
    }
  }

  void Single() {
    const size_t end = s_.code().find('\'', s_.at() + 1);
    s_.EmitTo("s1", end == absl::string_view::npos ? s_.code().size() : end + 1);
  }

  void Double() {
    s_.Emit("s2", 1);
    while (!s_.done() && s_.Peek() != '"') {
      if (s_.Peek() == '\\') {
        s_.Emit("s2", 2);
      } else if (s_.Peek() == '$' && s_.Peek(1) == '(') {
        // A command inside of the string, with its own quotes.
        s_.Emit("k", 2);
        int depth = 1;
        while (!s_.done() && depth > 0) {
          if (s_.Peek() == '(') ++depth;
          if (s_.Peek() == ')' && --depth == 0) break;
          if (s_.TakeBlanks()) continue;
          if (s_.Peek() == '"') {
            const size_t end = s_.code().find('"', s_.at() + 1);
            s_.EmitTo("s2", end == absl::string_view::npos ? s_.code().size() : end + 1);
            continue;
          }
          Step();
        }
        s_.Emit("k", 1);
      } else if (s_.Peek() == '$') {
        Dollar();
      } else {
        s_.Emit("s2", 1);
      }
    }
    s_.Emit("s2", 1);
  }

  void Dollar() {
    const char next = s_.Peek(1);
    if (s_.Starts("$((")) {
      s_.Emit("k", 3);
    } else if (next == '(') {
      s_.Emit("k", 2);
    } else if (next == '{') {
      s_.Emit("si", 2);
      int depth = 1;
      while (!s_.done() && s_.Peek() != '\n') {
        if (s_.Peek() == '{') ++depth;
        if (s_.Peek() == '}' && --depth == 0) break;
        if (IsWordStart(s_.Peek())) {
          s_.EmitTo("nv", s_.WordEnd(s_.at()));
        } else if (IsDigit(s_.Peek())) {
          s_.EmitTo("m", s_.WordEnd(s_.at()));
        } else {
          s_.Emit(s_.Peek() == ' ' ? "" : "p", 1);
        }
      }
      if (s_.Peek() == '}') s_.Emit("si", 1);
    } else if (IsWordStart(next)) {
      s_.EmitTo("nv", s_.WordEnd(s_.at() + 1));
    } else if (next != '\0' && absl::string_view("0123456789#$?!_*@-").find(next) != absl::string_view::npos) {
      s_.Emit("nv", 2);
    } else {
      s_.Emit("", 1);
    }
  }

  void HereStart() {
    size_t at = s_.at() + 2 + (s_.Peek(2) == '-' ? 1 : 0);
    const bool quoted = s_.CharAt(at) == '\'' || s_.CharAt(at) == '"';
    const size_t end = s_.WordEnd(at + (quoted ? 1 : 0));
    here_end_ = s_.Slice(at + (quoted ? 1 : 0), end);
    s_.EmitTo(here_end_.empty() ? "o" : "s", here_end_.empty() ? at : end + (quoted ? 1 : 0));
  }

  // After the line of "<<END": all up to END.
  bool HereDocument() {
    if (here_end_.empty() || s_.Before() != '\n' || s_.at() == 0) return false;
    size_t end = s_.at();
    while (end < s_.code().size()) {
      const size_t line_end = std::min(s_.code().find('\n', end), s_.code().size());
      const absl::string_view line = s_.code().substr(end, line_end - end);
      end = std::min(line_end + 1, s_.code().size());
      if (absl::StripAsciiWhitespace(line) == here_end_) {
        end = line_end;
        break;
      }
    }
    here_end_ = absl::string_view();
    s_.EmitTo("s", end);
    return true;
  }

  Scanner& s_;
  absl::string_view here_end_;
};

void EmitAll(Scanner& s, size_t size, void (*lex)(Scanner&)) {
  Scanner inner(s.code().substr(s.at(), size));
  lex(inner);
  for (const Token& token : inner.Take()) s.Emit(token.css_class, token.text.size());
}

}  // namespace

void LexBash(Scanner& scanner) { BashLexer(scanner).Run(); }

void LexConsole(Scanner& s) {
  bool continues = false;
  while (!s.done()) {
    const size_t end = s.LineEnd();
    const absl::string_view line = s.code().substr(s.at(), end - s.at());
    size_t prompt = line.find_first_of("$#%>");
    const bool is_prompt = prompt != absl::string_view::npos && prompt < 40 &&
                           (prompt + 1 == line.size() || line[prompt + 1] == ' ') &&
                           line.substr(0, prompt).find(' ') == absl::string_view::npos;
    if (continues) {
      EmitAll(s, line.size(), LexBash);
      continues = absl::EndsWith(line, "\\");
    } else if (is_prompt) {
      s.Emit("gp", prompt + 1);
      s.EmitTo("", s.SkipBlanks(s.at()));
      EmitAll(s, end - s.at(), LexBash);
      continues = absl::EndsWith(line, "\\");
    } else {
      s.EmitTo("go", end);
    }
    s.TakeNewline();
  }
}

void LexMakefile(Scanner& s) {
  while (!s.done()) {
    const size_t end = s.LineEnd();
    const absl::string_view line = s.code().substr(s.at(), end - s.at());
    const size_t first = line.find_first_not_of(" \t");
    if (first == absl::string_view::npos) {
      s.EmitTo("", end);
    } else if (line[0] == '\t') {
      EmitAll(s, line.size(), LexBash);
    } else if (line[first] == '#') {
      s.EmitTo("", s.at() + first);
      s.EmitTo("c", end);
    } else {
      const size_t assign = line.find('=');
      const size_t colon = line.find(':');
      const absl::string_view word = line.substr(first, s.WordEnd(s.at() + first) - s.at() - first);
      if (word == "ifeq" || word == "ifneq" || word == "ifdef" || word == "ifndef" || word == "else" ||
          word == "endif" || word == "include" || word == "export" || word == "define" || word == "endef") {
        s.EmitTo("", s.at() + first);
        s.Emit("k", word.size());
        EmitAll(s, end - s.at(), LexBash);
      } else if (assign != absl::string_view::npos && (colon == absl::string_view::npos || colon + 1 >= assign)) {
        size_t name = assign;
        while (name > 0 &&
               (IsBlank(line[name - 1]) || absl::string_view(":?+!").find(line[name - 1]) != absl::string_view::npos))
          --name;
        const size_t begin = s.at();
        s.EmitTo("nv", begin + name);
        s.TakeBlanks();
        s.EmitTo("o", begin + assign + 1);
        EmitAll(s, end - s.at(), LexBash);
      } else if (colon != absl::string_view::npos) {
        const size_t begin = s.at();
        s.EmitTo("nf", begin + colon);
        s.Emit("o", 1);
        EmitAll(s, end - s.at(), LexBash);
      } else {
        EmitAll(s, line.size(), LexBash);
      }
    }
    s.TakeNewline();
  }
}

void LexDockerfile(Scanner& s) {
  bool continues = false;
  while (!s.done()) {
    const size_t end = s.LineEnd();
    const absl::string_view line = s.code().substr(s.at(), end - s.at());
    s.EmitTo("", s.SkipBlanks(s.at()));
    if (s.Peek() == '#') {
      s.EmitTo("c", end);
    } else if (continues) {
      EmitAll(s, end - s.at(), LexBash);
      continues = absl::EndsWith(line, "\\");
    } else {
      const size_t word_end = s.WordEnd(s.at());
      s.EmitTo("k", word_end);
      EmitAll(s, end - s.at(), s.Rest().find('[') == 1 ? LexJson : LexBash);
      continues = absl::EndsWith(line, "\\");
    }
    s.TakeNewline();
  }
}

}  // namespace ssg::highlight

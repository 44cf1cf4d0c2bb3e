#include "ssg/highlight/highlight.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ssg/highlight/language.h"
#include "ssg/template/escape.h"

namespace ssg::highlight {
namespace {

Language Special(absl::string_view name, std::vector<absl::string_view> aliases, void (*lex)(Scanner&)) {
  Language language;
  language.name = name;
  language.aliases = std::move(aliases);
  language.lex = lex;
  return language;
}

std::vector<Language> MakeLanguages() {
  std::vector<Language> languages = CodeLanguages();
  languages.push_back(Special("bash", {"sh", "shell", "zsh", "ksh"}, LexBash));
  languages.push_back(Special("console", {"shell-session", "sh-session"}, LexConsole));
  languages.push_back(Special("css", {}, LexCss));
  languages.push_back(Special("diff", {"patch", "udiff"}, LexDiff));
  languages.push_back(Special("dockerfile", {"docker", "containerfile"}, LexDockerfile));
  languages.push_back(Special("html", {"htm", "xhtml", "vue", "svelte"}, LexMarkup));
  languages.push_back(Special("ini", {"cfg", "dosini", "properties", "conf"}, LexIni));
  languages.push_back(Special("json", {"jsonc", "json5", "jsonl", "ndjson"}, LexJson));
  languages.push_back(Special("makefile", {"make", "mf"}, LexMakefile));
  languages.push_back(Special("markdown", {"md"}, LexMarkdown));
  languages.push_back(Special("toml", {}, LexToml));
  languages.push_back(Special("xml", {"svg", "rss", "xsl"}, LexMarkup));
  languages.push_back(Special("yaml", {"yml"}, LexYaml));
  std::sort(languages.begin(), languages.end(), [](const Language& a, const Language& b) { return a.name < b.name; });
  return languages;
}

// Writes tokens as spans; spans never reach over a line when lines have elements.
class HtmlWriter {
 public:
  HtmlWriter(const Options& options, std::string& out) : options_(options), out_(out), line_(options.first_line) {
    by_line_ = options.line_numbers || !options.marked_lines.empty();
  }

  void Write(const std::vector<Token>& tokens) {
    for (const Token& token : tokens) {
      absl::string_view text = token.text;
      while (by_line_ && text.find('\n') != absl::string_view::npos) {
        const size_t newline = text.find('\n');
        Piece(text.substr(0, newline), token.css_class);
        BeginLine();
        out_ += "\n</span>";
        open_ = false;
        ++line_;
        text.remove_prefix(newline + 1);
      }
      Piece(text, token.css_class);
    }
    if (open_) out_ += "</span>";
  }

 private:
  void BeginLine() {
    if (!by_line_ || open_) return;
    open_ = true;
    const bool marked = std::any_of(options_.marked_lines.begin(), options_.marked_lines.end(),
                                    [&](const auto& range) { return line_ >= range.first && line_ <= range.second; });
    out_ += marked ? "<span class=\"line hll\">" : "<span class=\"line\">";
    if (options_.line_numbers) absl::StrAppend(&out_, "<span class=\"ln\">", line_, "</span>");
  }

  void Piece(absl::string_view text, absl::string_view css_class) {
    if (text.empty()) return;
    BeginLine();
    if (!css_class.empty()) absl::StrAppend(&out_, "<span class=\"", css_class, "\">");
    tmpl::AppendEscaped(text, out_);
    if (!css_class.empty()) out_ += "</span>";
  }

  const Options& options_;
  std::string& out_;
  int line_;
  bool by_line_ = false;
  bool open_ = false;
};

}  // namespace

const std::vector<Language>& AllLanguages() {
  static const auto* const languages = new std::vector<Language>(MakeLanguages());
  return *languages;
}

const Language* FindLanguage(absl::string_view name) {
  static const auto* const index = [] {
    auto* names = new absl::flat_hash_map<absl::string_view, const Language*>;
    for (const Language& language : AllLanguages()) {
      names->emplace(language.name, &language);
      for (absl::string_view alias : language.aliases) names->emplace(alias, &language);
    }
    return names;
  }();
  const std::string folded = absl::AsciiStrToLower(absl::StripAsciiWhitespace(name));
  const auto found = index->find(folded);
  return found == index->end() ? nullptr : found->second;
}

bool IsKnown(absl::string_view language) { return FindLanguage(language) != nullptr; }

std::vector<absl::string_view> Languages() {
  std::vector<absl::string_view> names;
  for (const Language& language : AllLanguages()) names.push_back(language.name);
  return names;
}

std::vector<Token> Tokenize(absl::string_view name, absl::string_view code) {
  const Language* language = FindLanguage(name);
  if (language == nullptr) return {Token{code, ""}};
  Scanner scanner(code);
  if (language->lex != nullptr) {
    language->lex(scanner);
  } else {
    LexCode(*language, scanner);
  }
  return scanner.Take();
}

std::string Highlight(absl::string_view language, absl::string_view code, const Options& options) {
  std::string out = "<div class=\"highlight\"><pre><code";
  if (!language.empty()) {
    out += " class=\"language-";
    tmpl::AppendEscaped(language, out);
    out += "\" data-lang=\"";
    tmpl::AppendEscaped(language, out);
    out += '"';
  }
  out += '>';
  out.reserve(out.size() + code.size() * 4);
  HtmlWriter(options, out).Write(Tokenize(language, code));
  out += "</code></pre></div>";
  return out;
}

std::vector<std::pair<int, int>> ParseLineRanges(absl::string_view text) {
  std::vector<std::pair<int, int>> ranges;
  for (absl::string_view part : absl::StrSplit(text, absl::ByAnyChar(", "), absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(part, absl::MaxSplits('-', 1));
    int first = 0;
    int last = 0;
    if (!absl::SimpleAtoi(ends.first, &first)) continue;
    if (!absl::SimpleAtoi(ends.second, &last)) last = first;
    ranges.emplace_back(first, last);
  }
  return ranges;
}

}  // namespace ssg::highlight

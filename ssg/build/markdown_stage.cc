#include "ssg/build/markdown_stage.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/command_line.h"
#include "ssg/config/config.h"
#include "ssg/highlight/highlight.h"
#include "ssg/markdown/html.h"
#include "ssg/markdown/markdown.h"
#include "ssg/site/body.h"

namespace ssg {

using tmpl::Value;

// The hooks of one page's render.
class PageHooks : public MarkdownHooks {
 public:
  PageHooks(const MarkdownStage& stage, const Page& page, ReadSet& reads)
      : stage_(stage), page_(page), reads_(reads), context_{&stage.site_, &page, &reads, /*bodies_ready=*/false} {}

  std::string ResolveLink(absl::string_view destination, bool image, uint32_t line) override {
    Resolution found = stage_.links_.Resolve(page_, destination, &reads_);
    if (!found.problem.empty()) {
      stage_.diagnostics_.Add({page_.mounted ? Severity::kWarning : Severity::kError, std::string(page_.file), line, 0,
                               found.problem, "link"});
    }
    // What lies beside a mounted file may not be part of the site.
    if (!found.target.empty() && !(page_.mounted && found.page == nullptr && found.file.empty()))
      links_.push_back({line, image, found.target, found.anchor});
    std::string url = found.url;
    if (image) last_image_ = std::move(found);
    return url;
  }

  bool RenderCodeBlock(const CodeBlockElement& element, std::string* html) override {
    if (!HasTemplate("elements/code.html")) return Highlight(element, html);
    return RenderElement("elements/code.html", element.line,
                         {{"language", element.language}, {"info", element.info}, {"code", element.code}}, html);
  }

  bool RenderImage(const ImageElement& element, std::string* html) override {
    if (element.alt.empty()) {
      stage_.diagnostics_.Warning("alt", page_.file, element.line,
                                  absl::StrCat("image \"", element.source, "\" has no alternative text"));
    }
    if (HasTemplate("elements/image.html")) {
      return RenderElement("elements/image.html", element.line,
                           {{"url", element.destination}, {"alt", element.alt}, {"title", element.title}}, html);
    }
    if (stage_.images_ == nullptr || last_image_.file.empty()) return false;
    return stage_.images_->Render(page_, element, last_image_.file, absl::StripPrefix(last_image_.target, "u:/"), html);
  }

  bool RenderLink(const LinkElement& element, std::string* html) override {
    if (!HasTemplate("elements/link.html")) return false;
    return RenderElement("elements/link.html", element.line,
                         {{"url", element.destination}, {"text", element.html}, {"title", element.title}}, html);
  }

  bool RenderHeading(const HeadingElement& element, std::string* html) override {
    if (!HasTemplate("elements/heading.html")) return false;
    const std::string level = absl::StrCat(element.level);
    return RenderElement("elements/heading.html", element.line,
                         {{"level", level}, {"id", element.id}, {"text", element.html}}, html);
  }

  bool RenderDirective(const DirectiveElement& element, std::string* html) override {
    const std::string name = absl::StrCat("shortcodes/", element.name, ".html");
    if (!HasTemplate(name)) return false;
    return RenderElement(name, element.line,
                         {{"argument", element.argument}, {"body", element.html}, {"source", element.body}}, html,
                         ParseAttributes(StripBraces(element.argument)));
  }

  bool RenderShortcode(const ShortcodeElement& element, std::string* html) override {
    const std::string name = absl::StrCat("shortcodes/", element.name, ".html");
    const bool found = HasTemplate(name);
    if (!element.problem.empty()) return Fail(element, element.problem);
    if (!found && (element.name == "ref" || element.name == "relref")) return Reference(element, html);
    if (!found) {
      std::vector<std::string> known;
      for (const std::string& one : stage_.templates_.Names()) {
        absl::string_view word = one;
        if (absl::ConsumePrefix(&word, "shortcodes/")) known.emplace_back(absl::StripSuffix(word, ".html"));
      }
      const std::string near = base::NearestWord(std::string(element.name), known);
      return Fail(element, absl::StrCat("no shortcode \"", element.name, "\" (", name, ")",
                                        near.empty() ? "" : absl::StrCat("; did you mean \"", near, "\"?")));
    }
    if (element.may_want_body && stage_.templates_.Mentions(name, "body")) {
      return Fail(element, absl::StrCat("shortcode \"", element.name, "\" has no end (\"{{< /", element.name,
                                        " >}}\"); without a body it is written {{< ", element.name, " />}}"));
    }
    tmpl::Variables variables;
    SetShortcode(element, variables);
    return RenderTemplate(name, element.line, element.column, variables, html);
  }

  const std::vector<ResolvedLink>& links() const { return links_; }

 private:
  // Built-in code blocks: ```go hl_lines=1,3-5 marks lines.
  bool Highlight(const CodeBlockElement& element, std::string* html) const {
    const Config& config = stage_.site_.config();
    if (!config.highlight || !highlight::IsKnown(element.language)) return false;
    highlight::Options options;
    options.line_numbers = config.line_numbers;
    for (const auto& [name, value] : ParseAttributes(StripBraces(element.info))) {
      if (name == "hl_lines") options.marked_lines = highlight::ParseLineRanges(value);
    }
    absl::StrAppend(html, highlight::Highlight(element.language, element.code, options), "\n");
    return true;
  }

  static absl::string_view StripBraces(absl::string_view text) {
    absl::ConsumePrefix(&text, "{");
    absl::ConsumeSuffix(&text, "}");
    return text;
  }

  bool Fail(const ShortcodeElement& element, absl::string_view message) {
    stage_.diagnostics_.Add(
        {Severity::kError, std::string(page_.file), element.line, element.column, std::string(message), "shortcode"});
    return true;
  }

  // {{< ref "path.md#anchor" >}}: in a link what the link then resolves, else the URL.
  bool Reference(const ShortcodeElement& element, std::string* html) {
    if (element.arguments.size() != 1) return Fail(element, absl::StrCat(element.name, " wants one path"));
    std::string path = element.arguments[0].value;
    if (!absl::StartsWith(path, "#") && !absl::StartsWith(path, "@/") && !absl::StartsWith(path, "/")) {
      Resolution beside = stage_.links_.Resolve(page_, path, &reads_);
      if (beside.page == nullptr) path = absl::StrCat("@/", path);
    } else if (absl::StartsWith(path, "/")) {
      path = absl::StrCat("@", path);
    }
    if (element.in_destination) {
      html->append(path);
    } else {
      AppendHtmlEscaped(ResolveLink(path, /*image=*/false, element.line), html);
    }
    return true;
  }

  static Value ArgumentValue(const ShortcodeArgument& argument) {
    int64_t number = 0;
    double fraction = 0;
    if (argument.quoted) return Value::String(argument.value);
    if (argument.value == "true" || argument.value == "false") return Value::Bool(argument.value == "true");
    if (absl::SimpleAtoi(argument.value, &number)) return Value::Int(number);
    if (absl::ascii_isdigit(argument.value.back()) && absl::SimpleAtod(argument.value, &fraction)) {
      return Value::Float(fraction);
    }
    return Value::String(argument.value);
  }

  // Named arguments by their names and in `params`, the others in `args`.
  void SetShortcode(const ShortcodeElement& element, tmpl::Variables& variables) {
    tmpl::List* args = tmpl::NewList(variables.arena());
    tmpl::Dict* params = tmpl::NewDict(variables.arena());
    for (const ShortcodeArgument& argument : element.arguments) {
      const Value value = ArgumentValue(argument);
      if (argument.name.empty()) {
        tmpl::Append(variables.arena(), *args, value);
      } else {
        tmpl::Set(variables.arena(), *params, Value::String(argument.name), value);
        variables.Set(argument.name, value);
      }
    }
    variables.Set("args", Value::Of(args));
    variables.Set("params", Value::Of(params));
    variables.Set("name", Value::String(element.name));
    variables.Set("nth", Value::Int(++shortcode_counts_[std::string(element.name)]));
    variables.Set("body", Value::Markup(element.html));
    variables.Set("source", Value::String(element.source));
  }

  // Whether the site has the template; either way the page depends on it.
  bool HasTemplate(absl::string_view name) {
    const bool found = stage_.templates_.Has(name);
    reads_.OnTemplate(name, found);
    return found;
  }

  bool RenderElement(absl::string_view name, uint32_t line,
                     std::vector<std::pair<absl::string_view, absl::string_view>> values, std::string* html,
                     const Attributes& attributes = {}) {
    tmpl::Variables variables;
    tmpl::Dict* params = tmpl::NewDict(variables.arena());
    for (const auto& [key, value] : attributes) {
      variables.Set(key, Value::String(value));
      tmpl::Set(variables.arena(), *params, Value::String(key), Value::String(value));
    }
    variables.Set("params", Value::Of(params));
    for (const auto& [key, value] : values) {
      // What Markdown made is HTML already.
      variables.Set(key, key == "text" || key == "body" ? Value::Markup(value) : Value::String(value));
    }
    return RenderTemplate(name, line, 0, variables, html);
  }

  bool RenderTemplate(absl::string_view name, uint32_t line, uint32_t column, tmpl::Variables& variables,
                      std::string* html) {
    variables.Set("page", Value::Of(&page_));
    variables.Set("site", Value::Of(&stage_.site_));
    variables.Set("config", stage_.site_.config().all);
    auto found = stage_.engine_.Get(name);
    absl::Status status = found.status();
    if (status.ok()) {
      tmpl::RenderOptions options;
      options.observer = &reads_;
      options.host = &context_;
      status = stage_.engine_.Render(**found, variables, options, *html);
    }
    if (!status.ok()) {
      stage_.diagnostics_.Add(
          {Severity::kError, std::string(page_.file), line, column, std::string(status.message()), "template"});
    }
    return true;
  }

  const MarkdownStage& stage_;
  const Page& page_;
  ReadSet& reads_;
  RenderContext context_;
  Resolution last_image_;
  std::vector<ResolvedLink> links_;
  absl::flat_hash_map<std::string, int64_t> shortcode_counts_;
};

MarkdownStage::MarkdownStage(const Site& site, const tmpl::Engine& engine, const TemplateStore& templates,
                             ImageRenderer* images, Diagnostics& diagnostics)
    : site_(site),
      engine_(engine),
      templates_(templates),
      images_(images),
      diagnostics_(diagnostics),
      links_(site),
      options_(site.config().markdown) {
  options_.collect_text = site.config().search == SearchMode::kFull;
}

absl::optional<std::string> MarkdownStage::Render(const Page& page, ReadSet& reads) const {
  PageHooks hooks(*this, page, reads);
  auto rendered = RenderMarkdown(page.source.substr(page.body_offset), options_, hooks, page.body_line);
  if (!rendered.ok()) {
    diagnostics_.AddStatus("markdown", page.file, rendered.status());
    return absl::nullopt;
  }
  return EncodeBody(*rendered, hooks.links());
}

}  // namespace ssg

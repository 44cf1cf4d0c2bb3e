#include "ssg/build/markdown_stage.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
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
    variables.Set("page", Value::Of(&page_));
    variables.Set("site", Value::Of(&stage_.site_));
    variables.Set("config", stage_.site_.config().all);
    for (const auto& [key, value] : attributes) variables.Set(key, Value::String(value));
    for (const auto& [key, value] : values) {
      // What Markdown made is HTML already.
      variables.Set(key, key == "text" || key == "body" ? Value::Markup(value) : Value::String(value));
    }
    auto found = stage_.engine_.Get(name);
    absl::Status status = found.status();
    if (status.ok()) {
      tmpl::RenderOptions options;
      options.observer = &reads_;
      options.host = &context_;
      status = stage_.engine_.Render(**found, variables, options, *html);
    }
    if (!status.ok()) stage_.diagnostics_.Error("template", page_.file, line, status.message());
    return true;
  }

  const MarkdownStage& stage_;
  const Page& page_;
  ReadSet& reads_;
  RenderContext context_;
  Resolution last_image_;
  std::vector<ResolvedLink> links_;
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

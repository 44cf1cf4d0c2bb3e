#include "ssg/build/template_functions.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "ssg/markdown/markdown.h"
#include "ssg/markdown/slug.h"
#include "ssg/site/dates.h"
#include "ssg/site/read_set.h"
#include "ssg/site/site.h"
#include "ssg/template/runtime.h"

namespace ssg {
namespace {

using Call = tmpl::BoundArguments;
using tmpl::Runtime;
using tmpl::Value;

const RenderContext& Context(Runtime& runtime) { return *runtime.host<RenderContext>(); }

void Record(Runtime& runtime, uint32_t object, Facet facet) {
  if (Context(runtime).reads != nullptr) Context(runtime).reads->Add(object, facet);
}

absl::StatusOr<absl::string_view> TextArgument(const Value& value, absl::string_view what) {
  if (value.IsString()) return value.text();
  return absl::InvalidArgumentError(absl::StrCat(what, " must be a string"));
}

// The page at a content path ("blog/a.md", "@/blog/a.md"), for get_page and get_section.
absl::StatusOr<Value> FindPage(Runtime& runtime, const Call& call) {
  ASSIGN_OR_RETURN(absl::string_view path, TextArgument(call[0], "path"));
  absl::ConsumePrefix(&path, "@/");
  const Site& site = *Context(runtime).site;
  const Page* page = site.FindByContentPath(path);
  if (page == nullptr) page = site.FindByContentPath(absl::StrCat(path, path.empty() ? "" : "/", "_index.md"));
  if (page == nullptr) page = site.FindByUrlPath(path);
  if (page == nullptr) {
    Record(runtime, site.ObjectId(Site::kObjectSite), Facet::kPages);
    return absl::NotFoundError(absl::StrCat("there is no page \"", path, "\""));
  }
  Record(runtime, page->id, Facet::kMeta);
  return Value::Of(page);
}

absl::StatusOr<Value> FormatDateFilter(Runtime& runtime, const Call& call) {
  int64_t seconds = kNoDate;
  if (call[0].IsInt()) {
    seconds = call[0].int_value();
  } else if (call[0].IsString()) {
    if (!ParseDate(call[0].text(), &seconds)) {
      return absl::InvalidArgumentError(absl::StrCat("\"", call[0].text(), "\" is not a date"));
    }
  } else {
    return runtime.NewString("");
  }
  absl::string_view format = "%Y-%m-%d";
  if (call.Has(1)) {
    ASSIGN_OR_RETURN(format, TextArgument(call[1], "format"));
  }
  return runtime.NewString(FormatDate(seconds, format));
}

absl::StatusOr<Value> MarkdownFilter(Runtime& runtime, const Call& call) {
  ASSIGN_OR_RETURN(const absl::string_view text, TextArgument(call[0], "markdown's value"));
  MarkdownHooks hooks;
  MarkdownOptions options = Context(runtime).site->config().markdown;
  options.heading_anchors = false;
  options.shortcodes = false;
  ASSIGN_OR_RETURN(RenderedMarkdown rendered, RenderMarkdown(text, options, hooks));
  absl::string_view html = rendered.html;
  const bool is_inline = call.Has(1) && call[1].IsBool() && call[1].bool_value();
  if (is_inline && absl::StartsWith(html, "<p>") && html.find("</p>\n") == html.size() - 5) {
    html = html.substr(3, html.size() - 8);
  }
  return runtime.NewHtml(html);
}

}  // namespace

void AddSiteFunctions(tmpl::Environment& environment, const Assets& assets, int64_t now) {
  environment.AddFunction("get_url", "path absolute?",
                          [&assets](Runtime& runtime, const Call& call) -> absl::StatusOr<Value> {
                            ASSIGN_OR_RETURN(absl::string_view path, TextArgument(call[0], "path"));
                            const Site& site = *Context(runtime).site;
                            std::string url;
                            if (absl::StrContains(path, "://")) return call[0];
                            if (absl::ConsumePrefix(&path, "@/")) {
                              const size_t end = std::min(path.find('#'), path.size());
                              const Page* page = site.FindByContentPath(path.substr(0, end));
                              if (page == nullptr) {
                                Record(runtime, site.ObjectId(Site::kObjectSite), Facet::kPages);
                                return absl::NotFoundError(absl::StrCat("there is no page \"@/", path, "\""));
                              }
                              Record(runtime, page->id, Facet::kMeta);
                              url = absl::StrCat(page->path, path.substr(end));
                            } else {
                              absl::ConsumePrefix(&path, "/");
                              Record(runtime, site.ObjectId(Site::kObjectAssets), Facet::kMeta);
                              const absl::string_view output = assets.OutputOf(path);
                              url = absl::StrCat("/", output.empty() ? path : output);
                            }
                            const bool absolute = call.Has(1) && call[1].IsBool() && call[1].bool_value();
                            return runtime.NewString(absolute ? site.Permalink(url) : site.Href(url));
                          });
  environment.AddFunction("get_page", "path", FindPage);
  environment.AddFunction("get_section", "path", FindPage);
  environment.AddFunction("now", "", [now](Runtime& runtime, const Call&) -> absl::StatusOr<Value> {
    return runtime.NewString(FormatIsoDate(now));
  });
  environment.AddFilter("date", "value format?", FormatDateFilter);
  environment.AddFilter("markdown", "value inline?", MarkdownFilter);
  environment.AddFilter("slugify", "value", [](Runtime& runtime, const Call& call) -> absl::StatusOr<Value> {
    ASSIGN_OR_RETURN(const absl::string_view text, TextArgument(call[0], "slugify's value"));
    return runtime.NewString(PathSlug(text));
  });
  environment.AddFilter("absolute", "value", [](Runtime& runtime, const Call& call) -> absl::StatusOr<Value> {
    ASSIGN_OR_RETURN(const absl::string_view text, TextArgument(call[0], "absolute's value"));
    return runtime.NewString(Context(runtime).site->Permalink(text));
  });
}

}  // namespace ssg

// What templates may ask of the site.
#include <vector>

#include "ssg/site/read_set.h"
#include "ssg/site/site.h"
#include "ssg/template/runtime.h"
#include "ssg/template/symbol.h"

namespace ssg {
namespace {

using tmpl::Runtime;
using tmpl::Value;

using Getter = Value (*)(const Site&, const RenderContext&, Runtime&);

Value Text(absl::string_view text) { return Value::String(text); }

void Record(const RenderContext& context, uint32_t object, Facet facet) {
  if (context.reads != nullptr) context.reads->Add(object, facet);
}

const tmpl::SymbolTable<Getter>& Table() {
  static const auto& table = *new tmpl::SymbolTable<Getter>({
      {"title", [](const Site& s, const RenderContext&, Runtime&) { return Text(s.config().title); }},
      {"base_url", [](const Site& s, const RenderContext&, Runtime&) { return Text(s.config().base_url); }},
      {"base_path", [](const Site& s, const RenderContext&, Runtime&) { return Text(s.config().base_path); }},
      {"description", [](const Site& s, const RenderContext&, Runtime&) { return Text(s.config().description); }},
      {"language", [](const Site& s, const RenderContext&, Runtime&) { return Text(s.config().language); }},
      {"author", [](const Site& s, const RenderContext&, Runtime&) { return Text(s.config().author); }},
      {"copyright", [](const Site& s, const RenderContext&, Runtime&) { return Text(s.config().copyright); }},
      {"environment", [](const Site& s, const RenderContext&, Runtime&) { return Text(s.config().environment); }},
      {"search", [](const Site& s, const RenderContext&, Runtime&) { return Value::Bool(s.config().search != SearchMode::kOff); }},
      {"rss", [](const Site& s, const RenderContext&, Runtime&) { return Value::Bool(s.config().rss); }},
      {"atom", [](const Site& s, const RenderContext&, Runtime&) { return Value::Bool(s.config().atom); }},
      {"params",
       [](const Site& s, const RenderContext&, Runtime& runtime) {
         const Value* params = s.config().all.dict().Find(absl::string_view("params"));
         if (params == nullptr) params = s.config().all.dict().Find(absl::string_view("extra"));
         return params == nullptr ? Value::Of(tmpl::NewDict(runtime.arena())) : *params;
       }},
      {"pages",
       [](const Site& s, const RenderContext& context, Runtime&) {
         Record(context, s.ObjectId(Site::kObjectSite), Facet::kPages);
         return s.pages_value();
       }},
      {"regular_pages",
       [](const Site& s, const RenderContext& context, Runtime&) {
         Record(context, s.ObjectId(Site::kObjectSite), Facet::kPages);
         return s.regular_pages_value();
       }},
      {"home", [](const Site& s, const RenderContext&, Runtime&) { return Value::Of(s.home()); }},
      {"sections",
       [](const Site& s, const RenderContext& context, Runtime&) {
         Record(context, s.home()->id, Facet::kPages);
         return s.home()->subsections_value;
       }},
      {"taxonomies",
       [](const Site& s, const RenderContext& context, Runtime&) {
         Record(context, s.ObjectId(Site::kObjectSite), Facet::kLinks);
         return s.taxonomies_value();
       }},
      {"menus",
       [](const Site& s, const RenderContext& context, Runtime&) {
         Record(context, s.ObjectId(Site::kObjectMenus), Facet::kMeta);
         return s.menus_value();
       }},
      {"data",
       [](const Site& s, const RenderContext& context, Runtime&) {
         Record(context, s.ObjectId(Site::kObjectData), Facet::kMeta);
         return s.data();
       }},
  });
  return table;
}

}  // namespace

absl::StatusOr<Value> Site::Attribute(tmpl::Symbol name, Runtime& runtime) const {
  const RenderContext* context = runtime.host<RenderContext>();
  if (context == nullptr) return absl::FailedPreconditionError("the site can only be read while it is built");
  const Getter* getter = Table().Find(name);
  return getter == nullptr ? Value() : (*getter)(*this, *context, runtime);
}

std::vector<absl::string_view> Site::AttributeNames() const { return Table().Names(); }

}  // namespace ssg

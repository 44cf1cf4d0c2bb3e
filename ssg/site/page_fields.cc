#include "ssg/site/page_fields.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/command_line.h"
#include "ssg/content/front_matter.h"

namespace ssg {
namespace {

using tmpl::Value;

enum class Field {
  kTitle,
  kDescription,
  kSummary,
  kSlug,
  kUrl,
  kDate,
  kUpdated,
  kPublish,
  kExpiry,
  kDraft,
  kWeight,
  kTemplate,
  kPageTemplate,
  kType,
  kSortBy,
  kPaginateBy,
  kAliases,
  kOutputs,
  kCascade,
  kRender,
  kSearch,
  kSitemap,
  kFree,
};

const absl::flat_hash_map<absl::string_view, Field>& Fields() {
  static const auto& fields = *new absl::flat_hash_map<absl::string_view, Field>({
      {"title", Field::kTitle},
      {"description", Field::kDescription},
      {"summary", Field::kSummary},
      {"slug", Field::kSlug},
      {"url", Field::kUrl},
      {"path", Field::kUrl},
      {"permalink", Field::kUrl},
      {"date", Field::kDate},
      {"updated", Field::kUpdated},
      {"lastmod", Field::kUpdated},
      {"publish_date", Field::kPublish},
      {"publishDate", Field::kPublish},
      {"expiry_date", Field::kExpiry},
      {"expiryDate", Field::kExpiry},
      {"draft", Field::kDraft},
      {"weight", Field::kWeight},
      {"template", Field::kTemplate},
      {"layout", Field::kTemplate},
      {"page_template", Field::kPageTemplate},
      {"type", Field::kType},
      {"sort_by", Field::kSortBy},
      {"paginate_by", Field::kPaginateBy},
      {"aliases", Field::kAliases},
      {"outputs", Field::kOutputs},
      {"cascade", Field::kCascade},
      {"render", Field::kRender},
      {"search", Field::kSearch},
      {"in_search_index", Field::kSearch},
      {"sitemap", Field::kSitemap},
      {"params", Field::kFree},
      {"extra", Field::kFree},
      {"taxonomies", Field::kFree},
      {"menu", Field::kFree},
      {"menus", Field::kFree},
      {"author", Field::kFree},
      {"authors", Field::kFree},
      {"keywords", Field::kFree},
      {"image", Field::kFree},
      {"images", Field::kFree},
      {"math", Field::kFree},
      {"toc", Field::kFree},
      {"series", Field::kFree},
      {"subtitle", Field::kFree},
      {"id", Field::kFree},
  });
  return fields;
}

class Applier {
 public:
  Applier(Diagnostics& diagnostics, Page& page) : diagnostics_(diagnostics), page_(page) {}

  void Apply(Field field, absl::string_view key, const Value& value) {
    key_ = key;
    switch (field) {
      case Field::kTitle:
        return Text(value, &page_.title);
      case Field::kDescription:
        return Text(value, &page_.description);
      case Field::kSummary:
        return Text(value, &page_.summary_text);
      case Field::kSlug:
        return Text(value, &page_.slug);
      case Field::kUrl:
        return Text(value, &page_.path);
      case Field::kDate:
        return Date(value, &page_.date);
      case Field::kUpdated:
        return Date(value, &page_.updated);
      case Field::kPublish:
        return Date(value, &page_.publish_date);
      case Field::kExpiry:
        return Date(value, &page_.expiry_date);
      case Field::kDraft:
        return Flag(value, &page_.draft);
      case Field::kWeight:
        return Number(value, &page_.weight);
      case Field::kTemplate:
        return Text(value, &page_.template_name);
      case Field::kPageTemplate:
        return Text(value, &page_.page_template);
      case Field::kType:
        return Text(value, &page_.type);
      case Field::kSortBy:
        return Text(value, &page_.sort_by);
      case Field::kPaginateBy:
        return Number(value, &page_.paginate_by);
      case Field::kAliases:
        return Texts(value, &page_.aliases);
      case Field::kOutputs:
        return Texts(value, &page_.outputs);
      case Field::kCascade:
        if (!value.IsDict()) return WrongType("a table");
        page_.cascade = value;
        return;
      case Field::kRender:
        return Flag(value, &page_.render);
      case Field::kSearch:
        return Flag(value, &page_.searchable);
      case Field::kSitemap:
        if (value.IsBool()) page_.in_sitemap = value.bool_value();
        return;
      case Field::kFree:
        return;
    }
  }

 private:
  void WrongType(absl::string_view wanted) {
    diagnostics_.Error("front-matter", page_.file, FrontMatterLine(page_.source, key_),
                       absl::StrCat("\"", key_, "\" must be ", wanted));
  }
  void Text(const Value& value, absl::string_view* out) {
    if (value.IsString()) {
      *out = value.text();
    } else if (!value.IsNone()) {
      // A title such as 2024 is meant as it is written; anything else is a mistake.
      if (value.IsInt() && key_ == "title") return;
      WrongType("a string");
    }
  }
  void Texts(const Value& value, std::vector<absl::string_view>* out) {
    if (value.IsString()) {
      out->push_back(value.text());
      return;
    }
    if (value.kind() != tmpl::Kind::kList) return WrongType("a string or a list of strings");
    for (const Value& item : value.list()) {
      if (!item.IsString()) return WrongType("a list of strings");
      out->push_back(item.text());
    }
  }
  void Flag(const Value& value, bool* out) {
    if (!value.IsBool()) return WrongType("true or false");
    *out = value.bool_value();
  }
  void Number(const Value& value, int64_t* out) {
    if (!value.IsInt() || value.int_value() < INT32_MIN || value.int_value() > INT32_MAX) {
      return WrongType("a whole number");
    }
    *out = value.int_value();
  }
  void Date(const Value& value, int64_t* out) {
    if (value.IsNone()) return;
    if (!value.IsString() || !ParseDate(value.text(), out))
      WrongType("a date such as 2024-03-01 or 2024-03-01T10:00:00Z");
  }

  Diagnostics& diagnostics_;
  Page& page_;
  absl::string_view key_;
};

}  // namespace

void ApplyFrontMatter(const std::vector<std::string>& extra_keys, Diagnostics& diagnostics, Page& page) {
  Applier applier(diagnostics, page);
  const tmpl::Dict& dict = page.params.dict();
  for (uint32_t i = 0; i < dict.used; ++i) {
    const tmpl::Dict::Entry& entry = dict.entries[i];
    if (!entry.key.IsString()) continue;
    const absl::string_view key = entry.key.text();
    const auto found = Fields().find(key);
    if (found != Fields().end()) {
      applier.Apply(found->second, key, entry.value);
      continue;
    }
    if (std::find(extra_keys.begin(), extra_keys.end(), key) != extra_keys.end()) continue;
    // A key of the author's own, unless it looks like a slip.
    static const auto& known = *new std::vector<std::string>([] {
      std::vector<std::string> names;
      for (const auto& [name, field] : Fields()) names.emplace_back(name);
      std::sort(names.begin(), names.end());
      return names;
    }());
    const std::string near = key.size() < 4 ? "" : base::NearestWord(key, known);
    if (near.empty()) continue;
    const uint32_t line = FrontMatterLine(page.source, key);
    if (line != 0) {
      diagnostics.Warning("front-matter", page.file, line,
                          absl::StrCat("unknown key \"", key, "\"; did you mean \"", near, "\"?"));
    }
  }
}

}  // namespace ssg

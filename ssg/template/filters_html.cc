// Jinja2's filters for HTML, URLs and JSON.
#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"
#include "ssg/template/builtins.h"
#include "ssg/template/escape.h"
#include "ssg/template/json_text.h"
#include "ssg/template/text.h"
#include "ssg/template/urlize.h"

namespace ssg::tmpl {
namespace {

absl::StatusOr<Value> Escape(Runtime& runtime, const BoundArguments& call) { return runtime.Escape(call[0]); }

absl::StatusOr<Value> ForceEscape(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value text, runtime.Str(call[0]));
  return runtime.Escape(Value::String(text.text()));
}

absl::StatusOr<Value> Safe(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value text, runtime.Str(call[0]));
  return Value::Markup(text.text());
}

// Markup.striptags(): comments and tags go, space is collapsed, entities
// become characters.
std::string StripTags(absl::string_view html) {
  std::string text(html);
  for (size_t at = 0; (at = text.find("<!--", at)) != std::string::npos;) {
    const size_t end = text.find("-->", at);
    if (end == std::string::npos) break;
    text.erase(at, end + 3 - at);
  }
  for (size_t at = 0; (at = text.find('<', at)) != std::string::npos;) {
    const size_t end = text.find('>', at);
    if (end == std::string::npos) break;
    text.erase(at, end + 1 - at);
  }
  return Unescape(absl::StrJoin(SplitSpace(text), " "));
}

absl::StatusOr<Value> StripTagsFilter(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value text, runtime.Str(call[0]));
  RETURN_IF_ERROR(runtime.Spend(static_cast<int64_t>(text.text().size() / 64)));
  return runtime.NewString(StripTags(text.text()));
}

std::string QuoteUrl(absl::string_view text, bool for_query) {
  std::string out;
  for (char c : text) {
    const bool is_safe = absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-' ||
                         c == '~' || (c == '/' && !for_query);
    if (is_safe) {
      out += c;
    } else if (c == ' ' && for_query) {
      out += '+';
    } else {
      static constexpr char kHex[] = "0123456789ABCDEF";
      out += '%';
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

absl::StatusOr<std::string> QuotePair(Runtime& runtime, const Value& key, const Value& value) {
  ASSIGN_OR_RETURN(const Value key_text, runtime.Str(key));
  ASSIGN_OR_RETURN(const Value value_text, runtime.Str(value));
  return absl::StrCat(QuoteUrl(key_text.text(), true), "=", QuoteUrl(value_text.text(), true));
}

absl::StatusOr<Value> UrlEncode(Runtime& runtime, const BoundArguments& call) {
  const Value& value = call[0];
  std::vector<std::string> parts;
  if (value.IsDict()) {
    for (uint32_t i = 0; i < value.dict().used; ++i) {
      const Dict::Entry& entry = value.dict().entries[i];
      if (entry.key.IsMissing()) continue;
      ASSIGN_OR_RETURN(std::string part, QuotePair(runtime, entry.key, entry.value));
      parts.push_back(std::move(part));
    }
    return runtime.NewString(absl::StrJoin(parts, "&"));
  }
  if (value.IsListLike()) {
    for (const Value& pair : value.list()) {
      ASSIGN_OR_RETURN(const Value items, runtime.Iterate(pair));
      if (items.list().size != 2) {
        return absl::InvalidArgumentError("urlencode wants pairs of a key and a value");
      }
      ASSIGN_OR_RETURN(std::string part, QuotePair(runtime, items.list()[0], items.list()[1]));
      parts.push_back(std::move(part));
    }
    return runtime.NewString(absl::StrJoin(parts, "&"));
  }
  ASSIGN_OR_RETURN(const Value text, runtime.Str(value));
  return runtime.NewString(QuoteUrl(text.text(), false));
}

absl::StatusOr<Value> XmlAttr(Runtime& runtime, const BoundArguments& call) {
  if (call[0].IsUndefined()) return runtime.UndefinedError(call[0]);
  if (!call[0].IsDict()) {
    return absl::InvalidArgumentError(absl::StrCat("xmlattr wants a mapping, not ", TypeName(call[0])));
  }
  ASSIGN_OR_RETURN(const bool autospace, BoolArgument(runtime, call, 1, true));
  std::string out;
  const Dict& dict = call[0].dict();
  for (uint32_t i = 0; i < dict.used; ++i) {
    const Dict::Entry& entry = dict.entries[i];
    if (entry.key.IsMissing() || entry.value.IsNone() || entry.value.IsUndefined()) continue;
    if (!entry.key.IsString()) return absl::InvalidArgumentError("attribute names must be str");
    const absl::string_view key = entry.key.text();
    if (key.find_first_of(" \t\n\r\f\v/>=") != absl::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat("Invalid character in attribute name: '", key, "'"));
    }
    ASSIGN_OR_RETURN(const Value name, runtime.Escape(entry.key));
    ASSIGN_OR_RETURN(const Value value, runtime.Escape(entry.value));
    absl::StrAppend(&out, out.empty() ? "" : " ", name.text(), "=\"", value.text(), "\"");
  }
  if (autospace && !out.empty()) out.insert(0, " ");
  return runtime.NewHtml(out);
}

absl::StatusOr<Value> ToJson(Runtime& runtime, const BoundArguments& call) {
  std::string json;
  Value indent = call.Has(1) ? call[1] : Value::None();
  RETURN_IF_ERROR(AppendJson(runtime, call[0], indent, json));
  return runtime.NewString(
      absl::StrReplaceAll(json, {{"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}, {"'", "\\u0027"}}),
      Tag::kMarkup);
}

// The words of `rel`, with nofollow and noopener, in order.
std::string LinkRelation(absl::string_view rel, bool nofollow) {
  std::set<std::string> words = {"noopener"};
  for (absl::string_view word : SplitSpace(rel)) words.emplace(word);
  if (nofollow) words.insert("nofollow");
  return absl::StrJoin(words, " ");
}

absl::StatusOr<Value> UrlizeFilter(Runtime& runtime, const BoundArguments& call) {
  UrlizeOptions options;
  ASSIGN_OR_RETURN(const Value text, runtime.Escape(call[0]));
  ASSIGN_OR_RETURN(options.text_max, IntArgument(runtime, call, 1, -1));
  ASSIGN_OR_RETURN(const bool nofollow, BoolArgument(runtime, call, 2, false));
  if (call.Has(3) && !call[3].IsNone()) {
    ASSIGN_OR_RETURN(const Value target, runtime.Escape(call[3]));
    options.target = std::string(target.text());
  }
  std::string rel;
  if (call.Has(4) && !call[4].IsNone()) {
    ASSIGN_OR_RETURN(const Value words, runtime.Str(call[4]));
    rel = std::string(words.text());
  }
  const std::string relation = LinkRelation(rel, nofollow);
  AppendEscaped(relation, options.rel);
  if (call.Has(5) && !call[5].IsNone()) {
    ASSIGN_OR_RETURN(const Value schemes, runtime.Iterate(call[5]));
    for (const Value& scheme : schemes.list()) {
      ASSIGN_OR_RETURN(const Value prefix, runtime.Str(scheme));
      if (!IsSchemePrefix(prefix.text())) {
        return absl::InvalidArgumentError(absl::StrCat("'", prefix.text(), "' is not a valid URI scheme prefix."));
      }
      options.extra_schemes.emplace_back(prefix.text());
    }
  }
  RETURN_IF_ERROR(runtime.Spend(static_cast<int64_t>(text.text().size() / 16)));
  return runtime.NewHtml(Urlize(text.text(), options));
}

}  // namespace

void AddHtmlFilters(Environment& environment) {
  environment.AddFilter("escape", "s", Escape);
  environment.AddFilter("e", "s", Escape);
  environment.AddFilter("forceescape", "value", ForceEscape);
  environment.AddFilter("safe", "value", Safe);
  environment.AddFilter("striptags", "value", StripTagsFilter);
  environment.AddFilter("urlencode", "value", UrlEncode);
  environment.AddFilter("xmlattr", "d autospace?", XmlAttr);
  environment.AddFilter("tojson", "value indent?", ToJson);
  environment.AddFilter("urlize", "value trim_url_limit? nofollow? target? rel? extra_schemes?", UrlizeFilter);
}

}  // namespace ssg::tmpl

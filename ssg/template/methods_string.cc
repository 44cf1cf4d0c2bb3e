// The methods of str that map and test text; those that search and split are
// in methods_string_search.cc.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/builtins.h"
#include "ssg/template/method_tables.h"
#include "ssg/template/percent_format.h"
#include "ssg/template/runtime.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

NativeFunction Mapping(std::string (*map)(absl::string_view)) {
  return [map](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    return runtime.NewString(map(call[0].text()), call[0].tag());
  };
}

// True if there is text and `predicate` holds for all of it.
NativeFunction AllOf(bool (*predicate)(int32_t), bool when_empty = false) {
  return [predicate, when_empty](Runtime&, const BoundArguments& call) -> absl::StatusOr<Value> {
    const std::vector<absl::string_view> points = SplitCodePoints(call[0].text());
    if (points.empty()) return Value::Bool(when_empty);
    return Value::Bool(std::all_of(points.begin(), points.end(),
                                   [&](absl::string_view point) { return predicate(Decode(point).value); }));
  };
}

NativeFunction Cased(bool (*wanted)(int32_t), bool (*other)(int32_t)) {
  return [wanted, other](Runtime&, const BoundArguments& call) -> absl::StatusOr<Value> {
    bool found = false;
    for (absl::string_view point : SplitCodePoints(call[0].text())) {
      const int32_t code = Decode(point).value;
      if (other(code) || IsTitle(code)) return Value::Bool(false);
      found |= wanted(code);
    }
    return Value::Bool(found);
  };
}

absl::StatusOr<Value> IsTitleCased(Runtime&, const BoundArguments& call) {
  bool found = false;
  bool in_word = false;
  for (absl::string_view point : SplitCodePoints(call[0].text())) {
    const int32_t code = Decode(point).value;
    const bool upper = IsUpper(code) || IsTitle(code);
    if (upper ? in_word : IsLower(code) && !in_word) return Value::Bool(false);
    in_word = upper || IsLower(code);
    found |= in_word;
  }
  return Value::Bool(found);
}

absl::StatusOr<Value> IsIdentifier(Runtime&, const BoundArguments& call) {
  const std::vector<absl::string_view> points = SplitCodePoints(call[0].text());
  if (points.empty() || !IsIdentifierStart(Decode(points[0]).value)) return Value::Bool(false);
  return Value::Bool(std::all_of(points.begin(), points.end(),
                                 [](absl::string_view point) { return IsIdentifierPart(Decode(point).value); }));
}

NativeFunction Stripper(Side side) {
  return [side](Runtime&, const BoundArguments& call) -> absl::StatusOr<Value> {
    if (!call.Has(1) || call[1].IsNone()) {
      return Value::String(StripSpace(call[0].text(), side), call[0].tag());
    }
    if (!call[1].IsString()) return absl::InvalidArgumentError("strip arg must be None or str");
    return Value::String(Strip(call[0].text(), call[1].text(), side), call[0].tag());
  };
}

// ljust, rjust and center: `side` is where the text goes.
NativeFunction Justifier(Side side) {
  return [side](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    ASSIGN_OR_RETURN(const int64_t width, IntArgument(runtime, call, 1, 0));
    ASSIGN_OR_RETURN(const Value fill, TextArgument(runtime, call, 2, " "));
    if (CodePointCount(fill.text()) != 1) {
      return absl::InvalidArgumentError("The fill character must be exactly one character long");
    }
    const int64_t missing = width - static_cast<int64_t>(CodePointCount(call[0].text()));
    if (missing <= 0) return call[0];
    RETURN_IF_ERROR(runtime.Spend(missing));
    const int64_t left = side == Side::kLeft ? 0 : side == Side::kRight ? missing : missing / 2 + (missing & width & 1);
    std::string out;
    for (int64_t i = 0; i < left; ++i) absl::StrAppend(&out, fill.text());
    absl::StrAppend(&out, call[0].text());
    for (int64_t i = left; i < missing; ++i) absl::StrAppend(&out, fill.text());
    return runtime.NewString(out, call[0].tag());
  };
}

absl::StatusOr<Value> ZeroFill(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const int64_t width, IntArgument(runtime, call, 1, 0));
  const absl::string_view text = call[0].text();
  const int64_t missing = width - static_cast<int64_t>(CodePointCount(text));
  if (missing <= 0) return call[0];
  RETURN_IF_ERROR(runtime.Spend(missing));
  const bool has_sign = !text.empty() && (text[0] == '-' || text[0] == '+');
  return runtime.NewString(absl::StrCat(has_sign ? text.substr(0, 1) : "",
                                        std::string(static_cast<size_t>(missing), '0'), text.substr(has_sign ? 1 : 0)),
                           call[0].tag());
}

absl::StatusOr<Value> ExpandTabs(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const int64_t size, IntArgument(runtime, call, 1, 8));
  std::string out;
  int64_t column = 0;
  for (absl::string_view point : SplitCodePoints(call[0].text())) {
    if (point == "\t") {
      const int64_t spaces = size > 0 ? size - column % size : 0;
      RETURN_IF_ERROR(runtime.Spend(spaces));
      out.append(static_cast<size_t>(spaces), ' ');
      column += spaces;
      continue;
    }
    absl::StrAppend(&out, point);
    column = point == "\n" || point == "\r" ? 0 : column + 1;
  }
  return runtime.NewString(out, call[0].tag());
}

absl::StatusOr<Value> Format(Runtime& runtime, const BoundArguments& call) {
  return BraceFormat(runtime, call[0], call.rest, call.named);
}

absl::StatusOr<Value> FormatMap(Runtime& runtime, const BoundArguments& call) {
  if (!call[1].IsDict()) return absl::InvalidArgumentError("format_map() wants a mapping");
  std::vector<NamedValue> named;
  for (uint32_t i = 0; i < call[1].dict().used; ++i) {
    const Dict::Entry& entry = call[1].dict().entries[i];
    if (entry.key.IsString()) named.push_back({Symbol::Find(entry.key.text()), entry.value});
  }
  return BraceFormat(runtime, call[0], {}, named);
}

absl::StatusOr<Value> JoinText(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[1]));
  const bool is_markup = call[0].IsMarkup();
  std::string out;
  for (uint32_t i = 0; i < items.list().size; ++i) {
    Value item = items.list()[i];
    if (is_markup) {
      ASSIGN_OR_RETURN(item, runtime.Escape(item));
    } else if (!item.IsString()) {
      return absl::InvalidArgumentError(
          absl::StrCat("sequence item ", i, ": expected str instance, ", TypeName(item), " found"));
    }
    absl::StrAppend(&out, i > 0 ? call[0].text() : "", item.text());
    RETURN_IF_ERROR(runtime.Spend(static_cast<int64_t>(1 + item.text().size() / 64)));
  }
  return runtime.NewString(out, call[0].tag());
}

absl::StatusOr<Value> UnescapeMarkup(Runtime& runtime, const BoundArguments& call) {
  return runtime.ApplyFilter("striptags", call[0], {});
}

}  // namespace

const MethodTable& StringMethods() {
  static const auto* const table = [] {
    std::vector<MethodRow> rows = {
        {"upper", "s", Mapping(Upper)},
        {"lower", "s", Mapping(Lower)},
        {"title", "s", Mapping(Title)},
        {"capitalize", "s", Mapping(Capitalize)},
        {"swapcase", "s", Mapping(SwapCase)},
        {"casefold", "s", Mapping(CaseFold)},
        {"isalnum", "s", AllOf(IsAlphanumeric)},
        {"isalpha", "s", AllOf(IsAlpha)},
        {"isascii", "s", AllOf([](int32_t code) { return code >= 0 && code < 0x80; }, true)},
        {"isdecimal", "s", AllOf(IsDecimal)},
        {"isdigit", "s", AllOf(IsDigit)},
        {"isnumeric", "s", AllOf(IsNumeric)},
        {"isprintable", "s", AllOf(IsPrintable, true)},
        {"isspace", "s", AllOf(IsSpace)},
        {"islower", "s", Cased(IsLower, IsUpper)},
        {"isupper", "s", Cased(IsUpper, IsLower)},
        {"istitle", "s", IsTitleCased},
        {"isidentifier", "s", IsIdentifier},
        {"strip", "s chars?", Stripper(Side::kBoth)},
        {"lstrip", "s chars?", Stripper(Side::kLeft)},
        {"rstrip", "s chars?", Stripper(Side::kRight)},
        {"ljust", "s width fillchar?", Justifier(Side::kLeft)},
        {"rjust", "s width fillchar?", Justifier(Side::kRight)},
        {"center", "s width fillchar?", Justifier(Side::kBoth)},
        {"zfill", "s width", ZeroFill},
        {"expandtabs", "s tabsize?", ExpandTabs},
        {"format", "s *args **kwargs", Format},
        {"format_map", "s mapping", FormatMap},
        {"join", "s iterable", JoinText},
        {"striptags", "s", UnescapeMarkup},
    };
    for (MethodRow& row : StringSearchMethods()) rows.push_back(std::move(row));
    return new MethodTable(MakeMethodTable(rows));
  }();
  return *table;
}

}  // namespace ssg::tmpl

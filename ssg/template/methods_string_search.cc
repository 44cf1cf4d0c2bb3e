// The methods of str that search, split and replace.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/builtins.h"
#include "ssg/template/method_tables.h"
#include "ssg/template/runtime.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

constexpr size_t kNone = absl::string_view::npos;

absl::Status WantString(const Value& value) {
  return absl::InvalidArgumentError(absl::StrCat("must be str, not ", TypeName(value)));
}

// The part of the text that arguments `index` and `index + 1` (start, end)
// select, and the bytes before it.
struct Part {
  absl::string_view text;
  size_t offset = 0;
  bool valid = true;  // False if the start lies beyond the end.
};

absl::StatusOr<Part> PartOf(Runtime& runtime, const BoundArguments& call, size_t index) {
  const absl::string_view text = call[0].text();
  const int64_t size = static_cast<int64_t>(CodePointCount(text));
  ASSIGN_OR_RETURN(int64_t start, IntArgument(runtime, call, index, 0));
  ASSIGN_OR_RETURN(int64_t end, IntArgument(runtime, call, index + 1, size));
  if (start < 0) start = std::max<int64_t>(start + size, 0);
  if (end < 0) end = std::max<int64_t>(end + size, 0);
  end = std::min(end, size);
  Part part;
  part.valid = start <= end;
  if (!part.valid) return part;
  part.offset = ByteOffset(text, static_cast<size_t>(start));
  part.text = text.substr(part.offset, ByteOffset(text, static_cast<size_t>(end)) - part.offset);
  return part;
}

// find, rfind, index, rindex: these differ in the end and in how they miss.
NativeFunction Finder(bool last, bool must) {
  return [last, must](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    if (!call[1].IsString()) return WantString(call[1]);
    ASSIGN_OR_RETURN(const Part part, PartOf(runtime, call, 2));
    const size_t found = !part.valid ? kNone : last ? part.text.rfind(call[1].text()) : part.text.find(call[1].text());
    if (found == kNone) {
      if (must) return absl::InvalidArgumentError("substring not found");
      return Value::Int(-1);
    }
    return Value::Int(static_cast<int64_t>(CodePointCount(call[0].text().substr(0, part.offset + found))));
  };
}

absl::StatusOr<Value> Count(Runtime& runtime, const BoundArguments& call) {
  if (!call[1].IsString()) return WantString(call[1]);
  ASSIGN_OR_RETURN(const Part part, PartOf(runtime, call, 2));
  if (!part.valid) return Value::Int(0);
  const absl::string_view wanted = call[1].text();
  if (wanted.empty()) return Value::Int(static_cast<int64_t>(CodePointCount(part.text)) + 1);
  int64_t count = 0;
  for (size_t at = 0; (at = part.text.find(wanted, at)) != kNone; at += wanted.size()) ++count;
  return Value::Int(count);
}

// startswith and endswith, also of any in a tuple.
NativeFunction Edge(bool at_end) {
  return [at_end](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    ASSIGN_OR_RETURN(const Part part, PartOf(runtime, call, 2));
    const bool is_tuple = call[1].kind() == Kind::kTuple;
    const absl::Span<const Value> wanted =
        is_tuple ? absl::MakeConstSpan(call[1].list().items, call[1].list().size) : absl::MakeConstSpan(&call[1], 1);
    bool found = false;
    for (const Value& value : wanted) {
      if (!value.IsString()) {
        return absl::InvalidArgumentError(absl::StrCat(
            at_end ? "endswith" : "startswith", " first arg must be str or a tuple of str, not ", TypeName(value)));
      }
      found |=
          part.valid && (at_end ? absl::EndsWith(part.text, value.text()) : absl::StartsWith(part.text, value.text()));
    }
    return Value::Bool(found);
  };
}

absl::StatusOr<Value> RemovePrefix(Runtime&, const BoundArguments& call) {
  if (!call[1].IsString()) return WantString(call[1]);
  absl::string_view text = call[0].text();
  if (absl::StartsWith(text, call[1].text())) text.remove_prefix(call[1].text().size());
  return Value::String(text, call[0].tag());
}

absl::StatusOr<Value> RemoveSuffix(Runtime&, const BoundArguments& call) {
  if (!call[1].IsString()) return WantString(call[1]);
  absl::string_view text = call[0].text();
  if (absl::EndsWith(text, call[1].text())) text.remove_suffix(call[1].text().size());
  return Value::String(text, call[0].tag());
}

Value ListOf(Runtime& runtime, const std::vector<absl::string_view>& parts, Tag tag, Kind kind = Kind::kList) {
  List* list = NewList(runtime.arena(), parts.size());
  for (absl::string_view part : parts) list->items[list->size++] = Value::String(part, tag);
  return Value::Of(list, kind);
}

std::vector<absl::string_view> SplitSpaceFromRight(absl::string_view text, int64_t splits_max) {
  std::vector<absl::string_view> words = SplitSpace(text);
  const int64_t extra = static_cast<int64_t>(words.size()) - 1 - splits_max;
  if (splits_max < 0 || extra <= 0) return words;
  const absl::string_view last = words[static_cast<size_t>(extra)];
  const absl::string_view start = StripSpace(text, Side::kLeft);
  words.erase(words.begin(), words.begin() + extra);
  words[0] = start.substr(0, static_cast<size_t>(last.data() + last.size() - start.data()));
  return words;
}

std::vector<absl::string_view> SplitBy(absl::string_view text, absl::string_view separator, int64_t splits_max,
                                       bool from_right) {
  std::vector<absl::string_view> parts;
  while (splits_max < 0 || static_cast<int64_t>(parts.size()) < splits_max) {
    const size_t found = from_right ? text.rfind(separator) : text.find(separator);
    if (found == kNone) break;
    if (from_right) {
      parts.push_back(text.substr(found + separator.size()));
      text = text.substr(0, found);
    } else {
      parts.push_back(text.substr(0, found));
      text.remove_prefix(found + separator.size());
    }
  }
  parts.push_back(text);
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

NativeFunction Splitter(bool from_right) {
  return [from_right](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    ASSIGN_OR_RETURN(const int64_t splits_max, IntArgument(runtime, call, 2, -1));
    const absl::string_view text = call[0].text();
    RETURN_IF_ERROR(runtime.Spend(static_cast<int64_t>(1 + text.size() / 16)));
    if (!call.Has(1) || call[1].IsNone()) {
      return ListOf(runtime, from_right ? SplitSpaceFromRight(text, splits_max) : SplitSpace(text, splits_max),
                    call[0].tag());
    }
    if (!call[1].IsString()) return WantString(call[1]);
    if (call[1].text().empty()) return absl::InvalidArgumentError("empty separator");
    return ListOf(runtime, SplitBy(text, call[1].text(), splits_max, from_right), call[0].tag());
  };
}

NativeFunction Partitioner(bool last) {
  return [last](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    if (!call[1].IsString()) return WantString(call[1]);
    const absl::string_view text = call[0].text();
    const absl::string_view separator = call[1].text();
    if (separator.empty()) return absl::InvalidArgumentError("empty separator");
    const size_t found = last ? text.rfind(separator) : text.find(separator);
    std::vector<absl::string_view> parts;
    if (found == kNone) {
      parts = last ? std::vector<absl::string_view>{"", "", text} : std::vector<absl::string_view>{text, "", ""};
    } else {
      parts = {text.substr(0, found), separator, text.substr(found + separator.size())};
    }
    return ListOf(runtime, parts, call[0].tag(), Kind::kTuple);
  };
}

absl::StatusOr<Value> SplitLinesOf(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const bool keep_ends, BoolArgument(runtime, call, 1, false));
  return ListOf(runtime, SplitLines(call[0].text(), keep_ends), call[0].tag());
}

absl::StatusOr<Value> Replace(Runtime& runtime, const BoundArguments& call) {
  if (!call[1].IsString()) return WantString(call[1]);
  if (!call[2].IsString()) return WantString(call[2]);
  Value from = call[1];
  Value to = call[2];
  if (call[0].IsMarkup()) {
    ASSIGN_OR_RETURN(from, runtime.Escape(from));
    ASSIGN_OR_RETURN(to, runtime.Escape(to));
  }
  // As plain text: the filter's own rules for markup do not apply.
  const Value positional[] = {Value::String(from.text()), Value::String(to.text()),
                              call.Has(3) ? call[3] : Value::Int(-1)};
  ASSIGN_OR_RETURN(const Value replaced,
                   runtime.ApplyFilter("replace", Value::String(call[0].text()), {positional, {}}));
  return Value::String(replaced.text(), call[0].tag());
}

}  // namespace

std::vector<MethodRow> StringSearchMethods() {
  return {
      {"find", "s sub start? end?", Finder(false, false)},
      {"rfind", "s sub start? end?", Finder(true, false)},
      {"index", "s sub start? end?", Finder(false, true)},
      {"rindex", "s sub start? end?", Finder(true, true)},
      {"count", "s sub start? end?", Count},
      {"startswith", "s prefix start? end?", Edge(false)},
      {"endswith", "s suffix start? end?", Edge(true)},
      {"removeprefix", "s prefix", RemovePrefix},
      {"removesuffix", "s suffix", RemoveSuffix},
      {"split", "s sep? maxsplit?", Splitter(false)},
      {"rsplit", "s sep? maxsplit?", Splitter(true)},
      {"partition", "s sep", Partitioner(false)},
      {"rpartition", "s sep", Partitioner(true)},
      {"splitlines", "s keepends?", SplitLinesOf},
      {"replace", "s old new count?", Replace},
  };
}

}  // namespace ssg::tmpl

#include "ssg/template/builtins.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {

absl::StatusOr<int64_t> IntArgument(Runtime& runtime, const BoundArguments& call, size_t index, int64_t otherwise) {
  if (!call.Has(index) || call[index].IsNone()) return otherwise;
  if (call[index].IsIntegral()) return call[index].int_value();
  if (call[index].IsUndefined()) return runtime.UndefinedError(call[index]);
  return absl::InvalidArgumentError(
      absl::StrCat("'", TypeName(call[index]), "' object cannot be interpreted as an integer"));
}

absl::StatusOr<bool> BoolArgument(Runtime& runtime, const BoundArguments& call, size_t index, bool otherwise) {
  if (!call.Has(index)) return otherwise;
  return runtime.Truth(call[index]);
}

absl::StatusOr<Value> TextArgument(Runtime& runtime, const BoundArguments& call, size_t index,
                                   absl::string_view otherwise) {
  if (!call.Has(index)) return Value::String(otherwise);
  return runtime.Str(call[index]);
}

Value IgnoreCase(Runtime& runtime, const Value& value) {
  if (!value.IsString()) return value;
  return runtime.NewString(Lower(value.text()), value.tag());
}

namespace {

using Keyed = std::pair<Value, Value>;

// Merges the sorted halves [begin, middle) and [middle, end). std::stable_sort
// may not be used: comparisons fail, and a failing order is none.
absl::Status Merge(Runtime& runtime, std::vector<Keyed>& items, std::vector<Keyed>& spare, size_t begin, size_t middle,
                   size_t end, bool reverse) {
  size_t left = begin;
  size_t right = middle;
  for (size_t to = begin; to < end; ++to) {
    bool take_left = right >= end;
    if (left < middle && right < end) {
      const Value& a = items[left].first;
      const Value& b = items[right].first;
      ASSIGN_OR_RETURN(const int order, reverse ? runtime.Compare(a, b) : runtime.Compare(b, a));
      take_left = order >= 0;
    }
    spare[to] = take_left ? items[left++] : items[right++];
  }
  std::copy(spare.begin() + begin, spare.begin() + end, items.begin() + begin);
  return absl::OkStatus();
}

}  // namespace

absl::Status SortByKeys(Runtime& runtime, std::vector<Keyed>& keyed, bool reverse) {
  RETURN_IF_ERROR(runtime.Spend(static_cast<int64_t>(keyed.size())));
  std::vector<Keyed> spare(keyed.size());
  for (size_t width = 1; width < keyed.size(); width *= 2) {
    for (size_t begin = 0; begin + width < keyed.size(); begin += 2 * width) {
      const size_t end = std::min(begin + 2 * width, keyed.size());
      RETURN_IF_ERROR(Merge(runtime, keyed, spare, begin, begin + width, end, reverse));
    }
  }
  return absl::OkStatus();
}

}  // namespace ssg::tmpl

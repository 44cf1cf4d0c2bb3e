// Jinja2's global functions: range, dict, namespace, cycler, joiner, lipsum.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "ssg/template/bound_method.h"
#include "ssg/template/builtins.h"
#include "ssg/template/text.h"
#include "ssg/template/vm_object.h"

namespace ssg::tmpl {
namespace {

absl::StatusOr<Value> MakeRange(Runtime& runtime, const BoundArguments& call) {
  for (const Value& value : call.bound) {
    if (value.IsUndefined()) return runtime.UndefinedError(value);
    if (!value.IsMissing() && !value.IsIntegral()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", TypeName(value), "' object cannot be interpreted as an integer"));
    }
  }
  Range* range = runtime.arena().New<Range>();
  range->start = call.Has(1) ? call[0].int_value() : 0;
  range->stop = call.Has(1) ? call[1].int_value() : call[0].int_value();
  range->step = call.Has(2) ? call[2].int_value() : 1;
  if (range->step == 0) return absl::InvalidArgumentError("range() arg 3 must not be zero");
  int64_t span = 0;
  if (__builtin_sub_overflow(range->stop, range->start, &span)) {
    return absl::InvalidArgumentError("this range is too large");
  }
  if ((span > 0) == (range->step > 0) && span != 0) {
    range->count = (span - (range->step > 0 ? 1 : -1)) / range->step + 1;
  }
  return Value::Of(range);
}

// The pairs of `source` and the named arguments, put into a new dict.
absl::StatusOr<Dict*> BuildDict(Runtime& runtime, const BoundArguments& call) {
  Dict* dict = NewDict(runtime.arena(), 4);
  if (call.Has(0)) {
    if (call[0].IsDict()) {
      const Dict& source = call[0].dict();
      for (uint32_t i = 0; i < source.used; ++i) {
        const Dict::Entry& entry = source.entries[i];
        if (!entry.key.IsMissing()) Set(runtime.arena(), *dict, entry.key, entry.value);
      }
    } else {
      ASSIGN_OR_RETURN(const Value pairs, runtime.Iterate(call[0]));
      for (const Value& pair : pairs.list()) {
        ASSIGN_OR_RETURN(const Value items, runtime.Iterate(pair));
        if (items.list().size != 2 || !Hashable(items.list()[0])) {
          return absl::InvalidArgumentError("dict() wants pairs of a key and a value");
        }
        Set(runtime.arena(), *dict, items.list()[0], items.list()[1]);
      }
    }
  }
  for (const NamedValue& named : call.named) {
    Set(runtime.arena(), *dict, runtime.NewString(named.name.text()), named.value);
  }
  return dict;
}

absl::StatusOr<Value> MakeDict(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(Dict* const dict, BuildDict(runtime, call));
  return Value::Of(dict);
}

absl::StatusOr<Value> MakeNamespace(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(Dict* const dict, BuildDict(runtime, call));
  return Value::Of(runtime.arena().New<NamespaceObject>(*dict));
}

class CyclerObject : public Object {
 public:
  explicit CyclerObject(const List& items) : items_(items) {}
  absl::string_view TypeName() const override { return "Cycler"; }
  absl::StatusOr<Value> Attribute(Symbol name, Runtime& runtime) const override {
    static const auto* const next =
        new Function("next", "cycler", [](Runtime&, const BoundArguments& call) -> absl::StatusOr<Value> {
          return static_cast<const CyclerObject&>(call[0].object()).Next();
        });
    static const auto* const reset =
        new Function("reset", "cycler", [](Runtime&, const BoundArguments& call) -> absl::StatusOr<Value> {
          static_cast<const CyclerObject&>(call[0].object()).at_ = 0;
          return Value::None();
        });
    if (name.text() == "current") return items_[at_];
    if (name.text() == "pos") return Value::Int(static_cast<int64_t>(at_));
    if (name.text() == "next") {
      return Value::Of(runtime.arena().New<BoundMethod>(*next, Value::Of(this)));
    }
    if (name.text() == "reset") {
      return Value::Of(runtime.arena().New<BoundMethod>(*reset, Value::Of(this)));
    }
    return Value();
  }
  std::vector<absl::string_view> AttributeNames() const override { return {"current", "next", "reset"}; }

 private:
  Value Next() const {
    const Value item = items_[at_];
    at_ = (at_ + 1) % items_.size;
    return item;
  }

  const List& items_;
  mutable size_t at_ = 0;
};

absl::StatusOr<Value> MakeCycler(Runtime& runtime, const BoundArguments& call) {
  if (call.rest.empty()) return absl::InvalidArgumentError("at least one item has to be provided");
  const Value items = runtime.NewListOf(call.rest);
  return Value::Of(runtime.arena().New<CyclerObject>(items.list()));
}

class JoinerObject : public Object {
 public:
  explicit JoinerObject(const Value& separator) : separator_(separator) {}
  absl::string_view TypeName() const override { return "Joiner"; }
  absl::StatusOr<Value> Call(Runtime&, const Arguments&) const override {
    if (used_) return separator_;
    used_ = true;
    return Value::String("");
  }
  bool IsCallable() const override { return true; }

 private:
  const Value separator_;
  mutable bool used_ = false;
};

absl::StatusOr<Value> MakeJoiner(Runtime& runtime, const BoundArguments& call) {
  return Value::Of(runtime.arena().New<JoinerObject>(call.Has(0) ? call[0] : Value::String(", ")));
}

constexpr absl::string_view kLipsumWords =
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut "
    "labore et dolore magna aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris "
    "nisi aliquip ex ea commodo consequat duis aute irure in reprehenderit voluptate velit esse "
    "cillum fugiat nulla pariatur excepteur sint occaecat cupidatat non proident sunt culpa qui "
    "officia deserunt mollit anim id est laborum";

// Sentences of eight words; the same text every time, so that builds repeat.
std::string LipsumParagraph(size_t words, size_t& at) {
  const std::vector<absl::string_view> vocabulary = absl::StrSplit(kLipsumWords, ' ');
  std::string text;
  for (size_t i = 0; i < words; ++i) {
    const absl::string_view word = vocabulary[at++ % vocabulary.size()];
    if (i > 0) text += i % 8 == 0 ? ". " : " ";
    text += i % 8 == 0 ? Capitalize(word) : std::string(word);
  }
  return text + ".";
}

absl::StatusOr<Value> Lipsum(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const int64_t count, IntArgument(runtime, call, 0, 5));
  ASSIGN_OR_RETURN(const bool html, BoolArgument(runtime, call, 1, true));
  ASSIGN_OR_RETURN(const int64_t low, IntArgument(runtime, call, 2, 20));
  ASSIGN_OR_RETURN(const int64_t high, IntArgument(runtime, call, 3, 100));
  if (low < 0 || high <= low || high > 100'000) {
    return absl::InvalidArgumentError("lipsum() wants 0 <= min < max <= 100000");
  }
  std::string text;
  size_t at = 0;
  for (int64_t i = 0; i < count; ++i) {
    RETURN_IF_ERROR(runtime.Spend(high));
    const size_t words = static_cast<size_t>(low + (i * 37) % (high - low));
    const std::string paragraph = LipsumParagraph(std::max<size_t>(words, 1), at);
    if (html) {
      absl::StrAppend(&text, i > 0 ? "\n" : "", "<p>", paragraph, "</p>");
    } else {
      absl::StrAppend(&text, i > 0 ? "\n\n" : "", paragraph);
    }
  }
  return runtime.NewString(text, html ? Tag::kMarkup : Tag::kPlain);
}

}  // namespace

void AddFunctions(Environment& environment) {
  environment.AddFunction("range", "start stop? step?", MakeRange);
  environment.AddFunction("dict", "mapping? **kwargs", MakeDict);
  environment.AddFunction("namespace", "mapping? **kwargs", MakeNamespace);
  environment.AddFunction("cycler", "*items", MakeCycler);
  environment.AddFunction("joiner", "sep?", MakeJoiner);
  environment.AddFunction("lipsum", "n? html? min? max?", Lipsum);
}

}  // namespace ssg::tmpl

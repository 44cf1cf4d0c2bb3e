#include "ssg/template/runtime.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/diagnostic.h"
#include "ssg/template/escape.h"
#include "ssg/template/methods.h"
#include "ssg/template/number_text.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {

absl::string_view TypeName(const Value& value) {
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return value.IsMarkup() ? "Markup" : "str";
    case Kind::kList:
      return "list";
    case Kind::kTuple:
      return "tuple";
    case Kind::kIterator:
      return "generator";
    case Kind::kView:
      return value.tag() == Tag::kKeys ? "dict_keys" : value.tag() == Tag::kValues ? "dict_values" : "dict_items";
    case Kind::kRange:
      return "range";
    case Kind::kDict:
      return "dict";
    case Kind::kObject:
      return value.object().TypeName();
  }
  return "";
}

std::string TypeDescription(const Value& value) {
  if (value.IsNone()) return "None";
  return absl::StrCat(TypeName(value), " object");
}

std::string UndefinedMessage(const Undefined& undefined) {
  if (!undefined.hint.empty()) return std::string(undefined.hint);
  if (undefined.owner.IsMissing()) return absl::StrCat("'", undefined.name.text(), "' is undefined");
  if (!undefined.name.IsString()) {
    std::string name;
    if (undefined.name.IsInt()) {
      AppendInt(undefined.name.int_value(), name);
    } else {
      name = absl::StrCat("for this ", TypeName(undefined.name));
    }
    return absl::StrCat(TypeDescription(undefined.owner), " has no element ", name);
  }
  return absl::StrCat("'", TypeDescription(undefined.owner), "' has no attribute '", undefined.name.text(), "'");
}

absl::Status Runtime::UndefinedError(const Value& value) {
  const Undefined& undefined = value.undefined();
  std::vector<absl::string_view> names;
  if (undefined.hint.empty() && undefined.name.IsString()) {
    const Value& owner = undefined.owner;
    if (owner.IsMissing()) {
      names = VariableNames();
    } else if (owner.IsObject()) {
      names = owner.object().AttributeNames();
    } else {
      names = MethodNames(owner);
      for (uint32_t i = 0; owner.IsDict() && i < owner.dict().used; ++i) {
        const Value& key = owner.dict().entries[i].key;
        if (key.IsString()) names.push_back(key.text());
      }
    }
  }
  const std::string hint = names.empty() ? "" : DidYouMean(undefined.name.text(), names);
  return absl::FailedPreconditionError(absl::StrCat(UndefinedMessage(undefined), hint.empty() ? "" : "; ", hint));
}

Value Runtime::UndefinedVariable(absl::string_view name) {
  Undefined* undefined = arena_.New<Undefined>();
  undefined->policy = environment_.options().undefined;
  undefined->name = Value::String(name);
  return Value::Of(undefined);
}

Value Runtime::UndefinedAttribute(const Value& owner, const Value& name) {
  Undefined* undefined = arena_.New<Undefined>();
  undefined->policy = environment_.options().undefined;
  undefined->owner = owner;
  undefined->name = name;
  return Value::Of(undefined);
}

Value Runtime::UndefinedBecause(absl::string_view hint, absl::string_view name) {
  Undefined* undefined = arena_.New<Undefined>();
  undefined->policy = environment_.options().undefined;
  undefined->hint = arena_.Copy(hint);
  undefined->name = Value::String(name);
  return Value::Of(undefined);
}

Value Runtime::NewListOf(absl::Span<const Value> items, Kind kind) {
  List* list = NewList(arena_, items.size());
  std::copy(items.begin(), items.end(), list->items);
  list->size = static_cast<uint32_t>(items.size());
  return Value::Of(list, kind);
}

absl::Status Runtime::Depth::Check() const {
  if (runtime_.depth_ <= runtime_.environment_.limits().call_depth_max) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("calls or values are nested more than ", runtime_.environment_.limits().call_depth_max, " deep"));
}

absl::Status Runtime::Spend(int64_t steps) {
  steps_ += steps;
  if (steps < 0 || steps_ > environment_.limits().steps_max) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the template takes more than ", environment_.limits().steps_max, " steps"));
  }
  return CheckLimits();
}

absl::Status Runtime::CheckLimits() {
  if (!arena_.Exceeded()) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the template needs more than ", environment_.limits().memory_bytes_max, " bytes of memory"));
}

absl::StatusOr<Value> Runtime::Str(const Value& value) {
  if (value.IsString()) return value;
  std::string text;
  RETURN_IF_ERROR(AppendStr(value, text));
  const bool is_markup = value.IsObject() && value.object().IsMarkup();
  return NewString(text, is_markup ? Tag::kMarkup : Tag::kPlain);
}

absl::Status Runtime::AppendStr(const Value& value, std::string& out) {
  switch (value.kind()) {
    case Kind::kString:
      out.append(value.text().data(), value.text().size());
      return absl::OkStatus();
    case Kind::kUndefined:
      switch (value.undefined().policy) {
        case UndefinedPolicy::kStrict:
          return UndefinedError(value);
        case UndefinedPolicy::kDebug:
          if (value.undefined().owner.IsMissing() && value.undefined().hint.empty()) {
            absl::StrAppend(&out, "{{ ", value.undefined().name.text(), " }}");
          } else {
            absl::StrAppend(&out, "{{ undefined value printed: ", UndefinedMessage(value.undefined()), " }}");
          }
          return absl::OkStatus();
        default:
          return absl::OkStatus();
      }
    default:
      return AppendRepr(value, out);
  }
}

namespace {

absl::Status AppendItems(Runtime& runtime, const Value& value, char open, char close, std::string& out) {
  out += open;
  bool first = true;
  for (const Value& item : value.list()) {
    if (!first) out += ", ";
    first = false;
    RETURN_IF_ERROR(runtime.AppendRepr(item, out));
  }
  if (value.kind() == Kind::kTuple && value.list().size == 1) out += ',';
  out += close;
  return absl::OkStatus();
}

absl::Status AppendDict(Runtime& runtime, const Dict& dict, std::string& out) {
  out += '{';
  bool first = true;
  for (uint32_t i = 0; i < dict.used; ++i) {
    if (dict.entries[i].key.IsMissing()) continue;
    if (!first) out += ", ";
    first = false;
    RETURN_IF_ERROR(runtime.AppendRepr(dict.entries[i].key, out));
    out += ": ";
    RETURN_IF_ERROR(runtime.AppendRepr(dict.entries[i].value, out));
  }
  out += '}';
  return absl::OkStatus();
}

void AppendRange(const Range& range, std::string& out) {
  absl::StrAppend(&out, "range(", range.start, ", ", range.stop);
  if (range.step != 1) absl::StrAppend(&out, ", ", range.step);
  out += ')';
}

}  // namespace

absl::Status Runtime::AppendRepr(const Value& value, std::string& out) {
  const Depth depth(*this);
  RETURN_IF_ERROR(depth.Check());
  if (out.size() > environment_.limits().memory_bytes_max) {
    return absl::ResourceExhaustedError("a text grew beyond the memory limit");
  }
  switch (value.kind()) {
    case Kind::kMissing:
      return absl::OkStatus();
    case Kind::kUndefined:
      out += "Undefined";
      return absl::OkStatus();
    case Kind::kNone:
      out += "None";
      return absl::OkStatus();
    case Kind::kBool:
      out += value.bool_value() ? "True" : "False";
      return absl::OkStatus();
    case Kind::kInt:
      AppendInt(value.int_value(), out);
      return absl::OkStatus();
    case Kind::kFloat:
      AppendFloat(value.float_value(), out);
      return absl::OkStatus();
    case Kind::kString:
      if (value.IsMarkup()) out += "Markup(";
      tmpl::AppendRepr(value.text(), out);
      if (value.IsMarkup()) out += ')';
      return absl::OkStatus();
    case Kind::kList:
      return AppendItems(*this, value, '[', ']', out);
    case Kind::kTuple:
      return AppendItems(*this, value, '(', ')', out);
    case Kind::kIterator:
      out += "<generator object>";
      return absl::OkStatus();
    case Kind::kView:
      absl::StrAppend(&out, TypeName(value), "(");
      RETURN_IF_ERROR(AppendItems(*this, value, '[', ']', out));
      out += ')';
      return absl::OkStatus();
    case Kind::kRange:
      AppendRange(value.range(), out);
      return absl::OkStatus();
    case Kind::kDict:
      return AppendDict(*this, value.dict(), out);
    case Kind::kObject:
      out += value.object().ToString();
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<Value> Runtime::Escape(const Value& value) {
  if (value.IsMarkup()) return value;
  ASSIGN_OR_RETURN(const Value text, Str(value));
  if (text.IsMarkup()) return text;
  if (FindSpecial(text.text()) == text.text().size()) return Value::Markup(text.text());
  std::string escaped;
  AppendEscaped(text.text(), escaped);
  return NewString(escaped, Tag::kMarkup);
}

absl::StatusOr<bool> Runtime::Truth(const Value& value) {
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kNone:
      return false;
    case Kind::kUndefined:
      if (value.undefined().policy == UndefinedPolicy::kStrict) return UndefinedError(value);
      return false;
    case Kind::kBool:
    case Kind::kInt:
      return value.int_value() != 0;
    case Kind::kFloat:
      return value.float_value() != 0;
    case Kind::kString:
      return !value.text().empty();
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kView:
      return value.list().size > 0;
    case Kind::kIterator:
      return true;
    case Kind::kRange:
      return value.range().count > 0;
    case Kind::kDict:
      return value.dict().size > 0;
    case Kind::kObject:
      return value.object().Length().value_or(1) != 0;
  }
  return false;
}

absl::StatusOr<int64_t> Runtime::Length(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
      if (value.undefined().policy == UndefinedPolicy::kStrict) return UndefinedError(value);
      return 0;
    case Kind::kString:
      return static_cast<int64_t>(CodePointCount(value.text()));
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kView:
    case Kind::kIterator:
      return value.list().size;
    case Kind::kRange:
      return value.range().count;
    case Kind::kDict:
      return value.dict().size;
    case Kind::kObject:
      if (const absl::optional<int64_t> length = value.object().Length()) return *length;
      break;
    default:
      break;
  }
  return absl::InvalidArgumentError(absl::StrCat("object of type '", TypeName(value), "' has no len()"));
}

absl::StatusOr<Value> Runtime::CallValue(const Value& callable, const Arguments& arguments) {
  if (callable.IsObject()) {
    const Depth depth(*this);
    RETURN_IF_ERROR(depth.Check());
    return callable.object().Call(*this, arguments);
  }
  if (callable.IsUndefined()) return UndefinedError(callable);
  return absl::InvalidArgumentError(absl::StrCat("'", TypeName(callable), "' object is not callable"));
}

namespace {

absl::Status Unknown(absl::string_view what, absl::string_view name, const std::vector<absl::string_view>& names) {
  const std::string hint = DidYouMean(name, names);
  return absl::InvalidArgumentError(absl::StrCat("No ", what, " named '", name, "'", hint.empty() ? "" : "; ", hint));
}

}  // namespace

absl::StatusOr<Value> Runtime::ApplyFilter(absl::string_view name, const Value& value, const Arguments& arguments) {
  const Function* filter = environment_.FindFilter(name);
  if (filter == nullptr) return Unknown("filter", name, environment_.FilterNames());
  const Depth depth(*this);
  RETURN_IF_ERROR(depth.Check());
  return filter->Invoke(*this, value, arguments);
}

absl::StatusOr<Value> Runtime::ApplyTest(absl::string_view name, const Value& value, const Arguments& arguments) {
  const Function* test = environment_.FindTest(name);
  if (test == nullptr) return Unknown("test", name, environment_.TestNames());
  return test->Invoke(*this, value, arguments);
}

}  // namespace ssg::tmpl

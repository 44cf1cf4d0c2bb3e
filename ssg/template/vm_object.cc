#include "ssg/template/vm_object.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/bound_method.h"

namespace ssg::tmpl {
namespace {

std::vector<absl::string_view> Keys(const Dict& dict) {
  std::vector<absl::string_view> keys;
  for (uint32_t i = 0; i < dict.used; ++i) {
    if (dict.entries[i].key.IsString()) keys.push_back(dict.entries[i].key.text());
  }
  return keys;
}

enum class LoopField {
  kIndex,
  kIndex0,
  kRevindex,
  kRevindex0,
  kFirst,
  kLast,
  kLength,
  kPrevitem,
  kNextitem,
  kDepth,
  kDepth0,
  kCycle,
  kChanged,
};

const SymbolTable<LoopField>& LoopFields() {
  static const auto* const table = new SymbolTable<LoopField>({
      {"index", LoopField::kIndex},
      {"index0", LoopField::kIndex0},
      {"revindex", LoopField::kRevindex},
      {"revindex0", LoopField::kRevindex0},
      {"first", LoopField::kFirst},
      {"last", LoopField::kLast},
      {"length", LoopField::kLength},
      {"previtem", LoopField::kPrevitem},
      {"nextitem", LoopField::kNextitem},
      {"depth", LoopField::kDepth},
      {"depth0", LoopField::kDepth0},
      {"cycle", LoopField::kCycle},
      {"changed", LoopField::kChanged},
  });
  return *table;
}

const LoopObject& LoopOf(const Value& value) { return static_cast<const LoopObject&>(value.object()); }

const Function& CycleFunction() {
  static const auto* const function =
      new Function("cycle", "loop *args", [](Runtime&, const BoundArguments& call) -> absl::StatusOr<Value> {
        if (call.rest.empty()) return absl::InvalidArgumentError("no items for cycling given");
        return LoopOf(call[0]).Cycle(call.rest);
      });
  return *function;
}

const Function& ChangedFunction() {
  static const auto* const function =
      new Function("changed", "loop *args", [](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
        const Value seen = runtime.NewListOf(call.rest, Kind::kTuple);
        ASSIGN_OR_RETURN(const bool changed, LoopOf(call[0]).Changed(runtime, seen));
        return Value::Bool(changed);
      });
  return *function;
}

}  // namespace

bool LoopObject::RawNext(Value& item) const {
  if (source_.kind() == Kind::kRange) {
    if (at_ >= source_.range().count) return false;
    item = Value::Int(source_.range().At(at_++));
    return true;
  }
  const List& list = source_.list();
  if (at_ >= static_cast<int64_t>(list.size)) return false;
  item = list[static_cast<size_t>(at_++)];
  return true;
}

absl::StatusOr<bool> LoopObject::Fetch(Vm& vm, Value& item) const {
  while (RawNext(item)) {
    if (setup_.filter == nullptr) return true;
    RETURN_IF_ERROR(vm.Spend(1));
    ASSIGN_OR_RETURN(const bool passes, vm.PassesFilter(*setup_.outer, *setup_.filter, item));
    if (passes) return true;
  }
  return false;
}

absl::StatusOr<bool> LoopObject::Next(Vm& vm, Value& item) const {
  if (!after_.IsMissing()) {
    item = after_;
    after_ = Value();
  } else if (setup_.filter == nullptr) {
    if (!RawNext(item)) return false;
  } else {
    ASSIGN_OR_RETURN(const bool found, Fetch(vm, item));
    if (!found) return false;
  }
  ++index0_;
  before_ = current_;
  current_ = item;
  return true;
}

absl::StatusOr<bool> LoopObject::Peek(Vm& vm) const {
  if (!after_.IsMissing()) return true;
  return Fetch(vm, after_);
}

absl::StatusOr<int64_t> LoopObject::CountAll(Vm& vm) const {
  if (length_ >= 0) return length_;
  if (setup_.filter == nullptr) {
    length_ = source_.kind() == Kind::kRange ? source_.range().count : static_cast<int64_t>(source_.list().size);
    return length_;
  }
  // Only the filter knows how many are left: keep what it passes.
  List* rest = NewList(vm.arena());
  Value item;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, Fetch(vm, item));
    if (!found) break;
    Append(vm.arena(), *rest, item);
  }
  length_ = index0_ + 1 + (after_.IsMissing() ? 0 : 1) + rest->size;
  // They passed already: skip what the filter would see again.
  source_ = Value::Of(rest, Kind::kIterator);
  at_ = 0;
  setup_.filter = nullptr;
  return length_;
}

Value LoopObject::Cycle(absl::Span<const Value> items) const {
  return items[static_cast<size_t>(index0_) % items.size()];
}

absl::StatusOr<bool> LoopObject::Changed(Runtime& runtime, const Value& value) const {
  if (!last_changed_.IsMissing()) {
    ASSIGN_OR_RETURN(const bool equal, runtime.Equal(last_changed_, value));
    if (equal) return false;
  }
  last_changed_ = value;
  return true;
}

absl::StatusOr<Value> LoopObject::Attribute(Symbol name, Runtime& runtime) const {
  const LoopField* field = LoopFields().Find(name);
  if (field == nullptr) return Value();
  Vm& vm = static_cast<Vm&>(runtime);
  switch (*field) {
    case LoopField::kIndex:
      return Value::Int(index0_ + 1);
    case LoopField::kIndex0:
      return Value::Int(index0_);
    case LoopField::kRevindex: {
      ASSIGN_OR_RETURN(const int64_t length, CountAll(vm));
      return Value::Int(length - index0_);
    }
    case LoopField::kRevindex0: {
      ASSIGN_OR_RETURN(const int64_t length, CountAll(vm));
      return Value::Int(length - index0_ - 1);
    }
    case LoopField::kFirst:
      return Value::Bool(index0_ == 0);
    case LoopField::kLast: {
      ASSIGN_OR_RETURN(const bool more, Peek(vm));
      return Value::Bool(!more);
    }
    case LoopField::kLength: {
      ASSIGN_OR_RETURN(const int64_t length, CountAll(vm));
      return Value::Int(length);
    }
    case LoopField::kPrevitem:
      if (index0_ == 0) return runtime.UndefinedBecause("there is no previous item");
      return before_;
    case LoopField::kNextitem: {
      ASSIGN_OR_RETURN(const bool more, Peek(vm));
      return more ? after_ : runtime.UndefinedBecause("there is no next item");
    }
    case LoopField::kDepth:
      return Value::Int(setup_.depth0 + 1);
    case LoopField::kDepth0:
      return Value::Int(setup_.depth0);
    case LoopField::kCycle:
      return Value::Of(runtime.arena().New<BoundMethod>(CycleFunction(), Value::Of(this)));
    case LoopField::kChanged:
      return Value::Of(runtime.arena().New<BoundMethod>(ChangedFunction(), Value::Of(this)));
  }
  return Value();
}

absl::StatusOr<Value> LoopObject::Call(Runtime& runtime, const Arguments& arguments) const {
  if (setup_.recursive == nullptr) {
    return absl::InvalidArgumentError("The loop must have the 'recursive' marker to be called recursively.");
  }
  if (arguments.positional.size() != 1 || !arguments.named.empty()) {
    return absl::InvalidArgumentError("loop() takes one iterable");
  }
  return static_cast<Vm&>(runtime).CallLoop(*this, arguments.positional[0]);
}

std::string LoopObject::ToString() const {
  const int64_t length =
      source_.kind() == Kind::kRange ? source_.range().count : static_cast<int64_t>(source_.list().size);
  return absl::StrCat("<LoopContext ", index0_ + 1, "/", length_ >= 0 ? length_ : length, ">");
}

std::vector<absl::string_view> LoopObject::AttributeNames() const { return LoopFields().Names(); }

absl::StatusOr<Value> MacroObject::Attribute(Symbol name, Runtime& runtime) const {
  const absl::string_view text = name.text();
  if (text == "name") {
    return shape_.name.text().empty() ? Value::None() : Value::String(shape_.name.text());
  }
  if (text == "catch_kwargs") return Value::Bool(shape_.catches_kwargs);
  if (text == "catch_varargs") return Value::Bool(shape_.catches_varargs);
  if (text == "caller") return Value::Bool(shape_.takes_caller);
  if (text != "arguments") return Value();
  List* list = NewList(runtime.arena(), shape_.parameters.size());
  for (Symbol parameter : shape_.parameters) {
    Append(runtime.arena(), *list, Value::String(parameter.text()));
  }
  return Value::Of(list, Kind::kTuple);
}

std::string MacroObject::ToString() const {
  return shape_.name.text().empty() ? "<Macro anonymous>" : absl::StrCat("<Macro '", shape_.name.text(), "'>");
}

absl::StatusOr<Value> ModuleObject::Attribute(Symbol name, Runtime&) const {
  const Value* found = names_.Find(name);
  return found == nullptr ? Value() : *found;
}

std::vector<absl::string_view> ModuleObject::AttributeNames() const { return Keys(names_); }

Value BlockObject::Super(Vm& vm, const BlockStack& block, size_t version, Context& context) {
  if (version + 1 < block.versions.size()) {
    return Value::Of(vm.arena().New<BlockObject>(block, version + 1, context));
  }
  return vm.UndefinedBecause(absl::StrCat("there is no parent block called '", block.name.text(), "'."), "super");
}

absl::StatusOr<Value> BlockObject::Attribute(Symbol name, Runtime& runtime) const {
  if (name.text() != "super") return Value();
  return Super(static_cast<Vm&>(runtime), block_, version_, context_);
}

absl::StatusOr<Value> BlockObject::Call(Runtime& runtime, const Arguments& arguments) const {
  if (!arguments.positional.empty() || !arguments.named.empty()) {
    return absl::InvalidArgumentError("a block takes no arguments");
  }
  return static_cast<Vm&>(runtime).CallBlock(block_, version_, context_);
}

absl::StatusOr<Value> SelfObject::Attribute(Symbol name, Runtime& runtime) const {
  const BlockStack* block = context_.FindBlock(name);
  if (block == nullptr) return Value();
  return Value::Of(runtime.arena().New<BlockObject>(*block, 0, context_));
}

std::vector<absl::string_view> SelfObject::AttributeNames() const {
  std::vector<absl::string_view> names;
  for (const BlockStack* block = context_.blocks; block != nullptr; block = block->next) {
    names.push_back(block->name.text());
  }
  return names;
}

absl::StatusOr<Value> NamespaceObject::Attribute(Symbol name, Runtime&) const {
  const Value* found = names_.Find(name);
  return found == nullptr ? Value() : *found;
}

std::vector<absl::string_view> NamespaceObject::AttributeNames() const { return Keys(names_); }

}  // namespace ssg::tmpl

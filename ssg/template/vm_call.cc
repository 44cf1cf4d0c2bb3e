// The Vm's calls: functions, filters, tests, macros, loops.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/methods.h"
#include "ssg/template/vm.h"
#include "ssg/template/vm_object.h"

namespace ssg::tmpl {

absl::Status Vm::Gather(const CallShape& shape, const Value* operands, Gathered& gathered) {
  gathered.arguments.positional = absl::MakeConstSpan(operands, shape.positional);
  const Value* next = operands + shape.positional;
  for (Symbol keyword : shape.keywords) gathered.named.push_back({keyword, *next++});
  if (shape.has_args) {
    const absl::StatusOr<Value> items = Iterate(*next++);
    if (!items.ok()) {
      return absl::InvalidArgumentError("argument after * must be an iterable");
    }
    gathered.positional.assign(operands, operands + shape.positional);
    gathered.positional.insert(gathered.positional.end(), items->list().begin(), items->list().end());
    gathered.arguments.positional = gathered.positional;
  }
  if (shape.has_kwargs) {
    const Value& mapping = *next++;
    if (!mapping.IsDict()) {
      return absl::InvalidArgumentError("argument after ** must be a mapping");
    }
    for (uint32_t i = 0; i < mapping.dict().used; ++i) {
      const Dict::Entry& entry = mapping.dict().entries[i];
      if (entry.key.IsMissing()) continue;
      if (!entry.key.IsString()) return absl::InvalidArgumentError("keywords must be strings");
      const Symbol name = Symbol::Find(entry.key.text());
      for (const NamedValue& other : gathered.named) {
        if (other.name == name) {
          return absl::InvalidArgumentError(
              absl::StrCat("got multiple values for keyword argument '", name.text(), "'"));
        }
      }
      gathered.named.push_back({name, entry.value});
    }
  }
  gathered.arguments.named = gathered.named;
  return absl::OkStatus();
}

absl::StatusOr<Value> Vm::CallFunction(const CallShape& shape, const Value* operands) {
  if (shape.function == nullptr) return absl::InvalidArgumentError(shape.unknown);
  const Value& first = operands[0];
  if (shape.Count() == shape.positional) {
    return shape.function->Invoke(*this, first, {absl::MakeConstSpan(operands + 1, shape.positional), {}});
  }
  Gathered gathered;
  RETURN_IF_ERROR(Gather(shape, operands + 1, gathered));
  return shape.function->Invoke(*this, first, gathered.arguments);
}

bool Vm::DoFilter(const Instruction& i, State& s) {
  const CallShape& shape = s.frame.program->calls[i.operand];
  const size_t count = shape.Count() + 1;
  return Finish(CallFunction(shape, s.sp - count), count, s);
}

bool Vm::DoTest(const Instruction& i, State& s) {
  const CallShape& shape = s.frame.program->calls[i.operand];
  const size_t count = shape.Count() + 1;
  return Finish(CallFunction(shape, s.sp - count), count, s);
}

bool Vm::DoCall(const Instruction& i, State& s) {
  const CallShape& shape = s.frame.program->calls[i.operand];
  const size_t count = shape.Count() + 1;
  const Value* operands = s.sp - count;
  if (shape.Count() == shape.positional) {
    const absl::Span<const Value> positional(operands + 1, shape.positional);
    return Finish(CallValue(operands[0], {positional, {}}), count, s);
  }
  Gathered gathered;
  absl::Status status = Gather(shape, operands + 1, gathered);
  if (!status.ok()) return Fail(std::move(status));
  return Finish(CallValue(operands[0], gathered.arguments), count, s);
}

bool Vm::DoCallMethod(const Instruction& i, State& s) {
  const CallShape& shape = s.frame.program->calls[i.operand];
  const size_t count = shape.Count() + 1;
  const Value* operands = s.sp - count;
  Gathered gathered;
  absl::Status status = Gather(shape, operands + 1, gathered);
  if (!status.ok()) return Fail(std::move(status));
  if (!operands[0].IsObject()) {
    if (const Function* method = FindMethod(operands[0], shape.name)) {
      return Finish(method->Invoke(*this, operands[0], gathered.arguments), count, s);
    }
  }
  const absl::StatusOr<Value> callee = GetAttribute(operands[0], shape.name);
  if (!callee.ok()) return Fail(callee.status());
  return Finish(CallValue(*callee, gathered.arguments), count, s);
}

bool Vm::DoMacro(const Instruction& i, State& s) {
  const MacroShape& shape = s.frame.program->macros[i.operand];
  *s.sp++ = Value::Of(arena_.New<MacroObject>(shape, s.frame));
  return true;
}

// Sorts arguments into the slots of a macro, as jinja2.runtime.Macro does.
bool Vm::BindMacro(const MacroObject& macro, const Arguments& arguments, absl::InlinedVector<Value, 16>& slots) {
  const MacroShape& shape = macro.shape();
  const size_t count = shape.parameters.size();
  const size_t taken = std::min(arguments.positional.size(), count);
  absl::InlinedVector<NamedValue, 4> named(arguments.named.begin(), arguments.named.end());
  const auto pop = [&](Symbol name) {
    const auto found = std::find_if(named.begin(), named.end(), [&](const NamedValue& n) { return n.name == name; });
    if (found == named.end()) return Value();
    const Value value = found->value;
    named.erase(found);
    return value;
  };
  static const Symbol kCaller = Symbol::Intern("caller");
  slots.assign(arguments.positional.begin(), arguments.positional.begin() + taken);
  bool found_caller = taken == count && std::count(shape.parameters.begin(), shape.parameters.end(), kCaller) > 0;
  for (size_t k = taken; k < count; ++k) {
    found_caller |= shape.parameters[k] == kCaller;
    slots.push_back(pop(shape.parameters[k]));
  }
  if (shape.takes_caller && !found_caller) {
    const Value caller = pop(kCaller);
    slots.push_back(caller.IsMissing() || caller.IsNone() ? UndefinedBecause("No caller defined", "caller") : caller);
  }
  if (shape.catches_kwargs) {
    Dict* kwargs = NewDict(arena_, named.size());
    for (const NamedValue& value : named) {
      Set(arena_, *kwargs, Value::String(arena_.Copy(value.name.text())), value.value);
    }
    slots.push_back(Value::Of(kwargs));
  } else if (!named.empty()) {
    const bool is_caller = named[0].name == kCaller;
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("macro '", shape.name.text(),
                     is_caller ? "' was invoked with two values for the special caller argument, or does not "
                                 "use it"
                               : "' takes no keyword argument '",
                     is_caller ? "" : named[0].name.text(), is_caller ? "" : "'")));
  }
  if (shape.catches_varargs) {
    slots.push_back(NewListOf(arguments.positional.subspan(taken), Kind::kTuple));
  } else if (arguments.positional.size() > count) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("macro '", shape.name.text(), "' takes not more than ", count, " argument(s)")));
  }
  return true;
}

absl::StatusOr<Value> Vm::CallMacro(const MacroObject& macro, const Arguments& arguments) {
  absl::InlinedVector<Value, 16> slots;
  if (!BindMacro(macro, arguments, slots)) {
    const absl::Status status = status_;
    status_ = absl::OkStatus();
    return status;
  }
  RETURN_IF_ERROR(Spend(1));
  Frame frame;
  frame.outer = &macro.frame();
  frame.context = macro.frame().context;
  frame.program = macro.frame().program;
  frame.unit = &frame.program->units[macro.shape().unit];
  return Capture(frame, slots, Value(), autoescape_);
}

absl::StatusOr<bool> Vm::PassesFilter(const Frame& outer, const Unit& unit, const Value& item) {
  Frame frame;
  frame.outer = &outer;
  frame.context = outer.context;
  frame.program = outer.program;
  frame.unit = &unit;
  Value answer;
  RETURN_IF_ERROR(Run(frame, {}, item, &answer));
  return Truth(answer);
}

absl::StatusOr<Value> Vm::CallLoop(const LoopObject& loop, const Value& iterable) {
  RETURN_IF_ERROR(Spend(1));
  Frame frame;
  frame.outer = loop.setup().recursive_outer;
  frame.context = frame.outer->context;
  frame.program = frame.outer->program;
  frame.unit = loop.setup().recursive;
  frame.loop_depth = loop.setup().depth0 + 1;
  return Capture(frame, {}, iterable, false);
}

bool Vm::DoLoopCall(const Instruction& i, State& s) {
  // The running frame may end before the loop object does: keep a copy.
  const Frame* outer = arena_.New<Frame>(s.frame);
  Frame frame;
  frame.outer = outer;
  frame.context = outer->context;
  frame.program = outer->program;
  frame.unit = &outer->program->units[i.operand];
  absl::Status status = Run(frame, {}, *--s.sp, nullptr);
  return status.ok() || Fail(std::move(status));
}

bool Vm::DoForBegin(const Instruction& i, State& s) {
  const ForShape& shape = s.frame.program->fors[i.operand];
  const Value iterable = *--s.sp;
  Value source = iterable;
  if (iterable.kind() != Kind::kRange) {
    absl::StatusOr<Value> items = Iterate(iterable);
    if (!items.ok()) return Fail(std::move(items).status());
    source = *items;
  }
  LoopObject::Setup setup;
  setup.depth0 = s.frame.loop_depth;
  if (shape.filter_unit >= 0) {
    setup.outer = arena_.New<Frame>(s.frame);
    setup.filter = &s.frame.program->units[static_cast<size_t>(shape.filter_unit)];
  }
  if (shape.recursive) {
    setup.recursive = s.frame.unit;
    setup.recursive_outer = s.frame.outer;
  }
  s.frame.slots[i.slot] = Value::Of(arena_.New<LoopObject>(setup, source));
  return true;
}

bool Vm::DoForNext(const Instruction& i, State& s) {
  const LoopObject& loop = static_cast<const LoopObject&>(s.frame.slots[i.slot].object());
  const absl::StatusOr<bool> more = loop.Next(*this, *s.sp);
  if (!more.ok()) return Fail(more.status());
  if (!*more) {
    s.pc = s.frame.unit->code.data() + i.operand;
    return true;
  }
  ++s.sp;
  if (output_.Exceeded()) {
    return Fail(absl::ResourceExhaustedError(
        absl::StrCat("the output is larger than ", environment_.limits().output_bytes_max, " bytes")));
  }
  absl::Status status = Spend(1);
  return status.ok() || Fail(std::move(status));
}

bool Vm::DoForMark(const Instruction& i, State& s) {
  static_cast<const LoopObject&>(s.frame.slots[i.slot].object()).MarkRan();
  return true;
}

bool Vm::DoForElse(const Instruction& i, State& s) {
  if (static_cast<const LoopObject&>(s.frame.slots[i.slot].object()).ran()) {
    s.pc = s.frame.unit->code.data() + i.operand;
  }
  return true;
}

bool Vm::DoSetNamespace(const Instruction& i, State& s) {
  const Frame* frame = &s.frame;
  for (uint8_t depth = i.depth; depth > 0; --depth) frame = frame->outer;
  const Value& target = frame->slots[i.slot];
  const auto* names = target.IsObject() ? dynamic_cast<const NamespaceObject*>(&target.object()) : nullptr;
  if (names == nullptr) {
    return Fail(absl::InvalidArgumentError("cannot assign attribute on non-namespace object"));
  }
  names->Set(arena_, s.frame.program->symbols[i.operand], *--s.sp);
  return true;
}

}  // namespace ssg::tmpl

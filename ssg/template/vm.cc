#include "ssg/template/vm.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/diagnostic.h"
#include "ssg/template/escape.h"
#include "ssg/template/number_text.h"
#include "ssg/template/vm_object.h"

namespace ssg::tmpl {
namespace {

constexpr size_t kSegmentValues = 1024;
constexpr size_t kStepsShownMax = 20;

}  // namespace

Vm::Vm(const Engine& engine, const RenderOptions& options)
    : Runtime(engine.environment(), options.observer, options.host),
      engine_(engine),
      output_(engine.environment().limits().output_bytes_max) {}

Vm::StackPart::StackPart(Vm& vm, size_t count) : vm_(vm), segment_(vm.segment_), top_(vm.stack_top_) {
  Segment* segment = vm.segment_;
  begin_ = vm.stack_top_;
  if (segment == nullptr || static_cast<size_t>(segment->end - begin_) < count) {
    Segment* next = segment == nullptr ? nullptr : segment->next;
    if (next == nullptr || static_cast<size_t>(next->end - next->begin) < count) {
      const size_t size = std::max(count, kSegmentValues);
      next = vm.arena_.New<Segment>();
      next->begin = vm.arena_.NewArray<Value>(size);
      next->end = next->begin + size;
      if (segment != nullptr) segment->next = next;
    }
    vm.segment_ = next;
    begin_ = next->begin;
  }
  vm.stack_top_ = begin_ + count;
}

Vm::StackPart::~StackPart() {
  // The first segment stays for the next call.
  if (segment_ == nullptr) {
    vm_.stack_top_ = vm_.segment_->begin;
    return;
  }
  vm_.segment_ = segment_;
  vm_.stack_top_ = top_;
}

absl::Status Vm::Run(Frame& frame, absl::Span<const Value> arguments, const Value& operand, Value* result) {
  const Depth depth(*this);
  RETURN_IF_ERROR(depth.Check());
  const Unit& unit = *frame.unit;
  const bool keeps_slots = unit.has_closures;
  const StackPart part(*this, unit.stack_max + (keeps_slots ? 0 : unit.slot_count));
  Value* stack = part.begin();
  if (keeps_slots) {
    frame.slots = arena_.NewArray<Value>(unit.slot_count);
  } else {
    frame.slots = stack;
    stack += unit.slot_count;
  }
  std::copy(arguments.begin(), arguments.end(), frame.slots);
  std::fill(frame.slots + arguments.size(), frame.slots + unit.slot_count, Value());
  State state{frame, unit.code.data(), stack};
  if (!operand.IsMissing()) *state.sp++ = operand;
  const Frame* const before = running_;
  const bool autoescape = autoescape_;
  running_ = &frame;
  autoescape_ = frame.context->autoescape;
  const absl::Status status = Execute(state);
  running_ = before;
  autoescape_ = autoescape;
  RETURN_IF_ERROR(status);
  if (result != nullptr) *result = state.sp[-1];
  return absl::OkStatus();
}

absl::Status Vm::Execute(State& s) {
  while (true) {
    const Instruction& i = *s.pc++;
    switch (i.opcode) {
#define SSG_TEMPLATE_CASE(name)      \
  case Opcode::k##name:              \
    if (!Do##name(i, s)) goto ended; \
    break;
      SSG_TEMPLATE_OPCODES(SSG_TEMPLATE_CASE)
#undef SSG_TEMPLATE_CASE
    }
  }
ended:
  if (status_.ok()) return absl::OkStatus();
  const absl::Status status = Located(status_, s);
  status_ = absl::OkStatus();
  return status;
}

absl::Status Vm::Located(const absl::Status& status, const State& state) const {
  const Frame& frame = state.frame;
  const size_t index = static_cast<size_t>(state.pc - frame.unit->code.data()) - 1;
  const absl::optional<Diagnostic> inner = DiagnosticOf(status);
  Diagnostic here;
  here.name = frame.program->name;
  Locate(frame.program->source, frame.unit->offsets[index], here);
  if (!inner.has_value()) {
    const std::string message(status.message());
    const size_t hint = message.find("; did you mean ");
    here.message = message.substr(0, hint);
    if (hint != std::string::npos) here.hint = message.substr(hint + 2);
    return ToStatus(here, status.code());
  }
  Diagnostic diagnostic = *inner;
  absl::string_view what = "called from";
  switch (frame.unit->code[index].opcode) {
    case Opcode::kInclude:
      what = "included from";
      break;
    case Opcode::kImport:
      what = "imported from";
      break;
    case Opcode::kExtends:
    case Opcode::kRenderParent:
      what = "extended by";
      break;
    case Opcode::kBlock:
      what = "in a block of";
      break;
    default:
      break;
  }
  if (diagnostic.steps.size() < kStepsShownMax) {
    diagnostic.steps.push_back({std::string(what), here.name, here.line});
  }
  return ToStatus(diagnostic, status.code());
}

absl::StatusOr<Value> Vm::Capture(Frame& frame, absl::Span<const Value> arguments, const Value& operand,
                                  bool as_markup) {
  const size_t position = output_.size();
  const absl::Status status = Run(frame, arguments, operand, nullptr);
  if (!status.ok()) return status;
  const Value text = NewString(output_.Since(position), as_markup ? Tag::kMarkup : Tag::kPlain);
  output_.Truncate(position);
  return text;
}

bool Vm::Finish(absl::StatusOr<Value> result, size_t count, State& s) {
  if (!result.ok()) return Fail(std::move(result).status());
  s.sp -= count;
  *s.sp++ = *result;
  return true;
}

bool Vm::EmitValue(const Value& value, EmitMode mode) {
  if (value.IsString()) {
    const bool plain = value.IsMarkup() || mode == EmitMode::kPlain || (mode == EmitMode::kByContext && !autoescape_);
    if (plain) {
      output_.Append(value.text());
    } else {
      AppendEscaped(value.text(), output_);
    }
    return true;
  }
  if (value.IsInt()) {
    constexpr size_t kDigitsMax = 24;
    if (char* to = output_.Reserve(kDigitsMax)) {
      output_.Advance(static_cast<size_t>(std::to_chars(to, to + kDigitsMax, value.int_value()).ptr - to));
    }
    return true;
  }
  return EmitSlow(value, mode);
}

bool Vm::EmitSlow(const Value& value, EmitMode mode) {
  std::string text;
  absl::Status status = AppendStr(value, text);
  if (!status.ok()) return Fail(std::move(status));
  const bool is_markup = value.IsObject() && value.object().IsMarkup();
  return EmitValue(Value::String(text, is_markup ? Tag::kMarkup : Tag::kPlain), mode);
}

bool Vm::DoText(const Instruction& i, State& s) {
  output_.Append(s.frame.program->texts[i.operand]);
  return true;
}

bool Vm::DoEmit(const Instruction& i, State& s) { return EmitValue(*--s.sp, static_cast<EmitMode>(i.depth)); }

bool Vm::DoConstant(const Instruction& i, State& s) {
  *s.sp++ = s.frame.program->constants[i.operand];
  return true;
}

bool Vm::DoLoad(const Instruction& i, State& s) {
  const Value& value = s.frame.slots[i.slot];
  *s.sp++ = value.IsMissing() ? UndefinedVariable(s.frame.program->symbols[i.operand].text()) : value;
  return true;
}

bool Vm::DoLoadOuter(const Instruction& i, State& s) {
  const Frame* frame = &s.frame;
  for (uint8_t depth = i.depth; depth > 0; --depth) frame = frame->outer;
  const Value& value = frame->slots[i.slot];
  *s.sp++ = value.IsMissing() ? UndefinedVariable(s.frame.program->symbols[i.operand].text()) : value;
  return true;
}

bool Vm::DoStore(const Instruction& i, State& s) {
  s.frame.slots[i.slot] = *--s.sp;
  return true;
}

bool Vm::DoClear(const Instruction& i, State& s) {
  s.frame.slots[i.slot] = Value();
  return true;
}

bool Vm::DoResolve(const Instruction& i, State& s) {
  const Symbol name = s.frame.program->symbols[i.operand];
  s.frame.slots[i.slot] = Lookup(*s.frame.context, name);
  return true;
}

bool Vm::DoAlias(const Instruction& i, State& s) {
  const Frame* frame = &s.frame;
  for (uint8_t depth = i.depth; depth > 0; --depth) frame = frame->outer;
  s.frame.slots[i.slot] = frame->slots[i.operand];
  return true;
}

bool Vm::DoPop(const Instruction&, State& s) {
  --s.sp;
  return true;
}

bool Vm::DoBinary(const Instruction& i, State& s) {
  return Finish(Arithmetic(static_cast<Operator>(i.depth), s.sp[-2], s.sp[-1]), 2, s);
}

bool Vm::DoUnary(const Instruction& i, State& s) {
  return Finish(Negate(s.sp[-1], static_cast<Operator>(i.depth) == Operator::kPlus), 1, s);
}

bool Vm::DoNot(const Instruction&, State& s) {
  const absl::StatusOr<bool> truth = Truth(s.sp[-1]);
  if (!truth.ok()) return Fail(truth.status());
  s.sp[-1] = Value::Bool(!*truth);
  return true;
}

bool Vm::DoCompare(const Instruction& i, State& s) {
  const absl::StatusOr<bool> holds = Relation(static_cast<Operator>(i.depth), s.sp[-2], s.sp[-1]);
  if (!holds.ok()) return Fail(holds.status());
  --s.sp;
  s.sp[-1] = Value::Bool(*holds);
  return true;
}

bool Vm::DoCompareChain(const Instruction& i, State& s) {
  const absl::StatusOr<bool> holds = Relation(static_cast<Operator>(i.depth), s.sp[-2], s.sp[-1]);
  if (!holds.ok()) return Fail(holds.status());
  s.sp[-2] = *holds ? s.sp[-1] : Value::Bool(false);
  --s.sp;
  if (!*holds) s.pc = s.frame.unit->code.data() + i.operand;
  return true;
}

bool Vm::DoConcat(const Instruction& i, State& s) {
  const Value* parts = s.sp - i.slot;
  bool is_markup = false;
  for (size_t k = 0; k < i.slot; ++k) {
    is_markup |= parts[k].IsMarkup() || (parts[k].IsObject() && parts[k].object().IsMarkup());
  }
  is_markup &= static_cast<EmitMode>(i.depth) == EmitMode::kEscape;
  const size_t position = output_.size();
  for (size_t k = 0; k < i.slot; ++k) {
    if (!EmitValue(parts[k], is_markup ? EmitMode::kEscape : EmitMode::kPlain)) return false;
  }
  const Value joined = NewString(output_.Since(position), is_markup ? Tag::kMarkup : Tag::kPlain);
  output_.Truncate(position);
  return Finish(joined, i.slot, s);
}

bool Vm::DoJump(const Instruction& i, State& s) {
  s.pc = s.frame.unit->code.data() + i.operand;
  return true;
}

bool Vm::DoJumpIfFalse(const Instruction& i, State& s) {
  const absl::StatusOr<bool> truth = Truth(*--s.sp);
  if (!truth.ok()) return Fail(truth.status());
  if (!*truth) s.pc = s.frame.unit->code.data() + i.operand;
  return true;
}

bool Vm::DoJumpIfFalseKeep(const Instruction& i, State& s) {
  const absl::StatusOr<bool> truth = Truth(s.sp[-1]);
  if (!truth.ok()) return Fail(truth.status());
  if (*truth) {
    --s.sp;
  } else {
    s.pc = s.frame.unit->code.data() + i.operand;
  }
  return true;
}

bool Vm::DoJumpIfTrueKeep(const Instruction& i, State& s) {
  const absl::StatusOr<bool> truth = Truth(s.sp[-1]);
  if (!truth.ok()) return Fail(truth.status());
  if (*truth) {
    s.pc = s.frame.unit->code.data() + i.operand;
  } else {
    --s.sp;
  }
  return true;
}

bool Vm::DoJumpUnlessMissing(const Instruction& i, State& s) {
  if (!s.frame.slots[i.slot].IsMissing()) s.pc = s.frame.unit->code.data() + i.operand;
  return true;
}

bool Vm::DoBuildList(const Instruction& i, State& s) {
  return Finish(NewListOf({s.sp - i.operand, i.operand}), i.operand, s);
}

bool Vm::DoBuildTuple(const Instruction& i, State& s) {
  return Finish(NewListOf({s.sp - i.operand, i.operand}, Kind::kTuple), i.operand, s);
}

bool Vm::DoBuildDict(const Instruction& i, State& s) {
  const Value* pairs = s.sp - 2 * i.operand;
  Dict* dict = NewDict(arena_, i.operand);
  for (uint32_t k = 0; k < i.operand; ++k) {
    if (!Hashable(pairs[2 * k])) {
      return Fail(absl::InvalidArgumentError(absl::StrCat("unhashable type: '", TypeName(pairs[2 * k]), "'")));
    }
    Set(arena_, *dict, pairs[2 * k], pairs[2 * k + 1]);
  }
  return Finish(Value::Of(dict), 2 * i.operand, s);
}

bool Vm::DoUnpack(const Instruction& i, State& s) {
  const Value value = *--s.sp;
  const absl::StatusOr<Value> items = Iterate(value);
  if (!items.ok()) {
    return Fail(value.IsUndefined() ? items.status()
                                    : absl::InvalidArgumentError(
                                          absl::StrCat("cannot unpack non-iterable ", TypeName(value), " object")));
  }
  const List& list = items->list();
  if (list.size != i.operand) {
    return Fail(absl::InvalidArgumentError(
        list.size < i.operand
            ? absl::StrCat("not enough values to unpack (expected ", i.operand, ", got ", list.size, ")")
            : absl::StrCat("too many values to unpack (expected ", i.operand, ")")));
  }
  for (uint32_t k = i.operand; k > 0; --k) *s.sp++ = list[k - 1];
  return true;
}

bool Vm::DoGetAttribute(const Instruction& i, State& s) {
  const Symbol name = s.frame.program->symbols[i.operand];
  return Finish(GetAttribute(s.sp[-1], name), 1, s);
}

bool Vm::DoGetItem(const Instruction&, State& s) { return Finish(GetItem(s.sp[-2], s.sp[-1]), 2, s); }

bool Vm::DoGetSlice(const Instruction&, State& s) {
  return Finish(GetSlice(s.sp[-4], s.sp[-3], s.sp[-2], s.sp[-1]), 4, s);
}

bool Vm::DoUndefinedChoice(const Instruction&, State& s) {
  // Always lenient, whatever the policy, as in Jinja.
  Undefined* undefined = arena_.New<Undefined>();
  undefined->hint = "the inline if-expression evaluated to false and no else section was defined.";
  *s.sp++ = Value::Of(undefined);
  return true;
}

bool Vm::DoUndefinedParameter(const Instruction& i, State& s) {
  const absl::string_view name = s.frame.program->symbols[i.operand].text();
  s.frame.slots[i.slot] = UndefinedBecause(absl::StrCat("parameter '", name, "' was not provided"), name);
  return true;
}

bool Vm::DoReturn(const Instruction&, State&) { return false; }

bool Vm::DoReturnValue(const Instruction&, State&) { return false; }

bool Vm::DoCaptureBegin(const Instruction&, State& s) {
  *s.sp++ = Value::Int(static_cast<int64_t>(output_.size()));
  return true;
}

bool Vm::DoCaptureEnd(const Instruction& i, State& s) {
  const size_t position = static_cast<size_t>(s.sp[-1].int_value());
  const EmitMode mode = static_cast<EmitMode>(i.depth);
  const bool is_markup = mode == EmitMode::kEscape || (mode == EmitMode::kByContext && autoescape_);
  s.sp[-1] = NewString(output_.Since(position), is_markup ? Tag::kMarkup : Tag::kPlain);
  output_.Truncate(position);
  return true;
}

bool Vm::DoMarkSafe(const Instruction&, State& s) {
  if (!autoescape_) return true;
  const absl::StatusOr<Value> text = Str(s.sp[-1]);
  if (!text.ok()) return Fail(text.status());
  s.sp[-1] = Value::Markup(text->text());
  return true;
}

bool Vm::DoAutoescape(const Instruction& i, State& s) {
  const absl::StatusOr<bool> setting = Truth(*--s.sp);
  if (!setting.ok()) return Fail(setting.status());
  s.frame.slots[i.slot] = Value::Bool(autoescape_);
  autoescape_ = s.frame.context->autoescape = *setting;
  return true;
}

bool Vm::DoRestoreAutoescape(const Instruction& i, State& s) {
  autoescape_ = s.frame.context->autoescape = s.frame.slots[i.slot].bool_value();
  return true;
}

bool Vm::DoFail(const Instruction& i, State& s) {
  return Fail(absl::InvalidArgumentError(s.frame.program->constants[i.operand].text()));
}

std::vector<absl::string_view> Vm::VariableNames() const {
  std::vector<absl::string_view> names;
  if (running_ == nullptr) return names;
  const auto add = [&](const Dict& dict) {
    for (uint32_t i = 0; i < dict.used; ++i) {
      if (dict.entries[i].key.IsString()) names.push_back(dict.entries[i].key.text());
    }
  };
  for (Symbol symbol : running_->program->symbols) {
    // A name that this template sets itself may be meant, one that it only
    // reads is probably as wrong.
    if (running_->context->vars->Find(symbol) != nullptr) names.push_back(symbol.text());
  }
  for (const Layer* layer = running_->context->parent; layer != nullptr; layer = layer->next) {
    add(*layer->names);
  }
  return names;
}

}  // namespace ssg::tmpl

// The Vm runs a Program: one render, from its first instruction to its last.
//
// Invariants:
//  1. Slots and operands of a running unit lie in one piece of the value
//     stack, except that the slots of units with closures are in the arena:
//     macros may read them after the unit ended.
//  2. autoescape_ is the setting of the running frame's context.
//  3. Whatever is captured lies at the end of output_, and is taken off again.
// Threads: one render belongs to one thread.
#ifndef SSG_TEMPLATE_VM_H_
#define SSG_TEMPLATE_VM_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ssg/template/engine.h"
#include "ssg/template/output.h"
#include "ssg/template/program.h"
#include "ssg/template/runtime.h"

namespace ssg::tmpl {

class LoopObject;
class MacroObject;
class ModuleObject;

// Variables, innermost first. Layers are immutable once linked.
struct Layer {
  const Dict* names = nullptr;
  const Layer* next = nullptr;
};

struct BlockReference {
  const Program* program = nullptr;
  const Unit* unit = nullptr;
};

// The versions of one block, the most derived first.
struct BlockStack {
  Symbol name;
  absl::Span<const BlockReference> versions;
  BlockStack* next = nullptr;
};

// What a template and those it extends share while they run.
struct Context {
  const Program* program = nullptr;
  const Layer* parent = nullptr;
  Dict* vars = nullptr;      // Set at the top level; over `parent`.
  Dict* exported = nullptr;  // The names of those that importers may see.
  BlockStack* blocks = nullptr;
  bool autoescape = false;

  BlockStack* FindBlock(Symbol name) const;
};

struct Frame {
  const Frame* outer = nullptr;  // Of the unit that the running one lies in.
  Context* context = nullptr;
  const Program* program = nullptr;
  const Unit* unit = nullptr;
  Value* slots = nullptr;
  const Program* extended = nullptr;  // The parent template, once known.
  int loop_depth = 0;                 // Of the recursive loop that runs.
};

class Vm final : public Runtime {
 public:
  Vm(const Engine& engine, const RenderOptions& options);

  absl::Status Render(const Program& program, const Dict& variables);
  absl::string_view text() const { return output_.Since(0); }

  // For the engine's own objects.
  absl::StatusOr<Value> CallMacro(const MacroObject& macro, const Arguments& arguments);
  absl::StatusOr<Value> CallLoop(const LoopObject& loop, const Value& iterable);
  absl::StatusOr<Value> CallBlock(const BlockStack& block, size_t version, Context& context);
  absl::StatusOr<bool> PassesFilter(const Frame& outer, const Unit& unit, const Value& item);

  std::vector<absl::string_view> VariableNames() const override;

 private:
  // Where a running unit is.
  struct State {
    Frame& frame;
    const Instruction* pc;  // The next one.
    Value* sp;              // One past the top.
  };

  struct Segment {
    Value* begin = nullptr;
    Value* end = nullptr;
    Segment* next = nullptr;
  };

  // The part of the value stack that a call uses, given back at its end.
  class StackPart {
   public:
    StackPart(Vm& vm, size_t count);
    ~StackPart();
    Value* begin() const { return begin_; }

   private:
    Vm& vm_;
    Segment* const segment_;
    Value* const top_;
    Value* begin_;
  };

  // Runs `frame.unit`, with room for its slots and operands. The first values
  // of the slots are `arguments`; `operand` is put on the stack unless missing.
  absl::Status Run(Frame& frame, absl::Span<const Value> arguments, const Value& operand, Value* result);
  absl::Status Execute(State& state);
  // Adds where to a failure: the place itself, or one more step of the way.
  absl::Status Located(const absl::Status& status, const State& state) const;
  // Runs in `context` with its escaping; what it emits is taken as a value.
  absl::StatusOr<Value> Capture(Frame& frame, absl::Span<const Value> arguments, const Value& operand, bool as_markup);

#define SSG_TEMPLATE_HANDLER(name) bool Do##name(const Instruction& i, State& s);
  SSG_TEMPLATE_OPCODES(SSG_TEMPLATE_HANDLER)
#undef SSG_TEMPLATE_HANDLER

  bool Fail(absl::Status status) {
    status_ = std::move(status);
    return false;
  }
  // Replaces the top `count` operands by the result.
  bool Finish(absl::StatusOr<Value> result, size_t count, State& s);
  bool EmitValue(const Value& value, EmitMode mode);
  bool EmitSlow(const Value& value, EmitMode mode);

  // Calls: vm_call.cc.
  struct Gathered {
    Arguments arguments;
    absl::InlinedVector<Value, 8> positional;
    absl::InlinedVector<NamedValue, 4> named;
  };
  absl::Status Gather(const CallShape& shape, const Value* operands, Gathered& gathered);
  absl::StatusOr<Value> CallFunction(const CallShape& shape, const Value* operands);
  bool BindMacro(const MacroObject& macro, const Arguments& arguments, absl::InlinedVector<Value, 16>& slots);

  // Contexts and templates: vm_template.cc.
  Value Lookup(const Context& context, Symbol name);
  Context* NewContext(const Program& program, const Layer* parent);
  const Layer* AllVariables(const Context& context);
  const Layer* WithLocals(const Layer* parent, const LocalNames& locals, const Frame& frame);
  void AddBlocks(Context& context, const Program& program);
  absl::Status RunTemplate(const Program& program, Context& context);
  absl::StatusOr<const Program*> Load(const Value& name);
  // The first of several that exists; null if none does and that is allowed.
  absl::StatusOr<const Program*> LoadAny(const Value& names, bool ignore_missing);
  absl::StatusOr<const ModuleObject*> LoadModule(const Program& program, const IncludeShape& shape, const Frame& frame);

  const Engine& engine_;
  Output output_;
  absl::Status status_;
  Segment* segment_ = nullptr;
  Value* stack_top_ = nullptr;
  const Frame* running_ = nullptr;
  const Layer* globals_ = nullptr;
  std::vector<std::pair<std::string, std::shared_ptr<const Template>>> templates_;
  absl::flat_hash_map<const Program*, const ModuleObject*> modules_;
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_VM_H_

// The Vm's templates: contexts, blocks, inheritance, includes and imports.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/diagnostic.h"
#include "ssg/template/vm.h"
#include "ssg/template/vm_object.h"

namespace ssg::tmpl {

BlockStack* Context::FindBlock(Symbol name) const {
  for (BlockStack* block = blocks; block != nullptr; block = block->next) {
    if (block->name == name) return block;
  }
  return nullptr;
}

absl::Status Vm::Render(const Program& program, const Dict& variables) {
  Layer* globals = arena_.New<Layer>();
  globals->names = &environment_.globals();
  globals_ = globals;
  Layer* layer = arena_.New<Layer>();
  layer->names = &variables;
  layer->next = globals;
  if (observer_ != nullptr) observer_->OnTemplate(program.name, true);
  Context* context = NewContext(program, layer);
  RETURN_IF_ERROR(RunTemplate(program, *context));
  if (output_.Exceeded()) {
    Diagnostic diagnostic;
    diagnostic.name = program.name;
    diagnostic.message = absl::StrCat("the output is larger than ", environment_.limits().output_bytes_max, " bytes");
    return ToStatus(diagnostic, absl::StatusCode::kResourceExhausted);
  }
  return absl::OkStatus();
}

Value Vm::Lookup(const Context& context, Symbol name) {
  if (observer_ != nullptr) observer_->OnVariable(name);
  if (const Value* found = context.vars->Find(name)) return *found;
  for (const Layer* layer = context.parent; layer != nullptr; layer = layer->next) {
    if (const Value* found = layer->names->Find(name)) return *found;
  }
  return Value();
}

Context* Vm::NewContext(const Program& program, const Layer* parent) {
  Context* context = arena_.New<Context>();
  context->program = &program;
  context->parent = parent;
  context->vars = NewDict(arena_);
  context->exported = NewDict(arena_);
  context->autoescape = program.autoescape;
  AddBlocks(*context, program);
  return context;
}

void Vm::AddBlocks(Context& context, const Program& program) {
  for (const auto& [name, unit] : program.blocks) {
    BlockStack* block = context.FindBlock(name);
    if (block == nullptr) {
      block = arena_.New<BlockStack>();
      block->name = name;
      block->next = context.blocks;
      context.blocks = block;
    }
    const size_t count = block->versions.size();
    BlockReference* versions = arena_.NewArray<BlockReference>(count + 1);
    std::copy(block->versions.begin(), block->versions.end(), versions);
    versions[count] = BlockReference{&program, &program.units[unit]};
    block->versions = absl::MakeConstSpan(versions, count + 1);
  }
}

// A snapshot: what is set later is not seen through it.
const Layer* Vm::AllVariables(const Context& context) {
  if (context.vars->size == 0) return context.parent;
  Dict* names = NewDict(arena_, context.vars->size);
  for (uint32_t i = 0; i < context.vars->used; ++i) {
    const Dict::Entry& entry = context.vars->entries[i];
    if (!entry.key.IsMissing()) Set(arena_, *names, entry.key, entry.value);
  }
  Layer* layer = arena_.New<Layer>();
  layer->names = names;
  layer->next = context.parent;
  return layer;
}

const Layer* Vm::WithLocals(const Layer* parent, const LocalNames& locals, const Frame& frame) {
  if (locals.empty()) return parent;
  Dict* names = NewDict(arena_, locals.size());
  for (const LocalName& local : locals) {
    const Frame* owner = &frame;
    for (uint8_t depth = local.depth; depth > 0; --depth) owner = owner->outer;
    const Value& value = owner->slots[local.slot];
    if (!value.IsMissing()) Set(arena_, *names, local.name, value);
  }
  Layer* layer = arena_.New<Layer>();
  layer->names = names;
  layer->next = parent;
  return layer;
}

absl::Status Vm::RunTemplate(const Program& program, Context& context) {
  Frame frame;
  frame.context = &context;
  frame.program = &program;
  frame.unit = &program.units[0];
  return Run(frame, {}, Value(), nullptr);
}

absl::StatusOr<const Program*> Vm::Load(const Value& name) {
  if (name.IsUndefined()) return UndefinedError(name);
  if (!name.IsString()) {
    return absl::InvalidArgumentError(absl::StrCat("a template's name must be a str, not ", TypeName(name)));
  }
  for (const auto& [known, found] : templates_) {
    if (known == name.text()) return &found->program();
  }
  absl::StatusOr<std::shared_ptr<const Template>> found = engine_.Get(name.text());
  if (observer_ != nullptr) observer_->OnTemplate(name.text(), found.ok());
  if (!found.ok()) return std::move(found).status();
  templates_.emplace_back(std::string(name.text()), *std::move(found));
  return &templates_.back().second->program();
}

absl::StatusOr<const Program*> Vm::LoadAny(const Value& names, bool ignore_missing) {
  const bool is_list = names.IsListLike();
  const absl::Span<const Value> all =
      is_list ? absl::MakeConstSpan(names.list().items, names.list().size) : absl::MakeConstSpan(&names, 1);
  absl::Status missing = absl::NotFoundError("none of an empty list of templates exists");
  for (const Value& name : all) {
    if (name.IsUndefined() && ignore_missing) continue;
    absl::StatusOr<const Program*> program = Load(name);
    // Only the loader's own NotFound: a template that fails to compile is there.
    if (program.ok() || !absl::IsNotFound(program.status()) || DiagnosticOf(program.status()).has_value()) {
      return program;
    }
    missing = std::move(program).status();
  }
  if (ignore_missing) return static_cast<const Program*>(nullptr);
  if (is_list && all.size() > 1) {
    return absl::NotFoundError(absl::StrCat("none of the ", all.size(), " templates exists"));
  }
  return missing;
}

bool Vm::DoExport(const Instruction& i, State& s) {
  const Symbol name = s.frame.program->symbols[i.operand];
  Set(arena_, *s.frame.context->vars, name, s.frame.slots[i.slot]);
  if (i.depth != 0) {
    Set(arena_, *s.frame.context->exported, name, Value::Bool(true));
  } else {
    Erase(*s.frame.context->exported, Value::String(name.text()));
  }
  return true;
}

bool Vm::DoBlock(const Instruction& i, State& s) {
  const Symbol name = s.frame.program->symbols[i.operand];
  Context* context = s.frame.context;
  if (i.depth != 0) {
    Context* derived = arena_.New<Context>(*context);
    derived->parent = WithLocals(AllVariables(*context), s.frame.program->locals[i.slot], s.frame);
    derived->vars = NewDict(arena_);
    derived->exported = NewDict(arena_);
    context = derived;
  }
  const BlockStack* block = context->FindBlock(name);
  Frame frame;
  frame.context = context;
  frame.program = block->versions[0].program;
  frame.unit = block->versions[0].unit;
  absl::Status status = Run(frame, {}, Value(), nullptr);
  return status.ok() || Fail(std::move(status));
}

absl::StatusOr<Value> Vm::CallBlock(const BlockStack& block, size_t version, Context& context) {
  Frame frame;
  frame.context = &context;
  frame.program = block.versions[version].program;
  frame.unit = block.versions[version].unit;
  return Capture(frame, {}, Value(), context.autoescape);
}

bool Vm::DoRequireBlock(const Instruction& i, State& s) {
  const Symbol name = s.frame.program->symbols[i.operand];
  if (s.frame.context->FindBlock(name)->versions.size() > 1) return true;
  return Fail(absl::InvalidArgumentError(absl::StrCat("Required block '", name.text(), "' not found")));
}

bool Vm::DoSelf(const Instruction& i, State& s) {
  s.frame.slots[i.slot] = Value::Of(arena_.New<SelfObject>(*s.frame.context));
  return true;
}

bool Vm::DoSuper(const Instruction& i, State& s) {
  const Symbol name = s.frame.program->symbols[i.operand];
  const BlockStack& block = *s.frame.context->FindBlock(name);
  size_t version = 0;
  while (block.versions[version].unit != s.frame.unit) ++version;
  s.frame.slots[i.slot] = BlockObject::Super(*this, block, version, *s.frame.context);
  return true;
}

bool Vm::DoExtends(const Instruction&, State& s) {
  const absl::StatusOr<const Program*> parent = LoadAny(*--s.sp, false);
  if (!parent.ok()) return Fail(parent.status());
  s.frame.extended = *parent;
  AddBlocks(*s.frame.context, **parent);
  return true;
}

bool Vm::DoJumpIfExtended(const Instruction& i, State& s) {
  if (s.frame.extended != nullptr) s.pc = s.frame.unit->code.data() + i.operand;
  return true;
}

bool Vm::DoRenderParent(const Instruction&, State& s) {
  if (s.frame.extended == nullptr) return true;
  absl::Status status = RunTemplate(*s.frame.extended, *s.frame.context);
  return status.ok() || Fail(std::move(status));
}

bool Vm::DoInclude(const Instruction& i, State& s) {
  const IncludeShape& shape = s.frame.program->includes[i.operand];
  const absl::StatusOr<const Program*> program = LoadAny(*--s.sp, shape.ignore_missing);
  if (!program.ok()) return Fail(program.status());
  if (*program == nullptr) return true;
  if (!shape.with_context) {
    const absl::StatusOr<const ModuleObject*> module = LoadModule(**program, shape, s.frame);
    if (!module.ok()) return Fail(module.status());
    output_.Append((*module)->body());
    return true;
  }
  const Layer* layer = WithLocals(AllVariables(*s.frame.context), s.frame.program->locals[shape.locals], s.frame);
  absl::Status status = Spend(1);
  if (status.ok()) status = RunTemplate(**program, *NewContext(**program, layer));
  return status.ok() || Fail(std::move(status));
}

absl::StatusOr<const ModuleObject*> Vm::LoadModule(const Program& program, const IncludeShape& shape,
                                                   const Frame& frame) {
  if (!shape.with_context) {
    const auto found = modules_.find(&program);
    if (found != modules_.end()) return found->second;
  }
  const Layer* layer = globals_;
  if (shape.with_context) {
    layer = WithLocals(AllVariables(*frame.context), frame.program->locals[shape.locals], frame);
  }
  RETURN_IF_ERROR(Spend(1));
  Context* context = NewContext(program, layer);
  const size_t position = output_.size();
  RETURN_IF_ERROR(RunTemplate(program, *context));
  const absl::string_view body = arena_.Copy(output_.Since(position));
  output_.Truncate(position);
  Dict* names = NewDict(arena_, context->exported->size);
  for (uint32_t k = 0; k < context->exported->used; ++k) {
    const Value& key = context->exported->entries[k].key;
    if (!key.IsMissing()) Set(arena_, *names, key, *context->vars->Find(key));
  }
  const ModuleObject* module = arena_.New<ModuleObject>(program.name, *names, body);
  if (!shape.with_context) modules_.emplace(&program, module);
  return module;
}

bool Vm::DoImport(const Instruction& i, State& s) {
  const IncludeShape& shape = s.frame.program->includes[i.operand];
  const absl::StatusOr<const Program*> program = LoadAny(s.sp[-1], false);
  if (!program.ok()) return Fail(program.status());
  const absl::StatusOr<const ModuleObject*> module = LoadModule(**program, shape, s.frame);
  if (!module.ok()) return Fail(module.status());
  s.sp[-1] = Value::Of(*module);
  return true;
}

bool Vm::DoFromImport(const Instruction& i, State& s) {
  const Symbol name = s.frame.program->symbols[i.operand];
  const auto& module = static_cast<const ModuleObject&>(s.sp[-1].object());
  const absl::StatusOr<Value> found = module.Attribute(name, *this);
  if (!found.ok()) return Fail(found.status());
  s.frame.slots[i.slot] = *found;
  if (!found->IsMissing()) return true;
  const std::string hint = DidYouMean(name.text(), module.AttributeNames());
  s.frame.slots[i.slot] =
      UndefinedBecause(absl::StrCat("the template '", module.name(), "' does not export the requested name '",
                                    name.text(), "'", hint.empty() ? "" : "; ", hint),
                       name.text());
  return true;
}

}  // namespace ssg::tmpl

// tidy: long-file: one case for each statement of the grammar.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "ssg/template/compiler.h"

namespace ssg::tmpl {
namespace {

bool AssignsLoop(const Expr* target) {
  if (target == nullptr) return false;
  if (target->kind == ExprKind::kName && target->is_store && target->name == "loop") return true;
  return std::any_of(target->items.begin(), target->items.end(), AssignsLoop);
}

bool AssignsLoop(const std::vector<Stmt*>& body) {
  return std::any_of(body.begin(), body.end(), [](const Stmt* stmt) {
    return AssignsLoop(stmt->target) || AssignsLoop(stmt->body) || AssignsLoop(stmt->branches) ||
           AssignsLoop(stmt->else_body);
  });
}

bool HasScopedBlock(const std::vector<Stmt*>& body) {
  return std::any_of(body.begin(), body.end(), [](const Stmt* stmt) {
    return (stmt->kind == StmtKind::kBlock && stmt->scoped) || HasScopedBlock(stmt->body) ||
           HasScopedBlock(stmt->branches) || HasScopedBlock(stmt->else_body);
  });
}

}  // namespace

void Compiler::VisitBody(const std::vector<Stmt*>& body, const Frame& frame) {
  for (const Stmt* stmt : body) {
    if (failed()) return;
    Visit(*stmt, frame);
  }
}

void Compiler::Visit(const Stmt& stmt, const Frame& frame) {
  offset_ = stmt.offset;
  switch (stmt.kind) {
    case StmtKind::kText:
      return VisitText(stmt, frame);
    case StmtKind::kOutput:
      return VisitOutput(stmt, frame);
    case StmtKind::kFor:
      return VisitFor(stmt, frame);
    case StmtKind::kIf:
      return VisitIf(stmt, frame);
    case StmtKind::kBlock:
      return VisitBlock(stmt, frame);
    case StmtKind::kExtends:
      return VisitExtends(stmt, frame);
    case StmtKind::kInclude:
      return VisitInclude(stmt, frame);
    case StmtKind::kImport:
      return VisitImport(stmt, frame);
    case StmtKind::kFromImport:
      return VisitFromImport(stmt, frame);
    case StmtKind::kSet:
      return VisitSet(stmt, frame);
    case StmtKind::kSetBlock:
      return VisitSetBlock(stmt, frame);
    case StmtKind::kMacro:
      return VisitMacro(stmt, frame);
    case StmtKind::kCallBlock:
      return VisitCallBlock(stmt, frame);
    case StmtKind::kFilterBlock:
      return VisitFilterBlock(stmt, frame);
    case StmtKind::kWith:
      return VisitWith(stmt, frame);
    case StmtKind::kAutoescape:
      return VisitAutoescape(stmt, frame);
    case StmtKind::kDo:
      Visit(*stmt.exprs[0], frame);
      Emit(Opcode::kPop);
      return;
    case StmtKind::kBreak:
    case StmtKind::kContinue:
      return VisitLeaveLoop(stmt);
  }
}

void Compiler::VisitText(const Stmt& stmt, const Frame& frame) {
  if (frame.checks_output && has_known_extends_) return;
  size_t skip = 0;
  if (frame.checks_output) skip = Emit(Opcode::kJumpIfExtended);
  program_.texts.push_back(program_.source.data() <= stmt.text.data() &&
                                   stmt.text.data() < program_.source.data() + program_.source.size()
                               ? stmt.text
                               : program_.arena.Copy(stmt.text));
  Emit(Opcode::kText, static_cast<uint32_t>(program_.texts.size() - 1));
  if (frame.checks_output) Land(skip);
}

void Compiler::VisitOutput(const Stmt& stmt, const Frame& frame) {
  if (frame.checks_output && has_known_extends_) return;
  size_t skip = 0;
  if (frame.checks_output) skip = Emit(Opcode::kJumpIfExtended);
  for (const Expr* expr : stmt.exprs) {
    Visit(*expr, frame);
    offset_ = expr->offset;
    Emit(Opcode::kEmit, 0, 0, static_cast<uint8_t>(mode_));
  }
  if (frame.checks_output) Land(skip);
}

void Compiler::VisitFor(const Stmt& stmt, const Frame& frame) {
  if (AssignsLoop(stmt.target) || AssignsLoop(stmt.body) || AssignsLoop(stmt.else_body)) {
    Fail(stmt.offset, "Can't assign to special loop variable in for-loop target");
    return;
  }
  const int filter_unit = stmt.test == nullptr ? -1 : CompileLoopFilter(stmt, frame);
  if (!stmt.recursive) {
    Visit(*stmt.exprs[0], frame);
    Scope scope(frame.scope, unit_);
    VisitForBody(stmt, frame, scope, filter_unit);
    return;
  }
  // A recursive loop is a unit of its own, which finds its iterable on the stack.
  const EmitMode mode = mode_;
  const Outside outside = EnterUnit("in loop of", unit_);
  mode_ = mode;
  ++builder().stack;
  Scope scope(frame.scope, unit_);
  Frame inner = frame;
  inner.checks_output = frame.checks_output && has_known_extends_;
  VisitForBody(stmt, inner, scope, filter_unit);
  Emit(Opcode::kReturn);
  const int unit = LeaveUnit(outside);
  Visit(*stmt.exprs[0], frame);
  offset_ = stmt.offset;
  Emit(Opcode::kLoopCall, static_cast<uint32_t>(unit));
}

int Compiler::CompileLoopFilter(const Stmt& stmt, const Frame& frame) {
  const Outside outside = EnterUnit("in loop filter of", unit_);
  ++builder().stack;
  Scope scope(frame.scope, unit_);
  scope.AnalyzeParameters(stmt.target);
  scope.AnalyzeExpr(stmt.test);
  Frame inner;
  inner.scope = &scope;
  EnterScope(scope);
  AssignTarget(*stmt.target, inner);
  Visit(*stmt.test, inner);
  Emit(Opcode::kReturnValue);
  return LeaveUnit(outside);
}

void Compiler::VisitForBody(const Stmt& stmt, const Frame& frame, Scope& scope, int filter_unit) {
  const bool uses_loop = stmt.recursive || !FindUndeclared(stmt.body, {"loop"}).empty() || HasScopedBlock(stmt.body);
  if (uses_loop) scope.DeclareParameter("loop");
  scope.AnalyzeParameters(stmt.target);
  scope.Analyze(stmt.body);
  Frame inner;
  inner.scope = &scope;
  inner.checks_output = frame.checks_output;
  const uint16_t loop_slot = NewSlot();
  offset_ = stmt.exprs[0]->offset;
  program_.fors.push_back(ForShape{filter_unit, stmt.recursive});
  Emit(Opcode::kForBegin, static_cast<uint32_t>(program_.fors.size() - 1), loop_slot);
  // The name is cleared when its scope ends; the iteration itself lives longer.
  if (uses_loop) Emit(Opcode::kAlias, loop_slot, OwnSlot(inner, "loop"));
  Loop loop;
  loop.cleanups = cleanups_.size();
  loop.next = Here();
  loops_.push_back(loop);
  const size_t next = Emit(Opcode::kForNext, 0, loop_slot);
  AssignTarget(*stmt.target, inner);
  EnterScope(scope);
  VisitBody(stmt.body, inner);
  offset_ = stmt.offset;
  if (!stmt.else_body.empty()) Emit(Opcode::kForMark, 0, loop_slot);
  Emit(Opcode::kJump, static_cast<uint32_t>(loops_.back().next));
  Land(next);
  for (size_t jump : loops_.back().breaks) Land(jump);
  loops_.pop_back();
  LeaveScope(scope);
  if (stmt.else_body.empty()) return;
  const size_t skip = Emit(Opcode::kForElse, 0, loop_slot);
  Scope else_scope(frame.scope, unit_);
  else_scope.Analyze(stmt.else_body);
  Frame else_frame;
  else_frame.scope = &else_scope;
  else_frame.checks_output = frame.checks_output;
  EnterScope(else_scope);
  VisitBody(stmt.else_body, else_frame);
  Land(skip);
}

void Compiler::VisitLeaveLoop(const Stmt& stmt) {
  if (loops_.empty()) {
    Fail(stmt.offset, "break and continue belong into a for loop");
    return;
  }
  const int stack = builder().stack;
  for (size_t i = cleanups_.size(); i > loops_.back().cleanups; --i) {
    if (cleanups_[i - 1].is_capture) {
      Emit(Opcode::kCaptureEnd);
      Emit(Opcode::kPop);
    } else {
      Emit(Opcode::kRestoreAutoescape, 0, cleanups_[i - 1].slot);
    }
  }
  const size_t jump = Emit(Opcode::kJump, static_cast<uint32_t>(loops_.back().next));
  if (stmt.kind == StmtKind::kBreak) loops_.back().breaks.push_back(jump);
  builder().stack = stack;
}

void Compiler::VisitIf(const Stmt& stmt, const Frame& frame) {
  Frame soft = frame;
  soft.rootlevel = false;
  soft.soft = true;
  std::vector<size_t> ends;
  const auto branch = [&](const Stmt& part, bool is_last) {
    Visit(*part.exprs[0], soft);
    const size_t skip = Emit(Opcode::kJumpIfFalse);
    VisitBody(part.body, soft);
    if (!is_last) ends.push_back(Emit(Opcode::kJump));
    Land(skip);
  };
  branch(stmt, stmt.branches.empty() && stmt.else_body.empty());
  for (size_t i = 0; i < stmt.branches.size(); ++i) {
    branch(*stmt.branches[i], i + 1 == stmt.branches.size() && stmt.else_body.empty());
  }
  VisitBody(stmt.else_body, soft);
  for (size_t end : ends) Land(end);
}

void Compiler::VisitBlock(const Stmt& stmt, const Frame& frame) {
  size_t skip = 0;
  const bool checks = frame.toplevel && extends_so_far_ > 0;
  if (frame.toplevel && has_known_extends_) return;
  if (checks) skip = Emit(Opcode::kJumpIfExtended);
  if (stmt.required) Emit(Opcode::kRequireBlock, SymbolIndex(stmt.name));
  const uint32_t locals = stmt.scoped ? Locals(frame) : 0;
  if (locals > 65535) Fail(stmt.offset, "too many scoped blocks");
  Emit(Opcode::kBlock, SymbolIndex(stmt.name), static_cast<uint16_t>(locals), stmt.scoped ? 1 : 0);
  if (checks) Land(skip);
}

void Compiler::NoteReference(const Expr& expr) {
  if (expr.kind == ExprKind::kConstant && expr.constant.IsString()) {
    program_.references.emplace_back(expr.constant.text());
  }
  for (const Expr* item : expr.items) NoteReference(*item);
}

void Compiler::VisitExtends(const Stmt& stmt, const Frame& frame) {
  if (!frame.toplevel) {
    Fail(stmt.offset, "cannot use extend from a non top-level scope");
    return;
  }
  if (extends_so_far_ > 0) {
    const size_t skip = has_known_extends_ ? 0 : Emit(Opcode::kJumpIfExtended);
    const size_t first = has_known_extends_ ? 0 : Emit(Opcode::kJump);
    if (!has_known_extends_) Land(skip);
    Emit(Opcode::kFail, TextConstant("extended multiple times"));
    if (!has_known_extends_) Land(first);
  }
  NoteReference(*stmt.exprs[0]);
  Visit(*stmt.exprs[0], frame);
  offset_ = stmt.exprs[0]->offset;
  Emit(Opcode::kExtends);
  if (frame.rootlevel) has_known_extends_ = true;
  ++extends_so_far_;
}

void Compiler::VisitInclude(const Stmt& stmt, const Frame& frame) {
  NoteReference(*stmt.exprs[0]);
  Visit(*stmt.exprs[0], frame);
  offset_ = stmt.exprs[0]->offset;
  program_.includes.push_back(
      IncludeShape{stmt.ignore_missing, stmt.with_context, stmt.with_context ? Locals(frame) : 0});
  Emit(Opcode::kInclude, static_cast<uint32_t>(program_.includes.size() - 1));
}

void Compiler::VisitImport(const Stmt& stmt, const Frame& frame) {
  NoteReference(*stmt.exprs[0]);
  Visit(*stmt.exprs[0], frame);
  offset_ = stmt.exprs[0]->offset;
  program_.includes.push_back(IncludeShape{false, stmt.with_context, stmt.with_context ? Locals(frame) : 0});
  Emit(Opcode::kImport, static_cast<uint32_t>(program_.includes.size() - 1));
  Emit(Opcode::kStore, 0, OwnSlot(frame, stmt.name));
  ExportName(stmt.name, false, frame);
}

void Compiler::VisitFromImport(const Stmt& stmt, const Frame& frame) {
  NoteReference(*stmt.exprs[0]);
  Visit(*stmt.exprs[0], frame);
  offset_ = stmt.exprs[0]->offset;
  program_.includes.push_back(IncludeShape{false, stmt.with_context, stmt.with_context ? Locals(frame) : 0});
  Emit(Opcode::kImport, static_cast<uint32_t>(program_.includes.size() - 1));
  for (const auto& [name, alias] : stmt.names) {
    Emit(Opcode::kFromImport, SymbolIndex(name), OwnSlot(frame, alias));
  }
  Emit(Opcode::kPop);
  for (const auto& [name, alias] : stmt.names) ExportName(alias, false, frame);
}

void Compiler::ExportName(absl::string_view name, bool is_public, const Frame& frame) {
  if (!frame.toplevel) return;
  Emit(Opcode::kExport, SymbolIndex(name), OwnSlot(frame, name), is_public ? 1 : 0);
}

void Compiler::AssignTarget(const Expr& target, const Frame& frame) {
  offset_ = target.offset;
  if (target.kind == ExprKind::kName) {
    Emit(Opcode::kStore, 0, OwnSlot(frame, target.name));
  } else if (target.kind == ExprKind::kNamespaceRef) {
    Reference reference;
    frame.scope->Find(target.name, reference);
    Emit(Opcode::kSetNamespace, SymbolIndex(target.attribute), SlotOf(reference.unit, reference.level, target.name),
         DepthTo(reference.unit));
  } else {
    Emit(Opcode::kUnpack, static_cast<uint32_t>(target.items.size()));
    for (const Expr* item : target.items) AssignTarget(*item, frame);
  }
}

void Compiler::ExportTarget(const Expr& target, const Frame& frame) {
  if (target.kind == ExprKind::kName) ExportName(target.name, target.name[0] != '_', frame);
  for (const Expr* item : target.items) ExportTarget(*item, frame);
}

void Compiler::VisitSet(const Stmt& stmt, const Frame& frame) {
  Visit(*stmt.exprs[0], frame);
  AssignTarget(*stmt.target, frame);
  ExportTarget(*stmt.target, frame);
}

void Compiler::VisitSetBlock(const Stmt& stmt, const Frame& frame) {
  Scope scope(frame.scope, unit_);
  scope.Analyze(stmt.body);
  Frame inner;
  inner.scope = &scope;
  EnterScope(scope);
  Emit(Opcode::kCaptureBegin);
  cleanups_.push_back({true, 0});
  VisitBody(stmt.body, inner);
  cleanups_.pop_back();
  offset_ = stmt.offset;
  const bool has_filter = stmt.filter != nullptr;
  Emit(Opcode::kCaptureEnd, 0, 0, static_cast<uint8_t>(has_filter ? mode_ : EmitMode::kByContext));
  if (has_filter) {
    Visit(*stmt.filter, inner);
    Emit(Opcode::kMarkSafe);
  }
  AssignTarget(*stmt.target, frame);
  ExportTarget(*stmt.target, frame);
  LeaveScope(scope);
}

uint32_t Compiler::CompileMacro(const Stmt& stmt, const Frame& frame) {
  const bool is_call = stmt.kind == StmtKind::kCallBlock;
  const EmitMode mode = mode_;
  const Outside outside =
      EnterUnit(is_call ? "in call block of" : absl::StrCat("in macro '", stmt.name, "' of"), unit_);
  mode_ = mode;
  Scope scope(frame.scope, unit_);
  Frame inner;
  inner.scope = &scope;
  MacroShape shape;
  if (!is_call) shape.name = Symbol::Intern(stmt.name);
  CompileMacroParameters(stmt, inner, scope, shape);
  VisitBody(stmt.body, inner);
  Emit(Opcode::kReturn);
  shape.unit = static_cast<uint32_t>(LeaveUnit(outside));
  program_.macros.push_back(std::move(shape));
  return static_cast<uint32_t>(program_.macros.size() - 1);
}

void Compiler::CompileMacroParameters(const Stmt& stmt, const Frame& frame, Scope& scope, MacroShape& shape) {
  const auto analyze = [&] {
    for (const Expr* parameter : stmt.targets) scope.AnalyzeExpr(parameter);
    for (const Expr* value : stmt.defaults) scope.AnalyzeExpr(value);
    scope.Analyze(stmt.body);
  };
  analyze();
  const size_t without_default = stmt.targets.size() - stmt.defaults.size();
  std::set<absl::string_view> given;
  for (const Expr* parameter : stmt.targets) {
    given.insert(parameter->name);
    OwnSlot(frame, parameter->name);  // Takes the next slot.
    shape.parameters.push_back(Symbol::Intern(parameter->name));
  }
  const std::set<absl::string_view> undeclared = FindUndeclared(stmt.body, {"caller", "kwargs", "varargs"});
  const auto special = [&](absl::string_view name) {
    if (undeclared.count(name) == 0 || given.count(name) > 0) return false;
    scope.DeclareParameter(name);
    OwnSlot(frame, name);
    return true;
  };
  if (undeclared.count("caller") > 0 && given.count("caller") > 0) {
    for (size_t i = 0; i < without_default; ++i) {
      if (stmt.targets[i]->name == "caller") {
        Fail(stmt.offset,
             "When defining macros or call blocks the special \"caller\" argument must be omitted "
             "or be given a default.");
      }
    }
    shape.takes_caller = true;
  } else {
    shape.takes_caller = special("caller");
  }
  shape.catches_kwargs = special("kwargs");
  shape.catches_varargs = special("varargs");
  analyze();
  EnterScope(scope);
  for (size_t i = 0; i < stmt.targets.size(); ++i) {
    const Expr& parameter = *stmt.targets[i];
    offset_ = parameter.offset;
    const uint16_t slot = OwnSlot(frame, parameter.name);
    const size_t skip = Emit(Opcode::kJumpUnlessMissing, 0, slot);
    if (i < without_default) {
      Emit(Opcode::kUndefinedParameter, SymbolIndex(parameter.name), slot);
    } else {
      Visit(*stmt.defaults[i - without_default], frame);
      Emit(Opcode::kStore, 0, slot);
    }
    Land(skip);
  }
}

void Compiler::VisitMacro(const Stmt& stmt, const Frame& frame) {
  const uint32_t macro = CompileMacro(stmt, frame);
  offset_ = stmt.offset;
  Emit(Opcode::kMacro, macro);
  Emit(Opcode::kStore, 0, OwnSlot(frame, stmt.name));
  if (frame.toplevel) {
    // A private macro stays as exported as it was.
    Emit(Opcode::kExport, SymbolIndex(stmt.name), OwnSlot(frame, stmt.name), stmt.name[0] != '_' ? 1 : 0);
  }
}

void Compiler::VisitCallBlock(const Stmt& stmt, const Frame& frame) {
  const uint32_t macro = CompileMacro(stmt, frame);
  offset_ = stmt.offset;
  VisitCall(*stmt.exprs[0], frame, static_cast<int>(macro));
  Emit(Opcode::kEmit, 0, 0, static_cast<uint8_t>(EmitMode::kPlain));
}

void Compiler::VisitFilterBlock(const Stmt& stmt, const Frame& frame) {
  Scope scope(frame.scope, unit_);
  scope.Analyze(stmt.body);
  scope.AnalyzeExpr(stmt.exprs[0]);
  Frame inner;
  inner.scope = &scope;
  inner.checks_output = frame.checks_output;
  EnterScope(scope);
  Emit(Opcode::kCaptureBegin);
  cleanups_.push_back({true, 0});
  VisitBody(stmt.body, inner);
  cleanups_.pop_back();
  offset_ = stmt.offset;
  Emit(Opcode::kCaptureEnd, 0, 0, static_cast<uint8_t>(mode_));
  Visit(*stmt.exprs[0], inner);
  Emit(Opcode::kEmit, 0, 0, static_cast<uint8_t>(EmitMode::kPlain));
  LeaveScope(scope);
}

void Compiler::VisitWith(const Stmt& stmt, const Frame& frame) {
  Scope scope(frame.scope, unit_);
  for (const Expr* target : stmt.targets) scope.AnalyzeExpr(target);
  scope.Analyze(stmt.body);
  Frame inner;
  inner.scope = &scope;
  inner.checks_output = frame.checks_output;
  EnterScope(scope);
  for (size_t i = 0; i < stmt.targets.size(); ++i) {
    Visit(*stmt.exprs[i], frame);
    AssignTarget(*stmt.targets[i], inner);
  }
  VisitBody(stmt.body, inner);
  LeaveScope(scope);
}

void Compiler::VisitAutoescape(const Stmt& stmt, const Frame& frame) {
  Scope scope(frame.scope, unit_);
  scope.AnalyzeExpr(stmt.exprs[0]);
  scope.Analyze(stmt.body);
  Frame inner;
  inner.scope = &scope;
  inner.checks_output = frame.checks_output;
  EnterScope(scope);
  const uint16_t slot = NewSlot();
  Visit(*stmt.exprs[0], inner);
  Emit(Opcode::kAutoescape, 0, slot);
  const EmitMode mode = mode_;
  const Expr& setting = *stmt.exprs[0];
  if (setting.kind != ExprKind::kConstant || !setting.constant.IsBool()) {
    mode_ = EmitMode::kByContext;
  } else if (mode_ != EmitMode::kByContext) {
    mode_ = setting.constant.bool_value() ? EmitMode::kEscape : EmitMode::kPlain;
  }
  cleanups_.push_back({false, slot});
  VisitBody(stmt.body, inner);
  cleanups_.pop_back();
  mode_ = mode;
  Emit(Opcode::kRestoreAutoescape, 0, slot);
  LeaveScope(scope);
}

}  // namespace ssg::tmpl

#include "absl/strings/str_cat.h"
#include "ssg/template/compiler.h"
#include "ssg/template/diagnostic.h"

namespace ssg::tmpl {

void Compiler::Visit(const Expr& expr, const Frame& frame) {
  offset_ = expr.offset;
  switch (expr.kind) {
    case ExprKind::kConstant:
      VisitConstant(expr);
      return;
    case ExprKind::kName:
      VisitName(expr, frame);
      return;
    case ExprKind::kTuple:
    case ExprKind::kList:
      for (const Expr* item : expr.items) Visit(*item, frame);
      offset_ = expr.offset;
      Emit(expr.kind == ExprKind::kTuple ? Opcode::kBuildTuple : Opcode::kBuildList,
           static_cast<uint32_t>(expr.items.size()));
      return;
    case ExprKind::kDict:
      VisitDict(expr, frame);
      return;
    case ExprKind::kGetAttr:
      Visit(*expr.a, frame);
      offset_ = expr.a->offset;  // It fails only if that is undefined.
      Emit(Opcode::kGetAttribute, SymbolIndex(expr.name));
      return;
    case ExprKind::kGetItem:
      VisitGetItem(expr, frame);
      return;
    case ExprKind::kCall:
      VisitCall(expr, frame);
      return;
    case ExprKind::kFilter:
    case ExprKind::kTest:
      VisitFilterOrTest(expr, frame);
      return;
    case ExprKind::kBinary:
      Visit(*expr.a, frame);
      Visit(*expr.b, frame);
      offset_ = expr.offset;
      Emit(Opcode::kBinary, 0, 0, static_cast<uint8_t>(expr.op));
      return;
    case ExprKind::kUnary:
      Visit(*expr.a, frame);
      offset_ = expr.offset;
      Emit(Opcode::kUnary, 0, 0, static_cast<uint8_t>(expr.op));
      return;
    case ExprKind::kNot:
      Visit(*expr.a, frame);
      Emit(Opcode::kNot);
      return;
    case ExprKind::kAnd:
    case ExprKind::kOr:
      VisitLogic(expr, frame);
      return;
    case ExprKind::kCompare:
      VisitCompare(expr, frame);
      return;
    case ExprKind::kConcat:
      for (const Expr* item : expr.items) Visit(*item, frame);
      offset_ = expr.offset;
      if (expr.items.size() > 65535) Fail(expr.offset, "too many operands of '~'");
      Emit(Opcode::kConcat, 0, static_cast<uint16_t>(expr.items.size()), static_cast<uint8_t>(mode_));
      return;
    case ExprKind::kConditional:
      VisitConditional(expr, frame);
      return;
    case ExprKind::kSlice:
    case ExprKind::kNamespaceRef:
      Fail(expr.offset, "this cannot stand here");
      return;
  }
}

void Compiler::VisitConstant(const Expr& expr) {
  Value value = expr.constant;
  if (value.IsString()) value = Value::String(program_.arena.Copy(value.text()));
  Emit(Opcode::kConstant, ConstantIndex(value));
}

void Compiler::VisitName(const Expr& expr, const Frame& frame) {
  Reference reference;
  if (!frame.scope->Find(expr.name, reference)) {
    // Not seen by the analysis: the default of a macro parameter that names
    // another macro's local, say. The context is asked on the spot.
    const uint16_t slot = NewSlot();
    Emit(Opcode::kResolve, SymbolIndex(expr.name), slot);
    Emit(Opcode::kLoad, SymbolIndex(expr.name), slot);
    return;
  }
  const uint16_t slot = SlotOf(reference.unit, reference.level, expr.name);
  if (reference.unit == unit_) {
    Emit(Opcode::kLoad, SymbolIndex(expr.name), slot);
  } else {
    Emit(Opcode::kLoadOuter, SymbolIndex(expr.name), slot, DepthTo(reference.unit));
  }
}

void Compiler::VisitDict(const Expr& expr, const Frame& frame) {
  for (const Expr* item : expr.items) Visit(*item, frame);
  offset_ = expr.offset;
  Emit(Opcode::kBuildDict, static_cast<uint32_t>(expr.items.size() / 2));
}

void Compiler::VisitOptional(const Expr* expr, const Frame& frame) {
  if (expr == nullptr) {
    Emit(Opcode::kConstant, ConstantIndex(Value::None()));
  } else {
    Visit(*expr, frame);
  }
}

void Compiler::VisitGetItem(const Expr& expr, const Frame& frame) {
  Visit(*expr.a, frame);
  if (expr.b->kind == ExprKind::kSlice) {
    VisitOptional(expr.b->a, frame);
    VisitOptional(expr.b->b, frame);
    VisitOptional(expr.b->c, frame);
    offset_ = expr.offset;
    Emit(Opcode::kGetSlice);
    return;
  }
  Visit(*expr.b, frame);
  offset_ = expr.offset;
  Emit(Opcode::kGetItem);
}

void Compiler::VisitLogic(const Expr& expr, const Frame& frame) {
  Visit(*expr.a, frame);
  const size_t jump = Emit(expr.kind == ExprKind::kAnd ? Opcode::kJumpIfFalseKeep : Opcode::kJumpIfTrueKeep);
  Visit(*expr.b, frame);
  Land(jump);
}

void Compiler::VisitCompare(const Expr& expr, const Frame& frame) {
  Visit(*expr.a, frame);
  std::vector<size_t> jumps;
  for (size_t i = 0; i < expr.items.size(); ++i) {
    Visit(*expr.items[i], frame);
    offset_ = expr.offset;
    const bool is_last = i + 1 == expr.items.size();
    const size_t at = Emit(is_last ? Opcode::kCompare : Opcode::kCompareChain, 0, 0, static_cast<uint8_t>(expr.ops[i]));
    if (!is_last) jumps.push_back(at);
  }
  for (size_t jump : jumps) Land(jump);
}

void Compiler::VisitConditional(const Expr& expr, const Frame& frame) {
  Frame soft = frame;
  soft.soft = true;
  Visit(*expr.a, soft);
  const size_t to_else = Emit(Opcode::kJumpIfFalse);
  Visit(*expr.b, soft);
  const size_t to_end = Emit(Opcode::kJump);
  --builder().stack;  // The other branch starts without the first one's value.
  Land(to_else);
  if (expr.c != nullptr) {
    Visit(*expr.c, soft);
  } else {
    offset_ = expr.offset;
    Emit(Opcode::kUndefinedChoice);
  }
  Land(to_end);
}

void Compiler::VisitArguments(const Expr& expr, const Frame& frame, int caller_macro, CallShape& shape) {
  for (const Expr* item : expr.items) Visit(*item, frame);
  shape.positional = static_cast<uint32_t>(expr.items.size());
  for (const Expr::Keyword& keyword : expr.keywords) {
    Visit(*keyword.value, frame);
    shape.keywords.push_back(Symbol::Intern(keyword.name));
  }
  if (caller_macro >= 0) {
    Emit(Opcode::kMacro, static_cast<uint32_t>(caller_macro));
    shape.keywords.push_back(Symbol::Intern("caller"));
  }
  if (expr.dynamic_args != nullptr) {
    Visit(*expr.dynamic_args, frame);
    shape.has_args = true;
  }
  if (expr.dynamic_kwargs != nullptr) {
    Visit(*expr.dynamic_kwargs, frame);
    shape.has_kwargs = true;
  }
}

void Compiler::VisitFilterOrTest(const Expr& expr, const Frame& frame) {
  const bool is_filter = expr.kind == ExprKind::kFilter;
  CallShape shape;
  shape.function = is_filter ? environment_.FindFilter(expr.name) : environment_.FindTest(expr.name);
  if (shape.function == nullptr) {
    const std::string hint = DidYouMean(expr.name, is_filter ? environment_.FilterNames() : environment_.TestNames());
    shape.unknown = absl::StrCat("No ", is_filter ? "filter" : "test", " named '", expr.name, "'");
    // Inside of an if it may guard against just that.
    if (!frame.soft) Fail(expr.offset, shape.unknown, hint);
    if (!hint.empty()) absl::StrAppend(&shape.unknown, "; ", hint);
  }
  if (expr.a != nullptr) Visit(*expr.a, frame);
  VisitArguments(expr, frame, -1, shape);
  offset_ = expr.offset;
  program_.calls.push_back(std::move(shape));
  Emit(is_filter ? Opcode::kFilter : Opcode::kTest, static_cast<uint32_t>(program_.calls.size() - 1));
}

void Compiler::VisitCall(const Expr& expr, const Frame& frame, int caller_macro) {
  const bool is_method = expr.a->kind == ExprKind::kGetAttr;
  CallShape shape;
  if (is_method) {
    Visit(*expr.a->a, frame);
    shape.name = Symbol::Intern(expr.a->name);
  } else {
    Visit(*expr.a, frame);
  }
  VisitArguments(expr, frame, caller_macro, shape);
  offset_ = expr.a->offset;
  program_.calls.push_back(std::move(shape));
  Emit(is_method ? Opcode::kCallMethod : Opcode::kCall, static_cast<uint32_t>(program_.calls.size() - 1));
}

}  // namespace ssg::tmpl

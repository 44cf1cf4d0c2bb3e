#include "ssg/template/compiler.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "ssg/template/diagnostic.h"
#include "ssg/template/parser.h"

namespace ssg::tmpl {
namespace {

// Deeper trees could overflow the stack of whoever walks them.
constexpr int kTreeDepthMax = 2000;

bool HasExtends(const std::vector<Stmt*>& body) {
  return std::any_of(body.begin(), body.end(), [](const Stmt* stmt) {
    return stmt->kind == StmtKind::kExtends || HasExtends(stmt->body) || HasExtends(stmt->branches) ||
           HasExtends(stmt->else_body);
  });
}

// Long chains ("a.b.c...") are parsed in a loop but make deep trees.
const Expr* FindTooDeep(const Expr* root) {
  std::vector<std::pair<const Expr*, int>> open = {{root, 0}};
  while (!open.empty()) {
    const auto [expr, depth] = open.back();
    open.pop_back();
    if (expr == nullptr) continue;
    if (depth > kTreeDepthMax) return expr;
    for (const Expr* child : {expr->a, expr->b, expr->c, expr->dynamic_args, expr->dynamic_kwargs}) {
      open.emplace_back(child, depth + 1);
    }
    for (const Expr* child : expr->items) open.emplace_back(child, depth + 1);
    for (const Expr::Keyword& keyword : expr->keywords) open.emplace_back(keyword.value, depth + 1);
  }
  return nullptr;
}

bool CheckDepth(const Ast& ast, SyntaxError& error) {
  for (const Stmt& stmt : ast.stmts) {
    std::vector<const Expr*> roots = {stmt.target, stmt.test, stmt.filter};
    roots.insert(roots.end(), stmt.exprs.begin(), stmt.exprs.end());
    roots.insert(roots.end(), stmt.defaults.begin(), stmt.defaults.end());
    for (const Expr* root : roots) {
      if (const Expr* deep = FindTooDeep(root)) {
        error = SyntaxError{"this expression is too long", deep->offset, ""};
        return false;
      }
    }
  }
  return true;
}

absl::Status SyntaxStatus(const Program& program, const SyntaxError& error) {
  Diagnostic diagnostic;
  diagnostic.message = error.message;
  diagnostic.hint = error.hint;
  diagnostic.name = program.name;
  Locate(program.source, error.offset, diagnostic);
  return ToStatus(diagnostic, absl::StatusCode::kInvalidArgument);
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Program>> CompileTemplate(const Environment& environment, absl::string_view name,
                                                               absl::string_view source) {
  auto program = std::make_unique<Program>();
  program->name = std::string(name);
  program->autoescape = environment.AutoescapeFor(name);
  SyntaxError error;
  if (source.size() > environment.limits().source_bytes_max) {
    error.message = "the template's source is too large";
    return SyntaxStatus(*program, error);
  }
  program->source = NormalizeSource(source, environment.options().syntax);
  std::vector<Token> tokens;
  if (!Tokenize(program->source, environment.options().syntax, program->arena, tokens, error)) {
    return SyntaxStatus(*program, error);
  }
  Ast ast;
  Parser parser(tokens, environment.limits(), program->arena, ast);
  if (!parser.Parse()) return SyntaxStatus(*program, parser.error());
  if (!CheckDepth(ast, error)) return SyntaxStatus(*program, error);
  Compiler compiler(environment, *program);
  if (!compiler.Compile(ast)) return SyntaxStatus(*program, compiler.error());
  return std::unique_ptr<const Program>(std::move(program));
}

void Compiler::Fail(uint32_t offset, std::string message, std::string hint) {
  if (!failed()) error_ = SyntaxError{std::move(message), offset, std::move(hint)};
}

bool Compiler::Compile(const Ast& ast) {
  mode_ = program_.autoescape ? EmitMode::kEscape : EmitMode::kPlain;
  has_extends_ = HasExtends(ast.body);
  program_.locals.emplace_back();  // The first is the empty one.
  CollectBlocks(ast.body);
  CompileRoot(ast);
  for (const Stmt* block : blocks_) CompileBlockUnit(*block);
  for (UnitBuilder& unit : units_) program_.units.push_back(std::move(unit.unit));
  std::sort(program_.references.begin(), program_.references.end());
  program_.references.erase(std::unique(program_.references.begin(), program_.references.end()),
                            program_.references.end());
  return !failed();
}

void Compiler::CollectBlocks(const std::vector<Stmt*>& body) {
  for (const Stmt* stmt : body) {
    if (stmt->kind == StmtKind::kBlock) {
      for (const Stmt* other : blocks_) {
        if (other->name == stmt->name) {
          Fail(stmt->offset, absl::StrCat("block '", stmt->name, "' defined twice"));
        }
      }
      blocks_.push_back(stmt);
    }
    CollectBlocks(stmt->body);
    CollectBlocks(stmt->branches);
    CollectBlocks(stmt->else_body);
  }
}

void Compiler::CompileRoot(const Ast& ast) {
  const Outside outside = EnterUnit("", -1);
  Scope scope(nullptr, unit_);
  Frame frame;
  frame.scope = &scope;
  frame.toplevel = frame.rootlevel = true;
  frame.checks_output = has_extends_;
  if (!FindUndeclared(ast.body, {"self"}).empty()) {
    scope.DeclareParameter("self");
    Emit(Opcode::kSelf, 0, OwnSlot(frame, "self"));
  }
  scope.Analyze(ast.body);
  EnterScope(scope);
  VisitBody(ast.body, frame);
  if (has_extends_) Emit(Opcode::kRenderParent);
  Emit(Opcode::kReturn);
  LeaveUnit(outside);
}

void Compiler::CompileBlockUnit(const Stmt& block) {
  offset_ = block.offset;
  const Outside outside = EnterUnit(absl::StrCat("in block '", block.name, "' of"), -1);
  mode_ = program_.autoescape ? EmitMode::kEscape : EmitMode::kPlain;
  Scope scope(nullptr, unit_);
  Frame frame;
  frame.scope = &scope;
  const std::set<absl::string_view> undeclared = FindUndeclared(block.body, {"self", "super"});
  if (undeclared.count("self") > 0) {
    scope.DeclareParameter("self");
    Emit(Opcode::kSelf, 0, OwnSlot(frame, "self"));
  }
  if (undeclared.count("super") > 0) {
    scope.DeclareParameter("super");
    Emit(Opcode::kSuper, SymbolIndex(block.name), OwnSlot(frame, "super"));
  }
  scope.Analyze(block.body);
  EnterScope(scope);
  VisitBody(block.body, frame);
  Emit(Opcode::kReturn);
  const int unit = LeaveUnit(outside);
  program_.blocks.emplace_back(Symbol::Intern(block.name), static_cast<uint32_t>(unit));
}

Compiler::Outside Compiler::EnterUnit(std::string what, int parent) {
  Outside outside{unit_, std::move(cleanups_), std::move(loops_), mode_};
  cleanups_.clear();
  loops_.clear();
  units_.emplace_back();
  unit_ = static_cast<int>(units_.size()) - 1;
  builder().unit.what = std::move(what);
  builder().parent = parent;
  // Whoever is around may be read after it has returned.
  for (int outer = parent; outer >= 0; outer = units_[outer].parent) {
    units_[outer].unit.has_closures = true;
  }
  return outside;
}

int Compiler::LeaveUnit(Outside outside) {
  const int unit = unit_;
  unit_ = outside.unit;
  cleanups_ = std::move(outside.cleanups);
  loops_ = std::move(outside.loops);
  mode_ = outside.mode;
  return unit;
}

int Compiler::StackEffect(const Instruction& instruction) const {
  const int operand = static_cast<int>(instruction.operand);
  switch (instruction.opcode) {
    case Opcode::kConstant:
    case Opcode::kLoad:
    case Opcode::kLoadOuter:
    case Opcode::kUndefinedChoice:
    case Opcode::kForNext:
    case Opcode::kCaptureBegin:
    case Opcode::kMacro:
      return 1;
    case Opcode::kEmit:
    case Opcode::kStore:
    case Opcode::kPop:
    case Opcode::kBinary:
    case Opcode::kCompare:
    case Opcode::kCompareChain:
    case Opcode::kJumpIfFalse:
    case Opcode::kJumpIfFalseKeep:
    case Opcode::kJumpIfTrueKeep:
    case Opcode::kGetItem:
    case Opcode::kSetNamespace:
    case Opcode::kForBegin:
    case Opcode::kLoopCall:
    case Opcode::kReturnValue:
    case Opcode::kExtends:
    case Opcode::kInclude:
    case Opcode::kAutoescape:
      return -1;
    case Opcode::kGetSlice:
      return -3;
    case Opcode::kConcat:
      return 1 - static_cast<int>(instruction.slot);
    case Opcode::kBuildList:
    case Opcode::kBuildTuple:
      return 1 - operand;
    case Opcode::kBuildDict:
      return 1 - 2 * operand;
    case Opcode::kUnpack:
      return operand - 1;
    case Opcode::kCall:
    case Opcode::kCallMethod:
    case Opcode::kFilter:
    case Opcode::kTest:
      return -static_cast<int>(program_.calls[operand].Count());
    default:
      return 0;
  }
}

size_t Compiler::Emit(Opcode opcode, uint32_t operand, uint16_t slot, uint8_t depth) {
  UnitBuilder& unit = builder();
  unit.unit.code.push_back(Instruction{opcode, depth, slot, operand});
  unit.unit.offsets.push_back(offset_);
  unit.stack += StackEffect(unit.unit.code.back());
  unit.unit.stack_max = std::max(unit.unit.stack_max, static_cast<uint32_t>(unit.stack) + 2);
  return unit.unit.code.size() - 1;
}

uint16_t Compiler::NewSlot() {
  Unit& unit = builder().unit;
  if (unit.slot_count >= std::numeric_limits<uint16_t>::max()) {
    Fail(offset_, "too many variables in one template");
    return 0;
  }
  return static_cast<uint16_t>(unit.slot_count++);
}

uint16_t Compiler::SlotOf(int unit, int level, absl::string_view name) {
  UnitBuilder& owner = units_[unit];
  const auto key = std::make_pair(level, name);
  const auto found = owner.slots.find(key);
  if (found != owner.slots.end()) return found->second;
  if (owner.unit.slot_count >= std::numeric_limits<uint16_t>::max()) {
    Fail(offset_, "too many variables in one template");
    return 0;
  }
  const uint16_t slot = static_cast<uint16_t>(owner.unit.slot_count++);
  owner.slots.emplace(key, slot);
  return slot;
}

uint8_t Compiler::DepthTo(int unit) {
  int depth = 0;
  for (int at = unit_; at != unit && at >= 0; at = units_[at].parent) ++depth;
  if (depth > std::numeric_limits<uint8_t>::max()) Fail(offset_, "this is nested too deeply");
  return static_cast<uint8_t>(depth);
}

uint16_t Compiler::OwnSlot(const Frame& frame, absl::string_view name) {
  Reference reference;
  frame.scope->Find(name, reference);
  return SlotOf(unit_, reference.level, name);
}

void Compiler::EnterScope(const Scope& scope) {
  for (const auto& [name, load] : scope.loads()) {
    const uint16_t slot = SlotOf(unit_, scope.level(), name);
    switch (load.source) {
      case Scope::Source::kParameter:
        break;
      case Scope::Source::kContext:
        Emit(Opcode::kResolve, SymbolIndex(name), slot);
        break;
      case Scope::Source::kOuter:
        Emit(Opcode::kAlias, SlotOf(load.outer.unit, load.outer.level, name), slot, DepthTo(load.outer.unit));
        break;
      case Scope::Source::kNothing:
        Emit(Opcode::kClear, 0, slot);
        break;
    }
  }
}

// Only what was defined inside could still see the scope's variables.
void Compiler::LeaveScope(const Scope& scope) {
  if (!builder().unit.has_closures) return;
  for (const auto& [name, load] : scope.loads()) {
    Emit(Opcode::kClear, 0, SlotOf(unit_, scope.level(), name));
  }
}

uint32_t Compiler::Locals(const Frame& frame) {
  LocalNames locals;
  for (const auto& [name, reference] : frame.scope->AllStores()) {
    locals.push_back({Symbol::Intern(name), DepthTo(reference.unit), SlotOf(reference.unit, reference.level, name)});
  }
  if (locals.empty()) return 0;
  program_.locals.push_back(std::move(locals));
  return static_cast<uint32_t>(program_.locals.size() - 1);
}

uint32_t Compiler::SymbolIndex(absl::string_view name) {
  const Symbol symbol = Symbol::Intern(name);
  const auto [found, inserted] = symbol_indexes_.emplace(symbol.id(), static_cast<uint32_t>(program_.symbols.size()));
  if (inserted) program_.symbols.push_back(symbol);
  return found->second;
}

uint32_t Compiler::ConstantIndex(const Value& value) {
  program_.constants.push_back(value);
  return static_cast<uint32_t>(program_.constants.size() - 1);
}

uint32_t Compiler::TextConstant(absl::string_view text) {
  return ConstantIndex(Value::String(program_.arena.Copy(text)));
}

}  // namespace ssg::tmpl

// Compiles a syntax tree to bytecode.
//
// Scoping, output suppression after {% extends %}, and which parts escape are
// decided here, the way Jinja2's compiler decides them.
// Threads: thread-compatible.
// Source:  Jinja2 3.1, compiler.py.
#ifndef SSG_TEMPLATE_COMPILER_H_
#define SSG_TEMPLATE_COMPILER_H_

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ssg/template/ast.h"
#include "ssg/template/environment.h"
#include "ssg/template/lexer.h"
#include "ssg/template/program.h"
#include "ssg/template/scope.h"

namespace ssg::tmpl {

// Lexes, parses and compiles. On failure the status carries a Diagnostic.
absl::StatusOr<std::unique_ptr<const Program>> CompileTemplate(const Environment& environment, absl::string_view name,
                                                               absl::string_view source);

class Compiler {
 public:
  Compiler(const Environment& environment, Program& program) : environment_(environment), program_(program) {}

  // False on failure, which error() then describes.
  bool Compile(const Ast& ast);
  const SyntaxError& error() const { return error_; }

 private:
  // One part of the template with its own scope.
  struct Frame {
    Scope* scope = nullptr;
    bool toplevel = false;
    bool rootlevel = false;      // Not even inside an if.
    bool soft = false;           // Inside an if: unknown filters fail when used.
    bool checks_output = false;  // Silent once the template extends another.
  };

  struct UnitBuilder {
    Unit unit;
    int parent = -1;
    std::map<std::pair<int, absl::string_view>, uint16_t> slots;  // By level and name.
    int stack = 0;
  };

  // What a break or continue has to undo on its way to the loop.
  struct Cleanup {
    bool is_capture = false;  // Else an autoescape to restore from `slot`.
    uint16_t slot = 0;
  };

  struct Loop {
    size_t cleanups = 0;  // Those before belong outside of the loop.
    size_t next = 0;      // Where continue goes.
    std::vector<size_t> breaks;
  };

  // Entering a unit sets aside what concerns only the one around it.
  struct Outside {
    int unit = -1;
    std::vector<Cleanup> cleanups;
    std::vector<Loop> loops;
    EmitMode mode = EmitMode::kPlain;
  };

  // Units and code: compiler.cc.
  void CompileRoot(const Ast& ast);
  void CompileBlockUnit(const Stmt& block);
  void CollectBlocks(const std::vector<Stmt*>& body);
  Outside EnterUnit(std::string what, int parent);
  int LeaveUnit(Outside outside);
  UnitBuilder& builder() { return units_[unit_]; }
  size_t Emit(Opcode opcode, uint32_t operand = 0, uint16_t slot = 0, uint8_t depth = 0);
  size_t Here() { return builder().unit.code.size(); }
  // Makes the jump at `jump` go to the next instruction.
  void Land(size_t jump) { builder().unit.code[jump].operand = static_cast<uint32_t>(Here()); }
  int StackEffect(const Instruction& instruction) const;
  void Fail(uint32_t offset, std::string message, std::string hint = "");
  bool failed() const { return !error_.message.empty(); }

  uint16_t NewSlot();
  uint16_t SlotOf(int unit, int level, absl::string_view name);
  uint8_t DepthTo(int unit);
  // The slot of a name that the current unit owns.
  uint16_t OwnSlot(const Frame& frame, absl::string_view name);
  void EnterScope(const Scope& scope);
  void LeaveScope(const Scope& scope);
  uint32_t Locals(const Frame& frame);
  uint32_t SymbolIndex(absl::string_view name);
  uint32_t ConstantIndex(const Value& value);
  uint32_t TextConstant(absl::string_view text);

  // Statements: compiler_statement.cc.
  void VisitBody(const std::vector<Stmt*>& body, const Frame& frame);
  void Visit(const Stmt& stmt, const Frame& frame);
  void VisitText(const Stmt& stmt, const Frame& frame);
  void VisitOutput(const Stmt& stmt, const Frame& frame);
  void VisitFor(const Stmt& stmt, const Frame& frame);
  void VisitForBody(const Stmt& stmt, const Frame& frame, Scope& scope, int filter_unit);
  int CompileLoopFilter(const Stmt& stmt, const Frame& frame);
  void VisitIf(const Stmt& stmt, const Frame& frame);
  void VisitBlock(const Stmt& stmt, const Frame& frame);
  void VisitExtends(const Stmt& stmt, const Frame& frame);
  void VisitInclude(const Stmt& stmt, const Frame& frame);
  void VisitImport(const Stmt& stmt, const Frame& frame);
  void VisitFromImport(const Stmt& stmt, const Frame& frame);
  void VisitSet(const Stmt& stmt, const Frame& frame);
  void VisitSetBlock(const Stmt& stmt, const Frame& frame);
  void VisitMacro(const Stmt& stmt, const Frame& frame);
  void VisitCallBlock(const Stmt& stmt, const Frame& frame);
  void VisitFilterBlock(const Stmt& stmt, const Frame& frame);
  void VisitWith(const Stmt& stmt, const Frame& frame);
  void VisitAutoescape(const Stmt& stmt, const Frame& frame);
  void VisitLeaveLoop(const Stmt& stmt);
  uint32_t CompileMacro(const Stmt& stmt, const Frame& frame);
  void CompileMacroParameters(const Stmt& stmt, const Frame& frame, Scope& scope, MacroShape& shape);
  void AssignTarget(const Expr& target, const Frame& frame);
  void ExportTarget(const Expr& target, const Frame& frame);
  void ExportName(absl::string_view name, bool is_public, const Frame& frame);
  void NoteReference(const Expr& expr);

  // Expressions: compiler_expression.cc. Each leaves one value on the stack.
  void Visit(const Expr& expr, const Frame& frame);
  void VisitConstant(const Expr& expr);
  void VisitName(const Expr& expr, const Frame& frame);
  void VisitDict(const Expr& expr, const Frame& frame);
  void VisitGetItem(const Expr& expr, const Frame& frame);
  void VisitLogic(const Expr& expr, const Frame& frame);
  void VisitCompare(const Expr& expr, const Frame& frame);
  void VisitConditional(const Expr& expr, const Frame& frame);
  void VisitFilterOrTest(const Expr& expr, const Frame& frame);
  void VisitCall(const Expr& expr, const Frame& frame, int caller_macro = -1);
  void VisitArguments(const Expr& expr, const Frame& frame, int caller_macro, CallShape& shape);
  void VisitOptional(const Expr* expr, const Frame& frame);

  const Environment& environment_;
  Program& program_;
  SyntaxError error_;
  std::deque<UnitBuilder> units_;
  int unit_ = 0;
  uint32_t offset_ = 0;  // Of what is being compiled.
  EmitMode mode_ = EmitMode::kPlain;
  std::vector<Cleanup> cleanups_;
  std::vector<Loop> loops_;
  std::vector<const Stmt*> blocks_;
  absl::flat_hash_map<uint32_t, uint32_t> symbol_indexes_;
  bool has_extends_ = false;
  bool has_known_extends_ = false;
  int extends_so_far_ = 0;
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_COMPILER_H_

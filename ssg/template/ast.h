// The syntax tree of a template: expressions and statements as plain structs.
//
// Life:    nodes belong to their Ast and live as long as it.
// Threads: thread-compatible.
#ifndef SSG_TEMPLATE_AST_H_
#define SSG_TEMPLATE_AST_H_

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/template/operator.h"
#include "ssg/template/value.h"

namespace ssg::tmpl {

enum class ExprKind : uint8_t {
  kConstant,
  kName,
  kNamespaceRef,  // name.attribute as the target of set
  kTuple,
  kList,
  kDict,     // items: key, value, key, value
  kGetAttr,  // a.name
  kGetItem,  // a[b]
  kSlice,    // only as b of kGetItem: a, b, c, any of them null
  kCall,     // a(items, keywords)
  kFilter,   // a|name(items, keywords); a null in filter blocks
  kTest,     // a is name(items, keywords)
  kBinary,   // a op b
  kUnary,    // op a
  kNot,
  kAnd,
  kOr,
  kCompare,      // a, then ops over items
  kConcat,       // items joined by ~
  kConditional,  // b if a else c; c may be null
};

struct Expr {
  struct Keyword {
    absl::string_view name;
    Expr* value = nullptr;
  };

  ExprKind kind = ExprKind::kConstant;
  Operator op = Operator::kAdd;
  bool is_store = false;  // Names: assigned, not read.
  bool is_param = false;  // Names: a parameter or a target of with.
  uint32_t offset = 0;    // Where in the source.
  absl::string_view name;
  absl::string_view attribute;  // kNamespaceRef
  Value constant;
  Expr* a = nullptr;
  Expr* b = nullptr;
  Expr* c = nullptr;
  std::vector<Expr*> items;
  std::vector<Operator> ops;
  std::vector<Keyword> keywords;
  Expr* dynamic_args = nullptr;    // *args
  Expr* dynamic_kwargs = nullptr;  // **kwargs
};

enum class StmtKind : uint8_t {
  kText,         // text
  kOutput,       // exprs
  kFor,          // target in exprs[0], test; body, else
  kIf,           // exprs[0]; body, branches (kIf without else), else
  kBlock,        // name; body
  kExtends,      // exprs[0]
  kInclude,      // exprs[0]
  kImport,       // exprs[0] as name
  kFromImport,   // exprs[0], names
  kSet,          // target = exprs[0]
  kSetBlock,     // target, filter; body
  kMacro,        // name(params); body
  kCallBlock,    // (params) exprs[0]; body
  kFilterBlock,  // exprs[0] with an empty innermost operand; body
  kWith,         // targets, exprs; body
  kAutoescape,   // exprs[0]; body
  kDo,           // exprs[0]
  kBreak,
  kContinue,
};

struct Stmt {
  StmtKind kind = StmtKind::kText;
  bool scoped = false;
  bool required = false;
  bool recursive = false;
  bool ignore_missing = false;
  bool with_context = false;
  uint32_t offset = 0;
  absl::string_view name;
  absl::string_view text;
  Expr* target = nullptr;
  Expr* test = nullptr;
  Expr* filter = nullptr;
  std::vector<Expr*> exprs;
  std::vector<Expr*> targets;                                          // kWith; parameters of kMacro and kCallBlock
  std::vector<Expr*> defaults;                                         // Of the last parameters.
  std::vector<std::pair<absl::string_view, absl::string_view>> names;  // name, alias
  std::vector<Stmt*> body;
  std::vector<Stmt*> branches;
  std::vector<Stmt*> else_body;
};

struct Ast {
  std::deque<Expr> exprs;
  std::deque<Stmt> stmts;
  std::vector<Stmt*> body;

  Expr* NewExpr(ExprKind kind, uint32_t offset) {
    exprs.emplace_back();
    exprs.back().kind = kind;
    exprs.back().offset = offset;
    return &exprs.back();
  }
  Stmt* NewStmt(StmtKind kind, uint32_t offset) {
    stmts.emplace_back();
    stmts.back().kind = kind;
    stmts.back().offset = offset;
    return &stmts.back();
  }
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_AST_H_

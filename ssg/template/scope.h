// A Scope is what the compiler knows of the names in one part of a template:
// which are set there, which come from around it, which from the context.
//
// Jinja decides the meaning of a name when compiling, from all its uses in the
// scope: this is its idtracking.py. Names found nowhere are looked up in the
// context once, when the scope is entered.
// Threads: thread-compatible.
// Source:  Jinja2 3.1, idtracking.py.
#ifndef SSG_TEMPLATE_SCOPE_H_
#define SSG_TEMPLATE_SCOPE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/template/ast.h"

namespace ssg::tmpl {

// Which variable a name means: `name` as known at `level` in unit `unit`.
struct Reference {
  int unit = 0;
  int level = 0;
};

class Scope {
 public:
  enum class Source : uint8_t { kParameter, kContext, kOuter, kNothing };
  // What a name of this scope starts as.
  struct Load {
    Source source = Source::kNothing;
    Reference outer;  // kOuter
  };

  Scope(const Scope* parent, int unit)
      : parent_(parent), unit_(unit), level_(parent == nullptr ? 0 : parent->level_ + 1) {}

  void DeclareParameter(absl::string_view name);
  // Notes every name used by these, in the order in which they run.
  void Analyze(const std::vector<Stmt*>& body);
  void AnalyzeExpr(const Expr* expr);
  // Notes the names of an assignment target as parameters.
  void AnalyzeParameters(const Expr* target);

  // nullopt-like: false when `name` is unknown here and around.
  bool Find(absl::string_view name, Reference& reference) const;
  const std::map<absl::string_view, Load>& loads() const { return loads_; }
  const std::set<absl::string_view>& stores() const { return stores_; }
  // All names assigned here or around, with what they mean here.
  std::map<absl::string_view, Reference> AllStores() const;
  int unit() const { return unit_; }
  int level() const { return level_; }

 private:
  void Store(absl::string_view name);
  void Read(absl::string_view name);
  void AnalyzeStmt(const Stmt& stmt);
  void AnalyzeIf(const Stmt& stmt);
  void AnalyzeTarget(const Expr* target);
  void MergeBranches(const std::vector<Scope>& branches);

  const Scope* parent_;
  int unit_;
  int level_;
  std::map<absl::string_view, Load> loads_;
  std::set<absl::string_view> stores_;
};

// Which of `names` are read in `body` before anything there assigns them.
std::set<absl::string_view> FindUndeclared(const std::vector<Stmt*>& body, std::set<absl::string_view> names);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_SCOPE_H_

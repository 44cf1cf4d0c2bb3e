#include "ssg/template/scope.h"

namespace ssg::tmpl {

void Scope::DeclareParameter(absl::string_view name) {
  stores_.insert(name);
  loads_[name] = Load{Source::kParameter, {}};
}

void Scope::Store(absl::string_view name) {
  stores_.insert(name);
  if (loads_.count(name) > 0) return;
  Reference outer;
  if (parent_ != nullptr && parent_->Find(name, outer)) {
    loads_[name] = Load{Source::kOuter, outer};
  } else {
    loads_[name] = Load{Source::kNothing, {}};
  }
}

void Scope::Read(absl::string_view name) {
  Reference reference;
  if (!Find(name, reference)) loads_[name] = Load{Source::kContext, {}};
}

bool Scope::Find(absl::string_view name, Reference& reference) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent_) {
    if (scope->loads_.count(name) > 0) {
      reference = Reference{scope->unit_, scope->level_};
      return true;
    }
  }
  return false;
}

std::map<absl::string_view, Reference> Scope::AllStores() const {
  std::map<absl::string_view, Reference> all;
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent_) {
    for (absl::string_view name : scope->stores_) {
      Reference reference;
      if (all.count(name) == 0 && scope->Find(name, reference)) all[name] = reference;
    }
  }
  return all;
}

void Scope::Analyze(const std::vector<Stmt*>& body) {
  for (const Stmt* stmt : body) AnalyzeStmt(*stmt);
}

void Scope::AnalyzeExpr(const Expr* expr) {
  if (expr == nullptr) return;
  if (expr->kind == ExprKind::kName) {
    if (expr->is_param) {
      DeclareParameter(expr->name);
    } else if (expr->is_store) {
      Store(expr->name);
    } else {
      Read(expr->name);
    }
    return;
  }
  if (expr->kind == ExprKind::kNamespaceRef) Read(expr->name);
  AnalyzeExpr(expr->a);
  AnalyzeExpr(expr->b);
  AnalyzeExpr(expr->c);
  for (const Expr* item : expr->items) AnalyzeExpr(item);
  for (const Expr::Keyword& keyword : expr->keywords) AnalyzeExpr(keyword.value);
  AnalyzeExpr(expr->dynamic_args);
  AnalyzeExpr(expr->dynamic_kwargs);
}

void Scope::AnalyzeParameters(const Expr* target) {
  if (target->kind == ExprKind::kName) DeclareParameter(target->name);
  for (const Expr* item : target->items) AnalyzeParameters(item);
}

void Scope::AnalyzeStmt(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::kIf:
      AnalyzeIf(stmt);
      break;
    case StmtKind::kMacro:
      Store(stmt.name);
      break;
    case StmtKind::kImport:
      AnalyzeExpr(stmt.exprs[0]);
      Store(stmt.name);
      break;
    case StmtKind::kFromImport:
      AnalyzeExpr(stmt.exprs[0]);
      for (const auto& [name, alias] : stmt.names) Store(alias);
      break;
    case StmtKind::kSet:
      AnalyzeExpr(stmt.exprs[0]);
      AnalyzeExpr(stmt.target);
      break;
    case StmtKind::kSetBlock:
      AnalyzeExpr(stmt.target);
      break;
    case StmtKind::kBlock:
    case StmtKind::kAutoescape:
    case StmtKind::kText:
    case StmtKind::kBreak:
    case StmtKind::kContinue:
      break;
    default:
      // What is evaluated outside of the statement's own scope.
      for (const Expr* expr : stmt.exprs) AnalyzeExpr(expr);
      break;
  }
}

void Scope::AnalyzeIf(const Stmt& stmt) {
  AnalyzeExpr(stmt.exprs[0]);
  std::vector<Scope> branches(3, *this);
  branches[0].Analyze(stmt.body);
  for (const Stmt* branch : stmt.branches) branches[1].AnalyzeIf(*branch);
  branches[2].Analyze(stmt.else_body);
  MergeBranches(branches);
}

void Scope::MergeBranches(const std::vector<Scope>& branches) {
  std::map<absl::string_view, size_t> stored_in;
  for (const Scope& branch : branches) {
    for (absl::string_view name : branch.stores_) {
      if (stores_.count(name) == 0) ++stored_in[name];
    }
  }
  for (const Scope& branch : branches) {
    for (const auto& [name, load] : branch.loads_) loads_[name] = load;
    stores_.insert(branch.stores_.begin(), branch.stores_.end());
  }
  for (const auto& [name, count] : stored_in) {
    if (count == branches.size()) continue;
    Reference outer;
    if (parent_ != nullptr && parent_->Find(name, outer)) {
      loads_[name] = Load{Source::kOuter, outer};
    } else {
      loads_[name] = Load{Source::kContext, {}};
    }
  }
}

namespace {

// Walks everything, in the order of Jinja's node fields.
class UndeclaredFinder {
 public:
  explicit UndeclaredFinder(std::set<absl::string_view> names) : names_(std::move(names)) {}

  void Visit(const std::vector<Stmt*>& body) {
    for (const Stmt* stmt : body) Visit(*stmt);
  }
  const std::set<absl::string_view>& found() const { return found_; }

 private:
  void Visit(const Expr* expr) {
    if (expr == nullptr) return;
    if (expr->kind == ExprKind::kName) {
      const bool is_read = !expr->is_store && !expr->is_param;
      if (is_read && names_.count(expr->name) > 0) {
        found_.insert(expr->name);
      } else {
        names_.erase(expr->name);
      }
      return;
    }
    Visit(expr->a);
    Visit(expr->b);
    Visit(expr->c);
    for (const Expr* item : expr->items) Visit(item);
    for (const Expr::Keyword& keyword : expr->keywords) Visit(keyword.value);
    Visit(expr->dynamic_args);
    Visit(expr->dynamic_kwargs);
  }

  void Visit(const Stmt& stmt) {
    if (stmt.kind == StmtKind::kBlock) return;
    const bool body_first = stmt.kind == StmtKind::kFilterBlock;
    Visit(stmt.target);
    if (!body_first && stmt.kind != StmtKind::kWith) VisitExprs(stmt);
    Visit(stmt.filter);
    for (const Expr* target : stmt.targets) Visit(target);
    if (stmt.kind == StmtKind::kWith) VisitExprs(stmt);
    for (const Expr* value : stmt.defaults) Visit(value);
    Visit(stmt.body);
    if (body_first) VisitExprs(stmt);
    Visit(stmt.branches);
    Visit(stmt.else_body);
    Visit(stmt.test);
  }

  void VisitExprs(const Stmt& stmt) {
    for (const Expr* expr : stmt.exprs) Visit(expr);
  }

  std::set<absl::string_view> names_;
  std::set<absl::string_view> found_;
};

}  // namespace

std::set<absl::string_view> FindUndeclared(const std::vector<Stmt*>& body, std::set<absl::string_view> names) {
  UndeclaredFinder finder(std::move(names));
  finder.Visit(body);
  return finder.found();
}

}  // namespace ssg::tmpl

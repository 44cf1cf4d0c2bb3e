#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ssg/template/diagnostic.h"
#include "ssg/template/parser.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

const std::vector<absl::string_view>& TagNames() {
  static const auto* const names = new std::vector<absl::string_view>{
      "for",      "if",      "block",     "extends",       "print",  "macro",    "include",    "from",
      "import",   "set",     "with",      "call",          "filter", "do",       "autoescape", "break",
      "continue", "elif",    "else",      "endfor",        "endif",  "endblock", "endmacro",   "endset",
      "endwith",  "endcall", "endfilter", "endautoescape", "raw",    "endraw"};
  return *names;
}

bool IsBlank(const Stmt* stmt) { return stmt->kind == StmtKind::kText && StripSpace(stmt->text).empty(); }

void MarkStored(Expr* target) {
  target->is_store = true;
  for (Expr* item : target->items) MarkStored(item);
}

}  // namespace

std::string DescribeToken(const Token& token) {
  switch (token.kind) {
    case TokenKind::kData:
      return "template data / text";
    case TokenKind::kVariableBegin:
      return "begin of print statement";
    case TokenKind::kVariableEnd:
      return "end of print statement";
    case TokenKind::kBlockBegin:
      return "begin of statement block";
    case TokenKind::kBlockEnd:
      return "end of statement block";
    case TokenKind::kEnd:
      return "end of template";
    case TokenKind::kString:
      return "a string";
    default:
      return absl::StrCat("'", token.text, "'");
  }
}

void Parser::Fail(std::string message, size_t offset, std::string hint) {
  if (failed()) return;
  error_ = SyntaxError{std::move(message), offset, std::move(hint)};
}

bool Parser::SkipOperator(absl::string_view op) {
  if (!current().Is(op)) return false;
  Next();
  return true;
}

bool Parser::SkipName(absl::string_view name) {
  if (!current().IsName(name)) return false;
  Next();
  return true;
}

bool Parser::IsAnyName(Words names) const {
  return std::any_of(names.begin(), names.end(), [&](absl::string_view name) { return current().IsName(name); });
}

bool Parser::ExpectOperator(absl::string_view op) {
  if (SkipOperator(op)) return true;
  FailHere(absl::StrCat("expected token '", op, "', got ", DescribeToken(current())));
  return false;
}

bool Parser::ExpectName(absl::string_view name) {
  if (SkipName(name)) return true;
  FailHere(absl::StrCat("expected '", name, "', got ", DescribeToken(current())));
  return false;
}

bool Parser::Expect(TokenKind kind) {
  if (current().kind == kind) {
    Next();
    return true;
  }
  FailHere(absl::StrCat("expected ", DescribeToken(Token{kind, "", 0}), ", got ", DescribeToken(current())));
  return false;
}

absl::string_view Parser::TakeName() {
  if (current().kind == TokenKind::kName) return Next().text;
  FailHere(absl::StrCat("expected a name, got ", DescribeToken(current())));
  return absl::string_view();
}

bool Parser::Parse() {
  if (!ParseBody({}, ast_.body)) return false;
  if (current().kind != TokenKind::kEnd) FailHere("unexpected end of a tag");
  return !failed();
}

// Up to one of `ends`, which stays current, or to the end of the template.
bool Parser::ParseBody(Words ends, std::vector<Stmt*>& body) {
  const Nesting nesting(*this, limits_.block_depth_max);
  if (failed()) return false;
  if (ends.size() > 0) expected_ends_.emplace_back(ends);
  while (current().kind != TokenKind::kEnd) {
    const Token& token = Next();
    if (token.kind == TokenKind::kData) {
      Stmt* text = ast_.NewStmt(StmtKind::kText, token.offset);
      text->text = token.text;
      body.push_back(text);
    } else if (token.kind == TokenKind::kVariableBegin) {
      Stmt* output = ast_.NewStmt(StmtKind::kOutput, token.offset);
      output->exprs.push_back(ParseTuple());
      if (output->exprs[0] == nullptr || !Expect(TokenKind::kVariableEnd)) return false;
      body.push_back(output);
    } else {
      if (ends.size() > 0 && IsAnyName(ends)) {
        expected_ends_.pop_back();
        return true;
      }
      Stmt* stmt = ParseStatement();
      if (stmt == nullptr || !Expect(TokenKind::kBlockEnd)) return false;
      body.push_back(stmt);
    }
  }
  if (ends.size() > 0) {
    FailUnexpectedEnd(nullptr);
    return false;
  }
  return true;
}

bool Parser::ParseStatements(Words ends, std::vector<Stmt*>& body) {
  SkipOperator(":");
  return Expect(TokenKind::kBlockEnd) && ParseBody(ends, body);
}

bool Parser::ParseStatementsTo(absl::string_view end, std::vector<Stmt*>& body) {
  if (!ParseStatements({end}, body)) return false;
  Next();
  return true;
}

void Parser::FailUnexpectedEnd(const Token* unknown_tag) {
  std::string message = unknown_tag == nullptr ? "Unexpected end of template."
                                               : absl::StrCat("Encountered unknown tag '", unknown_tag->text, "'.");
  if (!expected_ends_.empty()) {
    bool nesting_mistake = false;
    for (const auto& ends : expected_ends_) {
      for (absl::string_view end : ends) {
        nesting_mistake |= unknown_tag != nullptr && end == unknown_tag->text;
      }
    }
    const std::string looking =
        absl::StrJoin(expected_ends_.back(), " or ",
                      [](std::string* out, absl::string_view end) { absl::StrAppend(out, "'", end, "'"); });
    absl::StrAppend(&message,
                    nesting_mistake ? " You probably made a nesting mistake: this tag is expected, but first "
                                    : " Looking for the following tags: ",
                    looking, ".");
  }
  if (!open_tags_.empty()) {
    absl::StrAppend(&message, " The innermost block that needs to be closed is '", open_tags_.back().text, "'.");
  }
  const size_t offset = unknown_tag != nullptr ? unknown_tag->offset
                        : open_tags_.empty()   ? current().offset
                                               : open_tags_.back().offset;
  Fail(message, offset, unknown_tag == nullptr ? "" : DidYouMean(unknown_tag->text, TagNames()));
}

Stmt* Parser::ParseStatement() {
  if (current().kind != TokenKind::kName) {
    FailHere("tag name expected");
    return nullptr;
  }
  const Token& tag = current();
  open_tags_.push_back(tag);
  Stmt* stmt = ParseStatementNamed(tag.text);
  open_tags_.pop_back();
  if (stmt == nullptr && !failed()) FailUnexpectedEnd(&tag);
  return stmt;
}

Stmt* Parser::ParseStatementNamed(absl::string_view name) {
  using Handler = Stmt* (Parser::*)();
  static constexpr std::pair<absl::string_view, Handler> kHandlers[] = {{"for", &Parser::ParseFor},
                                                                        {"if", &Parser::ParseIf},
                                                                        {"block", &Parser::ParseBlock},
                                                                        {"extends", &Parser::ParseExtends},
                                                                        {"include", &Parser::ParseInclude},
                                                                        {"import", &Parser::ParseImport},
                                                                        {"from", &Parser::ParseFromImport},
                                                                        {"set", &Parser::ParseSet},
                                                                        {"macro", &Parser::ParseMacro},
                                                                        {"call", &Parser::ParseCallBlock},
                                                                        {"filter", &Parser::ParseFilterBlock},
                                                                        {"with", &Parser::ParseWith},
                                                                        {"autoescape", &Parser::ParseAutoescape},
                                                                        {"print", &Parser::ParsePrint}};
  for (const auto& [tag, handler] : kHandlers) {
    if (tag == name) return (this->*handler)();
  }
  if (name == "break") return ast_.NewStmt(StmtKind::kBreak, Next().offset);
  if (name == "continue") return ast_.NewStmt(StmtKind::kContinue, Next().offset);
  if (name == "do") {
    Stmt* stmt = ast_.NewStmt(StmtKind::kDo, Next().offset);
    stmt->exprs.push_back(ParseTuple());
    return stmt->exprs[0] == nullptr ? nullptr : stmt;
  }
  return nullptr;
}

Stmt* Parser::ParseFor() {
  Stmt* stmt = ast_.NewStmt(StmtKind::kFor, Next().offset);
  stmt->target = ParseTarget({"in"});
  if (stmt->target == nullptr || !ExpectName("in")) return nullptr;
  stmt->exprs.push_back(ParseTuple(false, false, {"recursive"}));
  if (stmt->exprs[0] == nullptr) return nullptr;
  if (SkipName("if")) {
    stmt->test = ParseExpression();
    if (stmt->test == nullptr) return nullptr;
  }
  stmt->recursive = SkipName("recursive");
  if (!ParseStatements({"endfor", "else"}, stmt->body)) return nullptr;
  if (Next().text == "else" && !ParseStatementsTo("endfor", stmt->else_body)) return nullptr;
  return stmt;
}

Stmt* Parser::ParseIf() {
  Stmt* result = ast_.NewStmt(StmtKind::kIf, Next().offset);
  Stmt* stmt = result;
  while (true) {
    stmt->exprs.push_back(ParseTuple(false, false));
    if (stmt->exprs[0] == nullptr) return nullptr;
    if (!ParseStatements({"elif", "else", "endif"}, stmt->body)) return nullptr;
    const Token& token = Next();
    if (token.text == "elif") {
      stmt = ast_.NewStmt(StmtKind::kIf, token.offset);
      result->branches.push_back(stmt);
      continue;
    }
    if (token.text == "else" && !ParseStatementsTo("endif", result->else_body)) return nullptr;
    return result;
  }
}

Stmt* Parser::ParseBlock() {
  Next();
  Stmt* stmt = ast_.NewStmt(StmtKind::kBlock, current().offset);
  stmt->name = TakeName();
  stmt->scoped = SkipName("scoped");
  stmt->required = SkipName("required");
  if (current().Is("-")) {
    FailHere("Block names must be identifiers; use an underscore instead of a hyphen");
  }
  if (failed() || !ParseStatementsTo("endblock", stmt->body)) return nullptr;
  if (stmt->required && !std::all_of(stmt->body.begin(), stmt->body.end(), IsBlank)) {
    Fail("Required blocks can only contain comments or whitespace", stmt->offset);
    return nullptr;
  }
  SkipName(stmt->name);
  return stmt;
}

Stmt* Parser::ParseExtends() {
  Stmt* stmt = ast_.NewStmt(StmtKind::kExtends, Next().offset);
  stmt->exprs.push_back(ParseExpression());
  return stmt->exprs[0] == nullptr ? nullptr : stmt;
}

bool Parser::ParseImportContext(Stmt& stmt, bool with_context) {
  stmt.with_context = with_context;
  if (!IsAnyName({"with", "without"}) || !Look().IsName("context")) return false;
  stmt.with_context = Next().text == "with";
  Next();
  return true;
}

Stmt* Parser::ParseInclude() {
  Stmt* stmt = ast_.NewStmt(StmtKind::kInclude, Next().offset);
  stmt->exprs.push_back(ParseExpression());
  if (stmt->exprs[0] == nullptr) return nullptr;
  if (current().IsName("ignore") && Look().IsName("missing")) {
    stmt->ignore_missing = true;
    Next();
    Next();
  }
  ParseImportContext(*stmt, true);
  return stmt;
}

Stmt* Parser::ParseImport() {
  Stmt* stmt = ast_.NewStmt(StmtKind::kImport, Next().offset);
  stmt->exprs.push_back(ParseExpression());
  if (stmt->exprs[0] == nullptr || !ExpectName("as")) return nullptr;
  stmt->target = ParseTargetName();
  if (stmt->target == nullptr) return nullptr;
  stmt->name = stmt->target->name;
  ParseImportContext(*stmt, false);
  return stmt;
}

Stmt* Parser::ParseFromImport() {
  Stmt* stmt = ast_.NewStmt(StmtKind::kFromImport, Next().offset);
  stmt->exprs.push_back(ParseExpression());
  if (stmt->exprs[0] == nullptr || !ExpectName("import")) return nullptr;
  while (true) {
    if (!stmt->names.empty() && !ExpectOperator(",")) return nullptr;
    if (ParseImportContext(*stmt, false)) return stmt;
    const Expr* target = ParseTargetName();
    if (target == nullptr) return nullptr;
    if (target->name[0] == '_') {
      Fail("names starting with an underline can not be imported", target->offset);
      return nullptr;
    }
    absl::string_view alias = target->name;
    if (SkipName("as")) {
      const Expr* name = ParseTargetName();
      if (name == nullptr) return nullptr;
      alias = name->name;
    }
    stmt->names.emplace_back(target->name, alias);
    if (ParseImportContext(*stmt, false) || !current().Is(",")) return stmt;
  }
}

bool Parser::ParseSignature(Stmt& stmt) {
  if (!ExpectOperator("(")) return false;
  while (!current().Is(")")) {
    if (!stmt.targets.empty() && !ExpectOperator(",")) return false;
    Expr* parameter = ParseTargetName();
    if (parameter == nullptr) return false;
    parameter->is_param = true;
    for (const Expr* other : stmt.targets) {
      if (other->name == parameter->name) {
        Fail(absl::StrCat("parameter '", parameter->name, "' is repeated"), parameter->offset);
        return false;
      }
    }
    if (SkipOperator("=")) {
      stmt.defaults.push_back(ParseExpression());
      if (stmt.defaults.back() == nullptr) return false;
    } else if (!stmt.defaults.empty()) {
      FailHere("non-default argument follows default argument");
      return false;
    }
    stmt.targets.push_back(parameter);
  }
  return ExpectOperator(")");
}

Stmt* Parser::ParseMacro() {
  Stmt* stmt = ast_.NewStmt(StmtKind::kMacro, Next().offset);
  const Expr* name = ParseTargetName();
  if (name == nullptr) return nullptr;
  stmt->name = name->name;
  return ParseSignature(*stmt) && ParseStatementsTo("endmacro", stmt->body) ? stmt : nullptr;
}

Stmt* Parser::ParseCallBlock() {
  Stmt* stmt = ast_.NewStmt(StmtKind::kCallBlock, Next().offset);
  if (current().Is("(") && !ParseSignature(*stmt)) return nullptr;
  Expr* call = ParseExpression();
  if (call == nullptr) return nullptr;
  if (call->kind != ExprKind::kCall) {
    Fail("expected call", stmt->offset);
    return nullptr;
  }
  stmt->exprs.push_back(call);
  return ParseStatementsTo("endcall", stmt->body) ? stmt : nullptr;
}

Stmt* Parser::ParseFilterBlock() {
  Stmt* stmt = ast_.NewStmt(StmtKind::kFilterBlock, Next().offset);
  stmt->exprs.push_back(ParseFilters(nullptr, true));
  if (stmt->exprs[0] == nullptr) return nullptr;
  return ParseStatementsTo("endfilter", stmt->body) ? stmt : nullptr;
}

Stmt* Parser::ParseWith() {
  Stmt* stmt = ast_.NewStmt(StmtKind::kWith, Next().offset);
  while (current().kind != TokenKind::kBlockEnd) {
    if (!stmt->targets.empty() && !ExpectOperator(",")) return nullptr;
    Expr* target = ParseTarget();
    if (target == nullptr || !ExpectOperator("=")) return nullptr;
    target->is_param = true;
    for (Expr* item : target->items) item->is_param = true;
    stmt->targets.push_back(target);
    stmt->exprs.push_back(ParseExpression());
    if (stmt->exprs.back() == nullptr) return nullptr;
  }
  return ParseStatementsTo("endwith", stmt->body) ? stmt : nullptr;
}

Stmt* Parser::ParseAutoescape() {
  Stmt* stmt = ast_.NewStmt(StmtKind::kAutoescape, Next().offset);
  stmt->exprs.push_back(ParseExpression());
  if (stmt->exprs[0] == nullptr) return nullptr;
  return ParseStatementsTo("endautoescape", stmt->body) ? stmt : nullptr;
}

Stmt* Parser::ParsePrint() {
  Stmt* stmt = ast_.NewStmt(StmtKind::kOutput, Next().offset);
  while (current().kind != TokenKind::kBlockEnd) {
    if (!stmt->exprs.empty() && !ExpectOperator(",")) return nullptr;
    stmt->exprs.push_back(ParseExpression());
    if (stmt->exprs.back() == nullptr) return nullptr;
  }
  return stmt;
}

Stmt* Parser::ParseSet() {
  const uint32_t offset = Next().offset;
  Expr* target = ParseTarget({}, true);
  if (target == nullptr) return nullptr;
  if (SkipOperator("=")) {
    Stmt* stmt = ast_.NewStmt(StmtKind::kSet, offset);
    stmt->target = target;
    stmt->exprs.push_back(ParseTuple());
    return stmt->exprs[0] == nullptr ? nullptr : stmt;
  }
  Stmt* stmt = ast_.NewStmt(StmtKind::kSetBlock, offset);
  stmt->target = target;
  stmt->filter = ParseFilters(nullptr);
  if (failed() || !ParseStatementsTo("endset", stmt->body)) return nullptr;
  return stmt;
}

Expr* Parser::ParseTarget(Words ends, bool with_namespace) {
  if (with_namespace && Look().Is(".")) {
    Expr* node = ast_.NewExpr(ExprKind::kNamespaceRef, current().offset);
    node->name = TakeName();
    Next();
    node->attribute = TakeName();
    return failed() ? nullptr : node;
  }
  Expr* target = ParseTuple(true, true, ends);
  if (target == nullptr || !CheckTarget(target)) return nullptr;
  MarkStored(target);
  return target;
}

Expr* Parser::ParseTargetName() {
  Expr* node = ast_.NewExpr(ExprKind::kName, current().offset);
  node->name = TakeName();
  node->is_store = true;
  if (failed() || !CheckTarget(node)) return nullptr;
  return node;
}

bool Parser::CheckTarget(Expr* target) {
  static constexpr absl::string_view kConstants[] = {"true", "false", "none", "True", "False", "None"};
  if (target->kind == ExprKind::kName &&
      std::find(std::begin(kConstants), std::end(kConstants), target->name) == std::end(kConstants)) {
    return true;
  }
  if (target->kind == ExprKind::kTuple) {
    return std::all_of(target->items.begin(), target->items.end(), [&](Expr* item) { return CheckTarget(item); });
  }
  Fail("can't assign to this", target->offset);
  return false;
}

}  // namespace ssg::tmpl

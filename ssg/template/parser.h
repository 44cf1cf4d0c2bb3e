// Parses template tokens into a syntax tree, by the grammar of Jinja2's parser.
//
// Bounds:  expressions and tags nest at most as deep as Limits allows.
// Threads: thread-compatible.
#ifndef SSG_TEMPLATE_PARSER_H_
#define SSG_TEMPLATE_PARSER_H_

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/template/ast.h"
#include "ssg/template/lexer.h"

namespace ssg::tmpl {

class Parser {
 public:
  // `tokens` ends with kEnd and must outlive the parser, as `ast` must.
  Parser(const std::vector<Token>& tokens, const Limits& limits, Arena& arena, Ast& ast)
      : tokens_(tokens), limits_(limits), arena_(arena), ast_(ast) {}

  // False on failure, which error() then describes.
  bool Parse();
  const SyntaxError& error() const { return error_; }

 private:
  using Words = std::initializer_list<absl::string_view>;

  // Statements: parser_statement.cc. All return null after a failure.
  bool ParseBody(Words ends, std::vector<Stmt*>& body);
  bool ParseStatements(Words ends, std::vector<Stmt*>& body);
  bool ParseStatementsTo(absl::string_view end, std::vector<Stmt*>& body);
  Stmt* ParseStatement();
  Stmt* ParseStatementNamed(absl::string_view name);
  Stmt* ParseFor();
  Stmt* ParseIf();
  Stmt* ParseBlock();
  Stmt* ParseExtends();
  Stmt* ParseInclude();
  Stmt* ParseImport();
  Stmt* ParseFromImport();
  Stmt* ParseSet();
  Stmt* ParseMacro();
  Stmt* ParseCallBlock();
  Stmt* ParseFilterBlock();
  Stmt* ParseWith();
  Stmt* ParseAutoescape();
  Stmt* ParsePrint();
  bool ParseSignature(Stmt& stmt);
  bool ParseImportContext(Stmt& stmt, bool with_context);
  Expr* ParseTarget(Words ends = {}, bool with_namespace = false);
  Expr* ParseTargetName();
  bool CheckTarget(Expr* target);
  void FailUnexpectedEnd(const Token* unknown_tag);

  // Expressions: parser_expression.cc.
  Expr* ParseTuple(bool simplified = false, bool conditional = true, Words ends = {}, bool parentheses = false);
  Expr* ParseExpression(bool conditional = true);
  Expr* ParseConditional();
  Expr* ParseOr();
  Expr* ParseAnd();
  Expr* ParseNot();
  Expr* ParseCompare();
  Expr* ParseSum();
  Expr* ParseConcat();
  Expr* ParseProduct();
  Expr* ParsePower();
  Expr* ParseUnary(bool with_filter = true);
  Expr* ParsePrimary();
  Expr* ParseNumber();
  Expr* ParseString();
  Expr* ParseListLiteral();
  Expr* ParseDictLiteral();
  Expr* ParsePostfix(Expr* node);
  Expr* ParseFilterChain(Expr* node);
  Expr* ParseSubscript(Expr* node);
  Expr* ParseSubscripted();
  Expr* ParseCallOf(Expr* node);
  bool ParseArguments(Expr& call);
  bool ParseArgument(Expr& call, const Token& open);
  // At a "|", or at the first name if `inline_start`.
  Expr* ParseFilters(Expr* node, bool inline_start = false);
  Expr* ParseTest(Expr* node);
  Expr* Binary(Operator op, Expr* a, Expr* b, uint32_t offset);
  bool DottedName(absl::string_view& name);

  const Token& current() const { return tokens_[at_]; }
  const Token& Look() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& Next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool SkipOperator(absl::string_view op);
  bool SkipName(absl::string_view name);
  bool IsAnyName(Words names) const;
  bool ExpectOperator(absl::string_view op);
  bool ExpectName(absl::string_view name);
  bool Expect(TokenKind kind);
  // The name at hand; empty after a failure.
  absl::string_view TakeName();
  // Records the first failure only.
  void Fail(std::string message, size_t offset, std::string hint = "");
  void FailHere(std::string message) { Fail(std::move(message), current().offset); }
  bool failed() const { return !error_.message.empty(); }

  // Fails when nesting gets too deep, before the stack does.
  class Nesting;

  const std::vector<Token>& tokens_;
  const Limits& limits_;
  Arena& arena_;
  Ast& ast_;
  SyntaxError error_;
  size_t at_ = 0;
  int depth_ = 0;
  std::vector<Token> open_tags_;
  std::vector<std::vector<absl::string_view>> expected_ends_;
};

// What a message calls a token: "end of statement block", "'x'".
std::string DescribeToken(const Token& token);

class Parser::Nesting {
 public:
  Nesting(Parser& parser, int depth_max) : parser_(parser) {
    if (++parser_.depth_ > depth_max) parser_.FailHere("this is nested too deeply");
  }
  ~Nesting() { --parser_.depth_; }

 private:
  Parser& parser_;
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_PARSER_H_

// tidy: long-file: one function for each level of precedence.
#include <charconv>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ssg/template/parser.h"

namespace ssg::tmpl {

Expr* Parser::Binary(Operator op, Expr* a, Expr* b, uint32_t offset) {
  if (a == nullptr || b == nullptr) return nullptr;
  Expr* node = ast_.NewExpr(ExprKind::kBinary, offset);
  node->op = op;
  node->a = a;
  node->b = b;
  return node;
}

Expr* Parser::ParseTuple(bool simplified, bool conditional, Words ends, bool parentheses) {
  const uint32_t offset = current().offset;
  std::vector<Expr*> items;
  bool is_tuple = false;
  while (true) {
    if (!items.empty() && !ExpectOperator(",")) return nullptr;
    const TokenKind kind = current().kind;
    if (kind == TokenKind::kVariableEnd || kind == TokenKind::kBlockEnd || current().Is(")") || IsAnyName(ends)) {
      break;
    }
    Expr* item = simplified ? ParsePrimary() : ParseExpression(conditional);
    if (item == nullptr) return nullptr;
    items.push_back(item);
    if (!current().Is(",")) break;
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!items.empty()) return items[0];
    if (!parentheses) {
      FailHere(absl::StrCat("Expected an expression, got ", DescribeToken(current())));
      return nullptr;
    }
  }
  Expr* node = ast_.NewExpr(ExprKind::kTuple, offset);
  node->items = std::move(items);
  return node;
}

Expr* Parser::ParseExpression(bool conditional) {
  const Nesting nesting(*this, limits_.expression_depth_max);
  if (failed()) return nullptr;
  return conditional ? ParseConditional() : ParseOr();
}

Expr* Parser::ParseConditional() {
  Expr* node = ParseOr();
  while (node != nullptr && current().IsName("if")) {
    Expr* result = ast_.NewExpr(ExprKind::kConditional, Next().offset);
    result->b = node;
    result->a = ParseOr();
    if (result->a == nullptr) return nullptr;
    if (SkipName("else")) {
      const Nesting nesting(*this, limits_.expression_depth_max);
      if (failed()) return nullptr;
      result->c = ParseConditional();
      if (result->c == nullptr) return nullptr;
    }
    node = result;
  }
  return node;
}

Expr* Parser::ParseOr() {
  Expr* node = ParseAnd();
  while (node != nullptr && current().IsName("or")) {
    Expr* result = ast_.NewExpr(ExprKind::kOr, Next().offset);
    result->a = node;
    result->b = ParseAnd();
    node = result->b == nullptr ? nullptr : result;
  }
  return node;
}

Expr* Parser::ParseAnd() {
  Expr* node = ParseNot();
  while (node != nullptr && current().IsName("and")) {
    Expr* result = ast_.NewExpr(ExprKind::kAnd, Next().offset);
    result->a = node;
    result->b = ParseNot();
    node = result->b == nullptr ? nullptr : result;
  }
  return node;
}

Expr* Parser::ParseNot() {
  if (!current().IsName("not")) return ParseCompare();
  const Nesting nesting(*this, limits_.expression_depth_max);
  if (failed()) return nullptr;
  Expr* node = ast_.NewExpr(ExprKind::kNot, Next().offset);
  node->a = ParseNot();
  return node->a == nullptr ? nullptr : node;
}

Expr* Parser::ParseCompare() {
  static constexpr std::pair<absl::string_view, Operator> kComparisons[] = {
      {"==", Operator::kEqual},     {"!=", Operator::kNotEqual}, {"<", Operator::kLess},
      {"<=", Operator::kLessEqual}, {">", Operator::kGreater},   {">=", Operator::kGreaterEqual}};
  Expr* first = ParseSum();
  if (first == nullptr) return nullptr;
  Expr* node = nullptr;
  while (true) {
    absl::optional<Operator> op;
    const uint32_t offset = current().offset;
    for (const auto& [text, comparison] : kComparisons) {
      if (current().Is(text)) op = comparison;
    }
    if (op.has_value()) {
      Next();
    } else if (SkipName("in")) {
      op = Operator::kIn;
    } else if (current().IsName("not") && Look().IsName("in")) {
      Next();
      Next();
      op = Operator::kNotIn;
    } else {
      break;
    }
    if (node == nullptr) {
      node = ast_.NewExpr(ExprKind::kCompare, offset);
      node->a = first;
    }
    Expr* item = ParseSum();
    if (item == nullptr) return nullptr;
    node->ops.push_back(*op);
    node->items.push_back(item);
  }
  return node == nullptr ? first : node;
}

Expr* Parser::ParseSum() {
  Expr* node = ParseConcat();
  while (node != nullptr && (current().Is("+") || current().Is("-"))) {
    const Token& token = Next();
    node = Binary(token.text == "+" ? Operator::kAdd : Operator::kSub, node, ParseConcat(), token.offset);
  }
  return node;
}

Expr* Parser::ParseConcat() {
  Expr* first = ParseProduct();
  if (first == nullptr || !current().Is("~")) return first;
  Expr* node = ast_.NewExpr(ExprKind::kConcat, current().offset);
  node->items.push_back(first);
  while (SkipOperator("~")) {
    Expr* item = ParseProduct();
    if (item == nullptr) return nullptr;
    node->items.push_back(item);
  }
  return node;
}

Expr* Parser::ParseProduct() {
  static constexpr std::pair<absl::string_view, Operator> kProducts[] = {
      {"*", Operator::kMul}, {"/", Operator::kDiv}, {"//", Operator::kFloorDiv}, {"%", Operator::kMod}};
  Expr* node = ParsePower();
  while (node != nullptr) {
    const Token& token = current();
    const auto* found =
        std::find_if(std::begin(kProducts), std::end(kProducts), [&](const auto& row) { return token.Is(row.first); });
    if (found == std::end(kProducts)) break;
    Next();
    node = Binary(found->second, node, ParsePower(), token.offset);
  }
  return node;
}

Expr* Parser::ParsePower() {
  Expr* node = ParseUnary();
  while (node != nullptr && current().Is("**")) {
    const Token& token = Next();
    node = Binary(Operator::kPow, node, ParseUnary(), token.offset);
  }
  return node;
}

Expr* Parser::ParseUnary(bool with_filter) {
  Expr* node = nullptr;
  if (current().Is("-") || current().Is("+")) {
    const Nesting nesting(*this, limits_.expression_depth_max);
    if (failed()) return nullptr;
    const Token& token = Next();
    node = ast_.NewExpr(ExprKind::kUnary, token.offset);
    node->op = token.text == "-" ? Operator::kMinus : Operator::kPlus;
    node->a = ParseUnary(false);
    if (node->a == nullptr) return nullptr;
  } else {
    node = ParsePrimary();
  }
  node = ParsePostfix(node);
  return with_filter ? ParseFilterChain(node) : node;
}

Expr* Parser::ParsePrimary() {
  const Token& token = current();
  switch (token.kind) {
    case TokenKind::kName: {
      Next();
      const absl::string_view name = token.text;
      Expr* node = ast_.NewExpr(ExprKind::kConstant, token.offset);
      if (name == "true" || name == "True") {
        node->constant = Value::Bool(true);
      } else if (name == "false" || name == "False") {
        node->constant = Value::Bool(false);
      } else if (name == "none" || name == "None") {
        node->constant = Value::None();
      } else {
        node->kind = ExprKind::kName;
        node->name = name;
      }
      return node;
    }
    case TokenKind::kString:
      return ParseString();
    case TokenKind::kInteger:
    case TokenKind::kFloat:
      return ParseNumber();
    default:
      break;
  }
  if (token.Is("(")) {
    Next();
    Expr* node = ParseTuple(false, true, {}, true);
    if (node == nullptr || !ExpectOperator(")")) return nullptr;
    return node;
  }
  if (token.Is("[")) return ParseListLiteral();
  if (token.Is("{")) return ParseDictLiteral();
  FailHere(absl::StrCat("unexpected ", DescribeToken(token)));
  return nullptr;
}

Expr* Parser::ParseNumber() {
  const Token& token = Next();
  Expr* node = ast_.NewExpr(ExprKind::kConstant, token.offset);
  if (token.kind == TokenKind::kFloat) {
    double number = 0;
    std::from_chars(token.text.data(), token.text.data() + token.text.size(), number);
    if (!absl::SimpleAtod(token.text, &number)) number = HUGE_VAL;
    node->constant = Value::Float(number);
    return node;
  }
  absl::string_view digits = token.text;
  int base = 10;
  if (digits.size() > 2 && digits[0] == '0') {
    const char prefix = digits[1] | 0x20;
    base = prefix == 'x' ? 16 : prefix == 'o' ? 8 : prefix == 'b' ? 2 : 10;
    if (base != 10) digits.remove_prefix(2);
  }
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    Fail("this integer needs more than 64 bits", token.offset);
    return nullptr;
  }
  node->constant = Value::Int(number);
  return node;
}

Expr* Parser::ParseString() {
  const Token& token = Next();
  Expr* node = ast_.NewExpr(ExprKind::kConstant, token.offset);
  absl::string_view text = token.text;
  if (current().kind == TokenKind::kString) {
    std::string joined(text);
    while (current().kind == TokenKind::kString) absl::StrAppend(&joined, Next().text);
    text = arena_.Copy(joined);
  }
  node->constant = Value::String(text);
  return node;
}

Expr* Parser::ParseListLiteral() {
  Expr* node = ast_.NewExpr(ExprKind::kList, Next().offset);
  while (!current().Is("]")) {
    if (!node->items.empty() && !ExpectOperator(",")) return nullptr;
    if (current().Is("]")) break;
    Expr* item = ParseExpression();
    if (item == nullptr) return nullptr;
    node->items.push_back(item);
  }
  return ExpectOperator("]") ? node : nullptr;
}

Expr* Parser::ParseDictLiteral() {
  Expr* node = ast_.NewExpr(ExprKind::kDict, Next().offset);
  while (!current().Is("}")) {
    if (!node->items.empty() && !ExpectOperator(",")) return nullptr;
    if (current().Is("}")) break;
    Expr* key = ParseExpression();
    if (key == nullptr || !ExpectOperator(":")) return nullptr;
    Expr* value = ParseExpression();
    if (value == nullptr) return nullptr;
    node->items.push_back(key);
    node->items.push_back(value);
  }
  return ExpectOperator("}") ? node : nullptr;
}

Expr* Parser::ParsePostfix(Expr* node) {
  while (node != nullptr) {
    if (current().Is(".") || current().Is("[")) {
      node = ParseSubscript(node);
    } else if (current().Is("(")) {
      node = ParseCallOf(node);
    } else {
      break;
    }
  }
  return node;
}

Expr* Parser::ParseFilterChain(Expr* node) {
  while (node != nullptr) {
    if (current().Is("|")) {
      node = ParseFilters(node);
    } else if (current().IsName("is")) {
      node = ParseTest(node);
    } else if (current().Is("(")) {
      node = ParseCallOf(node);
    } else {
      break;
    }
  }
  return node;
}

Expr* Parser::ParseSubscript(Expr* node) {
  const Token& token = Next();
  if (token.text == ".") {
    const Token& attribute = Next();
    if (attribute.kind == TokenKind::kName) {
      Expr* result = ast_.NewExpr(ExprKind::kGetAttr, attribute.offset);
      result->a = node;
      result->name = attribute.text;
      return result;
    }
    int64_t index = 0;
    if (attribute.kind != TokenKind::kInteger || !absl::SimpleAtoi(attribute.text, &index)) {
      Fail("expected name or number", attribute.offset);
      return nullptr;
    }
    Expr* result = ast_.NewExpr(ExprKind::kGetItem, attribute.offset);
    result->a = node;
    result->b = ast_.NewExpr(ExprKind::kConstant, attribute.offset);
    result->b->constant = Value::Int(index);
    return result;
  }
  Expr* result = ast_.NewExpr(ExprKind::kGetItem, token.offset);
  result->a = node;
  std::vector<Expr*> items;
  while (!current().Is("]")) {
    if (!items.empty() && !ExpectOperator(",")) return nullptr;
    Expr* item = ParseSubscripted();
    if (item == nullptr) return nullptr;
    items.push_back(item);
  }
  if (!ExpectOperator("]")) return nullptr;
  if (items.size() == 1) {
    result->b = items[0];
    return result;
  }
  for (const Expr* item : items) {
    if (item->kind == ExprKind::kSlice) {
      Fail("slices cannot be combined with ','", item->offset);
      return nullptr;
    }
  }
  result->b = ast_.NewExpr(ExprKind::kTuple, token.offset);
  result->b->items = std::move(items);
  return result;
}

Expr* Parser::ParseSubscripted() {
  const uint32_t offset = current().offset;
  Expr* start = nullptr;
  if (!current().Is(":")) {
    start = ParseExpression();
    if (start == nullptr || !current().Is(":")) return start;
  }
  Next();
  Expr* node = ast_.NewExpr(ExprKind::kSlice, offset);
  node->a = start;
  const auto at_end = [&] { return current().Is("]") || current().Is(","); };
  if (!current().Is(":") && !at_end()) {
    node->b = ParseExpression();
    if (node->b == nullptr) return nullptr;
  }
  if (SkipOperator(":") && !at_end()) {
    node->c = ParseExpression();
    if (node->c == nullptr) return nullptr;
  }
  return node;
}

Expr* Parser::ParseCallOf(Expr* node) {
  Expr* call = ast_.NewExpr(ExprKind::kCall, current().offset);
  call->a = node;
  return ParseArguments(*call) ? call : nullptr;
}

bool Parser::ParseArguments(Expr& call) {
  const Token& open = current();
  if (!ExpectOperator("(")) return false;
  bool require_comma = false;
  while (!current().Is(")")) {
    if (require_comma) {
      if (!ExpectOperator(",")) return false;
      if (current().Is(")")) break;
    }
    if (!ParseArgument(call, open)) return false;
    require_comma = true;
  }
  return ExpectOperator(")");
}

bool Parser::ParseArgument(Expr& call, const Token& open) {
  const auto ensure = [&](bool valid) {
    if (!valid) Fail("invalid syntax for function call expression", open.offset);
    return valid;
  };
  if (SkipOperator("*")) {
    if (!ensure(call.dynamic_args == nullptr && call.dynamic_kwargs == nullptr)) return false;
    call.dynamic_args = ParseExpression();
    return call.dynamic_args != nullptr;
  }
  if (SkipOperator("**")) {
    if (!ensure(call.dynamic_kwargs == nullptr)) return false;
    call.dynamic_kwargs = ParseExpression();
    return call.dynamic_kwargs != nullptr;
  }
  if (current().kind == TokenKind::kName && Look().Is("=")) {
    if (!ensure(call.dynamic_kwargs == nullptr)) return false;
    const Token& name = Next();
    Next();
    for (const Expr::Keyword& keyword : call.keywords) {
      if (keyword.name == name.text) {
        Fail(absl::StrCat("keyword argument '", name.text, "' is repeated"), name.offset);
        return false;
      }
    }
    Expr* value = ParseExpression();
    call.keywords.push_back({name.text, value});
    return value != nullptr;
  }
  if (!ensure(call.dynamic_args == nullptr && call.dynamic_kwargs == nullptr && call.keywords.empty())) {
    return false;
  }
  Expr* value = ParseExpression();
  call.items.push_back(value);
  return value != nullptr;
}

bool Parser::DottedName(absl::string_view& name) {
  name = TakeName();
  while (!failed() && SkipOperator(".")) {
    name = arena_.Copy(absl::StrCat(name, ".", TakeName()));
  }
  return !failed();
}

Expr* Parser::ParseFilters(Expr* node, bool inline_start) {
  while (current().Is("|") || inline_start) {
    if (!inline_start) Next();
    inline_start = false;
    Expr* filter = ast_.NewExpr(ExprKind::kFilter, current().offset);
    filter->a = node;
    if (!DottedName(filter->name)) return nullptr;
    if (current().Is("(") && !ParseArguments(*filter)) return nullptr;
    node = filter;
  }
  return node;
}

Expr* Parser::ParseTest(Expr* node) {
  Next();
  const uint32_t not_offset = current().offset;
  const bool negated = SkipName("not");
  Expr* test = ast_.NewExpr(ExprKind::kTest, current().offset);
  test->a = node;
  if (!DottedName(test->name)) return nullptr;
  const Token& token = current();
  const bool starts_operand = token.kind == TokenKind::kName || token.kind == TokenKind::kString ||
                              token.kind == TokenKind::kInteger || token.kind == TokenKind::kFloat || token.Is("[") ||
                              token.Is("{");
  if (token.Is("(")) {
    if (!ParseArguments(*test)) return nullptr;
  } else if (starts_operand && !IsAnyName({"else", "or", "and"})) {
    if (token.IsName("is")) {
      FailHere("You cannot chain multiple tests with is");
      return nullptr;
    }
    Expr* argument = ParsePostfix(ParsePrimary());
    if (argument == nullptr) return nullptr;
    test->items.push_back(argument);
  }
  if (!negated) return test;
  Expr* result = ast_.NewExpr(ExprKind::kNot, not_offset);
  result->a = test;
  return result;
}

}  // namespace ssg::tmpl

#include "marc/query/predicate.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "marc/query/spec.h"

namespace marc {

struct Predicate::Node {
  enum class Kind { kOr, kAnd, kNot, kExists, kCount, kCompare, kRegex, kPrefix };
  enum class Compare { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
  Kind kind = Kind::kExists;
  std::vector<std::shared_ptr<const Node>> children;
  Spec spec;
  Compare compare = Compare::kEqual;
  std::string value;
  std::shared_ptr<const re2::RE2> regex;
};

namespace {

using Node = Predicate::Node;
using NodePointer = std::shared_ptr<const Node>;

class Parser {
 public:
  explicit Parser(absl::string_view text) : rest_(text) {}

  absl::StatusOr<NodePointer> Run() {
    ASSIGN_OR_RETURN(NodePointer root, ParseOr(0));
    SkipBlanks(&rest_);
    if (!rest_.empty()) return Wrong("&&, || or the end");
    return root;
  }

 private:
  absl::Status Wrong(absl::string_view expected) const {
    return absl::InvalidArgumentError(absl::StrCat("expected ", expected, " at '", rest_.substr(0, 24), "'"));
  }
  bool Take(absl::string_view token) {
    SkipBlanks(&rest_);
    return absl::ConsumePrefix(&rest_, token);
  }
  absl::StatusOr<NodePointer> ParseOr(int depth) { return ParseList(Node::Kind::kOr, "||", depth); }
  absl::StatusOr<NodePointer> ParseList(Node::Kind kind, absl::string_view token, int depth) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    do {
      ASSIGN_OR_RETURN(NodePointer child,
                       kind == Node::Kind::kOr ? ParseList(Node::Kind::kAnd, "&&", depth) : ParseNot(depth));
      node->children.push_back(std::move(child));
    } while (Take(token));
    if (node->children.size() == 1) return node->children[0];
    return NodePointer(node);
  }
  absl::StatusOr<NodePointer> ParseNot(int depth) {
    if (depth > Predicate::kDepthMax) return Wrong("fewer parentheses");
    if (Take("!")) {
      auto node = std::make_shared<Node>();
      node->kind = Node::Kind::kNot;
      ASSIGN_OR_RETURN(NodePointer child, ParseNot(depth + 1));
      node->children.push_back(std::move(child));
      return NodePointer(node);
    }
    if (Take("(")) {
      ASSIGN_OR_RETURN(NodePointer inner, ParseOr(depth + 1));
      if (!Take(")")) return Wrong("')'");
      return inner;
    }
    return ParseTest();
  }
  bool ParseCompare(Node::Compare* compare) {
    static constexpr struct {
      absl::string_view token;
      Node::Compare compare;
    } kTokens[] = {{"==", Node::Compare::kEqual},     {"!=", Node::Compare::kNotEqual},
                   {"<=", Node::Compare::kLessEqual}, {">=", Node::Compare::kGreaterEqual},
                   {"<", Node::Compare::kLess},       {">", Node::Compare::kGreater},
                   {"=", Node::Compare::kEqual}};
    for (const auto& row : kTokens) {
      if (!Take(row.token)) continue;
      *compare = row.compare;
      return true;
    }
    return false;
  }
  absl::StatusOr<NodePointer> ParseTest();

  absl::string_view rest_;
};

absl::StatusOr<NodePointer> Parser::ParseTest() {
  auto node = std::make_shared<Node>();
  if (Take("exists(") || Take("count(")) {
    node->kind = *(rest_.data() - 2) == 's' ? Node::Kind::kExists : Node::Kind::kCount;
    SkipBlanks(&rest_);
    ASSIGN_OR_RETURN(node->spec, Spec::ParsePrefix(&rest_));
    if (!Take(")")) return Wrong("')'");
    if (node->kind == Node::Kind::kExists) return NodePointer(node);
    if (!ParseCompare(&node->compare)) return Wrong("a comparison");
    SkipBlanks(&rest_);
    ASSIGN_OR_RETURN(node->value, ParseStringPrefix(&rest_));
    int64_t number;
    if (!absl::SimpleAtoi(node->value, &number)) return Wrong("a number to compare the count with");
    return NodePointer(node);
  }
  SkipBlanks(&rest_);
  ASSIGN_OR_RETURN(node->spec, Spec::ParsePrefix(&rest_));
  const bool negated = Take("!~");
  if (negated || Take("~")) {
    SkipBlanks(&rest_);
    node->kind = Node::Kind::kRegex;
    ASSIGN_OR_RETURN(node->regex, ParseRegexPrefix(&rest_));
    if (!negated) return NodePointer(node);
    auto inverse = std::make_shared<Node>();
    inverse->kind = Node::Kind::kNot;
    inverse->children.push_back(std::move(node));
    return NodePointer(inverse);
  }
  if (Take("^=")) {
    node->kind = Node::Kind::kPrefix;
  } else if (ParseCompare(&node->compare)) {
    node->kind = Node::Kind::kCompare;
  } else {
    return NodePointer(node);
  }
  SkipBlanks(&rest_);
  ASSIGN_OR_RETURN(node->value, ParseStringPrefix(&rest_));
  return NodePointer(node);
}

template <typename T>
bool Holds(Node::Compare compare, const T& a, const T& b) {
  switch (compare) {
    case Node::Compare::kEqual:
    case Node::Compare::kNotEqual:  // negated by the caller
      return a == b;
    case Node::Compare::kLess:
      return a < b;
    case Node::Compare::kLessEqual:
      return a <= b;
    case Node::Compare::kGreater:
      return a > b;
    case Node::Compare::kGreaterEqual:
      return a >= b;
  }
  return false;
}

bool CompareValues(const Node& node, absl::string_view value) {
  const bool ordering = node.compare != Node::Compare::kEqual && node.compare != Node::Compare::kNotEqual;
  int64_t a;
  int64_t b;
  if (ordering && absl::SimpleAtoi(value, &a) && absl::SimpleAtoi(node.value, &b)) return Holds(node.compare, a, b);
  return Holds(node.compare, value, absl::string_view(node.value));
}

bool Evaluate(const Node& node, const RecordView& record) {
  switch (node.kind) {
    case Node::Kind::kOr:
      for (const NodePointer& child : node.children) {
        if (Evaluate(*child, record)) return true;
      }
      return false;
    case Node::Kind::kAnd:
      for (const NodePointer& child : node.children) {
        if (!Evaluate(*child, record)) return false;
      }
      return true;
    case Node::Kind::kNot:
      return !Evaluate(*node.children[0], record);
    case Node::Kind::kExists:
      return node.spec.Exists(record);
    case Node::Kind::kCount: {
      int64_t wanted = 0;
      if (!absl::SimpleAtoi(node.value, &wanted)) return false;
      const bool holds = Holds(node.compare, static_cast<int64_t>(node.spec.Count(record)), wanted);
      return holds != (node.compare == Node::Compare::kNotEqual);
    }
    case Node::Kind::kCompare: {
      const bool any =
          !node.spec.ForEachValue(record, [&](absl::string_view value) { return !CompareValues(node, value); });
      return any != (node.compare == Node::Compare::kNotEqual);
    }
    case Node::Kind::kRegex:
      return !node.spec.ForEachValue(record, [&](absl::string_view value) {
        return !re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *node.regex);
      });
    case Node::Kind::kPrefix:
      return !node.spec.ForEachValue(record,
                                     [&](absl::string_view value) { return !absl::StartsWith(value, node.value); });
  }
  return false;
}

}  // namespace

absl::StatusOr<Predicate> Predicate::Parse(absl::string_view text) {
  Predicate predicate;
  ASSIGN_OR_RETURN(predicate.root_, Parser(text).Run());
  return predicate;
}

bool Predicate::Matches(const RecordView& record) const { return Evaluate(*root_, record); }

}  // namespace marc

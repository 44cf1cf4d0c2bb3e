// Predicate is a condition on records, built from Specs.
//
// Grammar (SPEC Q7..Q10), loosest first:
//   or      = and *( "||" and )
//   and     = not *( "&&" not )
//   not     = "!" not | "(" or ")" | test
//   test    = "exists(" spec ")" | "count(" spec ")" compare number
//           | spec [ compare value | "~" regex | "!~" regex | "^=" value ]
//   compare = "==" | "!=" | "<" | "<=" | ">" | ">="
//   A spec alone means exists. A test holds when it holds for any value, except
//   != and !~, which hold when == and ~ hold for none. Two numbers compare as
//   numbers, else bytes compare.
// Bounds:  kDepthMax parentheses and negations within each other.
// Errors:  InvalidArgument  what is wrong and where in the text
// Threads: immutable; thread-safe.
//
// Example:
//   ASSIGN_OR_RETURN(const Predicate p, Predicate::Parse("245$a ~ /jazz/i && 008/35-37 == \"eng\""));
#ifndef MARC_QUERY_PREDICATE_H_
#define MARC_QUERY_PREDICATE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "marc/codec/record_view.h"

namespace marc {

class Predicate {
 public:
  static constexpr int kDepthMax = 200;
  static absl::StatusOr<Predicate> Parse(absl::string_view text);
  bool Matches(const RecordView& record) const;

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
};

}  // namespace marc

#endif  // MARC_QUERY_PREDICATE_H_

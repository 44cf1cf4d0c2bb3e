// The operators of expressions.
//
// Threads: no state.
#ifndef SSG_TEMPLATE_OPERATOR_H_
#define SSG_TEMPLATE_OPERATOR_H_

#include <cstdint>

namespace ssg::tmpl {

enum class Operator : uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kFloorDiv,
  kMod,
  kPow,
  kPlus,
  kMinus,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_OPERATOR_H_

// GoogleTest matchers for absl::Status and absl::StatusOr.
//
// Example:
//   EXPECT_OK(device.Flush());
//   ASSERT_OK_AND_ASSIGN(const Page page, ReadPage(index));
//   EXPECT_THAT(ReadPage(bad), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("page")));
// Threads: no state.
#ifndef BASE_TESTING_STATUS_MATCHERS_H_
#define BASE_TESTING_STATUS_MATCHERS_H_

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/status_macros.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace base {
namespace internal {

inline const absl::Status& GetStatus(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& GetStatus(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

template <typename Inner>
class IsOkAndHoldsMatcher {
 public:
  explicit IsOkAndHoldsMatcher(Inner inner) : inner_(std::move(inner)) {}
  template <typename T>
  bool MatchAndExplain(const absl::StatusOr<T>& value, ::testing::MatchResultListener* listener) const {
    if (!value.ok()) {
      *listener << "whose status is " << value.status();
      return false;
    }
    return ::testing::SafeMatcherCast<const T&>(inner_).MatchAndExplain(*value, listener);
  }
  void DescribeTo(std::ostream* os) const { *os << "is OK and holds the expected value"; }
  void DescribeNegationTo(std::ostream* os) const { *os << "is not OK or holds another value"; }

 private:
  Inner inner_;
};

}  // namespace internal

MATCHER(IsOkMatcher, "is OK") {
  const absl::Status& status = internal::GetStatus(arg);
  if (!status.ok()) *result_listener << "whose status is " << status;
  return status.ok();
}
inline auto IsOk() { return IsOkMatcher(); }

MATCHER_P(StatusCodeIsMatcher, code, "has the expected status code") {
  const absl::Status& status = internal::GetStatus(arg);
  *result_listener << "whose status is " << status;
  return status.code() == code;
}
inline auto StatusIs(absl::StatusCode code) { return StatusCodeIsMatcher(code); }

MATCHER_P2(StatusCodeAndMessageMatcher, code, message, "has the expected status") {
  const absl::Status& status = internal::GetStatus(arg);
  *result_listener << "whose status is " << status;
  return status.code() == code &&
         ::testing::SafeMatcherCast<const std::string&>(message).Matches(std::string(status.message()));
}
template <typename MessageMatcher>
auto StatusIs(absl::StatusCode code, MessageMatcher message) {
  return StatusCodeAndMessageMatcher(code, message);
}

template <typename Inner>
auto IsOkAndHolds(Inner inner) {
  return ::testing::MakePolymorphicMatcher(
      internal::IsOkAndHoldsMatcher<std::decay_t<Inner>>(std::move(inner)));
}

}  // namespace base

#define EXPECT_OK(expression) EXPECT_THAT(expression, ::base::IsOk())
#define ASSERT_OK(expression) ASSERT_THAT(expression, ::base::IsOk())
#define ASSERT_OK_AND_ASSIGN(declaration, expression) \
  BASE_ASSERT_OK_AND_ASSIGN_(BASE_STATUS_CONCAT_(base_status_or_, __LINE__), declaration, expression)
#define BASE_ASSERT_OK_AND_ASSIGN_(result, declaration, expression) \
  auto result = (expression);                                       \
  ASSERT_THAT(result, ::base::IsOk());                              \
  declaration = *std::move(result)

#endif  // BASE_TESTING_STATUS_MATCHERS_H_

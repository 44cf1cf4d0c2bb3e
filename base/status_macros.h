// RETURN_IF_ERROR and ASSIGN_OR_RETURN for absl::Status and absl::StatusOr.
//
// Example:
//   RETURN_IF_ERROR(device.Flush());
//   ASSIGN_OR_RETURN(const Page page, ReadPage(index));
// Threads: no state.
#ifndef BASE_STATUS_MACROS_H_
#define BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define BASE_STATUS_CONCAT_INNER_(a, b) a##b
#define BASE_STATUS_CONCAT_(a, b) BASE_STATUS_CONCAT_INNER_(a, b)

#define RETURN_IF_ERROR(expression)                        \
  do {                                                     \
    absl::Status base_status_ = (expression);              \
    if (!base_status_.ok()) return base_status_;           \
  } while (false)

#define ASSIGN_OR_RETURN(declaration, expression) \
  BASE_ASSIGN_OR_RETURN_(BASE_STATUS_CONCAT_(base_status_or_, __LINE__), declaration, expression)

#define BASE_ASSIGN_OR_RETURN_(result, declaration, expression) \
  auto result = (expression);                                   \
  if (!result.ok()) return std::move(result).status();          \
  declaration = *std::move(result)

#endif  // BASE_STATUS_MACROS_H_

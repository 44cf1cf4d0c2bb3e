// Helpers that give an absl::Status its coordinates.
//
// A message reads "what failed; where; numbers": each layer appends its own
// coordinate with Annotate(), which owns the separator.
// Threads: no state.
#ifndef BASE_STATUS_H_
#define BASE_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace base {

// `status` with "; `coordinate`" appended to its message. OK stays OK; the
// code and all payloads stay.
absl::Status Annotate(const absl::Status& status, absl::string_view coordinate);

// The status for `error_number`, whose message is "`what`: <strerror>", with
// the number kept as a payload so that ErrnoOf() can give it back exactly.
absl::Status ErrnoStatus(int error_number, absl::string_view what);

// The errno that ErrnoStatus() was made from, else 0.
int ErrnoOf(const absl::Status& status);

}  // namespace base

#endif  // BASE_STATUS_H_

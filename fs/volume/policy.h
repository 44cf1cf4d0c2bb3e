// The fields of a policy as people write them, in xattrs of a directory:
//   user.cachefs.policy    keep | lru | fifo
//   user.cachefs.ttl       "7d", "12h", a number of seconds; 0 = entries do not expire
//   user.cachefs.quota     "10G", a number of bytes; 0 = no limit
//   user.cachefs.compress  none
//   user.cachefs.digest    none, or a list of crc32c, xxh3, blake3, sha256
// They hold for all below, up to a directory with fields of its own.
//
// Errors:  EINVAL      what makes no sense, with the reason
//          EOPNOTSUPP  a compression that this version cannot write
// Threads: no state.
#ifndef FS_VOLUME_POLICY_H_
#define FS_VOLUME_POLICY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "fs/format/volume_row.h"

namespace fs {

// "policy", "ttl", "quota", "compress", "digest".
bool IsPolicyField(absl::string_view field);

// REQUIRES: IsPolicyField(field).
absl::Status SetPolicyField(PolicyRow* policy, absl::string_view field, absl::string_view value);
// Back to the default; false if it was not set.
bool ClearPolicyField(PolicyRow* policy, absl::string_view field);

// The value, numbers in seconds and bytes; none if it was not set.
absl::optional<std::string> PolicyFieldText(const PolicyRow& policy, absl::string_view field);
// The fields that were set.
std::vector<absl::string_view> SetPolicyFields(const PolicyRow& policy);

}  // namespace fs

#endif  // FS_VOLUME_POLICY_H_

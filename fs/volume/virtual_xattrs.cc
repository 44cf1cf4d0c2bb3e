#include "fs/volume/virtual_xattrs.h"

#include <cerrno>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "fs/volume/policy.h"
#include "fs/volume/volume_state.h"

namespace fs {

absl::optional<DigestXattr> ParseDigestXattr(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kVirtualPrefix)) return absl::nullopt;
  const bool is_hex = absl::ConsumeSuffix(&name, ".hex");
  const absl::optional<DigestType> type = DigestTypeOf(name);
  if (!type.has_value()) return absl::nullopt;
  return DigestXattr{*type, is_hex};
}

bool IsPolicyXattr(absl::string_view name) { return absl::ConsumePrefix(&name, kVirtualPrefix) && IsPolicyField(name); }

absl::StatusOr<std::string> GetVirtualXattr(Volume& volume, const Attributes& attributes, absl::string_view name) {
  if (const absl::optional<DigestXattr> digest = ParseDigestXattr(name);
      digest.has_value() && attributes.is_regular()) {
    ASSIGN_OR_RETURN(std::string raw, volume.Digest(attributes.inode, digest->type));
    return digest->is_hex ? absl::BytesToHexString(raw) : std::move(raw);
  }
  absl::ConsumePrefix(&name, kVirtualPrefix);
  if (name == "version") return absl::StrCat(attributes.version);
  if (name == "subtree_version") {
    ASSIGN_OR_RETURN(const ChangeVersion version, volume.SubtreeVersion(attributes.inode));
    return absl::StrCat(version);
  }
  for (const PolicyUse& use : volume.Policies()) {
    if (use.id != attributes.policy) continue;
    if (name == "usage") return absl::StrCat(use.files, " ", use.bytes);
    if (const absl::optional<std::string> value = PolicyFieldText(use.policy, name); value.has_value()) return *value;
  }
  return InodeError(ENODATA, "no such xattr", attributes.inode);
}

}  // namespace fs

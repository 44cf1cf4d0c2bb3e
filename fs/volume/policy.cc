#include "fs/volume/policy.h"

#include <cerrno>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/volume/digest.h"

namespace fs {
namespace {

constexpr std::pair<absl::string_view, PolicyRow::Field> kFields[] = {{"policy", PolicyRow::kKindField},
                                                                      {"ttl", PolicyRow::kTtlField},
                                                                      {"quota", PolicyRow::kQuotaField},
                                                                      {"compress", PolicyRow::kCompressionField},
                                                                      {"digest", PolicyRow::kDigestField}};
constexpr std::pair<absl::string_view, PolicyRow::Kind> kKinds[] = {
    {"keep", PolicyRow::kKeep}, {"lru", PolicyRow::kLru}, {"fifo", PolicyRow::kFifo}};
constexpr absl::Duration kTtlMax = absl::Hours(24 * 365 * 100);

absl::optional<PolicyRow::Field> FieldOf(absl::string_view name) {
  for (const auto& [field_name, field] : kFields) {
    if (name == field_name) return field;
  }
  return absl::nullopt;
}

absl::Status Invalid(absl::string_view field, absl::string_view value, absl::string_view wanted) {
  return base::ErrnoStatus(
      EINVAL, absl::StrCat("user.cachefs.", field, " cannot be \"", absl::CHexEscape(value), "\": ", wanted));
}

absl::Status SetDigests(PolicyRow* policy, absl::string_view value) {
  uint32_t digests = 0;
  if (value != "none") {
    for (const absl::string_view name : absl::StrSplit(value, ',')) {
      const absl::optional<DigestType> type = DigestTypeOf(name);
      if (!type.has_value()) return Invalid("digest", value, "none, or a list of crc32c, xxh3, blake3, sha256");
      digests |= 1u << static_cast<uint32_t>(*type);
    }
  }
  policy->digests = digests;
  return absl::OkStatus();
}

absl::Status SetKind(PolicyRow* policy, absl::string_view value) {
  for (const auto& [name, kind] : kKinds) {
    if (value != name) continue;
    policy->kind = kind;
    return absl::OkStatus();
  }
  return Invalid("policy", value, "keep, lru or fifo");
}

std::string DigestText(uint32_t digests) {
  std::vector<absl::string_view> names;
  for (const DigestType type : kDigestTypes) {
    if ((digests & (1u << static_cast<uint32_t>(type))) != 0) names.push_back(DigestName(type));
  }
  return names.empty() ? "none" : absl::StrJoin(names, ",");
}

}  // namespace

bool IsPolicyField(absl::string_view field) { return FieldOf(field).has_value(); }

absl::Status SetPolicyField(PolicyRow* policy, absl::string_view field, absl::string_view value) {
  const PolicyRow::Field which = *FieldOf(field);
  switch (which) {
    case PolicyRow::kKindField:
      RETURN_IF_ERROR(SetKind(policy, value));
      break;
    case PolicyRow::kTtlField: {
      const absl::StatusOr<absl::Duration> ttl = base::ParseDuration(value);
      if (!ttl.ok() || *ttl > kTtlMax) return Invalid(field, value, "a duration of at most 100 years, such as 7d");
      if (*ttl > absl::ZeroDuration() && *ttl < absl::Seconds(1)) return Invalid(field, value, "at least a second");
      policy->ttl_seconds = static_cast<uint64_t>(absl::ToInt64Seconds(*ttl));
      break;
    }
    case PolicyRow::kQuotaField: {
      const absl::StatusOr<uint64_t> quota = base::ParseSize(value);
      if (!quota.ok()) return Invalid(field, value, "a size, such as 10G");
      policy->quota_bytes = *quota;
      break;
    }
    case PolicyRow::kCompressionField:
      if (value == "lz4" || value == "zstd") {
        return base::ErrnoStatus(EOPNOTSUPP, "this version writes no compressed data: user.cachefs.compress is none");
      }
      if (value != "none") return Invalid(field, value, "none");
      policy->compression = PolicyRow::kNone;
      break;
    case PolicyRow::kDigestField:
      RETURN_IF_ERROR(SetDigests(policy, value));
      break;
  }
  policy->fields |= which;
  return absl::OkStatus();
}

bool ClearPolicyField(PolicyRow* policy, absl::string_view field) {
  const PolicyRow::Field which = *FieldOf(field);
  if ((policy->fields & which) == 0) return false;
  const PolicyRow defaults;
  if (which == PolicyRow::kKindField) policy->kind = defaults.kind;
  if (which == PolicyRow::kTtlField) policy->ttl_seconds = defaults.ttl_seconds;
  if (which == PolicyRow::kQuotaField) policy->quota_bytes = defaults.quota_bytes;
  if (which == PolicyRow::kCompressionField) policy->compression = defaults.compression;
  if (which == PolicyRow::kDigestField) policy->digests = defaults.digests;
  policy->fields &= static_cast<uint8_t>(~which);
  return true;
}

absl::optional<std::string> PolicyFieldText(const PolicyRow& policy, absl::string_view field) {
  const absl::optional<PolicyRow::Field> which = FieldOf(field);
  if (!which.has_value() || (policy.fields & *which) == 0) return absl::nullopt;
  switch (*which) {
    case PolicyRow::kKindField:
      for (const auto& [name, kind] : kKinds) {
        if (policy.kind == kind) return std::string(name);
      }
      return absl::nullopt;
    case PolicyRow::kTtlField:
      return absl::StrCat(policy.ttl_seconds);
    case PolicyRow::kQuotaField:
      return absl::StrCat(policy.quota_bytes);
    case PolicyRow::kCompressionField:
      return "none";
    case PolicyRow::kDigestField:
      return DigestText(policy.digests);
  }
  return absl::nullopt;
}

std::vector<absl::string_view> SetPolicyFields(const PolicyRow& policy) {
  std::vector<absl::string_view> fields;
  for (const auto& [name, field] : kFields) {
    if ((policy.fields & field) != 0) fields.push_back(name);
  }
  return fields;
}

}  // namespace fs

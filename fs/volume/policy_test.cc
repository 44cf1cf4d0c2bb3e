#include "fs/volume/policy.h"

#include <cerrno>

#include "base/status.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

TEST(PolicyTest, ValuesBothWays) {
  PolicyRow policy;
  const auto set = [&](absl::string_view field, absl::string_view value) {
    EXPECT_OK(SetPolicyField(&policy, field, value));
    return PolicyFieldText(policy, field).value_or("none set");
  };
  EXPECT_EQ(PolicyFieldText(policy, "quota"), absl::nullopt);
  EXPECT_EQ(set("policy", "lru"), "lru");
  EXPECT_EQ(set("ttl", "2h"), "7200");
  EXPECT_EQ(set("quota", "1.5G"), "1610612736");
  EXPECT_EQ(set("quota", "0"), "0");
  EXPECT_EQ(set("compress", "none"), "none");
  EXPECT_EQ(set("digest", "sha256,crc32c"), "crc32c,sha256");
  EXPECT_EQ(set("digest", "none"), "none");
  EXPECT_EQ(SetPolicyFields(policy).size(), 5u);
  EXPECT_TRUE(ClearPolicyField(&policy, "ttl"));
  EXPECT_FALSE(ClearPolicyField(&policy, "ttl"));
  EXPECT_EQ(policy.ttl_seconds, 0u);
  EXPECT_EQ(PolicyFieldText(policy, "ttl"), absl::nullopt);
}

TEST(PolicyTest, NonsenseIsRefusedWithAReason) {
  PolicyRow policy;
  const auto error = [&](absl::string_view field, absl::string_view value) {
    const absl::Status status = SetPolicyField(&policy, field, value);
    EXPECT_FALSE(status.ok()) << field << " " << value;
    EXPECT_THAT(status.message(), ::testing::HasSubstr("user.cachefs"));
    EXPECT_EQ(policy, PolicyRow{}) << "unchanged";
    return base::ErrnoOf(status);
  };
  EXPECT_EQ(error("policy", "LRU"), EINVAL);
  EXPECT_EQ(error("policy", ""), EINVAL);
  EXPECT_EQ(error("ttl", "-5"), EINVAL);
  EXPECT_EQ(error("ttl", "soon"), EINVAL);
  EXPECT_EQ(error("ttl", "1ms"), EINVAL);
  EXPECT_EQ(error("ttl", "99999999999999"), EINVAL);
  EXPECT_EQ(error("quota", "-1"), EINVAL);
  EXPECT_EQ(error("quota", "99999999999T"), EINVAL);
  EXPECT_EQ(error("compress", "gzip"), EINVAL);
  EXPECT_EQ(error("compress", "zstd"), EOPNOTSUPP);
  EXPECT_EQ(error("digest", "sha256,md5"), EINVAL);
  EXPECT_EQ(error("digest", ""), EINVAL);
  EXPECT_FALSE(IsPolicyField("usage"));
}

}  // namespace
}  // namespace fs

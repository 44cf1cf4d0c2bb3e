#include "fs/volume/acl.h"

#include <cerrno>

#include "base/endian.h"
#include "base/status.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::base::StatusIs;
using ::testing::HasSubstr;

std::string Bytes(const std::vector<Acl::Entry>& entries, uint32_t version = 2) {
  std::string out(4 + 8 * entries.size(), '\0');
  base::StoreLittle<uint32_t>(out.data(), version);
  for (size_t i = 0; i < entries.size(); ++i) {
    base::StoreLittle<uint16_t>(&out[4 + 8 * i], entries[i].tag);
    base::StoreLittle<uint16_t>(&out[6 + 8 * i], entries[i].permissions);
    base::StoreLittle<uint32_t>(&out[8 + 8 * i], entries[i].id);
  }
  return out;
}

// rw for the owner, r-- for user 1000, r-x for the group, rwx for group 50, masked to r-x.
const std::vector<Acl::Entry> kFull = {{Acl::kUserObject, 6, UINT32_MAX},  {Acl::kUser, 4, 1000},
                                       {Acl::kGroupObject, 5, UINT32_MAX}, {Acl::kGroup, 7, 50},
                                       {Acl::kMask, 5, UINT32_MAX},        {Acl::kOther, 1, UINT32_MAX}};

TEST(AclTest, RoundTrip) {
  ASSERT_OK_AND_ASSIGN(const Acl acl, Acl::Parse(Bytes(kFull)));
  EXPECT_EQ(acl.entries(), kFull);
  EXPECT_EQ(acl.Encode(), Bytes(kFull));
  EXPECT_FALSE(acl.IsEquivalentToMode());
  EXPECT_EQ(acl.ModeBits(), 0651u);
}

TEST(AclTest, WhatLinuxRefuses) {
  const auto refused = [](const std::vector<Acl::Entry>& entries, absl::string_view why) {
    const absl::StatusOr<Acl> acl = Acl::Parse(Bytes(entries));
    EXPECT_THAT(acl, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(std::string(why))));
    EXPECT_EQ(base::ErrnoOf(acl.status()), EINVAL);
  };
  refused({{Acl::kUserObject, 6, 0}, {Acl::kOther, 0, 0}}, "missing");
  refused({{Acl::kUserObject, 8, 0}}, "permissions");
  refused({{static_cast<Acl::Tag>(0x40), 1, 0}}, "tag");
  refused({{Acl::kOther, 6, 0}, {Acl::kUserObject, 6, 0}}, "order");
  refused({{Acl::kUserObject, 6, 0}, {Acl::kUser, 6, 7}, {Acl::kUser, 6, 7}}, "twice");
  refused({{Acl::kUserObject, 6, 0}, {Acl::kUser, 6, 7}, {Acl::kGroupObject, 0, 0}, {Acl::kOther, 0, 0}}, "mask");
  EXPECT_FALSE(Acl::Parse(Bytes(kFull, 1)).ok());
  EXPECT_FALSE(Acl::Parse(Bytes(kFull) + "x").ok());
  EXPECT_FALSE(Acl::Parse("ab").ok());
}

TEST(AclTest, EmptyMeansNone) {
  ASSERT_OK_AND_ASSIGN(const Acl none, Acl::Parse(""));
  EXPECT_TRUE(none.empty());
  ASSERT_OK_AND_ASSIGN(const Acl header_only, Acl::Parse(Bytes({})));
  EXPECT_TRUE(header_only.empty());
}

TEST(AclTest, ChmodChangesTheMaskNotTheGroup) {
  ASSERT_OK_AND_ASSIGN(Acl acl, Acl::Parse(Bytes(kFull)));
  acl.SetModeBits(0720);
  EXPECT_EQ(acl.ModeBits(), 0720u);
  EXPECT_EQ(acl.entries()[2].permissions, 5) << "the group's own entry";
  EXPECT_EQ(acl.entries()[4].permissions, 2) << "the mask";
}

TEST(AclTest, NewModeIsCutByBoth) {
  ASSERT_OK_AND_ASSIGN(Acl acl, Acl::Parse(Bytes(kFull)));
  EXPECT_EQ(acl.ApplyToNewMode(0100666), 0100640u);
  EXPECT_EQ(acl.entries()[0].permissions, 6);
  EXPECT_EQ(acl.entries()[4].permissions, 4);
  EXPECT_EQ(acl.entries()[5].permissions, 0);
}

TEST(AclTest, WhoMayDoWhat) {
  ASSERT_OK_AND_ASSIGN(const Acl acl, Acl::Parse(Bytes(kFull)));
  const auto grants = [&](uint32_t wanted, uint32_t uid, std::vector<uint32_t> gids) {
    return acl.Grants(wanted, uid, gids, /*owner_uid=*/1, /*owner_gid=*/20);
  };
  EXPECT_TRUE(grants(6, 1, {}));
  EXPECT_FALSE(grants(1, 1, {50})) << "the owner's entry alone counts for the owner";
  EXPECT_TRUE(grants(4, 1000, {}));
  EXPECT_FALSE(grants(1, 1000, {20})) << "the named user's entry alone counts";
  EXPECT_TRUE(grants(5, 2, {20}));
  EXPECT_FALSE(grants(2, 2, {50})) << "masked";
  EXPECT_TRUE(grants(5, 2, {50}));
  EXPECT_TRUE(grants(1, 2, {99}));
  EXPECT_FALSE(grants(4, 2, {99}));
}

}  // namespace
}  // namespace fs

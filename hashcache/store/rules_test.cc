#include "hashcache/store/rules.h"

#include <sys/stat.h>

#include "gtest/gtest.h"

namespace hashcache {
namespace {

constexpr int64_t kNow = 1'700'000'000 * kSecondNs + 123'456'789;

Fingerprint SomeFile() {
  return {.inode = 12, .size_bytes = 5, .mtime_ns = kNow - 100 * kSecondNs, .ctime_ns = kNow - 90 * kSecondNs,
          .btime_ns = kNow - 200 * kSecondNs};
}

Record SomeRecord(TrustClass trust = TrustClass::kLeased) {
  Record record;
  record.fingerprint = SomeFile();
  record.hashed_at_ns = kNow;
  record.boot_tag = 1;
  record.trust = trust;
  return record;
}

Judgement ThisBoot() {
  Judgement judgement;
  judgement.boot_tag = 1;
  judgement.clock_offset_ns = kNow - 1000 * kSecondNs;
  return judgement;
}

TEST(JudgeTest, EqualFingerprintIsAHit) {
  EXPECT_EQ(Judge(SomeRecord(), SomeFile(), ThisBoot()), Verdict::kHit);
}

// R2: every field counts.
TEST(JudgeTest, AnyOtherFieldIsAChange) {
  for (int field = 0; field < 6; ++field) {
    Fingerprint other = SomeFile();
    if (field == 0) ++other.inode;
    if (field == 1) ++other.size_bytes;
    if (field == 2) --other.mtime_ns;  // equality, never order
    if (field == 3) --other.ctime_ns;
    if (field == 4) ++other.btime_ns;
    if (field == 5) ++other.generation;
    EXPECT_EQ(Judge(SomeRecord(), other, ThisBoot()), Verdict::kChanged) << field;
  }
}

TEST(JudgeTest, RacyIsNeverAHit) {
  Record record = SomeRecord();
  record.racy = true;
  EXPECT_EQ(Judge(record, SomeFile(), ThisBoot()), Verdict::kRacy);
}

// R5
TEST(JudgeTest, UnprovenNeedsAge) {
  Record record = SomeRecord(TrustClass::kUnproven);
  EXPECT_EQ(Judge(record, SomeFile(), ThisBoot()), Verdict::kHit);
  record.hashed_at_ns = record.fingerprint.ctime_ns + kWritebackNs - 1;
  EXPECT_EQ(Judge(record, SomeFile(), ThisBoot()), Verdict::kDistrusted);
  record.hashed_at_ns = kNow;
  Judgement strict = ThisBoot();
  strict.strict = true;
  EXPECT_EQ(Judge(record, SomeFile(), strict), Verdict::kDistrusted);
  Judgement memory = ThisBoot();
  memory.traits.memory_only = true;
  EXPECT_EQ(Judge(record, SomeFile(), memory), Verdict::kDistrusted);
}

// R7 and the part of R6 that spans boots.
TEST(JudgeTest, AnotherBoot) {
  Judgement next = ThisBoot();
  next.boot_tag = 2;
  next.clock_offset_ns = kNow + 10 * kSecondNs;
  Record record = SomeRecord();
  EXPECT_EQ(Judge(record, SomeFile(), next), Verdict::kRacy) << "hashed 90 s after its ctime";
  record.hashed_at_ns = record.fingerprint.ctime_ns + kUncleanBootNs;
  EXPECT_EQ(Judge(record, SomeFile(), next), Verdict::kHit);
  next.clock_offset_ns = record.fingerprint.ctime_ns;  // the boot began at or before its ctime
  EXPECT_EQ(Judge(record, SomeFile(), next), Verdict::kRacy);
}

// R8
TEST(JudgeTest, SoftCtimeForgivesCtimeOnly) {
  Judgement soft = ThisBoot();
  soft.soft_ctime = true;
  Fingerprint other = SomeFile();
  other.ctime_ns += 5;
  EXPECT_EQ(Judge(SomeRecord(), other, soft), Verdict::kHit);
  soft.strict = true;
  EXPECT_EQ(Judge(SomeRecord(), other, soft), Verdict::kChanged);
  soft.strict = false;
  ++other.mtime_ns;
  EXPECT_EQ(Judge(SomeRecord(), other, soft), Verdict::kChanged);
}

// R10
TEST(JudgeTest, NetworkOnlyOnRequest) {
  const Record record = SomeRecord(TrustClass::kNetwork);
  EXPECT_EQ(Judge(record, SomeFile(), ThisBoot()), Verdict::kDistrusted);
  Judgement trusting = ThisBoot();
  trusting.trust_network = true;
  EXPECT_EQ(Judge(record, SomeFile(), trusting), Verdict::kHit);
}

Reading SomeReading() {
  Reading reading;
  reading.clock_ns = kNow;
  reading.before.mode = S_IFREG | 0644;
  reading.before.size_bytes = 5;
  reading.before.mtime_ns = reading.before.ctime_ns = kNow - kSecondNs;
  reading.after = reading.before;
  reading.bytes_read = 5;
  reading.lease = Lease::kHeld;
  reading.lease_whole = true;
  return reading;
}

// R3
TEST(IsStableTest, EveryDifferenceShows) {
  EXPECT_TRUE(IsStable(SomeReading()));
  for (int field = 0; field < 7; ++field) {
    Reading reading = SomeReading();
    if (field == 0) ++reading.after.size_bytes;
    if (field == 1) ++reading.after.mtime_ns;
    if (field == 2) ++reading.after.ctime_ns;
    if (field == 3) ++reading.after.inode;
    if (field == 4) ++reading.bytes_read;
    if (field == 5) reading.lease_whole = false;
    if (field == 6) reading.before.mode = S_IFIFO;
    EXPECT_FALSE(IsStable(reading)) << field;
  }
}

// R4, T9
TEST(IsRacyTest, YoungerThanATick) {
  Judgement judgement = ThisBoot();
  Reading reading = SomeReading();
  EXPECT_FALSE(IsRacy(reading, judgement, false));
  reading.before.ctime_ns = kNow - judgement.traits.tick_ns;
  EXPECT_TRUE(IsRacy(reading, judgement, false));
  EXPECT_FALSE(IsRacy(reading, judgement, true)) << "fine times need no tick";
  judgement.strict = true;
  reading.before.ctime_ns = kNow - 1'000'000;
  EXPECT_TRUE(IsRacy(reading, judgement, true)) << "strict waits all the same";
  reading.before.ctime_ns = kNow + kSecondNs;
  EXPECT_TRUE(IsRacy(reading, ThisBoot(), true)) << "a stamp of the future";
  reading = SomeReading();
  reading.before.mtime_ns = kNow + kSecondNs;
  EXPECT_TRUE(IsRacy(reading, ThisBoot(), true)) << "an mtime of the future";
}

TEST(IsRacyTest, WholeSecondsNeedTwo) {
  Reading reading = SomeReading();
  reading.before.mtime_ns = reading.before.ctime_ns = 1'700'000'000 * kSecondNs;
  reading.clock_ns = reading.before.ctime_ns + 2 * kSecondNs;
  EXPECT_TRUE(IsRacy(reading, ThisBoot(), true));
  reading.clock_ns += 1;
  EXPECT_FALSE(IsRacy(reading, ThisBoot(), true));
}

TEST(TrustOfTest, Classes) {
  Reading reading = SomeReading();
  EXPECT_EQ(TrustOf(reading, {}), TrustClass::kLeased);
  EXPECT_EQ(TrustOf(reading, {.made_up = true}), TrustClass::kNetwork);
  reading.lease = Lease::kImpossible;
  EXPECT_EQ(TrustOf(reading, {}), TrustClass::kUnproven);
  reading.before.immutable = true;
  EXPECT_EQ(TrustOf(reading, {}), TrustClass::kLeased);
}

TEST(TraitsTest, UnknownFilesystemsAreNotBelieved) {
  EXPECT_FALSE(TraitsOf(0xEF53).made_up);
  EXPECT_TRUE(TraitsOf(0x01021994).memory_only);
  EXPECT_TRUE(TraitsOf(0x65735546).made_up) << "FUSE";
  EXPECT_TRUE(TraitsOf(0x6969).made_up) << "NFS";
  EXPECT_TRUE(TraitsOf(0x9fa0).made_up) << "proc";
  EXPECT_TRUE(TraitsOf(0x794C7630).made_up) << "overlay";
  EXPECT_EQ(TraitsOf(0x4D44).tick_ns, 4 * kSecondNs);
}

}  // namespace
}  // namespace hashcache

#include "hashcache/store/rules.h"

#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>

namespace hashcache {
namespace {

// statfs(2); <linux/magic.h> lacks some of them.
enum : uint64_t {
  kExt = 0xEF53,
  kXfs = 0x58465342,
  kBtrfs = 0x9123683E,
  kTmpfs = 0x01021994,
  kF2fs = 0xF2F52010,
  kZfs = 0x2FC12FC1,
  kBcachefs = 0xCA451A4E,
  kMsdos = 0x4D44,
  kExfat = 0x2011BAB0,
  kNtfs3 = 0x7366746E,
  kHfs = 0x4244,
  kHfsPlus = 0x482B,
  kOverlay = 0x794C7630,
  kSquashfs = 0x73717368,
  kErofs = 0xE0F5E1E2,
  kIso9660 = 0x9660,
};

constexpr int64_t kStrictTickNs = 10'000'000;

}  // namespace

FilesystemTraits TraitsOf(uint64_t filesystem_type) {
  FilesystemTraits traits;
  switch (filesystem_type) {
    case kExt:
    case kXfs:
    case kBtrfs:
      traits.maybe_fine_times = true;
      break;
    case kTmpfs:
      traits.maybe_fine_times = true;
      traits.memory_only = true;
      break;
    case kF2fs:
    case kZfs:
    case kBcachefs:
    case kNtfs3:
    case kSquashfs:
    case kErofs:
    case kIso9660:
      break;
    case kMsdos:
    case kExfat:
      traits.tick_ns = 4 * kSecondNs;
      break;
    case kHfs:
    case kHfsPlus:
      traits.tick_ns = 2 * kSecondNs;
      break;
    // Overlays change inode numbers on copy-up; all else may be a network
    // filesystem, FUSE or a file that the kernel makes up while it is read.
    case kOverlay:
    default:
      traits.made_up = true;
  }
  return traits;
}

bool KernelHasFineTimes() {
  static const bool has = [] {
    utsname name;
    int major = 0;
    int minor = 0;
    if (uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major, &minor) != 2) return false;
    return major > 6 || (major == 6 && minor >= 13);
  }();
  return has;
}

Verdict Judge(const Record& record, const Fingerprint& now_seen, const Judgement& judgement) {
  Fingerprint remembered = record.fingerprint;
  if (judgement.soft_ctime && !judgement.strict) remembered.ctime_ns = now_seen.ctime_ns;  // R8
  if (record.kind != Record::Kind::kFile || remembered != now_seen) return Verdict::kChanged;
  if (record.racy) return Verdict::kRacy;
  if (record.trust == TrustClass::kVerity) return Verdict::kHit;  // its times are the measurement
  const int64_t age_ns = record.hashed_at_ns - record.fingerprint.ctime_ns;
  if (record.boot_tag != judgement.boot_tag) {
    if (age_ns < kUncleanBootNs) return Verdict::kRacy;  // R7
    // R6: a ctime after this boot began cannot have been seen before it, unless
    // the clock went back in between.
    if (record.fingerprint.ctime_ns >= judgement.clock_offset_ns) return Verdict::kRacy;
  }
  switch (record.trust) {
    case TrustClass::kLeased:
      return Verdict::kHit;
    case TrustClass::kUnproven:
      if (judgement.strict || judgement.traits.memory_only || age_ns < kWritebackNs)
        return Verdict::kDistrusted;
      return Verdict::kHit;
    case TrustClass::kNetwork:
      return judgement.trust_network && !judgement.strict ? Verdict::kHit : Verdict::kDistrusted;
    case TrustClass::kVerity:
    case TrustClass::kNone:
    case TrustClass::kProvider:
      break;
  }
  return Verdict::kDistrusted;
}

bool IsStable(const Reading& reading) {
  const FileAttributes& before = reading.before;
  const FileAttributes& after = reading.after;
  return S_ISREG(before.mode) && before.inode == after.inode && before.size_bytes == after.size_bytes &&
         before.mtime_ns == after.mtime_ns && before.ctime_ns == after.ctime_ns &&
         reading.bytes_read == before.size_bytes && (reading.lease != Lease::kHeld || reading.lease_whole);
}

Fingerprint FingerprintOf(const FileAttributes& attributes, uint32_t generation) {
  return {.inode = attributes.inode,
          .size_bytes = attributes.size_bytes,
          .mtime_ns = attributes.mtime_ns,
          .ctime_ns = attributes.ctime_ns,
          .btime_ns = attributes.btime_ns,
          .generation = attributes.btime_ns == 0 ? generation : 0};
}

TrustClass TrustOf(const Reading& reading, const FilesystemTraits& traits) {
  if (traits.made_up) return TrustClass::kNetwork;
  if (reading.before.immutable && reading.lease != Lease::kBusy) return TrustClass::kLeased;
  if (reading.lease == Lease::kHeld) return TrustClass::kLeased;
  return TrustClass::kUnproven;
}

bool IsRacy(const Reading& reading, const Judgement& judgement, bool fine_times) {
  int64_t tick_ns = fine_times ? 0 : judgement.traits.tick_ns;
  // The mark that makes times fine lives only in the in-core inode.
  if (judgement.strict) tick_ns = std::max(tick_ns, kStrictTickNs);
  // Whole seconds only: ext3, ext4 with 128-byte inodes, HFS+ and the like.
  if (reading.before.ctime_ns % kSecondNs == 0) tick_ns = std::max(tick_ns, 2 * kSecondNs);
  const int64_t youngest_ns = std::max(reading.before.ctime_ns, reading.before.mtime_ns);
  // A stamp of the future is racy until its time has come.
  return reading.clock_ns - tick_ns <= youngest_ns;
}

}  // namespace hashcache

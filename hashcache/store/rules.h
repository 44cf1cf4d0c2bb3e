// When a remembered digest may stand for a file that is not read: rules R1 to
// R10.
//
//  R1  Identity is (filesystem, inode); the path only locates.
//  R2  The fingerprint is size, mtime, ctime, btime and, where there is no
//  btime, the
//      inode's generation. Equality, never order.
//  R3  Lease, look, read to the end, look again, lease still whole: only then
//  remembered. R4  Racy guard: a file younger than one clock tick of its
//  filesystem when it was
//      hashed proves nothing; it is remembered as racy, which is never a hit.
//  R5  Without a lease (class B) a shared mapping may have been written through
//  without
//      a trace, until the kernel wrote the page back: believed only if the file
//      was 35 s old when hashed, on tmpfs never.
//  R6  When the clock was set back, what has a ctime in the repeated stretch is
//  racy. R7  After another boot, what was hashed within 120 s of its ctime is
//  racy: the new
//      ctime may have reached the disk without the data.
//  R8  A link, rename or chmod changes ctime and costs a re-hash, unless
//  soft_ctime. R9  Nothing is written to the hashed files, so no ctime of
//  theirs is bumped by us. R10 Attributes that other machines or the kernel
//  make up (class N) are believed
//      only on request; fs-verity (class V) always.
//
// Threads: no state.
#ifndef HASHCACHE_STORE_RULES_H_
#define HASHCACHE_STORE_RULES_H_

#include <cstdint>

#include "absl/types/optional.h"
#include "hashcache/os/filesystem.h"
#include "hashcache/store/record.h"

namespace hashcache {

constexpr int64_t kSecondNs = 1'000'000'000;
// dirty_expire_centisecs + dirty_writeback_centisecs, the kernel's defaults.
constexpr int64_t kWritebackNs = 35 * kSecondNs;
constexpr int64_t kLeaseSureNs = kSecondNs / 2;
constexpr int64_t kUncleanBootNs = 120 * kSecondNs;

struct FilesystemTraits {
  int64_t tick_ns = 20'000'000;   // two jiffies at 100 Hz
  bool maybe_fine_times = false;  // worth asking Filesystem::HasFineTimes()
  bool memory_only = false;       // tmpfs: pages are never written back
  bool made_up = false;           // network, FUSE, /proc: class N
};
// By statfs f_type.
FilesystemTraits TraitsOf(uint64_t filesystem_type);
// Since Linux 6.13 a stat marks an inode, and its next change gets a fine time.
bool KernelHasFineTimes();

// How a run judges, constant for one filesystem.
struct Judgement {
  FilesystemTraits traits;
  bool strict = false;
  bool soft_ctime = false;
  bool trust_network = false;
  uint32_t boot_tag = 0;
  int64_t clock_offset_ns = 0;  // now - time since boot
};

enum class Verdict { kHit, kChanged, kRacy, kDistrusted };

// Whether `record` speaks for a file that looks like `now_seen`.
Verdict Judge(const Record& record, const Fingerprint& now_seen, const Judgement& judgement);

// What the reading of a file was like, R3.
struct Reading {
  int64_t clock_ns = 0;    // the filesystem's clock before the first look
  int64_t started_ns = 0;  // monotonic, before the lease
  FileAttributes before, after;
  uint64_t bytes_read = 0;
  uint32_t generation = 0;
  Lease lease = Lease::kImpossible;
  bool lease_whole = false;  // at the end
};

// Both looks equal, the size read, the lease whole.
bool IsStable(const Reading& reading);
Fingerprint FingerprintOf(const FileAttributes& attributes, uint32_t generation);
TrustClass TrustOf(const Reading& reading, const FilesystemTraits& traits);
// Whether the file was too young when it was read, R4. `fine_times`: the
// filesystem was seen to have them.
bool IsRacy(const Reading& reading, const Judgement& judgement, bool fine_times);

}  // namespace hashcache

#endif  // HASHCACHE_STORE_RULES_H_

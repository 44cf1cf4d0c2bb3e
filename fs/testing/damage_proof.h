// The damage proof: harms the disk of a volume at rest, mounts it, and looks whether anything
// wrong is believed.
//
// The oracle: a mount is refused with a clear error, or every path either is exactly what was
// stored, or gives an error; nothing is missing without an error on the way to it. Mounting
// the harmed volume for writing, changing it and mounting it once more must not turn harm
// into data that passes for good. fsck is asked each time: whenever an error showed it names
// something, and more than what the next mount would put right by itself.
// The newest batch of the log is special until its end is marked: if nothing of it is left, it
// never was. So a volume that was killed at once may lose it in silence; if a part of it is
// left, the mount says that it was cut. A volume that was closed, or idle, loses nothing.
//
// Errors:  DataLoss  a violation: names the damage
// Threads: thread-compatible.
#ifndef FS_TESTING_DAMAGE_PROOF_H_
#define FS_TESTING_DAMAGE_PROOF_H_

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fs/disk/testing/disk_image.h"
#include "fs/testing/proof_store.h"

namespace fs::testing {

struct Damage {
  enum class Kind : uint8_t {
    kBitFlip = 1,   // one bit at `offset`
    kZeroedSector,  // the 512 bytes at `offset`
    kNoiseSector,
    kZeroedBlock,    // the 4 KiB at `offset`
    kSwappedBlocks,  // the 4 KiB at `offset` and at `other`
    kOldBlock,       // the 4 KiB at `offset` as they were in an earlier state of the disk
  };
  Kind kind = Kind::kBitFlip;
  uint64_t offset = 0;
  uint64_t other = 0;
  uint64_t seed = 0;

  std::string DebugString() const;
};

struct DamageCounts {
  uint64_t damages = 0;
  uint64_t refused = 0;   // mounts
  uint64_t found = 0;     // mounts in which single paths gave errors
  uint64_t harmless = 0;  // nothing to be seen: free space, or a copy that repaired it
  uint64_t cuts = 0;      // the last batch was lost, as it may be
  uint64_t named = 0;     // in which fsck found fault

  DamageCounts& operator+=(const DamageCounts& other);
  std::string DebugString() const;
};

class DamageProof {
 public:
  enum class End : uint8_t { kClosed = 1, kKilledIdle, kKilledAtOnce };
  // A volume with files stored in every way there is, whose last run ended like `end` after a sync.
  static absl::StatusOr<DamageProof> Create(const ProofStoreOptions& options, End end);

  // A damage of some block that is in use; every other one of superblocks, log and pages.
  Damage Sample(std::mt19937_64& random) const;
  absl::StatusOr<DamageCounts> Run(const Damage& damage) const;

  const DiskImage& image() const { return image_; }
  const std::string& tree() const { return trees_.back(); }

 private:
  DamageProof(const ProofStoreOptions& options, End end)
      : options_(options), end_(end), image_(options.device_bytes), before_(options.device_bytes) {}

  absl::Status Build();
  DiskImage Harm(const Damage& damage) const;
  // Mounts `image` and compares.
  absl::Status Check(const DiskImage& image, bool twice, DamageCounts* counts) const;
  // Mounts `image`, lets background work go on to its end, unmounts it.
  absl::StatusOr<DiskImage> WriteAnew(const DiskImage& image) const;

  // Whether a mount that shows `tree` instead of the last one may do so. `cut`: it said so. `twice`: the damage is in two
  // places, which may be the newest batch and the mark of its end.
  bool MayShow(size_t tree, bool cut, bool twice) const;

  ProofStoreOptions options_;
  End end_;
  DiskImage image_;
  DiskImage before_;  // the same disk, some changes earlier
  std::vector<uint64_t> data_blocks_;
  std::vector<uint64_t> structure_blocks_;  // superblocks, log, tree pages
  std::vector<std::string> trees_;          // the last is the one that was promised
  size_t previous_promise_ = 0;             // the tree that the last sync but one promised
};

}  // namespace fs::testing

#endif  // FS_TESTING_DAMAGE_PROOF_H_

#include "fs/testing/damage_proof.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/endian.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/disk/testing/sim_device.h"
#include "fs/format/block_header.h"
#include "fs/format/superblock.h"
#include "fs/testing/disk_judge.h"
#include "fs/testing/tree_dump.h"
#include "fs/testing/workload.h"

namespace fs::testing {
namespace {

constexpr size_t kBlockBytes = DiskImage::kBlockBytes;

bool IsRefusal(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsFailedPrecondition(status) || absl::IsUnimplemented(status);
}

// Files of every size class, in directories that fill a page or more.
Workload FirstHalf() {
  Workload workload = PreparedTree();
  for (int d = 0; d < 4; ++d) {
    const std::string directory = absl::StrCat("d", d);
    workload.push_back({.kind = Op::Kind::kMakeDirectory, .path = directory});
    for (int i = 0; i < 24; ++i) {
      static constexpr uint64_t kLengths[] = {40, 200, 900, 4096, 5000, 17000};
      workload.push_back({.kind = Op::Kind::kStore,
                          .path = absl::StrCat(directory, "/file-with-a-name-", i),
                          .length = kLengths[i % std::size(kLengths)]});
    }
  }
  workload.push_back({.kind = Op::Kind::kStore, .path = "large", .length = 700000});
  workload.push_back({.kind = Op::Kind::kSync});
  return workload;
}

Workload SecondHalf() {
  Workload workload;
  for (int i = 0; i < 12; ++i) {
    workload.push_back({.kind = Op::Kind::kAppend, .path = absl::StrCat("d1/file-with-a-name-", i), .length = 3000});
    workload.push_back({.kind = Op::Kind::kRename,
                        .path = absl::StrCat("d2/file-with-a-name-", i),
                        .to = absl::StrCat("d3/moved-", i)});
    workload.push_back({.kind = Op::Kind::kUnlink, .path = absl::StrCat("d0/file-with-a-name-", i)});
  }
  workload.push_back({.kind = Op::Kind::kLink, .path = "large", .to = "d0/link"});
  workload.push_back({.kind = Op::Kind::kTruncate, .path = "large", .length = 500001});
  workload.push_back({.kind = Op::Kind::kSync});
  return workload;
}

absl::Status ApplyAll(ProofStore& store, const Workload& workload, uint64_t first_serial) {
  for (const Op& op : workload) {
    store.clock().Advance(absl::Milliseconds(10));
    RETURN_IF_ERROR(ApplyOp(
        store.volume(), op, first_serial++, [] {}, [](const Call&, const absl::Status&) {}));
    // Places what the log holds, so that every kind of chunk is there.
    if (first_serial % 16 == 0) RETURN_IF_ERROR(store.engine().Step().status());
  }
  return absl::OkStatus();
}

}  // namespace

std::string Damage::DebugString() const {
  static constexpr const char* kNames[] = {
      "", "flipped bit", "zeroed sector", "noise in sector", "zeroed block", "swapped blocks", "old block"};
  std::string text = absl::StrCat(kNames[static_cast<size_t>(kind)], " at ", offset);
  if (kind == Kind::kSwappedBlocks) absl::StrAppend(&text, " and ", other);
  return absl::StrCat(text, " (seed ", seed, ")");
}

DamageCounts& DamageCounts::operator+=(const DamageCounts& more) {
  damages += more.damages;
  refused += more.refused;
  found += more.found;
  harmless += more.harmless;
  cuts += more.cuts;
  named += more.named;
  return *this;
}

std::string DamageCounts::DebugString() const {
  return absl::StrFormat(
      "%d damages: %d mounts refused, %d with errors in place, %d without effect, %d older trees; fsck found fault "
      "with "
      "%d",
      damages, refused, found, harmless, cuts, named);
}

absl::StatusOr<DamageProof> DamageProof::Create(const ProofStoreOptions& options, End end) {
  DamageProof proof(options, end);
  RETURN_IF_ERROR(proof.Build());
  return proof;
}

absl::Status DamageProof::Build() {
  SimDevice device(image_, {.record = false});
  RETURN_IF_ERROR(ProofStore::Format(device, options_));
  ASSIGN_OR_RETURN(const std::unique_ptr<ProofStore> store, ProofStore::Open(device, options_));
  RETURN_IF_ERROR(ApplyAll(*store, FirstHalf(), 1));
  RETURN_IF_ERROR(store->engine().Checkpoint());
  before_ = device.image();
  // What a mount that lost the end of the log may show: the tree after each op.
  uint64_t serial = 10000;
  for (const Op& op : SecondHalf()) {
    ASSIGN_OR_RETURN(std::string tree, DumpTree(store->volume(), DumpDetail::kAll));
    trees_.push_back(std::move(tree));
    RETURN_IF_ERROR(ApplyAll(*store, {op}, serial++));
    if (op.persists()) previous_promise_ = trees_.size();
  }
  ASSIGN_OR_RETURN(std::string tree, DumpTree(store->volume(), DumpDetail::kAll));
  trees_.push_back(std::move(tree));
  // One small batch at the end.
  RETURN_IF_ERROR(ApplyAll(*store, {{.kind = Op::Kind::kCreate, .path = "last"}, {.kind = Op::Kind::kSync}}, serial));
  ASSIGN_OR_RETURN(std::string last, DumpTree(store->volume(), DumpDetail::kAll));
  trees_.push_back(std::move(last));
  if (end_ == End::kClosed) RETURN_IF_ERROR(store->Close());
  for (bool busy = end_ == End::kKilledIdle; busy;) {
    ASSIGN_OR_RETURN(busy, store->engine().Step());
  }
  image_ = device.image();
  const Superblock superblock = store->engine().superblock();
  std::vector<uint8_t> block(kBlockBytes);
  uint64_t page_end = 0;
  for (uint64_t address = 0; address < image_.size_bytes(); address += kBlockBytes) {
    image_.Read(address, absl::MakeSpan(block));
    if (address >= superblock.ChunkAddress(0) && base::LoadLittle<uint32_t>(block.data()) == kBlockMagic) {
      page_end = address + superblock.page_bytes;
    }
    if (std::all_of(block.begin(), block.end(), [](uint8_t byte) { return byte == 0; })) continue;
    const bool structure = address < superblock.ChunkAddress(0) || address < page_end ||
                           address >= superblock.ChunkAddress(superblock.chunk_count);
    (structure ? structure_blocks_ : data_blocks_).push_back(address);
  }
  return absl::OkStatus();
}

Damage DamageProof::Sample(std::mt19937_64& random) const {
  const auto block = [&] {
    const std::vector<uint64_t>& blocks = random() % 2 == 0 ? structure_blocks_ : data_blocks_;
    return blocks[random() % blocks.size()];
  };
  Damage damage;
  damage.kind = static_cast<Damage::Kind>(1 + random() % 6);
  damage.offset = block();
  damage.other = block();
  damage.seed = random();
  if (damage.kind == Damage::Kind::kBitFlip) damage.offset += random() % kBlockBytes;
  if (damage.kind == Damage::Kind::kZeroedSector || damage.kind == Damage::Kind::kNoiseSector) {
    damage.offset += random() % (kBlockBytes / kSectorBytes) * kSectorBytes;
  }
  return damage;
}

DiskImage DamageProof::Harm(const Damage& damage) const {
  DiskImage image = image_;
  std::mt19937_64 random(damage.seed);
  std::vector<uint8_t> first(kBlockBytes);
  std::vector<uint8_t> second(kBlockBytes);
  switch (damage.kind) {
    case Damage::Kind::kBitFlip:
      image.FlipBit(damage.offset, static_cast<int>(random() % 8));
      break;
    case Damage::Kind::kZeroedSector:
      image.Fill(damage.offset, kSectorBytes, 0);
      break;
    case Damage::Kind::kNoiseSector: {
      first.resize(kSectorBytes);
      for (uint8_t& byte : first) byte = static_cast<uint8_t>(random());
      image.Write(damage.offset, first);
      break;
    }
    case Damage::Kind::kZeroedBlock:
      image.Fill(damage.offset, kBlockBytes, 0);
      break;
    case Damage::Kind::kSwappedBlocks:
      image.Read(damage.offset, absl::MakeSpan(first));
      image.Read(damage.other, absl::MakeSpan(second));
      image.Write(damage.offset, second);
      image.Write(damage.other, first);
      break;
    case Damage::Kind::kOldBlock:
      before_.Read(damage.offset, absl::MakeSpan(first));
      image.Write(damage.offset, first);
      break;
  }
  return image;
}

absl::StatusOr<DamageCounts> DamageProof::Run(const Damage& damage) const {
  DamageCounts counts;
  counts.damages = 1;
  const DiskImage harmed = Harm(damage);
  const bool twice = damage.kind == Damage::Kind::kSwappedBlocks;
  RETURN_IF_ERROR(base::Annotate(Check(harmed, twice, &counts), damage.DebugString()));
  if (damage.seed % 8 != 0 || counts.refused + counts.cuts != 0) return counts;
  // Let everything be written anew: what was wrong must not come out as good. Harm may keep it from being written.
  const absl::StatusOr<DiskImage> written = WriteAnew(harmed);
  DamageCounts again;
  if (written.ok()) {
    RETURN_IF_ERROR(
        base::Annotate(Check(*written, twice, &again), absl::StrCat("mounted again; ", damage.DebugString())));
  }
  return counts;
}

bool DamageProof::MayShow(size_t tree, bool cut, bool twice) const {
  if (end_ == End::kKilledIdle) return cut && twice;
  return end_ == End::kKilledAtOnce && (cut || tree >= previous_promise_);
}

absl::StatusOr<DiskImage> DamageProof::WriteAnew(const DiskImage& image) const {
  SimDevice device(image, {.record = false});
  ASSIGN_OR_RETURN(const std::unique_ptr<ProofStore> store, ProofStore::Open(device, options_));
  for (bool busy = true; busy;) {
    ASSIGN_OR_RETURN(busy, store->engine().Step());
  }
  RETURN_IF_ERROR(store->Close());
  return device.image();
}

absl::Status DamageProof::Check(const DiskImage& image, bool twice, DamageCounts* counts) const {
  const Verdict verdict = JudgeDisk(image, options_);
  if (!verdict.fsck.ok()) ++counts->named;
  if (!verdict.shown().ok() && verdict.fsck.ok()) {
    return absl::DataLossError(absl::StrCat("fsck finds nothing, but there was: ", verdict.shown().ToString()));
  }
  if (!verdict.mounted.ok()) {
    ++counts->refused;
    return IsRefusal(verdict.mounted) ? absl::OkStatus() : base::Annotate(verdict.mounted, "not a clear refusal");
  }
  for (const auto& [path, status] : verdict.dump.errors) {
    if (!IsRefusal(status)) return base::Annotate(status, absl::StrCat("not a clear refusal; ", path));
  }
  absl::Status compared = CompareWithDump(verdict.dump, trees_.back());
  bool older = false;
  for (size_t i = 0; !compared.ok() && i + 1 < trees_.size(); ++i) {
    if (!MayShow(i, verdict.cut, twice) || !CompareWithDump(verdict.dump, trees_[i]).ok()) continue;
    compared = absl::OkStatus();
    older = true;
  }
  ++(older ? counts->cuts : verdict.dump.errors.empty() ? counts->harmless : counts->found);
  return compared;
}

}  // namespace fs::testing

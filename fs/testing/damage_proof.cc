#include "fs/testing/damage_proof.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/disk/testing/sim_device.h"
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
  return *this;
}

std::string DamageCounts::DebugString() const {
  return absl::StrFormat("%d damages: %d mounts refused, %d with errors in place, %d without effect, %d older trees",
                         damages, refused, found, harmless, cuts);
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
  std::vector<uint8_t> block(kBlockBytes);
  for (uint64_t i = 0; i < image_.size_bytes() / kBlockBytes; ++i) {
    image_.Read(i * kBlockBytes, absl::MakeSpan(block));
    if (std::any_of(block.begin(), block.end(), [](uint8_t byte) { return byte != 0; })) used_blocks_.push_back(i);
  }
  return absl::OkStatus();
}

Damage DamageProof::Sample(std::mt19937_64& random) const {
  const auto block = [&] { return used_blocks_[random() % used_blocks_.size()] * kBlockBytes; };
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
  const absl::Status status = Check(Harm(damage), damage.seed % 8 == 0, &counts);
  if (!status.ok()) return base::Annotate(status, damage.DebugString());
  return counts;
}

bool DamageProof::MayShow(size_t tree, bool cut) const {
  return end_ == End::kKilledAtOnce && (cut || tree >= previous_promise_);
}

absl::Status DamageProof::FsckNamesIt(const DiskImage& image, const absl::Status& shown) const {
  SimDevice device(image, {.record = false});
  if (!ProofStore::Fsck(device, true).ok()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("fsck finds nothing, but there was: ", shown.ToString()));
}

absl::Status DamageProof::Check(const DiskImage& image, bool write, DamageCounts* counts) const {
  SimDevice device(image, {.record = false});
  absl::StatusOr<std::unique_ptr<ProofStore>> store = ProofStore::Open(device, options_);
  if (!store.ok()) {
    if (!IsRefusal(store.status())) return base::Annotate(store.status(), "not a clear refusal");
    if (counts != nullptr) ++counts->refused;
    return FsckNamesIt(image, store.status());
  }
  const PartialDump dump = DumpWhatCanBeRead((*store)->volume(), DumpDetail::kAll);
  for (const auto& [path, status] : dump.errors) {
    if (!IsRefusal(status)) return base::Annotate(status, absl::StrCat("not a clear refusal; ", path));
  }
  if (!dump.errors.empty()) RETURN_IF_ERROR(FsckNamesIt(image, dump.errors.begin()->second));
  absl::Status compared = CompareWithDump(dump, trees_.back());
  const bool cut = (*store)->engine().stats().recovery_cut;
  bool older = false;
  for (size_t i = 0; !compared.ok() && i + 1 < trees_.size(); ++i) {
    if (!MayShow(i, cut) || !CompareWithDump(dump, trees_[i]).ok()) continue;
    compared = absl::OkStatus();
    older = true;
  }
  RETURN_IF_ERROR(compared);
  if (counts != nullptr) ++(older ? counts->cuts : dump.errors.empty() ? counts->harmless : counts->found);
  if (!write || older) return absl::OkStatus();
  // Let everything be written anew: what was wrong must not come out as good.
  if (!(*store)->Close().ok()) return absl::OkStatus();
  store->reset();
  return Check(device.image(), false, nullptr);
}

}  // namespace fs::testing

#include "fs/disk/testing/crash_states.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace fs::testing {
namespace {

using Fate = CrashState::Fate;
using Sectors = std::vector<bool>;  // which sectors of a write are meant

// Enumerates one run; every visit goes through Visit(), which ends it all on false.
class Enumerator {
 public:
  Enumerator(const DiskImage& start, const DiskTrace& trace, const CrashOptions& options,
             absl::FunctionRef<bool(const CrashState&)> visit)
      : trace_(trace), options_(options), visit_(visit), random_(options.seed), durable_(start) {}

  uint64_t Run() {
    // Flush by flush: pending_ is what a cut just before it returns may keep or lose.
    size_t durable_end = 0;
    for (size_t i = 0; i <= trace_.size() && !stopped_; ++i) {
      const bool flush = i < trace_.size() && trace_[i].kind == DiskEvent::Kind::kFlush;
      if (i < trace_.size() && !flush) {
        pending_.push_back(i);
        continue;
      }
      if (i >= options_.first_position) Epoch(i);
      if (i == trace_.size()) break;
      durable_end = std::max(durable_end, trace_[i].covers);
      const auto still_pending = std::lower_bound(pending_.begin(), pending_.end(), durable_end);
      for (auto it = pending_.begin(); it != still_pending; ++it) Keep(durable_, trace_[*it]);
      pending_.erase(pending_.begin(), still_pending);
    }
    return visited_;
  }

 private:
  // All states of a cut before event `position`.
  void Epoch(size_t position) {
    position_ = position;
    fates_.assign(pending_.size(), Fate::kLost);
    if (pending_.size() <= options_.subset_writes_max) {
      Subsets(0, durable_);
    } else {
      SomeSubsets();
    }
    for (size_t i = 0; i < pending_.size() && !stopped_; ++i) {
      if (trace_[pending_[i]].kind != DiskEvent::Kind::kWrite) continue;
      if (options_.tear) Tears(i);
      if (options_.scramble) Scrambles(i);
    }
  }

  // Every subset of pending_[index..] on top of `image`: sharing what comes before makes
  // it one write for each state.
  void Subsets(size_t index, const DiskImage& image) {
    if (stopped_) return;
    if (index == pending_.size()) return Visit(image);
    fates_[index] = Fate::kLost;
    Subsets(index + 1, image);
    DiskImage with = image;
    Keep(with, trace_[pending_[index]]);
    fates_[index] = Fate::kKept;
    Subsets(index + 1, with);
    fates_[index] = Fate::kLost;
  }

  void SomeSubsets() {
    const size_t count = pending_.size();
    DiskImage prefix = durable_;
    Set(std::vector<bool>(count, false));
    Visit(prefix);
    for (size_t i = 0; i < count && !stopped_; ++i) {
      Keep(prefix, trace_[pending_[i]]);
      fates_[i] = Fate::kKept;
      Visit(prefix);
    }
    for (size_t i = 0; i < count && !stopped_; ++i) {
      std::vector<bool> alone(count, false);
      alone[i] = true;
      if (i != 0) VisitSet(alone);  // the first alone is the first prefix
      alone.flip();
      if (i + 1 != count) VisitSet(alone);  // all but the last is a prefix
    }
    for (size_t i = 0; i < options_.samples && !stopped_; ++i) VisitSet(RandomSet(count));
  }

  void Tears(size_t index) {
    const size_t sectors = trace_[pending_[index]].length / kSectorBytes;
    if (sectors < 2) return;
    std::vector<Sectors> tears;
    for (size_t cut = 1; cut < sectors; ++cut) {
      // The middle of a long write is left to the random sets.
      if (cut > options_.tears_max / 2 && cut + options_.tears_max / 2 < sectors) continue;
      Sectors tear(sectors, false);
      std::fill(tear.begin(), tear.begin() + static_cast<ptrdiff_t>(cut), true);
      tears.push_back(tear);
      tear.flip();
      tears.push_back(std::move(tear));
    }
    for (int i = 0; i < 2; ++i) tears.push_back(RandomSet(sectors));
    for (const Sectors& tear : tears) Damage(index, Fate::kTorn, tear);
  }

  void Scrambles(size_t index) {
    const size_t sectors = trace_[pending_[index]].length / kSectorBytes;
    Sectors one(sectors, false);
    one[random_() % sectors] = true;
    Damage(index, Fate::kScrambled, one);
    Damage(index, Fate::kScrambled, Sectors(sectors, true));
    if (sectors > 1) Damage(index, Fate::kScrambled, RandomSet(sectors));
  }

  // Event `index` suffers `fate`; the others are all kept, all lost, or kept up to it.
  void Damage(size_t index, Fate fate, const Sectors& sectors) {
    const size_t count = pending_.size();
    std::vector<size_t> kept_ends = {count};
    if (count > 1) kept_ends.push_back(0);
    if (index > 0 && index + 1 < count) kept_ends.push_back(index);
    for (const size_t kept_end : kept_ends) {
      if (stopped_) return;
      DiskImage image = durable_;
      for (size_t i = 0; i < count; ++i) {
        if (i == index) {
          DamageEvent(image, trace_[pending_[i]], fate, sectors);
          fates_[i] = fate;
        } else {
          fates_[i] = i < kept_end ? Fate::kKept : Fate::kLost;
          if (i < kept_end) Keep(image, trace_[pending_[i]]);
        }
      }
      Visit(image);
    }
  }

  void DamageEvent(DiskImage& image, const DiskEvent& event, Fate fate, const Sectors& sectors) {
    std::vector<uint8_t> noise(kSectorBytes);
    for (size_t sector = 0; sector < sectors.size(); ++sector) {
      absl::Span<const uint8_t> bytes = absl::MakeSpan(*event.bytes).subspan(sector * kSectorBytes, kSectorBytes);
      if (fate == Fate::kTorn) {
        if (!sectors[sector]) continue;
      } else if (sectors[sector]) {
        for (uint8_t& byte : noise) byte = static_cast<uint8_t>(random_() >> 24);
        bytes = noise;
      }
      image.Write(event.offset + sector * kSectorBytes, bytes);
    }
  }

  void Keep(DiskImage& image, const DiskEvent& event) {
    if (event.kind == DiskEvent::Kind::kWrite) {
      image.Write(event.offset, *event.bytes);
    } else {
      image.Fill(event.offset, event.length, 0xD5);
    }
  }

  void Set(const std::vector<bool>& kept) {
    for (size_t i = 0; i < kept.size(); ++i) fates_[i] = kept[i] ? Fate::kKept : Fate::kLost;
  }

  void VisitSet(const std::vector<bool>& kept) {
    if (stopped_) return;
    DiskImage image = durable_;
    Set(kept);
    for (size_t i = 0; i < kept.size(); ++i) {
      if (kept[i]) Keep(image, trace_[pending_[i]]);
    }
    Visit(image);
  }

  std::vector<bool> RandomSet(size_t count) {
    std::vector<bool> set(count);
    for (size_t i = 0; i < count; ++i) set[i] = (random_() & 1) != 0;
    return set;
  }

  void Visit(const DiskImage& image) {
    if (stopped_) return;
    CrashState state;
    state.image = &image;
    state.position = position_;
    state.pending = &pending_;
    state.fates = &fates_;
    ++visited_;
    stopped_ = !visit_(state);
  }

  const DiskTrace& trace_;
  const CrashOptions& options_;
  const absl::FunctionRef<bool(const CrashState&)> visit_;
  std::mt19937_64 random_;
  DiskImage durable_;  // with all that flushes cover
  std::vector<size_t> pending_;
  std::vector<Fate> fates_;
  size_t position_ = 0;
  uint64_t visited_ = 0;
  bool stopped_ = false;
};

}  // namespace

std::string CrashState::Describe() const {
  std::string text = absl::StrCat("power cut before event ", position, "; pending:");
  for (size_t i = 0; i < pending->size(); ++i) {
    static constexpr const char* kNames[] = {"lost", "kept", "torn", "scrambled"};
    absl::StrAppend(&text, " ", (*pending)[i], "=", kNames[static_cast<size_t>((*fates)[i])]);
  }
  return text;
}

uint64_t ForEachCrashState(const DiskImage& start, const DiskTrace& trace, const CrashOptions& options,
                           absl::FunctionRef<bool(const CrashState&)> visit) {
  return Enumerator(start, trace, options, visit).Run();
}

}  // namespace fs::testing

#include "base/os/progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/units.h"

namespace base {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(200);

std::string Amount(Progress::Unit unit, uint64_t amount) {
  return unit == Progress::Unit::kBytes ? HumanSize(amount) : HumanCount(amount);
}

}  // namespace

Progress::Progress(Options options)
    : options_(std::move(options)), start_ns_(Clock::Real().MonotonicNs()), total_(options_.total) {
  if (options_.quiet || (!options_.force && isatty(STDERR_FILENO) == 0)) return;
  drawer_ = std::thread([this] { Draw(); });
}

Progress::~Progress() {
  if (!drawer_.joinable()) return;
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    stopped_.SignalAll();
  }
  drawer_.join();
  std::fputs("\r\033[K", stderr);
}

std::string Progress::Line(int64_t elapsed_ns) const {
  const uint64_t done = done_.load();
  const uint64_t total = total_.load();
  const double seconds = static_cast<double>(elapsed_ns) / 1e9;
  std::string line = absl::StrCat(options_.label, " ", Amount(options_.unit, done));
  if (total > 0) {
    absl::StrAppend(&line, " of ", Amount(options_.unit, total),
                    absl::StrFormat(" (%.0f%%)", 100.0 * static_cast<double>(done) / static_cast<double>(total)));
  }
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  absl::StrAppend(&line, ", ", Amount(options_.unit, static_cast<uint64_t>(rate)), "/s");
  if (!options_.second_unit.empty()) {
    absl::StrAppend(&line, ", ", HumanCount(second_.load()), " ", options_.second_unit);
  }
  if (total > done && rate > 0) {
    const double left = static_cast<double>(total - done) / rate;
    absl::StrAppend(&line, ", ", HumanDuration(absl::Seconds(left)), " left");
  }
  return line;
}

void Progress::Draw() {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    stopped_.WaitWithTimeout(&mutex_, kInterval);
    if (stopping_) return;
    const std::string line = absl::StrCat("\r\033[K", Line(Clock::Real().MonotonicNs() - start_ns_));
    std::fwrite(line.data(), 1, line.size(), stderr);
  }
}

}  // namespace base

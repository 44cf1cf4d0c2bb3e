#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/clock.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "hashcache/command/commands.h"
#include "hashcache/command/run.h"
#include "hashcache/digest/hash_stream.h"

namespace hashcache {
namespace {

constexpr int64_t kKernelNs = 200'000'000;  // per measurement

double Seconds(int64_t from_ns) { return static_cast<double>(base::Clock::Real().MonotonicNs() - from_ns) / 1e9; }

// GB/s of one algorithm over buffers of `size`.
double KernelSpeed(Algorithm algorithm, size_t size) {
  const std::vector<uint8_t> data(size, 0x5a);
  HashStream stream(algorithm);
  const int64_t start = base::Clock::Real().MonotonicNs();
  uint64_t bytes = 0;
  while (base::Clock::Real().MonotonicNs() - start < kKernelNs && !Run::Interrupted()) {
    for (int i = 0; i < 16; ++i) {
      stream.HashWhole(data);
      bytes += size;
    }
  }
  return static_cast<double>(bytes) / Seconds(start) / 1e9;
}

class DiscardingSink : public TreeSink {
 public:
  bool Visit(const TreeEntry&, FileResult&&) override { return !Run::Interrupted(); }
};

absl::Status BenchTree(Run& run, const std::string& root) {
  const auto pass = [&](absl::string_view name, Hasher& hasher) -> absl::Status {
    const HasherMetrics before = hasher.metrics();
    const int64_t start = base::Clock::Real().MonotonicNs();
    DiscardingSink sink;
    RETURN_IF_ERROR(hasher.HashTree(root, run.tree_options(), sink));
    const HasherMetrics after = hasher.metrics();
    const double seconds = Seconds(start);
    const uint64_t files = after.files - before.files;
    run.Print(absl::StrFormat(
        "%-22s %9s files %9.0f files/s %8s read %8.1f MB/s  hits %d\n", name, base::HumanCount(files),
        static_cast<double>(files) / seconds, base::HumanSize(after.bytes_hashed - before.bytes_hashed),
        static_cast<double>(after.bytes_hashed - before.bytes_hashed) / seconds / 1e6, after.hits - before.hits));
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<Hasher> without, Hasher::Create({.use_cache = false}));
  RETURN_IF_ERROR(pass("first, no cache", *without));
  RETURN_IF_ERROR(pass("again, no cache", *without));
  RETURN_IF_ERROR(pass("with the cache", run.hasher()));
  return pass("with the cache, again", run.hasher());
}

absl::Status Bench(Run& run) {
  const std::vector<Algorithm> order =
      run.algorithms_given() ? run.order() : std::vector<Algorithm>(kAllAlgorithms.begin(), kAllAlgorithms.end());
  run.Print("algorithm      4 KiB    64 KiB     1 MiB  (GB/s, one thread)\n");
  for (const Algorithm algorithm : order) {
    run.Print(absl::StrFormat("%-10s %9.2f %9.2f %9.2f\n", AlgorithmName(algorithm), KernelSpeed(algorithm, 4 << 10),
                              KernelSpeed(algorithm, 64 << 10), KernelSpeed(algorithm, 1 << 20)));
  }
  for (const std::string& root : run.arguments().positional()) RETURN_IF_ERROR(BenchTree(run, root));
  return absl::OkStatus();
}

}  // namespace

base::Command BenchCommand() {
  return {.name = "bench",
          .summary = "measure the algorithms, and the hashing of a tree, on this machine",
          .arguments = "[DIR]...",
          .flags = Join(TreeFlags(), HasherFlags()),
          .examples = {{"hashcache bench -a blake3,sha256 /srv/data", "two algorithms, then a tree four times"}},
          .run = [](const base::Arguments& arguments) { return WithRun(arguments, true, Bench); },
          .usage_error_code = kUsage};
}

}  // namespace hashcache

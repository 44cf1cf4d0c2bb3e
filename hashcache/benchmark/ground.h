// Where a benchmark's trees lie: a directory, or a cachefs mount made for it.
//
// Shape:   trees are made when a row first needs them. The caches of hashcache, outputs and the
//          mount's image lie beside, never on the mount. The process works in the directory.
// Life:    Start() -> ... -> destructor, which removes everything.
// Threads: single thread (main).
#ifndef HASHCACHE_BENCHMARK_GROUND_H_
#define HASHCACHE_BENCHMARK_GROUND_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bench/bench.h"
#include "fs/bench_peers.h"

namespace hashcache {

struct Plan {
  std::string parent;     // absolute; everything lies below
  std::string hashcache;  // the program
  size_t files = 100'000;
  size_t medium = 2000;
  size_t many = 1'000'000;
  uint64_t large_bytes = uint64_t{4} << 30;
  int runs = 5;
  bool quick = false;
  bool cold = true;
  bool on_cachefs = false;
};

class Ground {
 public:
  explicit Ground(const Plan& plan);
  ~Ground();
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;

  absl::Status Start();
  // The tree or file `name`, made if it is not there yet: small, medium, large, many; for "hits4096"
  // and the like `count` files of that size. Trees have a list of their files in Path(name + ".list").
  absl::Status Need(const std::string& name, size_t count = 0);
  // No memory of any file, here or in the mount's daemon, nor in hashcache's cache.
  absl::Status MakeCold();

  const std::string& directory() const { return directory_; }
  // Something that is not to be measured.
  std::string Path(absl::string_view name) const;

 private:
  absl::Status Make(const std::string& name, size_t count);

  const Plan& plan_;
  const std::string scratch_;
  std::string directory_;
  std::unique_ptr<fs::Peer> mount_;
  std::set<std::string> made_;
};

// Runs a program and measures it, with its private memory (RssAnon at its highest) for its
// resident one. Sampled every few milliseconds.
absl::StatusOr<base::Measurement> MeasurePrivateMemory(const std::vector<std::string>& argv);

}  // namespace hashcache

#endif  // HASHCACHE_BENCHMARK_GROUND_H_

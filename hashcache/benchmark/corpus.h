// The trees that are hashed in the benchmarks, and peers' outputs made comparable.
//
// Threads: single thread (main).
#ifndef HASHCACHE_BENCHMARK_CORPUS_H_
#define HASHCACHE_BENCHMARK_CORPUS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hashcache {

// `count` files of `size_bytes` of noise, in directories of 100, made in an order
// that is shuffled over the directories, as trees grow in real life.
absl::Status MakeTree(const std::string& root, size_t count, size_t size_bytes);
// One file of noise.
absl::Status MakeFile(const std::string& path, uint64_t size_bytes);
// Paths of all files below `root`, one per line, sorted, in the file `list`.
absl::Status ListFiles(const std::string& root, const std::string& list);

// A digest of "hex path" lines, sorted, whatever tool printed them: GNU, BSD, openssl
// -r, hashdeep's CSV (whose paths are absolute, below `directory`).
absl::StatusOr<std::string> OutputDigest(const std::string& path, absl::string_view directory);

}  // namespace hashcache

#endif  // HASHCACHE_BENCHMARK_CORPUS_H_

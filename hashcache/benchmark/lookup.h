// Benchmark rows: finding remembered files in a Store, against LMDB.
//
// Threads: single thread (main).
#ifndef HASHCACHE_BENCHMARK_LOOKUP_H_
#define HASHCACHE_BENCHMARK_LOOKUP_H_

#include <cstddef>

#include "base/bench/bench.h"

namespace hashcache {

// Adds rows for `count` entries; LMDB is left out where it is not installed.
void AddLookupRows(base::Bench& bench, size_t count);

}  // namespace hashcache

#endif  // HASHCACHE_BENCHMARK_LOOKUP_H_

// One attempt at reading one file; internal to Worker.
//
// Threads: thread-compatible.
#ifndef HASHCACHE_ENGINE_ATTEMPT_H_
#define HASHCACHE_ENGINE_ATTEMPT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/types/span.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/engine/worker.h"
#include "hashcache/store/rules.h"

namespace hashcache {

struct Worker::Attempt {
  FileTask task;
  int number = 0;
  int fd = -1;
  Volume* volume = nullptr;
  bool cold = false;   // its inode was not in memory: nor will its content be
  bool begun = false;  // lease and first look are done
  Reading reading;
  std::string verity;  // fs-verity's measurement, if any
};

// The same with what it takes to go on when the disk has answered.
struct Worker::ColdFile {
  std::unique_ptr<Attempt> attempt;
  uint64_t bytes_read = 0;
  bool opening = false;
  absl::Span<uint8_t> buffer;
  std::unique_ptr<uint8_t[]> memory;
  size_t buffer_class = 0;
  std::unique_ptr<HashStream> stream;  // if the file is larger than its buffer
};

// A small file that was read and is closed, and only lacks its digest.
struct Worker::Single {
  Attempt attempt;
  Outcome outcome = Outcome::kHashed;
  uint64_t size = 0;
  std::unique_ptr<uint8_t[]> buffer;  // its bytes, the first `size`
};

constexpr int kAttemptsMax = 3;

}  // namespace hashcache

#endif  // HASHCACHE_ENGINE_ATTEMPT_H_

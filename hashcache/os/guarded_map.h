// A GuardedMap is a file mapped for reading that survives the file being cut short.
//
// A read past the end of a mapped file, or of a page the disk cannot read, raises SIGBUS. Here such
// a page turns into zeros and faulted() becomes true: the reader's checksums or its second look at
// the file do the rest.
// Life:    the file may be truncated, replaced or removed at any time.
// Bounds:  512 maps at once in the process.
// Errors:  errno of mmap(2); ResourceExhausted too many maps
// Threads: thread-safe once open. The process's SIGBUS handler is replaced at the first use; faults
//          elsewhere go on to the handler there was.
#ifndef HASHCACHE_OS_GUARDED_MAP_H_
#define HASHCACHE_OS_GUARDED_MAP_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hashcache {

class GuardedMap {
 public:
  // Maps [offset, offset + size_bytes) of `fd`; offset is a multiple of the
  // page size.
  static absl::StatusOr<GuardedMap> Map(int fd, uint64_t offset, size_t size_bytes);
  GuardedMap() = default;
  ~GuardedMap();
  GuardedMap(GuardedMap&& other) noexcept;
  GuardedMap& operator=(GuardedMap&& other) noexcept;

  absl::Span<const uint8_t> bytes() const { return {data_, size_}; }
  // Whether any page read through this map was not there.
  bool faulted() const;

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  int slot_ = -1;
};

}  // namespace hashcache

#endif  // HASHCACHE_OS_GUARDED_MAP_H_

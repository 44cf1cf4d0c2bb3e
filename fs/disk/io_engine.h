// An IoEngine carries out a device's requests on one open file.
//
// Life:    the destructor waits for every request under way.
// Bounds:  what is under way in the kernel is bounded by the engine's depth; requests past
//          it wait in the engine, in memory that their submitter pays for (a bound here
//          would deadlock callbacks, which may submit).
// Threads: thread-safe.
#ifndef FS_DISK_IO_ENGINE_H_
#define FS_DISK_IO_ENGINE_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fs/disk/device.h"

namespace fs {

class IoEngine {
 public:
  // Gets each request back once, with its result and no lock held.
  using Completion = std::function<void(IoRequest& request, absl::Status status)>;

  virtual ~IoEngine() = default;

  // Starts all, moving each.
  virtual void Submit(absl::Span<IoRequest> requests) = 0;
  // As Submit(), from a caller who waits for all of them: their work may be done here.
  virtual void SubmitAndWait(absl::Span<IoRequest> requests) = 0;
  virtual absl::Status RegisterMemory(absl::Span<uint8_t> memory) = 0;
  virtual absl::string_view name() const = 0;
};

}  // namespace fs

#endif  // FS_DISK_IO_ENGINE_H_

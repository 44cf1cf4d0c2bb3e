// An OutputWriter stores a site's files in batches, atomically each, through
// fs/client, and remembers what it stored.
//
// Bounds:  a batch holds up to 256 files or 4 MiB; each worker has its own.
// Errors:  the first failure of a store is kept and given by Finish().
// Threads: thread-safe; a Batch belongs to one thread.
#ifndef SSG_BUILD_OUTPUT_WRITER_H_
#define SSG_BUILD_OUTPUT_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "fs/client/tree_client.h"

namespace ssg {

class OutputWriter {
 public:
  // `client` is the output directory's and must outlive the writer.
  explicit OutputWriter(fs::TreeClient& client) : client_(client) {}

  class Batch {
   public:
    explicit Batch(OutputWriter& writer) : writer_(writer) {}
    ~Batch() { writer_.Store(*this); }
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;
    // Takes `text`; stores when full.
    void Add(std::string path, std::string text);

   private:
    friend class OutputWriter;
    OutputWriter& writer_;
    std::vector<std::pair<std::string, std::string>> files_;
    size_t bytes_ = 0;
  };

  absl::Status status() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Files whose bytes differ from what was there.
  uint64_t written_count() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  friend class Batch;
  void Store(Batch& batch) ABSL_LOCKS_EXCLUDED(mutex_);

  fs::TreeClient& client_;
  mutable base::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  uint64_t written_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace ssg

#endif  // SSG_BUILD_OUTPUT_WRITER_H_

// One open batch session of a cachefs mount: frames out, answers back.
//
// Life:    Open() makes `<directory>/.cachefs/batch/<random>`; closing it ends the
//          session, and the daemon forgets what was half uploaded.
// Errors:  Unimplemented  the daemon speaks other versions; Unavailable  it is gone
//          other          what the daemon refused the whole frame with
// Threads: thread-compatible.
// Source:  docs/batch.md
#ifndef FS_CLIENT_BATCH_SESSION_FILE_H_
#define FS_CLIENT_BATCH_SESSION_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/os/file.h"
#include "fs/format/batch_frame.h"

namespace fs {

// Sends one request and waits for its reply. Virtual for tests without a mount.
//
// Threads: thread-compatible.
class BatchChannel {
 public:
  virtual ~BatchChannel() = default;
  // `payload_out` views bytes that live until the next call.
  virtual absl::Status Call(const batch::Request& request, absl::string_view payload, batch::Reply* reply,
                            absl::string_view* payload_out) = 0;
};

class BatchSessionFile final : public BatchChannel {
 public:
  // `directory` is a descriptor of the session's directory.
  static absl::StatusOr<std::unique_ptr<BatchChannel>> Open(int directory);

  absl::Status Call(const batch::Request& request, absl::string_view payload, batch::Reply* reply,
                    absl::string_view* payload_out) override;

 private:
  explicit BatchSessionFile(base::Fd fd) : fd_(std::move(fd)), buffer_(kFrameBytesMax, '\0') {}

  const base::Fd fd_;
  uint64_t sequence_ = 0;
  std::string buffer_;
};

// Whether `directory` lies on a cachefs mount that takes batch sessions.
bool HasBatchSessions(int directory);

}  // namespace fs

#endif  // FS_CLIENT_BATCH_SESSION_FILE_H_

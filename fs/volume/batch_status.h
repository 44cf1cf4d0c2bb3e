// How a session's errors are said in a reply. Internal to BatchSession.
//
// Threads: no state.
#ifndef FS_VOLUME_BATCH_STATUS_H_
#define FS_VOLUME_BATCH_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fs/format/batch.pb.h"

namespace fs {

// Room in the reply for what is not payload; results are cut off before their messages
// outgrow it.
constexpr size_t kReplyReserveBytes = 64 << 10;
constexpr size_t kMessageBytesMax = kReplyReserveBytes - 4096;

void SetStatus(const absl::Status& status, batch::Result* result);
absl::Status Errno(int error_number, absl::string_view what);

}  // namespace fs

#endif  // FS_VOLUME_BATCH_STATUS_H_

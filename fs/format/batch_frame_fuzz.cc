#include <cstddef>
#include <cstdint>

#include "fs/format/batch_frame.h"

// Both directions: what a client sends the daemon, and what a daemon sends a client.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  fs::SequenceOf(bytes);
  if (const absl::StatusOr<fs::FrameView> frame = fs::DecodeFrame(bytes, fs::FrameKind::kRequest); frame.ok()) {
    fs::batch::Request request;
    static_cast<void>(fs::DecodeRequest(*frame, &request).ok());
  }
  if (const absl::StatusOr<fs::FrameView> frame = fs::DecodeFrame(bytes, fs::FrameKind::kReply); frame.ok()) {
    fs::batch::Reply reply;
    static_cast<void>(fs::DecodeReply(*frame, &reply).ok());
  }
  return 0;
}

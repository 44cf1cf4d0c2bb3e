// Frames of a batch session: a fixed header, a protobuf message, raw payload.
//
// Shape:   magic u32 | version u16 | kind u16 | sequence u64 | message bytes u32 |
//          payload bytes u32 | reserved u64 (0), little-endian, then both.
// Bounds:  kFrameBytesMax in all, kFrameItemsMax items.
// Errors:  InvalidArgument  not a frame, sizes that lie, too many items; says which
//          Unimplemented    a version we do not speak
// Threads: no state.
// Source:  docs/batch.md
#ifndef FS_FORMAT_BATCH_FRAME_H_
#define FS_FORMAT_BATCH_FRAME_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fs/format/batch.pb.h"

namespace fs {

constexpr uint32_t kFrameMagic = 0x46424643;  // "CFBF"
constexpr uint16_t kFrameVersionMin = 1;
constexpr uint16_t kFrameVersionMax = 1;
constexpr size_t kFrameHeaderBytes = 32;
// A page less than the kernel's 1 MiB per request, so that a buffer at any address fits one.
constexpr size_t kFrameBytesMax = (size_t{1} << 20) - 4096;
constexpr int kFrameItemsMax = 16384;

enum class FrameKind : uint16_t { kRequest = 1, kReply = 2 };

struct FrameView {
  uint16_t version = 0;
  uint64_t sequence = 0;
  absl::string_view message;
  absl::string_view payload;
};

// Cuts `bytes` (which may be longer than the frame: direct reads fill their
// buffer) into its parts. Does not look into the message.
absl::StatusOr<FrameView> DecodeFrame(absl::string_view bytes, FrameKind kind);

// Parses and bounds the message: item count, payload sizes that add up to the
// frame's, paths whose directories exist.
absl::Status DecodeRequest(const FrameView& frame, batch::Request* request);
absl::Status DecodeReply(const FrameView& frame, batch::Reply* reply);

// REQUIRES: the whole is at most kFrameBytesMax.
std::string EncodeFrame(FrameKind kind, uint64_t sequence, const google::protobuf::MessageLite& message,
                        absl::string_view payload);

// The sequence of a frame that DecodeFrame() refused, for its answer; 0 if unreadable.
uint64_t SequenceOf(absl::string_view bytes);

}  // namespace fs

#endif  // FS_FORMAT_BATCH_FRAME_H_

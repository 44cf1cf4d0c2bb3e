#include "fs/format/batch_frame.h"

#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "base/status_macros.h"
#include "glog/logging.h"

namespace fs {
namespace {

absl::Status CheckPath(const batch::Request& request, const batch::Path& path) {
  if (path.directory() > static_cast<uint32_t>(request.directories_size())) {
    return absl::InvalidArgumentError(absl::StrCat("directory ", path.directory(), " of ", request.directories_size()));
  }
  return absl::OkStatus();
}

absl::Status CheckItem(const batch::Request& request, const batch::Item& item, uint64_t* payload_bytes) {
  switch (item.operation_case()) {
    case batch::Item::kStore:
      *payload_bytes += item.store().payload_bytes();
      return CheckPath(request, item.store().path());
    case batch::Item::kMakeDirectory:
      return CheckPath(request, item.make_directory().path());
    case batch::Item::kRemove:
      return CheckPath(request, item.remove().path());
    case batch::Item::kRename:
      RETURN_IF_ERROR(CheckPath(request, item.rename().from()));
      return CheckPath(request, item.rename().to());
    case batch::Item::kLookup:
      return CheckPath(request, item.lookup().path());
    case batch::Item::kStat:
      return CheckPath(request, item.stat().path());
    case batch::Item::kDigest:
      return CheckPath(request, item.digest().path());
    case batch::Item::kChangedSince:
    case batch::Item::kFlush:
      return absl::OkStatus();
    case batch::Item::OPERATION_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("item of an unknown type");
}

}  // namespace

absl::StatusOr<FrameView> DecodeFrame(absl::string_view bytes, FrameKind kind) {
  if (bytes.size() < kFrameHeaderBytes) {
    return absl::InvalidArgumentError(absl::StrCat("frame of ", bytes.size(), " bytes, shorter than its header"));
  }
  if (base::LoadLittle<uint32_t>(bytes.data()) != kFrameMagic) return absl::InvalidArgumentError("not a batch frame");
  FrameView frame;
  frame.version = base::LoadLittle<uint16_t>(bytes.data() + 4);
  if (frame.version < kFrameVersionMin || frame.version > kFrameVersionMax) {
    return absl::UnimplementedError(absl::StrCat("batch frame of version ", frame.version, "; spoken here: ",
                                                 kFrameVersionMin, " to ", kFrameVersionMax));
  }
  const auto found = base::LoadLittle<uint16_t>(bytes.data() + 6);
  if (found != static_cast<uint16_t>(kind)) return absl::InvalidArgumentError(absl::StrCat("frame of kind ", found));
  frame.sequence = base::LoadLittle<uint64_t>(bytes.data() + 8);
  const uint64_t message_bytes = base::LoadLittle<uint32_t>(bytes.data() + 16);
  const uint64_t payload_bytes = base::LoadLittle<uint32_t>(bytes.data() + 20);
  if (base::LoadLittle<uint64_t>(bytes.data() + 24) != 0) {
    return absl::InvalidArgumentError("reserved bytes of the frame are not zero");
  }
  const uint64_t size = kFrameHeaderBytes + message_bytes + payload_bytes;
  if (size > bytes.size() || size > kFrameBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("frame claims ", size, " bytes of ", bytes.size()));
  }
  frame.message = bytes.substr(kFrameHeaderBytes, message_bytes);
  frame.payload = bytes.substr(kFrameHeaderBytes + message_bytes, payload_bytes);
  return frame;
}

absl::Status DecodeRequest(const FrameView& frame, batch::Request* request) {
  if (!request->ParseFromArray(frame.message.data(), static_cast<int>(frame.message.size()))) {
    return absl::InvalidArgumentError("the frame's message is damaged");
  }
  if (request->items_size() > kFrameItemsMax) {
    return absl::InvalidArgumentError(absl::StrCat(request->items_size(), " items; at most ", kFrameItemsMax));
  }
  uint64_t payload_bytes = 0;
  for (const batch::Item& item : request->items()) RETURN_IF_ERROR(CheckItem(*request, item, &payload_bytes));
  if (payload_bytes != frame.payload.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("items claim ", payload_bytes, " payload bytes, the frame has ", frame.payload.size()));
  }
  return absl::OkStatus();
}

absl::Status DecodeReply(const FrameView& frame, batch::Reply* reply) {
  if (!reply->ParseFromArray(frame.message.data(), static_cast<int>(frame.message.size()))) {
    return absl::InvalidArgumentError("the reply's message is damaged");
  }
  uint64_t payload_bytes = 0;
  for (const batch::Result& result : reply->results()) payload_bytes += result.payload_bytes();
  if (payload_bytes != frame.payload.size()) {
    return absl::InvalidArgumentError("the reply's payload sizes do not add up");
  }
  return absl::OkStatus();
}

std::string EncodeFrame(FrameKind kind, uint64_t sequence, const google::protobuf::MessageLite& message,
                        absl::string_view payload) {
  const size_t message_bytes = message.ByteSizeLong();
  const size_t size = kFrameHeaderBytes + message_bytes + payload.size();
  CHECK_LE(size, kFrameBytesMax);
  std::string frame(kFrameHeaderBytes, '\0');
  frame.reserve(size);
  base::StoreLittle<uint32_t>(frame.data(), kFrameMagic);
  base::StoreLittle<uint16_t>(frame.data() + 4, kFrameVersionMax);
  base::StoreLittle<uint16_t>(frame.data() + 6, static_cast<uint16_t>(kind));
  base::StoreLittle<uint64_t>(frame.data() + 8, sequence);
  base::StoreLittle<uint32_t>(frame.data() + 16, static_cast<uint32_t>(message_bytes));
  base::StoreLittle<uint32_t>(frame.data() + 20, static_cast<uint32_t>(payload.size()));
  message.AppendToString(&frame);
  frame.append(payload.data(), payload.size());
  return frame;
}

uint64_t SequenceOf(absl::string_view bytes) {
  return bytes.size() >= kFrameHeaderBytes ? base::LoadLittle<uint64_t>(bytes.data() + 8) : 0;
}

}  // namespace fs

#include "fs/format/batch_frame.h"

#include "base/endian.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::base::StatusIs;
using ::testing::HasSubstr;

batch::Request SampleRequest() {
  batch::Request request;
  request.add_directories("a/b");
  batch::Store& store = *request.add_items()->mutable_store();
  store.mutable_path()->set_directory(1);
  store.mutable_path()->set_name("file");
  store.set_payload_bytes(5);
  request.add_items()->mutable_flush();
  return request;
}

std::string SampleFrame() { return EncodeFrame(FrameKind::kRequest, 7, SampleRequest(), "hello"); }

TEST(BatchFrameTest, RoundTrips) {
  const std::string bytes = SampleFrame() + std::string(100, '\0');  // a direct read fills its buffer
  ASSERT_OK_AND_ASSIGN(const FrameView frame, DecodeFrame(bytes, FrameKind::kRequest));
  EXPECT_EQ(frame.sequence, 7u);
  EXPECT_EQ(frame.payload, "hello");
  batch::Request request;
  ASSERT_OK(DecodeRequest(frame, &request));
  EXPECT_EQ(request.items(0).store().path().name(), "file");
}

TEST(BatchFrameTest, TruncationAtEveryByteIsAnError) {
  const std::string bytes = SampleFrame();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(DecodeFrame(absl::string_view(bytes).substr(0, size), FrameKind::kRequest),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << size;
  }
}

TEST(BatchFrameTest, HeadersThatLieAreRefused) {
  const auto changed = [](size_t at, uint8_t value) {
    std::string bytes = SampleFrame();
    bytes[at] = static_cast<char>(value);
    return DecodeFrame(bytes, FrameKind::kRequest).status();
  };
  EXPECT_THAT(changed(0, 'X'), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a batch frame")));
  EXPECT_THAT(changed(4, 9), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("version 9")));
  EXPECT_THAT(changed(6, 2), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("kind")));
  EXPECT_THAT(changed(18, 0xff), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("claims")));
  EXPECT_THAT(changed(24, 1), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("reserved")));
}

TEST(BatchFrameTest, RequestsThatLieAreRefused) {
  const auto decode = [](const batch::Request& request, absl::string_view payload) {
    const std::string bytes = EncodeFrame(FrameKind::kRequest, 1, request, payload);
    const absl::StatusOr<FrameView> frame = DecodeFrame(bytes, FrameKind::kRequest);
    batch::Request decoded;
    return frame.ok() ? DecodeRequest(*frame, &decoded) : frame.status();
  };
  batch::Request request = SampleRequest();
  EXPECT_OK(decode(request, "hello"));
  EXPECT_THAT(decode(request, "hell"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("payload")));
  request.mutable_items(0)->mutable_store()->mutable_path()->set_directory(2);
  EXPECT_THAT(decode(request, "hello"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("directory 2")));
  batch::Request unknown;
  unknown.add_items();
  EXPECT_THAT(decode(unknown, ""), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("unknown type")));
  batch::Request many;
  for (int i = 0; i <= kFrameItemsMax; ++i) many.add_items()->mutable_flush();
  EXPECT_THAT(decode(many, ""), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most")));
}

TEST(BatchFrameTest, RepliesThatLieAreRefused) {
  batch::Reply reply;
  reply.add_results()->set_payload_bytes(3);
  const std::string bytes = EncodeFrame(FrameKind::kReply, 1, reply, "abc");
  ASSERT_OK_AND_ASSIGN(FrameView frame, DecodeFrame(bytes, FrameKind::kReply));
  batch::Reply decoded;
  EXPECT_OK(DecodeReply(frame, &decoded));
  frame.payload = "ab";
  EXPECT_THAT(DecodeReply(frame, &decoded), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(BatchFrameTest, SequenceIsReadFromRefusedFrames) {
  std::string bytes = SampleFrame();
  bytes[4] = 9;
  EXPECT_EQ(SequenceOf(bytes), 7u);
  EXPECT_EQ(SequenceOf("short"), 0u);
}

}  // namespace
}  // namespace fs

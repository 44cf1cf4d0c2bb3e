#include "base/os/stream.h"

#include <string>

#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gtest/gtest.h"

namespace base {
namespace {

std::string Sample() {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i * 7919 % 10007);
  return text;
}

absl::StatusOr<std::string> ReadAll(std::unique_ptr<Source> source) {
  std::string all;
  std::string buffer(1000, '\0');
  for (;;) {
    ASSIGN_OR_RETURN(const size_t count, source->Read(absl::MakeSpan(buffer.data(), buffer.size())));
    if (count == 0) return all;
    all.append(buffer, 0, count);
  }
}

std::string CompressString(absl::string_view text, Compression compression) {
  std::string out;
  std::unique_ptr<Sink> sink = Compress(MemorySink(&out), compression);
  EXPECT_OK(sink->Write(text.substr(0, text.size() / 2)));
  EXPECT_OK(sink->Write(text.substr(text.size() / 2)));
  EXPECT_OK(sink->Close());
  return out;
}

absl::StatusOr<std::string> DecompressString(absl::string_view data) {
  ASSIGN_OR_RETURN(std::unique_ptr<Source> source, Decompress(MemorySource(data)));
  return ReadAll(std::move(source));
}

class StreamTest : public ::testing::TestWithParam<Compression> {};

TEST_P(StreamTest, RoundTripsConcatenatedStreams) {
  const std::string text = Sample();
  const std::string once = CompressString(text, GetParam());
  EXPECT_THAT(DecompressString(once), IsOkAndHolds(text));
  EXPECT_THAT(DecompressString(once + once), IsOkAndHolds(text + text));
  EXPECT_THAT(DecompressString(CompressString("", GetParam())), IsOkAndHolds(std::string()));
}

TEST_P(StreamTest, DamageIsNoticed) {
  if (GetParam() == Compression::kNone) return;
  const std::string data = CompressString(Sample(), GetParam());
  for (const size_t size : {size_t{5}, data.size() / 2, data.size() - 1}) {
    EXPECT_THAT(DecompressString(data.substr(0, size)), StatusIs(absl::StatusCode::kDataLoss)) << size;
  }
  std::string flipped = data;
  flipped[data.size() / 2] = static_cast<char>(flipped[data.size() / 2] ^ 1);
  EXPECT_THAT(DecompressString(flipped), StatusIs(absl::StatusCode::kDataLoss));
}

INSTANTIATE_TEST_SUITE_P(All, StreamTest,
                         ::testing::Values(Compression::kNone, Compression::kGzip, Compression::kZstd));

TEST(StreamFileTest, NamesChooseTheCompressionAndFilesAppearOnClose) {
  const TempDir dir;
  for (const char* name : {"a", "a.gz", "a.zst"}) {
    const std::string path = JoinPath(dir.path(), name);
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<Sink> sink, OpenSink(path, {}));
    ASSERT_OK(sink->Write("hello"));
    EXPECT_FALSE(ReadFile(path, 100).ok());
    ASSERT_OK(sink->Close());
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<Source> source, OpenSource(path));
    EXPECT_THAT(ReadAll(std::move(source)), IsOkAndHolds(std::string("hello"))) << name;
  }
  EXPECT_FALSE(OpenSource(JoinPath(dir.path(), "none")).ok());
}

}  // namespace
}  // namespace base

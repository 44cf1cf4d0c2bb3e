#include "marc/codec/iso2709_serializer.h"

#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "marc/codec/iso2709_parser.h"
#include "marc/testing/records.h"

namespace marc {
namespace {

using ::marc::testing::Iso;
using ::marc::testing::ReadIso;
using ::marc::testing::ReadResult;
using ::testing::SizeIs;

// Rewrites every record of `bytes`.
std::string Rewrite(std::string bytes, bool rebuild) {
  const size_t size = bytes.size();
  bytes.append(kPaddingBytes, '\0');
  RecordProblems sink;
  Iso2709Parser parser(Strictness::kLenient, &sink);
  Iso2709WriteOptions options;
  options.rebuild = rebuild;
  Iso2709Serializer serializer(options, &sink);
  Chunk chunk;
  chunk.bytes = absl::string_view(bytes.data(), size);
  chunk.at_end = true;
  parser.Start(chunk);
  RecordView record;
  Buffer out;
  while (parser.Next(&record)) EXPECT_TRUE(serializer.Append(record, &out));
  return std::string(out.view());
}

TEST(Iso2709SerializerTest, SmallestRecordByteForByte) {
  EXPECT_EQ(Iso("LDR 00000nam a2200000   4500\n001 x\n"), "00040nam a2200037   4500001000200000\x1Ex\x1E\x1D");
}

// SPEC W1 and W2.
TEST(Iso2709SerializerTest, RebuildingGivesTheSameBytes) {
  std::mt19937_64 random(testing::TestSeed());
  Record record;
  std::string all;
  for (int i = 0; i < 500; ++i) {
    testing::RandomRecord(random, true, &record);
    Buffer out;
    ASSERT_TRUE(AppendRebuilt(record.view(), &out));
    all += std::string(out.view());
  }
  EXPECT_EQ(Rewrite(all, true), all);
  EXPECT_EQ(Rewrite(all, false), all);
}

TEST(Iso2709SerializerTest, UneditedOddRecordStaysBitForBit) {
  std::string odd = Iso("LDR 00000nam a2200000   4500\n001 x\n245 10$aT\n");
  odd[10] = '9';
  odd[22] = 'z';
  EXPECT_EQ(Rewrite(odd, false), odd);
}

Record& BigField(Record* record, size_t size) {
  record->Clear();
  record->AddField("001", "id", Placement::kEnd);
  std::string content = "10";
  while (content.size() < size)
    content +=
        "\x1F"
        "a" +
        std::string(std::min<size_t>(3000, size - content.size()), 'n');
  record->AddField("520", content, Placement::kEnd);
  return *record;
}

TEST(OversizeTest, ErrorRejectsAndReports) {
  Record record;
  RecordProblems sink;
  Iso2709Serializer serializer({}, &sink);
  Buffer out;
  EXPECT_FALSE(serializer.Append(BigField(&record, 12000).view(), &out));
  EXPECT_EQ(out.size(), 0u);
  EXPECT_TRUE(sink.list().Has(ProblemCode::kFieldTooLongToWrite));
  EXPECT_THAT(sink.rejected(), SizeIs(1));
}

TEST(OversizeTest, OtherIsDivertedOrElseRejected) {
  class Diverting : public RecordProblems {
   public:
    bool Divert(const RecordView& record) override {
      diverted += record.fields().size();
      return takes;
    }
    bool takes = true;
    size_t diverted = 0;
  };
  Iso2709WriteOptions options;
  options.oversize = OversizePolicy::kOther;
  for (const bool takes : {true, false}) {
    Diverting sink;
    sink.takes = takes;
    Iso2709Serializer serializer(options, &sink);
    Record record;
    Buffer out;
    EXPECT_FALSE(serializer.Append(BigField(&record, 12000).view(), &out));
    EXPECT_EQ(out.size(), 0u);
    EXPECT_EQ(sink.diverted, record.fields().size());
    EXPECT_TRUE(sink.list().Has(ProblemCode::kFieldTooLongToWrite));
    EXPECT_THAT(sink.rejected(), SizeIs(takes ? 0 : 1));
  }
}

TEST(OversizeTest, SplitFieldsKeepEverySubfield) {
  Record record;
  RecordProblems sink;
  Iso2709WriteOptions options;
  options.oversize = OversizePolicy::kSplit;
  Iso2709Serializer serializer(options, &sink);
  Buffer out;
  EXPECT_TRUE(serializer.Append(BigField(&record, 25000).view(), &out));
  EXPECT_TRUE(sink.list().Has(ProblemCode::kFieldSplit));
  const ReadResult result = ReadIso(out.view());
  ASSERT_THAT(result.records, SizeIs(1));
  EXPECT_THAT(result.problems, SizeIs(0));
  size_t letters = 0;
  for (const char c : result.records[0]) letters += c == 'n';
  size_t expected = 1;  // one 'n' in the leader
  for (const char c : std::string(record.fields()[1].content())) expected += c == 'n';
  EXPECT_EQ(letters, expected);
}

TEST(OversizeTest, SplitRecordsShareTheirControlFields) {
  Record record;
  record.AddField("001", "id", Placement::kEnd);
  for (int i = 0; i < 40; ++i)
    record.AddField("500",
                    "  \x1F"
                    "a" +
                        std::string(6000, 'n'),
                    Placement::kEnd);
  RecordProblems sink;
  Iso2709WriteOptions options;
  options.oversize = OversizePolicy::kSplit;
  Iso2709Serializer serializer(options, &sink);
  Buffer out;
  EXPECT_TRUE(serializer.Append(record.view(), &out));
  const ReadResult result = ReadIso(out.view());
  ASSERT_THAT(result.records, SizeIs(3));
  EXPECT_THAT(result.problems, SizeIs(0));
  size_t notes = 0;
  for (const std::string& text : result.records) {
    EXPECT_THAT(text, ::testing::HasSubstr("001 id\n"));
    for (size_t at = 0; (at = text.find("\n500", at)) != std::string::npos; ++at) ++notes;
  }
  EXPECT_EQ(notes, 40u);
}

}  // namespace
}  // namespace marc

#include "marc/codec/iso2709_parser.h"

#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "marc/codec/iso2709_serializer.h"
#include "marc/testing/records.h"

namespace marc {
namespace {

using ::marc::testing::Iso;
using ::marc::testing::ReadIso;
using ::marc::testing::ReadResult;
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr char kText[] =
    "LDR 00000nam a2200000   4500\n"
    "001 id1\n"
    "245 10$aTitle$bRest\n"
    "650  0$aJazz\n";

std::string Put(std::string bytes, size_t at, absl::string_view text) {
  return bytes.replace(at, text.size(), std::string(text));
}

TEST(Iso2709ParserTest, ReadsWhatWasWritten) {
  const ReadResult result = ReadIso(Iso(kText) + Iso(kText));
  ASSERT_THAT(result.records, SizeIs(2));
  EXPECT_EQ(result.records[0],
            "LDR 00000nam a2200000   4500\n001 id1\n245 10$aTitle$bRest\n650  "
            "0$aJazz\n");
  EXPECT_THAT(result.problems, SizeIs(0));
}

// SPEC R5..R8: the two forms of the fast way agree on everything.
TEST(Iso2709ParserTest, FastAndPortableFormsAgreeOnDamagedRecords) {
  std::mt19937_64 random(testing::TestSeed());
  Record record;
  for (int round = 0; round < 20000; ++round) {
    testing::RandomRecord(random, true, &record);
    Buffer out;
    AppendRebuilt(record.view(), &out);
    std::string bytes(out.view());
    const size_t damage = random() % 3;
    for (size_t i = 0; i < damage; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    const size_t size = bytes.size();
    bytes.append(kPaddingBytes, '\0');
    const absl::string_view view(bytes.data(), size);
    std::vector<FieldView> a(size / 12 + 1);
    std::vector<FieldView> b(size / 12 + 1);
    FastRecord fast;
    FastRecord portable;
    const bool ok = ParseWellFormed(view, a.data(), &fast);
    ASSERT_EQ(ok, internal::ParseWellFormedPortable(view, b.data(), &portable)) << round;
    if (!ok) continue;
    ASSERT_EQ(fast.fields_count, portable.fields_count);
    EXPECT_EQ(fast.high, portable.high);
    EXPECT_EQ(fast.controls, portable.controls);
    EXPECT_EQ(fast.regular, portable.regular) << round;
    for (size_t i = 0; i < fast.fields_count; ++i) {
      EXPECT_EQ(a[i].content(), b[i].content());
      EXPECT_EQ(a[i].tag(), b[i].tag());
    }
  }
}

// SPEC R10: terminators over a lying directory.
TEST(Iso2709RepairTest, DirectoryOffByOneIsReadByTerminators) {
  std::string bytes = Iso(kText);
  for (size_t entry = 24; bytes[entry] != kFieldTerminator; entry += 12) ++bytes[entry + 11];
  const ReadResult result = ReadIso(bytes);
  ASSERT_THAT(result.records, SizeIs(1));
  EXPECT_THAT(result.records[0], ::testing::HasSubstr("245 10$aTitle$bRest\n650  0$aJazz\n"));
  EXPECT_TRUE(result.Has(ProblemCode::kFieldTerminatorMisplaced));
  EXPECT_THAT(ReadIso(bytes, Strictness::kStrict).records, SizeIs(0));
  EXPECT_THAT(ReadIso(bytes, Strictness::kStrict).rejected, ElementsAre(bytes));
}

TEST(Iso2709RepairTest, FieldOutsideRecord) {
  const ReadResult result = ReadIso(Put(Iso(kText), 24 + 12 + 7, "99999"));
  EXPECT_TRUE(result.Has(ProblemCode::kFieldOutsideRecord));
  ASSERT_THAT(result.records, SizeIs(1));
}

TEST(Iso2709RepairTest, WrongLengthEndsAtTheTerminator) {
  const std::string good = Iso(kText);
  for (const char* length : {"00030", "99999", "abcde", "00001", "00150"}) {
    const ReadResult result = ReadIso(Put(good, 0, length) + good);
    EXPECT_THAT(result.records, SizeIs(2)) << length;
    EXPECT_TRUE(result.Has(ProblemCode::kRecordLengthWrong) || result.Has(ProblemCode::kRecordLengthInvalid));
  }
}

// SPEC R3: a record without terminator does not swallow the next.
TEST(Iso2709RepairTest, LostTerminatorBeforeAWholeRecord) {
  const std::string good = Iso(kText);
  const std::string torn = good.substr(0, good.size() - 10);
  const ReadResult salvage = ReadIso(good + torn + good, Strictness::kSalvage);
  EXPECT_THAT(salvage.records, SizeIs(3));
  EXPECT_TRUE(salvage.Has(ProblemCode::kRecordTruncated));
  const ReadResult lenient = ReadIso(good + torn + good);
  EXPECT_THAT(lenient.records, SizeIs(2));
  EXPECT_THAT(lenient.rejected, ElementsAre(torn));
}

TEST(Iso2709RepairTest, TerminatorInsideAFieldIsKept) {
  std::string bytes = Iso(kText);
  bytes[bytes.find("Title") + 2] = kFieldTerminator;
  const ReadResult result = ReadIso(bytes);
  ASSERT_THAT(result.records, SizeIs(1));
  EXPECT_THAT(result.records[0], ::testing::HasSubstr("$aTi\x1Ele$bRest\n650"));
  EXPECT_TRUE(result.Has(ProblemCode::kTerminatorInData));
}

TEST(Iso2709RepairTest, JunkBetweenRecords) {
  const std::string good = Iso(kText);
  const ReadResult result = ReadIso("\n" + good + "\r\n" + good + std::string("\x1A\0\0", 3));
  EXPECT_THAT(result.records, SizeIs(2));
  EXPECT_THAT(result.problems, SizeIs(1));  // line ends are not worth a word
  EXPECT_TRUE(result.Has(ProblemCode::kBytesBetweenRecords));
}

TEST(Iso2709RepairTest, NothingOfBinaryIsARecord) {
  std::mt19937_64 random(3);
  std::string bytes(5000, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  const ReadResult result = ReadIso(bytes);
  EXPECT_THAT(result.records, SizeIs(0));
  EXPECT_FALSE(result.problems.empty());
  EXPECT_THAT(ReadIso("").problems, SizeIs(0));
}

// SPEC R9: the terminators may allow more than five digits can say.
TEST(Iso2709RepairTest, RecordOverTheLimitIsReadByTerminators) {
  Record record;
  record.AddField("001", "big", Placement::kEnd);
  for (int i = 0; i < 30; ++i)
    record.AddField("500",
                    "  \x1F"
                    "a" +
                        std::string(5000, 'n'),
                    Placement::kEnd);
  std::string directory;
  std::string data;
  for (const FieldView& field : record.fields()) {
    char entry[16];
    snprintf(entry, sizeof(entry), "%.3s%04u%05zu", field.tag().data(), field.size + 1, data.size() % 100000);
    directory += entry;
    data += std::string(field.content()) + kFieldTerminator;
  }
  const std::string bytes = Put(Put(std::string(record.leader()), 0, "99999"), 12, "00397") + directory +
                            kFieldTerminator + data + kRecordTerminator;
  const std::string good = Iso(kText);
  const ReadResult result = ReadIso(bytes + good);
  ASSERT_THAT(result.records, SizeIs(2));
  EXPECT_EQ(result.records[0], testing::ToText(record.view()));
}

// Where the stream is cut never changes what is read.
TEST(Iso2709SplitterTest, EveryWindowGivesTheSameRecords) {
  const std::string good = Iso(kText);
  std::string input = good + Put(good, 0, "99999") + "\n" + good.substr(0, 60) + good + "junk" + good + good.substr(5);
  const ReadResult whole = ReadIso(input, Strictness::kSalvage);
  for (size_t window = 1; window < input.size(); window += 7) {
    Iso2709Splitter splitter;
    ReadResult parts;
    size_t begin = 0;
    size_t end = 0;
    while (begin < input.size()) {
      end = std::min(input.size(), std::max(end, begin) + window);
      const bool at_end = end == input.size();
      const size_t cut = splitter.Cut(absl::string_view(input).substr(begin, end - begin), at_end);
      if (cut == 0) continue;
      const std::string padded = input.substr(begin, end - begin) + std::string(64, '\0');
      RecordProblems sink;
      Iso2709Parser parser(Strictness::kSalvage, &sink);
      Chunk chunk;
      chunk.bytes = absl::string_view(padded.data(), cut);
      chunk.behind = absl::string_view(padded.data() + cut, end - begin - cut);
      chunk.at_end = at_end;
      parser.Start(chunk);
      RecordView record;
      while (parser.Next(&record)) parts.records.push_back(testing::ToText(record));
      begin += cut;
    }
    EXPECT_EQ(parts.records, whole.records) << window;
  }
}

}  // namespace
}  // namespace marc

#include "marc/charset/transcoder.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "marc/testing/records.h"

namespace marc {
namespace {

using ::marc::testing::FillRecord;
using ::marc::testing::ToText;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct Result {
  bool ok = false;
  std::string text;
  std::vector<Problem> problems;
};

Result Transcode(absl::string_view text, const TranscodeOptions& options) {
  Record record;
  FillRecord(text, &record);
  ProblemList problems;
  Transcoder transcoder(options, &problems);
  RecordView view;
  Result result;
  result.ok = transcoder.Apply(record.view(), &view);
  result.text = ToText(view);
  result.problems = problems.problems();
  return result;
}

constexpr char kMarc8Leader[] = "LDR 00000nam  2200000   4500\n";
constexpr char kUtf8Leader[] = "LDR 00000nam a2200000   4500\n";

TEST(TranscoderTest, Marc8ToUtf8SetsTheLeader) {
  const Result result = Transcode(std::string(kMarc8Leader) +
                                      "001 x\n245 10$aCaf\xE2"
                                      "e$bplain\n",
                                  {});
  EXPECT_EQ(result.text,
            "LDR 00000nam a2200000   4500\n001 x\n245 10$aCafe\u0301$bplain\n");
  EXPECT_THAT(result.problems, SizeIs(0));
}

// SPEC C4: sets begin anew at each delimiter.
TEST(TranscoderTest, SetsEndWithTheSubfield) {
  const Result result =
      Transcode(std::string(kMarc8Leader) + "245 10$a\x1B(Nabc$babc\n", {});
  EXPECT_THAT(result.text, HasSubstr("$aАБЦ$babc"));
}

TEST(TranscoderTest, RoundTripWithNormalization) {
  TranscodeOptions to_marc8;
  to_marc8.to = Coding::kMarc8;
  const Result marc8 =
      Transcode(std::string(kUtf8Leader) + "245 10$aCafé 漢字\n", to_marc8);
  EXPECT_THAT(marc8.text, HasSubstr("LDR 00000nam  22"));
  EXPECT_THAT(marc8.text, HasSubstr("Caf\xE2"
                                    "e \x1B$1"));
  TranscodeOptions nfc;
  nfc.normalization = Normalization::kNfc;
  std::string source = marc8.text;
  // '$' in the escape would be a delimiter in this test's notation.
  const Result back = Transcode(std::string(kMarc8Leader) +
                                    "245 10$aCaf\xE2"
                                    "e\n",
                                nfc);
  EXPECT_THAT(back.text, HasSubstr("$aCafé"));
}

TEST(TranscoderTest, FalseUtf8IsReplacedAndReported) {
  const std::string text =
      std::string(kUtf8Leader) + "001 x\n245 10$aa\xFF\xFEz\n";
  const Result lenient = Transcode(text, {});
  EXPECT_TRUE(lenient.ok);
  EXPECT_THAT(lenient.text, HasSubstr("$aa\uFFFDz"));
  ASSERT_THAT(lenient.problems, SizeIs(1));
  EXPECT_EQ(lenient.problems[0].code, ProblemCode::kUtf8Invalid);
  EXPECT_EQ(lenient.problems[0].tag, "245");
  EXPECT_EQ(lenient.problems[0].position, "$a");
  EXPECT_EQ(lenient.problems[0].found, "\xFF\xFE");
  TranscodeOptions strict;
  strict.strictness = Strictness::kStrict;
  EXPECT_FALSE(Transcode(text, strict).ok);
}

TEST(TranscoderTest, MixedEncodingsInSalvage) {
  TranscodeOptions salvage;
  salvage.strictness = Strictness::kSalvage;
  const Result result = Transcode(std::string(kUtf8Leader) +
                                      "245 10$aCafé$bCaf\xE2"
                                      "e\n",
                                  salvage);
  EXPECT_THAT(result.text, HasSubstr("$aCafé$bCafe\u0301"));
  ASSERT_THAT(result.problems, SizeIs(1));
  EXPECT_EQ(result.problems[0].code, ProblemCode::kCodingMismatch);
}

TEST(TranscoderTest, Utf8WithoutItsFlag) {
  const Result result =
      Transcode(std::string(kMarc8Leader) + "245 10$aCafé\n", {});
  EXPECT_THAT(result.text, HasSubstr("a22"));
  EXPECT_THAT(result.text, HasSubstr("$aCafé"));
  ASSERT_THAT(result.problems, SizeIs(1));
  EXPECT_EQ(result.problems[0].code, ProblemCode::kCodingMismatch);
}

TEST(TranscoderTest, Latin1BothWays) {
  TranscodeOptions from;
  from.from = Coding::kLatin1;
  EXPECT_THAT(
      Transcode(std::string(kMarc8Leader) + "245 10$aCaf\xE9\n", from).text,
      HasSubstr("$aCafé"));
  TranscodeOptions to;
  to.to = Coding::kLatin1;
  const Result result =
      Transcode(std::string(kUtf8Leader) + "245 10$aCafé 漢\n", to);
  EXPECT_THAT(result.text, HasSubstr("$aCaf\xE9 &#x6F22;"));
  EXPECT_THAT(result.problems, SizeIs(1));
}

TEST(TranscoderTest, WhatCannotComeBackIsReportedOnRequest) {
  TranscodeOptions options;
  options.report_irreversible = true;
  // A redundant escape.
  const Result result = Transcode(
      std::string(kMarc8Leader) + "245 10$a\x1B(B\x1B(Nab\x1B(B\n", options);
  ASSERT_THAT(result.problems, SizeIs(1));
  EXPECT_EQ(result.problems[0].code, ProblemCode::kMarc8Irreversible);
  EXPECT_EQ(result.problems[0].severity, Severity::kInfo);
}

}  // namespace
}  // namespace marc

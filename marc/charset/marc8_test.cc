#include "marc/charset/marc8.h"

#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "marc/charset/marc8_tables.h"
#include "marc/codec/scan.h"
#include "marc/testing/records.h"

namespace marc {
namespace {

using ::testing::SizeIs;

std::string Decode(absl::string_view text,
                   std::vector<TextIssue>* issues = nullptr) {
  Buffer out;
  Marc8ToUtf8(text, &out, issues);
  return std::string(out.view());
}

std::string Encode(absl::string_view text,
                   std::vector<TextIssue>* issues = nullptr) {
  Buffer out;
  Utf8ToMarc8(text, &out, issues);
  return std::string(out.view());
}

// SPEC C1: marks come before their letter, several keep their order.
TEST(Marc8DecodeTest, CombiningMarksMoveBehindTheLetter) {
  EXPECT_EQ(Decode("Caf\xE2"
                   "e"),
            "Cafe\u0301");
  EXPECT_EQ(Decode("\xE8\xE2"
                   "o"),
            "o\u0308\u0301");
  EXPECT_EQ(Encode("o\u0308\u0301"),
            "\xE8\xE2"
            "o");
}

// SPEC C2: the halves of double-width marks.
TEST(Marc8DecodeTest, DoubleWidthMarks) {
  EXPECT_EQ(Decode("\xEBi\xEC"
                   "a"),
            "i\u0361a");
  EXPECT_EQ(Encode("i\u0361a"),
            "\xEBi\xEC"
            "a");
  EXPECT_EQ(Decode("\xFAn\xFBg"), "n\u0360g");
  EXPECT_EQ(Encode("n\u0360g"), "\xFAn\xFBg");
  EXPECT_EQ(Encode("i\uFE20a\uFE21"),
            "\xEBi\xEC"
            "a");
}

// SPEC C3: designation of sets to G0 and G1.
TEST(Marc8DecodeTest, EverySetInBothHalves) {
  EXPECT_EQ(Decode("\x1B(Nabc\x1B(B."), "АБЦ.");
  EXPECT_EQ(Decode("\x1B)N\xE1\xE2."), "АБ.");
  EXPECT_EQ(Decode("\x1B$1!0!!04\x1B(B."), "一中.");
  EXPECT_EQ(Decode("\x1B$)1\xA1\xB0\xA1."), "一.");
  EXPECT_EQ(Decode("H\x1B"
                   "b2\x1BsO x\x1Bp2\x1Bs"),
            "H₂O x²");
  EXPECT_EQ(Decode("\x1Bg"
                   "a\x1Bs"),
            "α");
  EXPECT_EQ(Decode("\x1B(!E\x21\x1B(B"), "Ł");
  EXPECT_EQ(Decode("\x1B(2`\x1B(B"), "א");
}

TEST(Marc8DecodeTest, NumericReferences) {
  EXPECT_EQ(Decode("a&#x4E00;b"), "a一b");
  EXPECT_EQ(Decode("&#x1D11E;"), "𝄞");
  EXPECT_EQ(Decode("&#x; &#x110000; &#xD800; &#x1F; &#65;"),
            "&#x; &#x110000; &#xD800; &#x1F; &#65;");
  EXPECT_EQ(Encode("a\u0F40"), "a&#x0F40;");
}

TEST(Marc8DecodeTest, DamageIsReportedWhereItIs) {
  std::vector<TextIssue> issues;
  EXPECT_EQ(Decode("ab\xAFz", &issues), "ab\uFFFDz");
  ASSERT_THAT(issues, SizeIs(1));
  EXPECT_EQ(issues[0].code, ProblemCode::kMarc8Undecodable);
  EXPECT_EQ(issues[0].offset, 2u);
  issues.clear();
  EXPECT_EQ(Decode("x\xE2", &issues), "x\u0301");
  EXPECT_EQ(issues[0].code, ProblemCode::kCombiningMarkAlone);
  issues.clear();
  EXPECT_EQ(Decode("\x1BZq", &issues), "\x1BZq");
  EXPECT_EQ(issues[0].code, ProblemCode::kMarc8EscapeInvalid);
  issues.clear();
  EXPECT_EQ(Decode("\x1B$1!0", &issues), "\uFFFD");
  EXPECT_EQ(issues[0].code, ProblemCode::kMarc8Undecodable);
}

TEST(Marc8EncodeTest, PrecomposedLettersAreDecomposed) {
  EXPECT_EQ(Encode("é"),
            "\xE2"
            "e");
  EXPECT_EQ(Encode("ế"),
            "\xE3\xE2"
            "e");
  EXPECT_EQ(Encode("が"), Encode("が"));
}

TEST(Marc8EncodeTest, EveryCharacterOfTheTablesComesBack) {
  const Marc8Tables& tables = Marc8Tables::Get();
  size_t count = 0;
  for (uint32_t c = 0x21; c < 0x30000; ++c) {
    const Marc8Tables::Encoded* encoded = tables.Find(c);
    if (encoded == nullptr || (c >= 0xFE20 && c <= 0xFE23)) continue;
    Buffer utf8;
    if (encoded->combining) utf8.Append("a");
    AppendUtf8(c, &utf8);
    if (c == 0x360 || c == 0x361) utf8.Append("b");
    std::vector<TextIssue> issues;
    const std::string marc8 = Encode(utf8.view(), &issues);
    EXPECT_THAT(issues, SizeIs(0)) << c;
    EXPECT_EQ(Decode(marc8), utf8.view()) << std::hex << c;
    ++count;
  }
  EXPECT_GT(count, 16000u);
}

// SPEC C9: 1,515 lines that two independent decoders agree on.
TEST(Marc8ConformanceTest, AlignedLines) {
  const std::string directory = testing::ConformanceDir();
  if (directory.empty()) GTEST_SKIP() << "CACHEFS_CONFORMANCE_DIR is not set";
  std::ifstream marc8_lines(directory + "/marc/pymarc/test_marc8.txt",
                            std::ios::binary);
  std::ifstream utf8_lines(directory + "/marc/pymarc/test_utf8.txt",
                           std::ios::binary);
  std::string marc8;
  std::string utf8;
  int lines = 0;
  int reversed = 0;
  while (std::getline(marc8_lines, marc8) && std::getline(utf8_lines, utf8)) {
    ++lines;
    std::vector<TextIssue> issues;
    EXPECT_EQ(Decode(marc8, &issues), utf8) << "line " << lines;
    EXPECT_THAT(issues, SizeIs(0)) << "line " << lines;
    const std::string back = Encode(utf8);
    EXPECT_EQ(Decode(back), utf8) << "line " << lines;
    reversed += back == marc8;
  }
  EXPECT_EQ(lines, 1515);
  // The others hold one of two EACC codes for one character, or a code that
  // the Library's tables lack: those have no way back.
  EXPECT_EQ(reversed, 1493);
}

}  // namespace
}  // namespace marc

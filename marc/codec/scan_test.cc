#include "marc/codec/scan.h"

#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace marc {
namespace {

void ExpectSame(const TextScan& a, const TextScan& b) {
  EXPECT_EQ(a.field_terminators, b.field_terminators);
  EXPECT_EQ(a.subfield_delimiters, b.subfield_delimiters);
  EXPECT_EQ(a.controls, b.controls);
  EXPECT_EQ(a.high, b.high);
  EXPECT_EQ(a.bad_codes, b.bad_codes);
}

TEST(ScanTest, FastAndPortableFormsAgreeOnRandomText) {
  std::mt19937_64 random(7);
  const std::string alphabet = "abc \x1E\x1F\x1D\x07\x7F\xC3\xA9 ";
  for (int round = 0; round < 4000; ++round) {
    std::string text(random() % 200, 'x');
    for (char& c : text) {
      if (random() % 4 == 0) c = alphabet[random() % alphabet.size()];
    }
    SCOPED_TRACE(round);
    ExpectSame(ScanText(text.data(), text.size()), internal::ScanTextPortable(text.data(), text.size()));
  }
}

TEST(ScanTest, CountsPastOneBytePerLane) {
  const std::string text(32 * 600 + 5, '\x1F');
  const TextScan scan = ScanText(text.data(), text.size());
  EXPECT_EQ(scan.subfield_delimiters, text.size());
  EXPECT_EQ(scan.controls, text.size());
  EXPECT_TRUE(scan.bad_codes);
}

TEST(ScanTest, BadCodeIsSeenAcrossBlocks) {
  for (size_t at = 0; at < 70; ++at) {
    std::string text(80, 'a');
    text[at] = '\x1F';
    EXPECT_FALSE(ScanText(text.data(), text.size()).bad_codes) << at;
    text[at + 1] = ' ';
    EXPECT_TRUE(ScanText(text.data(), text.size()).bad_codes) << at;
  }
}

TEST(Utf8Test, EverySequenceOfUpToFourLeadingBytes) {
  // All first and second bytes, with third and fourth at the borders.
  const std::vector<unsigned char> borders = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
  for (int first = 0x80; first < 0x100; ++first) {
    for (int second = 0; second < 0x100; ++second) {
      for (const unsigned char third : borders) {
        for (const unsigned char fourth : borders) {
          std::string text(29, 'a');
          text += static_cast<char>(first);
          text += static_cast<char>(second);
          text += static_cast<char>(third);
          text += static_cast<char>(fourth);
          text += "bcd";
          ASSERT_EQ(IsValidUtf8(text), internal::IsValidUtf8Portable(text))
              << first << " " << second << " " << int{third} << " " << int{fourth};
        }
      }
    }
  }
}

TEST(Utf8Test, UnfinishedSequenceAtTheEndIsInvalid) {
  for (size_t before = 0; before < 70; ++before) {
    const std::string text(before, 'a');
    EXPECT_TRUE(IsValidUtf8(text + "\xE6\xBC\xA2"));
    EXPECT_FALSE(IsValidUtf8(text + "\xE6\xBC"));
    EXPECT_FALSE(IsValidUtf8(text + "\xE6"));
    EXPECT_EQ(FindInvalidUtf8(text + "\xE6\xBC"), before);
  }
}

TEST(Utf8Test, ShortestFormsOnly) {
  EXPECT_FALSE(IsValidUtf8("\xC0\xAF"));
  EXPECT_FALSE(IsValidUtf8("\xE0\x80\xAF"));
  EXPECT_FALSE(IsValidUtf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(IsValidUtf8("\xF4\x90\x80\x80"));  // above U+10FFFF
  EXPECT_TRUE(IsValidUtf8("\xF4\x8F\xBF\xBF"));
  EXPECT_TRUE(IsValidUtf8(""));
}

TEST(PlainMarc8Test, EscapesHighBytesAndReferencesAreNotPlain) {
  const std::string padding(64, 'a');
  EXPECT_TRUE(IsPlainMarc8(padding + "A & B; #x"));
  EXPECT_FALSE(IsPlainMarc8(padding + "&#x4E00;"));
  EXPECT_FALSE(IsPlainMarc8(padding + "\x1B(B"));
  EXPECT_FALSE(IsPlainMarc8(padding + "\xE1"
                                      "a"));
  EXPECT_TRUE(IsPlainMarc8(""));
}

TEST(AsciiTest, FindsAHighByteAnywhere) {
  for (size_t at = 0; at < 40; ++at) {
    std::string text(40, 'a');
    EXPECT_TRUE(IsAscii(text));
    text[at] = '\x80';
    EXPECT_FALSE(IsAscii(text));
  }
}

}  // namespace
}  // namespace marc

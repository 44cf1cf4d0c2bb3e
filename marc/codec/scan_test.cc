#include "marc/codec/scan.h"

#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace marc {
namespace {

void ExpectSame(const TextScan& a, const TextScan& b) {
  EXPECT_EQ(a.field_terminators, b.field_terminators);
  EXPECT_EQ(a.other_controls, b.other_controls);
  EXPECT_EQ(a.high, b.high);
  EXPECT_EQ(a.bad_codes, b.bad_codes);
}

// With what must be readable behind it, none of which may count.
TextScan ScanPadded(const std::string& text) {
  const std::string padded = text + std::string(32, '\x1E');
  return ScanText(padded.data(), text.size());
}

TEST(ScanTest, FastAndPortableFormsAgreeOnRandomText) {
  std::mt19937_64 random(7);
  const std::string alphabet = "abc \x1E\x1F\x1D\x07\x7F\xC3\xA9 ";
  for (int round = 0; round < 4000; ++round) {
    std::string text(random() % 200, 'x');
    // Rarely and often, so that each answer is seen both ways.
    const uint64_t rarity = 1 + random() % 100;
    for (char& c : text) {
      if (random() % rarity == 0) c = alphabet[random() % alphabet.size()];
    }
    SCOPED_TRACE(round);
    ExpectSame(ScanPadded(text), internal::ScanTextPortable(text.data(), text.size()));
  }
}

TEST(ScanTest, CountsPastOneBytePerLane) {
  for (const size_t size : {32 * 600 + 5, 32 * 251, 32 * 252, 32 * 253 - 1}) {
    const TextScan scan = ScanPadded(std::string(size, '\x1E'));
    EXPECT_EQ(scan.field_terminators, size);
    EXPECT_FALSE(scan.other_controls);
  }
}

TEST(ScanTest, EveryOtherControlIsSeenAtEveryPlace) {
  for (int control = 0; control < 0x20; ++control) {
    for (size_t at = 0; at < 70; ++at) {
      std::string text(70, 'a');
      text[at] = static_cast<char>(control);
      EXPECT_EQ(ScanPadded(text).other_controls, control < 0x1E) << control << " at " << at;
    }
  }
}

TEST(ScanTest, BadCodeIsSeenAcrossBlocks) {
  for (size_t at = 0; at < 79; ++at) {
    std::string text(80, 'a');
    text[at] = '\x1F';
    EXPECT_FALSE(ScanPadded(text).bad_codes) << at;
    for (const char bad : {' ', '\x7F', '\x80', '\xFF', '\0'}) {
      text[at + 1] = bad;
      EXPECT_TRUE(ScanPadded(text).bad_codes) << at;
    }
    for (const char good : {'!', '~'}) {
      text[at + 1] = good;
      EXPECT_FALSE(ScanPadded(text).bad_codes) << at;
    }
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

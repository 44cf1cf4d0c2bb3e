// Looks MARC-8 codes up, both ways.
//
// Threads: built once at the first call; thread-safe.
// Source:  Library of Congress code tables, 12 sets, 16,398 codes.
#ifndef MARC_CHARSET_MARC8_TABLES_H_
#define MARC_CHARSET_MARC8_TABLES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace marc {

// Final bytes of the escape sequences that name the sets.
enum Marc8Set : uint8_t {
  kSetAscii = 0x42,
  kSetAnsel = 0x45,
  kSetGreekSymbols = 0x67,
  kSetSubscripts = 0x62,
  kSetSuperscripts = 0x70,
  kSetHebrew = 0x32,
  kSetCyrillic = 0x4E,
  kSetExtendedCyrillic = 0x51,
  kSetArabic = 0x33,
  kSetExtendedArabic = 0x34,
  kSetGreek = 0x53,
  kSetEacc = 0x31,
};

struct Marc8Character {
  uint32_t unicode = 0;
  bool defined = false;
  bool combining = false;
};

class Marc8Tables {
 public:
  static const Marc8Tables& Get();

  static bool IsSet(uint8_t final);

  // `code` has seven bits, whichever half of the code page it came in.
  const Marc8Character& Single(uint8_t final, uint8_t code) const {
    return single_[set_index_[final & 0x7F]][code & 0x7F];
  }
  // The C1 controls 80..9F, which belong to no set.
  const Marc8Character& Control(uint8_t byte) const {
    return controls_[byte & 0x1F];
  }
  // Three bytes of 21..7E. 0: undefined.
  uint32_t Eacc(uint8_t first, uint8_t second, uint8_t third) const {
    const int row = eacc_rows_[(first & 0x7F) * 128 + (second & 0x7F)];
    return row < 0 ? 0 : eacc_[static_cast<size_t>(row) * 128 + (third & 0x7F)];
  }

  struct Encoded {
    uint32_t unicode = 0;
    uint32_t code = 0;  // seven bits, or three bytes for EACC, or a C1 control
    uint8_t final = 0;  // 0: a control
    bool combining = false;
  };
  // nullptr: MARC-8 has no such character.
  const Encoded* Find(uint32_t unicode) const;

 private:
  Marc8Tables();
  void AddEacc(uint32_t code, uint32_t unicode);
  void AddReverse(const Encoded& encoded);

  std::array<uint8_t, 128> set_index_{};
  std::vector<std::array<Marc8Character, 128>> single_;
  std::array<Marc8Character, 32> controls_{};
  std::vector<int16_t> eacc_rows_;
  std::vector<uint32_t> eacc_;
  std::vector<Encoded> reverse_;  // by code point
  std::array<uint16_t, 257>
      pages_{};  // first index in reverse_ of each code point / 256
};

}  // namespace marc

#endif  // MARC_CHARSET_MARC8_TABLES_H_

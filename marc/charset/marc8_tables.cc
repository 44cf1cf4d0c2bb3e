#include "marc/charset/marc8_tables.h"

#include <algorithm>

#include "marc/charset/marc8_tables_data.h"

namespace marc {
namespace {

// Of several sets that have a character, the first of these is written.
constexpr uint8_t kPreference[] = {kSetAscii,
                                   kSetAnsel,
                                   kSetHebrew,
                                   kSetCyrillic,
                                   kSetExtendedCyrillic,
                                   kSetArabic,
                                   kSetExtendedArabic,
                                   kSetGreek,
                                   kSetSubscripts,
                                   kSetSuperscripts,
                                   kSetGreekSymbols,
                                   kSetEacc};

size_t PreferenceOf(uint8_t final) {
  return std::find(std::begin(kPreference), std::end(kPreference), final) -
         std::begin(kPreference);
}

}  // namespace

const Marc8Tables& Marc8Tables::Get() {
  static const Marc8Tables* const kTables = new Marc8Tables();
  return *kTables;
}

bool Marc8Tables::IsSet(uint8_t final) {
  return PreferenceOf(final) != std::size(kPreference);
}

Marc8Tables::Marc8Tables() {
  single_.emplace_back();  // index 0: no such set, nothing defined
  for (size_t i = 0; i < internal::kSingleByteCodesCount; ++i) {
    const internal::SingleByteCode& row = internal::kSingleByteCodes[i];
    const Marc8Character character = {row.unicode, true,
                                      row.combining != 0 || row.unicode == 0};
    if (row.code >= 0x80 && row.code < 0xA0) {
      controls_[row.code & 0x1F] = character;
      AddReverse({row.unicode, row.code, 0, false});
      continue;
    }
    if (set_index_[row.final] == 0) {
      set_index_[row.final] = static_cast<uint8_t>(single_.size());
      single_.emplace_back();
    }
    single_[set_index_[row.final]][row.code & 0x7F] = character;
    AddReverse({row.unicode, row.code & 0x7Fu, row.final, character.combining});
  }
  eacc_rows_.assign(128 * 128, -1);
  for (size_t i = 0; i < internal::kEaccCodesCount; ++i) {
    AddEacc(internal::kEaccCodes[i].code, internal::kEaccCodes[i].unicode);
    AddReverse({internal::kEaccCodes[i].unicode, internal::kEaccCodes[i].code,
                kSetEacc, false});
  }
  for (size_t i = 0; i < internal::kExtraEaccCodesCount; ++i) {
    AddEacc(internal::kExtraEaccCodes[i].code,
            internal::kExtraEaccCodes[i].unicode);
  }
  // The four half marks, in place of the double-width marks.
  AddReverse({0xFE20, 0x6B, kSetAnsel, true});
  AddReverse({0xFE21, 0x6C, kSetAnsel, true});
  AddReverse({0xFE22, 0x7A, kSetAnsel, true});
  AddReverse({0xFE23, 0x7B, kSetAnsel, true});
  // Stable: of equal characters in one set the lowest code stays first, except
  // that a code with a byte 20 in it (EACC 212320) is only read.
  const auto rank = [](const Encoded& row) {
    const bool has_blank =
        row.final == kSetEacc &&
        ((row.code & 0xFF) == 0x20 || (row.code >> 8 & 0xFF) == 0x20);
    return PreferenceOf(row.final) + (has_blank ? 100 : 0);
  };
  std::stable_sort(reverse_.begin(), reverse_.end(),
                   [&](const Encoded& a, const Encoded& b) {
                     return a.unicode != b.unicode ? a.unicode < b.unicode
                                                   : rank(a) < rank(b);
                   });
  for (size_t page = 0; page < pages_.size(); ++page) {
    const auto first =
        std::lower_bound(reverse_.begin(), reverse_.end(), page * 256,
                         [](const Encoded& row, size_t unicode) {
                           return row.unicode < unicode;
                         });
    pages_[page] = static_cast<uint16_t>(first - reverse_.begin());
  }
}

void Marc8Tables::AddEacc(uint32_t code, uint32_t unicode) {
  int16_t& index = eacc_rows_[(code >> 16) * 128 + (code >> 8 & 0x7F)];
  if (index < 0) {
    index = static_cast<int16_t>(eacc_.size() / 128);
    eacc_.resize(eacc_.size() + 128, 0);
  }
  eacc_[static_cast<size_t>(index) * 128 + (code & 0x7F)] = unicode;
}

void Marc8Tables::AddReverse(const Encoded& encoded) {
  if (encoded.unicode != 0) reverse_.push_back(encoded);
}

const Marc8Tables::Encoded* Marc8Tables::Find(uint32_t unicode) const {
  auto begin = reverse_.begin();
  auto end = reverse_.end();
  if (unicode < 0x10000) {
    begin += pages_[unicode / 256];
    end = reverse_.begin() + pages_[unicode / 256 + 1];
  }
  const auto found = std::lower_bound(
      begin, end, unicode,
      [](const Encoded& row, uint32_t value) { return row.unicode < value; });
  return found != end && found->unicode == unicode ? &*found : nullptr;
}

}  // namespace marc

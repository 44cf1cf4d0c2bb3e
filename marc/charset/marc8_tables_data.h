// The MARC-8 code tables as plain rows; marc8_tables.h makes them searchable.
//
// Threads: constant data.
// Source:  Library of Congress code tables; see make_marc8_tables.py.
#ifndef MARC_CHARSET_MARC8_TABLES_DATA_H_
#define MARC_CHARSET_MARC8_TABLES_DATA_H_

#include <cstddef>
#include <cstdint>

namespace marc {
namespace internal {

struct SingleByteCode {
  uint8_t final;  // of the escape sequence that designates the set
  uint8_t code;
  uint16_t unicode;  // 0: the second half of a double-width mark
  uint8_t combining;
};

struct EaccCode {
  uint32_t code;  // three bytes
  uint32_t unicode;
};

extern const SingleByteCode kSingleByteCodes[];
extern const size_t kSingleByteCodesCount;
extern const EaccCode kEaccCodes[];
extern const size_t kEaccCodesCount;
extern const EaccCode kExtraEaccCodes[];  // read, never written
extern const size_t kExtraEaccCodesCount;

}  // namespace internal
}  // namespace marc

#endif  // MARC_CHARSET_MARC8_TABLES_DATA_H_

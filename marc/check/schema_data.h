// The MARC 21 formats as plain rows.
//
// Threads: constant data.
// Source:  see make_schema_data.py.
#ifndef MARC_CHECK_SCHEMA_DATA_H_
#define MARC_CHECK_SCHEMA_DATA_H_

#include <cstddef>

namespace marc {
namespace internal {

struct SchemaField {
  const char* tag;
  bool repeatable;
  const char* indicator1;  // allowed values; "*": any
  const char* indicator2;
  const char* once;  // subfields that are not repeatable
  const char* many;  // subfields that are
};

// Every character of positions [start, end] is one of `codes`.
struct SchemaPosition {
  const char* tag;   // "LDR" or a control field
  const char* kind;  // "All Materials", "Books", ...
  int start;
  int end;
  const char* codes;
};

extern const SchemaField kBibliographicFields[];
extern const size_t kBibliographicFieldsCount;
extern const SchemaField kAuthorityFields[];
extern const size_t kAuthorityFieldsCount;
extern const SchemaField kHoldingsFields[];
extern const size_t kHoldingsFieldsCount;
extern const SchemaPosition kBibliographicPositions[];
extern const size_t kBibliographicPositionsCount;
extern const SchemaPosition kAuthorityPositions[];
extern const size_t kAuthorityPositionsCount;

}  // namespace internal
}  // namespace marc

#endif  // MARC_CHECK_SCHEMA_DATA_H_

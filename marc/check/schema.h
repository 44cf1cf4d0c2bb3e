// Schema: which fields, indicators, subfields and codes MARC 21 defines.
//
// Threads: immutable; thread-safe.
// Source:  MARC 21 Formats for Bibliographic, Authority and Holdings Data, by
//          way of the Avram descriptions (make_schema_data.py).
#ifndef MARC_CHECK_SCHEMA_H_
#define MARC_CHECK_SCHEMA_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "marc/check/schema_data.h"
#include "marc/codec/record_view.h"

namespace marc {

enum class RecordKind { kBibliographic, kAuthority, kHoldings };

// By leader/06.
RecordKind KindOfRecord(LeaderView leader);
absl::string_view RecordKindName(RecordKind kind);

class Schema {
 public:
  static const Schema& Of(RecordKind kind);

  // nullptr: not defined.
  const internal::SchemaField* Find(uint32_t packed_tag) const {
    const auto found = fields_.find(packed_tag);
    return found == fields_.end() ? nullptr : found->second;
  }
  absl::Span<const internal::SchemaPosition> positions() const { return positions_; }

 private:
  Schema(absl::Span<const internal::SchemaField> fields, absl::Span<const internal::SchemaPosition> positions);

  absl::flat_hash_map<uint32_t, const internal::SchemaField*> fields_;
  absl::Span<const internal::SchemaPosition> positions_;
};

// The kind of material that 008/18-34 is read by: "Books", "Maps"..., from
// leader/06 and /07.
absl::string_view MaterialOf(LeaderView leader);

}  // namespace marc

#endif  // MARC_CHECK_SCHEMA_H_

#include "marc/check/schema.h"

namespace marc {

RecordKind KindOfRecord(LeaderView leader) {
  switch (leader.type_of_record()) {
    case 'z':
      return RecordKind::kAuthority;
    case 'u':
    case 'v':
    case 'x':
    case 'y':
      return RecordKind::kHoldings;
    default:
      return RecordKind::kBibliographic;
  }
}

absl::string_view RecordKindName(RecordKind kind) {
  return kind == RecordKind::kAuthority ? "authority" : kind == RecordKind::kHoldings ? "holdings" : "bibliographic";
}

Schema::Schema(absl::Span<const internal::SchemaField> fields, absl::Span<const internal::SchemaPosition> positions)
    : positions_(positions) {
  for (const internal::SchemaField& field : fields) fields_[PackTag(absl::string_view(field.tag))] = &field;
}

const Schema& Schema::Of(RecordKind kind) {
  static const Schema* const kBibliographic =
      new Schema(absl::MakeConstSpan(internal::kBibliographicFields, internal::kBibliographicFieldsCount),
                 absl::MakeConstSpan(internal::kBibliographicPositions, internal::kBibliographicPositionsCount));
  static const Schema* const kAuthority =
      new Schema(absl::MakeConstSpan(internal::kAuthorityFields, internal::kAuthorityFieldsCount),
                 absl::MakeConstSpan(internal::kAuthorityPositions, internal::kAuthorityPositionsCount));
  static const Schema* const kHoldings =
      new Schema(absl::MakeConstSpan(internal::kHoldingsFields, internal::kHoldingsFieldsCount), {});
  return kind == RecordKind::kAuthority ? *kAuthority : kind == RecordKind::kHoldings ? *kHoldings : *kBibliographic;
}

absl::string_view MaterialOf(LeaderView leader) {
  switch (leader.type_of_record()) {
    case 'a': {
      const char level = leader.bibliographic_level();
      return level == 'b' || level == 'i' || level == 's' ? "Continuing Resources" : "Books";
    }
    case 't':
      return "Books";
    case 'c':
    case 'd':
    case 'i':
    case 'j':
      return "Music";
    case 'e':
    case 'f':
      return "Maps";
    case 'g':
    case 'k':
    case 'o':
    case 'r':
      return "Visual Materials";
    case 'm':
      return "Computer Files";
    case 'p':
      return "Mixed Materials";
    default:
      return "";
  }
}

}  // namespace marc

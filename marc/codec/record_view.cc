#include "marc/codec/record_view.h"

#include "absl/strings/ascii.h"

namespace marc {

bool ParseLinkage(absl::string_view linkage, absl::string_view* tag, absl::string_view* occurrence) {
  if (linkage.size() < 6 || linkage[3] != '-') return false;
  if (!absl::ascii_isdigit(linkage[4]) || !absl::ascii_isdigit(linkage[5])) return false;
  size_t end = 6;
  while (end < linkage.size() && absl::ascii_isdigit(linkage[end])) ++end;
  if (end < linkage.size() && linkage[end] != '/') return false;
  *tag = linkage.substr(0, 3);
  *occurrence = linkage.substr(4, end - 4);
  return true;
}

const FieldView* RecordView::LinkedField(const FieldView& field) const {
  absl::string_view tag;
  absl::string_view occurrence;
  if (field.is_control()) return nullptr;
  const absl::string_view linkage = DataFieldView(field).Linkage();
  if (!ParseLinkage(linkage, &tag, &occurrence) || occurrence == "00") return nullptr;
  for (const FieldView& other : fields_) {
    absl::string_view other_tag;
    absl::string_view other_occurrence;
    if (&other == &field || other.is_control() || other.tag() != tag) continue;
    if (!ParseLinkage(DataFieldView(other).Linkage(), &other_tag, &other_occurrence)) continue;
    if (other_occurrence == occurrence && other_tag == field.tag()) return &other;
  }
  return nullptr;
}

}  // namespace marc

#include "marc/command/transforms.h"

#include <algorithm>
#include <set>

namespace marc {
namespace {

TranscodeOptions To(Coding from, Coding to) {
  TranscodeOptions options;
  options.from = from;
  options.to = to;
  return options;
}

}  // namespace

EditTransform::EditTransform(const EditScript& script, RecordSink* sink)
    : script_(script),
      to_utf8_(To(Coding::kAuto, Coding::kUtf8), sink),
      to_marc8_(To(Coding::kUtf8, Coding::kMarc8), sink) {}

Transform::Verdict EditTransform::Apply(const RecordView& record, RecordView* out) {
  const bool utf8 = record.leader().is_utf8();
  RecordView view = record;
  if (!utf8 && record.has_high_bytes()) to_utf8_.Apply(record, &view);
  record_.Assign(view);
  if (!script_.Apply(&record_)) {
    *out = record;
    return Verdict::kKeep;
  }
  RecordView edited = record_.view();
  edited.SetText(true, record.has_controls(), false);
  // The script may have set leader/09 itself; then it means it.
  const bool back = !utf8 && view.leader().is_utf8() && edited.leader().is_utf8();
  if (back) {
    to_marc8_.Apply(edited, out);
  } else {
    *out = edited;
  }
  return Verdict::kKeep;
}

Transform::Verdict RepairTransform::Apply(const RecordView& record, RecordView* out) {
  const RecordView& presented = presenter_.Present(record);
  record_.Assign(presented);
  record_.SetLeader(10, '2');
  record_.SetLeader(11, '2');
  constexpr absl::string_view kEntryMap = "4500";
  for (size_t i = 0; i < kEntryMap.size(); ++i) record_.SetLeader(20 + i, kEntryMap[i]);
  *out = record_.view();
  out->SetText(record.has_high_bytes(), record.has_controls(), record.is_regular());
  return Verdict::kKeep;
}

void RecordStatistics::Add(const RecordStatistics& other) {
  records += other.records;
  fields += other.fields;
  subfields += other.subfields;
  bytes += other.bytes;
  size_max = std::max(size_max, other.size_max);
  utf8 += other.utf8;
  with_high_bytes += other.with_high_bytes;
  for (const auto& [key, count] : other.types) types[key] += count;
  for (const auto& [key, count] : other.tags) tags[key] += count;
  for (const auto& [key, count] : other.records_with) records_with[key] += count;
  for (const auto& [key, count] : other.subfields_of) subfields_of[key] += count;
}

Transform::Verdict StatisticsTransform::Apply(const RecordView& record, RecordView*) {
  RecordStatistics& s = statistics_;
  uint64_t size = kRecordSizeMin;
  std::set<uint32_t> seen;
  for (const FieldView& field : record.fields()) {
    size += field.size + 1 + kDirectoryEntrySize;
    ++s.tags[field.packed_tag];
    if (seen.insert(field.packed_tag).second) ++s.records_with[field.packed_tag];
    if (field.is_control()) continue;
    SubfieldIterator it = DataFieldView(field).subfields();
    SubfieldView subfield;
    while (it.Next(&subfield)) {
      ++s.subfields;
      std::string key(field.tag());
      key += '$';
      key += subfield.code;
      ++s.subfields_of[key];
    }
  }
  ++s.records;
  s.fields += record.fields().size();
  s.bytes += size;
  s.size_max = std::max(s.size_max, size);
  s.utf8 += record.leader().is_utf8();
  s.with_high_bytes += record.has_high_bytes();
  ++s.types[record.leader().type_of_record()];
  return Verdict::kKeep;
}

}  // namespace marc

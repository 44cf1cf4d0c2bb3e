#include "marc/codec/iso2709_serializer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "marc/codec/scan.h"

namespace marc {
namespace {

// "0000".."9999", so that a number of five digits is two lookups.
struct FourDigits {
  std::array<char, 40000> text;
};

constexpr FourDigits MakeFourDigits() {
  FourDigits digits{};
  for (int i = 0; i < 10000; ++i) {
    digits.text[4 * i] = static_cast<char>('0' + i / 1000);
    digits.text[4 * i + 1] = static_cast<char>('0' + i / 100 % 10);
    digits.text[4 * i + 2] = static_cast<char>('0' + i / 10 % 10);
    digits.text[4 * i + 3] = static_cast<char>('0' + i % 10);
  }
  return digits;
}
constexpr FourDigits kFourDigits = MakeFourDigits();

inline void WriteFour(size_t value, char* to) { memcpy(to, kFourDigits.text.data() + 4 * value, 4); }
inline void WriteFive(size_t value, char* to) {
  const size_t high = value / 10000;
  to[0] = static_cast<char>('0' + high);
  WriteFour(value - high * 10000, to + 1);
}

struct Sizes {
  size_t data = 0;  // of all fields with their terminators
  size_t longest_field = 0;
  size_t total(size_t fields) const { return kLeaderSize + fields * kDirectoryEntrySize + 1 + data + 1; }
};

Sizes Measure(absl::Span<const FieldView> fields) {
  Sizes sizes;
  for (const FieldView& field : fields) {
    sizes.data += field.size + 1;
    sizes.longest_field = std::max<size_t>(sizes.longest_field, field.size);
  }
  return sizes;
}

// Copies fields; those that lie one behind another in the source go in one
// piece.
char* CopyFields(absl::Span<const FieldView> fields, char* to) {
  size_t i = 0;
  while (i < fields.size()) {
    const char* begin = fields[i].data;
    const char* end = begin + fields[i].size;
    ++i;
    while (i < fields.size() && fields[i].data == end + 1 && *end == kFieldTerminator) {
      end = fields[i].data + fields[i].size;
      ++i;
    }
    const size_t size = static_cast<size_t>(end - begin);
    if (size != 0) memcpy(to, begin, size);
    to += size;
    *to++ = kFieldTerminator;
  }
  return to;
}

void AppendFitting(const RecordView& record, size_t total, Buffer* out) {
  const absl::Span<const FieldView> fields = record.fields();
  char* to = out->Reserve(total);
  memcpy(to, record.leader().bytes().data(), kLeaderSize);
  WriteFive(total, to);
  WriteFive(kLeaderSize + fields.size() * kDirectoryEntrySize + 1, to + 12);
  char* entry = to + kLeaderSize;
  size_t start = 0;
  for (const FieldView& field : fields) {
    const size_t length = field.size + 1;
    memcpy(entry, &field.packed_tag, 4);  // the fourth byte is overwritten
    WriteFour(length, entry + 3);
    WriteFive(start, entry + 7);
    entry += kDirectoryEntrySize;
    start += length;
  }
  *entry++ = kFieldTerminator;
  char* end = CopyFields(fields, entry);
  *end++ = kRecordTerminator;
  out->AdvanceTo(end);
}

// Where a field that is too long may be cut: before a delimiter if there is
// one, else between two characters. Returns the size of the first part.
size_t CutPoint(absl::string_view content, bool utf8) {
  const size_t cut = content.rfind(kSubfieldDelimiter, kFieldSizeMax - 1);
  if (cut != absl::string_view::npos && cut > 2) return cut;
  size_t at = kFieldSizeMax;
  if (utf8) {
    while (at > 4 && (static_cast<unsigned char>(content[at]) & 0xC0) == 0x80) --at;
  }
  return at;
}

}  // namespace

bool AppendRebuilt(const RecordView& record, Buffer* out) {
  const Sizes sizes = Measure(record.fields());
  const size_t total = sizes.total(record.fields().size());
  if (sizes.longest_field > kFieldSizeMax || total > kWrittenRecordSizeMax) return false;
  AppendFitting(record, total, out);
  return true;
}

bool Iso2709Serializer::Append(const RecordView& record, Buffer* out) {
  if (!options_.rebuild && !record.bytes().empty()) {
    out->Append(record.bytes());
    return true;
  }
  const Sizes sizes = Measure(record.fields());
  const size_t total = sizes.total(record.fields().size());
  if (sizes.longest_field <= kFieldSizeMax && total <= kWrittenRecordSizeMax) {
    AppendFitting(record, total, out);
    return true;
  }
  return AppendOversize(record, sizes.longest_field, total, out);
}

bool Iso2709Serializer::AppendOversize(const RecordView& record, size_t longest_field, size_t total, Buffer* out) {
  if (options_.oversize == OversizePolicy::kSplit) return AppendSplit(record, out);
  const bool diverted = options_.oversize == OversizePolicy::kOther && sink_.Divert(record);
  const absl::string_view action = diverted ? "written to the other output" : "rejected";
  Problem problem = longest_field > kFieldSizeMax
                        ? ProblemAt(ProblemCode::kFieldTooLongToWrite, record,
                                    absl::StrCat("at most ", kFieldSizeMax, " bytes"), action)
                        : ProblemAt(ProblemCode::kRecordTooLongToWrite, record,
                                    absl::StrCat("at most ", kWrittenRecordSizeMax, " bytes"), action);
  problem.found = absl::StrCat(longest_field > kFieldSizeMax ? longest_field : total, " bytes");
  for (const FieldView& field : record.fields()) {
    if (field.size <= kFieldSizeMax) continue;
    problem.tag = std::string(field.tag());
    break;
  }
  sink_.Report(std::move(problem));
  if (!diverted) sink_.Reject(record.bytes());
  return false;
}

bool Iso2709Serializer::AppendSplit(const RecordView& record, Buffer* out) {
  SplitFields(record);
  // Control fields go into every part, the others are dealt out in order.
  const absl::Span<const FieldView> fields = split_.fields();
  size_t at = 0;
  size_t parts = 0;
  while (at < fields.size() || parts == 0) {
    const size_t first = at;
    at = FillPart(record, at, /*first_part=*/parts == 0);
    if (at == first && at < fields.size()) {
      sink_.Report(ProblemAt(ProblemCode::kRecordTooLongToWrite, record, "control fields that fit", "rejected"));
      sink_.Reject(record.bytes());
      return parts > 0;
    }
    AppendRebuilt(part_.view(), out);
    ++parts;
  }
  if (parts > 1) {
    sink_.Report(ProblemAt(ProblemCode::kRecordSplit, record, absl::StrCat("at most ", kWrittenRecordSizeMax, " bytes"),
                           absl::StrCat("split into ", parts, " records with the same control fields")));
  }
  return true;
}

void Iso2709Serializer::SplitFields(const RecordView& record) {
  split_.Clear();
  split_.SetLeader(record.leader().bytes());
  for (const FieldView& field : record.fields()) {
    absl::string_view rest = field.content();
    if (rest.size() > kFieldSizeMax) {
      Problem problem = ProblemAt(ProblemCode::kFieldSplit, record, absl::StrCat("at most ", kFieldSizeMax, " bytes"),
                                  "split into several fields");
      problem.tag = std::string(field.tag());
      problem.found = absl::StrCat(rest.size(), " bytes");
      sink_.Report(std::move(problem));
    }
    while (rest.size() > kFieldSizeMax) {
      const size_t cut = CutPoint(rest, record.leader().is_utf8());
      const absl::string_view first = rest.substr(0, cut);
      split_.AppendFieldBorrowed(field.packed_tag, first);
      std::string next;
      if (!field.is_control()) {
        next.assign(rest.data(), 2);
        if (rest[cut] != kSubfieldDelimiter) {
          // The subfield goes on under the same code.
          const size_t delimiter = first.rfind(kSubfieldDelimiter);
          next += kSubfieldDelimiter;
          next += delimiter == absl::string_view::npos || delimiter + 1 == cut ? 'a' : first[delimiter + 1];
        }
      }
      rest = split_.arena().Copy(absl::StrCat(next, rest.substr(cut)));
    }
    split_.AppendFieldBorrowed(field.packed_tag, rest);
  }
}

size_t Iso2709Serializer::FillPart(const RecordView& record, size_t from, bool first_part) {
  const absl::Span<const FieldView> fields = split_.fields();
  part_.Clear();
  part_.SetLeader(record.leader().bytes());
  size_t total = kRecordSizeMin;
  for (const FieldView& field : fields) {
    if (first_part || !field.is_control()) continue;
    part_.AppendFieldBorrowed(field.packed_tag, field.content());
    total += field.size + 1 + kDirectoryEntrySize;
  }
  size_t at = from;
  for (; at < fields.size(); ++at) {
    if (!first_part && fields[at].is_control()) continue;
    const size_t cost = fields[at].size + 1 + kDirectoryEntrySize;
    if (total + cost > kWrittenRecordSizeMax) break;
    part_.AppendFieldBorrowed(fields[at].packed_tag, fields[at].content());
    total += cost;
  }
  return at;
}

}  // namespace marc

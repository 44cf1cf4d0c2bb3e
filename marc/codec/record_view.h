// RecordView, DataFieldView, ControlFieldView and SubfieldView: a MARC 21
// record read in place.
//
// Model:   every format is read into one shape: a leader of 24 bytes and fields
//          of a three-byte tag and their content as ISO 2709 carries it, that
//          is indicators and delimiters (1F) included, the terminator (1E) not.
// Life:    a view borrows the bytes it was read from and dies with them.
// Padding: the bytes of every field are followed by at least kPaddingBytes
//          readable ones, so that scans may load whole vectors.
// Control: a field is a control field when its tag begins with "00" (SPEC R4).
// Threads: immutable; thread-safe to read.
// Source:  MARC 21 Specifications for Record Structure, Library of Congress.
#ifndef MARC_CODEC_RECORD_VIEW_H_
#define MARC_CODEC_RECORD_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace marc {

constexpr char kRecordTerminator = 0x1D;
constexpr char kFieldTerminator = 0x1E;
constexpr char kSubfieldDelimiter = 0x1F;
constexpr size_t kLeaderSize = 24;
constexpr size_t kDirectoryEntrySize = 12;
constexpr size_t kRecordSizeMin = kLeaderSize + 2;
constexpr size_t kRecordSizeMax = size_t{16} << 20;  // of what is read (SPEC R9)
constexpr size_t kFieldsMax = size_t{1} << 18;       // of a record that is read (SPEC R9)
constexpr size_t kPaddingBytes = 64;

// Three tag bytes packed in memory order, the fourth byte zero.
constexpr uint32_t PackTag(char a, char b, char c) {
  return static_cast<uint32_t>(static_cast<unsigned char>(a)) |
         static_cast<uint32_t>(static_cast<unsigned char>(b)) << 8 |
         static_cast<uint32_t>(static_cast<unsigned char>(c)) << 16;
}
// REQUIRES: tag.size() == 3.
inline uint32_t PackTag(absl::string_view tag) { return PackTag(tag[0], tag[1], tag[2]); }
constexpr bool IsControlTag(uint32_t tag) { return (tag & 0xFFFF) == PackTag('0', '0', '\0'); }

// What a well-formed indicator is: a lower-case ASCII letter, a digit, or a
// blank.
constexpr bool IsIndicator(char c) { return c == ' ' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); }
// What a subfield code may be in practice: any graphic ASCII character.
constexpr bool IsSubfieldCode(char c) { return c > 0x20 && c < 0x7F; }

struct SubfieldView {
  char code;
  absl::string_view data;
};

// Walks the subfields of a data field's content. Text before the first
// delimiter is not a subfield; a delimiter with nothing behind it has code 0.
class SubfieldIterator {
 public:
  explicit SubfieldIterator(absl::string_view content) : at_(content.data()), end_(content.data() + content.size()) {
    if (at_ != end_) at_ = static_cast<const char*>(memchr(at_, kSubfieldDelimiter, content.size()));
    if (at_ == nullptr) at_ = end_;
  }
  bool Next(SubfieldView* subfield) {
    if (at_ == end_) return false;
    const char* begin = at_ + 1;
    const void* found = begin == end_ ? nullptr : memchr(begin, kSubfieldDelimiter, end_ - begin);
    at_ = found == nullptr ? end_ : static_cast<const char*>(found);
    if (begin == at_) {
      *subfield = SubfieldView{'\0', absl::string_view(begin, 0)};
    } else {
      *subfield = SubfieldView{*begin, absl::string_view(begin + 1, at_ - begin - 1)};
    }
    return true;
  }

 private:
  const char* at_;
  const char* end_;
};

// A field as it lies in the record. `data` may be cast to one of the two views.
struct FieldView {
  const char* data = nullptr;
  uint32_t size = 0;
  uint32_t packed_tag = 0;

  absl::string_view tag() const { return absl::string_view(reinterpret_cast<const char*>(&packed_tag), 3); }
  absl::string_view content() const { return absl::string_view(data, size); }
  bool is_control() const { return IsControlTag(packed_tag); }
};
static_assert(sizeof(FieldView) == 16);

class ControlFieldView {
 public:
  explicit ControlFieldView(const FieldView& field) : field_(field) {}
  absl::string_view tag() const { return field_.tag(); }
  absl::string_view data() const { return field_.content(); }
  // The byte at `position`, 0 past the end.
  char At(size_t position) const { return position < field_.size ? field_.data[position] : '\0'; }
  // Positions [position, position + count), shortened at the end.
  absl::string_view Range(size_t position, size_t count) const {
    return position < field_.size ? data().substr(position, count) : absl::string_view();
  }

 private:
  const FieldView& field_;
};

class DataFieldView {
 public:
  explicit DataFieldView(const FieldView& field) : field_(field) {}
  absl::string_view tag() const { return field_.tag(); }
  char indicator1() const { return field_.size > 0 ? field_.data[0] : ' '; }
  char indicator2() const { return field_.size > 1 ? field_.data[1] : ' '; }
  SubfieldIterator subfields() const {
    return SubfieldIterator(field_.size > 2 ? field_.content().substr(2) : absl::string_view());
  }
  // The first subfield `code`; data() == nullptr when there is none.
  absl::string_view First(char code) const {
    SubfieldIterator it = subfields();
    SubfieldView subfield;
    while (it.Next(&subfield)) {
      if (subfield.code == code) return subfield.data;
    }
    return absl::string_view();
  }
  // $6 of the field: the linkage to or from an 880.
  absl::string_view Linkage() const { return First('6'); }

 private:
  const FieldView& field_;
};

class LeaderView {
 public:
  // REQUIRES: `bytes` points to 24 bytes.
  explicit LeaderView(const char* bytes) : bytes_(bytes) {}
  absl::string_view bytes() const { return absl::string_view(bytes_, kLeaderSize); }
  char At(size_t position) const { return bytes_[position]; }
  char record_status() const { return bytes_[5]; }
  char type_of_record() const { return bytes_[6]; }
  char bibliographic_level() const { return bytes_[7]; }
  char type_of_control() const { return bytes_[8]; }
  char character_coding_scheme() const { return bytes_[9]; }
  char encoding_level() const { return bytes_[17]; }
  char descriptive_cataloging_form() const { return bytes_[18]; }
  bool is_utf8() const { return bytes_[9] == 'a'; }

 private:
  const char* bytes_;
};

class RecordView {
 public:
  LeaderView leader() const { return LeaderView(leader_); }
  absl::Span<const FieldView> fields() const { return fields_; }
  // The record as it was read, empty when it was edited, repaired or comes from
  // another format than ISO 2709.
  absl::string_view bytes() const { return bytes_; }
  // 001 as it lies there, empty without one.
  absl::string_view control_number() const {
    for (const FieldView& field : fields_) {
      if (field.packed_tag == PackTag('0', '0', '1')) return field.content();
    }
    return absl::string_view();
  }
  // The first field with `tag`, or nullptr.
  const FieldView* First(absl::string_view tag) const {
    if (tag.size() != 3) return nullptr;
    for (const FieldView& field : fields_) {
      if (field.packed_tag == PackTag(tag)) return &field;
    }
    return nullptr;
  }
  // The 880 that `field` points to through $6, or the field that an 880 points
  // to; nullptr without one (SPEC R12).
  const FieldView* LinkedField(const FieldView& field) const;

  // Whether any byte of the data is 80 or more.
  bool has_high_bytes() const { return has_high_bytes_; }
  // Whether a field holds a control byte other than the delimiter.
  bool has_controls() const { return has_controls_; }

  // Whether every data field begins with two valid indicators and a delimiter,
  // every subfield code is graphic ASCII and no control field holds a delimiter
  // (SPEC F1..F5). False means "not known": CheckStructure() tells.
  bool is_regular() const { return is_regular_; }

  // Where it was: the ordinal of the record from 1, and its offset in the
  // input.
  uint64_t ordinal() const { return ordinal_; }
  uint64_t byte_offset() const { return byte_offset_; }

  // For readers and Record.
  void Set(const char* leader, absl::Span<const FieldView> fields, absl::string_view bytes) {
    leader_ = leader;
    fields_ = fields;
    bytes_ = bytes;
  }
  void SetText(bool has_high_bytes, bool has_controls, bool is_regular) {
    has_high_bytes_ = has_high_bytes;
    has_controls_ = has_controls;
    is_regular_ = is_regular;
  }
  void SetPlace(uint64_t ordinal, uint64_t byte_offset) {
    ordinal_ = ordinal;
    byte_offset_ = byte_offset;
  }
  void ForgetBytes() { bytes_ = absl::string_view(); }

 private:
  const char* leader_ = "                        ";
  absl::Span<const FieldView> fields_;
  absl::string_view bytes_;
  uint64_t ordinal_ = 0;
  uint64_t byte_offset_ = 0;
  bool has_high_bytes_ = true;
  bool has_controls_ = true;
  bool is_regular_ = false;
};

// Parts of $6 "880-01/(N/r": the linking tag, the occurrence number, and the
// rest. False when it does not have that shape.
bool ParseLinkage(absl::string_view linkage, absl::string_view* tag, absl::string_view* occurrence);

}  // namespace marc

#endif  // MARC_CODEC_RECORD_VIEW_H_

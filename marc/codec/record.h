// Record: a MARC 21 record to edit.
//
// Copy on write: Assign() borrows the fields of a view; what is edited goes to
// an arena of the record, the rest is never copied. Own() copies everything,
// for records that outlive what they were read from.
// Life:    FieldView pointers are invalid after the next change of the fields.
// Threads: thread-compatible.
//
// Example:
//   Record record;
//   record.Assign(view);
//   record.RemoveFields("9XX");
//   record.AddField("040", DataField("  ", {{'d', "XYZ"}}),
//   Placement::kGrouped); writer.Write(record.view());
#ifndef MARC_CODEC_RECORD_H_
#define MARC_CODEC_RECORD_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "marc/codec/record_view.h"

namespace marc {

// Bytes that stay where they are until Clear(), each piece followed by
// kPaddingBytes readable bytes.
//
// Threads: thread-compatible.
class Arena {
 public:
  // Room for `size` bytes.
  char* Allocate(size_t size);
  absl::string_view Copy(absl::string_view text);
  // Keeps the memory of the largest block for the next use.
  void Clear();

 private:
  struct Block {
    std::unique_ptr<char[]> data;
    size_t size = 0;
  };
  std::vector<Block> blocks_;
  size_t used_ = 0;  // of the last block
};

// Where a new field goes.
enum class Placement {
  kEnd,      // behind all fields
  kOrdered,  // before the first field with a greater tag
  kGrouped,  // behind the last field of the same hundred with a tag not
             // greater, else as kOrdered
};

class Record {
 public:
  Record();
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  // An empty record with the leader of a new UTF-8 language-material record.
  void Clear();
  // Borrows `view`, which must outlive the record or its next Own().
  void Assign(const RecordView& view);
  void Own();

  // The record for writing; valid until the next change.
  RecordView view() const;
  absl::Span<const FieldView> fields() const { return fields_; }
  absl::string_view leader() const { return absl::string_view(leader_, kLeaderSize); }

  // REQUIRES: position < 24.
  void SetLeader(size_t position, char value);
  // REQUIRES: leader.size() == 24.
  void SetLeader(absl::string_view leader);

  // `content`: as ISO 2709 carries it, without terminator. REQUIRES: tag.size()
  // == 3.
  void AddField(absl::string_view tag, absl::string_view content, Placement placement);
  // REQUIRES: index < fields().size().
  void ReplaceField(size_t index, absl::string_view content);
  void RemoveField(size_t index);
  // REQUIRES: tag.size() == 3.
  void RenameField(size_t index, absl::string_view tag) { fields_[index].packed_tag = PackTag(tag); }
  // Removes fields whose tag fits `pattern`, where X stands for any character.
  // Returns how many.
  size_t RemoveFields(absl::string_view pattern);
  // Orders fields by tag; equal tags keep their order.
  void SortFields();

  // The arena, for content built in place and given with ...Borrowed().
  Arena& arena() { return arena_; }
  // As their namesakes, but `content` lies in the arena or outlives the record.
  void ReplaceFieldBorrowed(size_t index, absl::string_view content);
  void AppendFieldBorrowed(uint32_t packed_tag, absl::string_view content) {
    fields_.push_back(FieldView{content.data(), static_cast<uint32_t>(content.size()), packed_tag});
  }

 private:
  char leader_[kLeaderSize];
  std::vector<FieldView> fields_;
  Arena arena_;
  uint64_t ordinal_ = 0;
  uint64_t byte_offset_ = 0;
};

// Content of a data field from its parts. REQUIRES: indicators.size() == 2.
std::string DataField(absl::string_view indicators, absl::Span<const std::pair<char, absl::string_view>> subfields);

// Whether `tag` fits `pattern`, in which X (or x, or .) stands for any
// character.
bool TagMatches(absl::string_view pattern, absl::string_view tag);

}  // namespace marc

#endif  // MARC_CODEC_RECORD_H_

// Writes ISO 2709.
//
// An unedited record is written back bit for bit (one copy) unless `rebuild`;
// any other gets a new directory in the order of its fields, data in the same
// order, and leader 00-04 and 12-16 made to fit. Other leader bytes stay.
// Bounds:  a field holds 9,998 bytes and a record 99,999; beyond, `oversize`
// rules. Threads: thread-compatible. Source:  SPEC.md W1..W6.
#ifndef MARC_CODEC_ISO2709_SERIALIZER_H_
#define MARC_CODEC_ISO2709_SERIALIZER_H_

#include <memory>
#include <string>
#include <vector>

#include "marc/codec/parser.h"
#include "marc/codec/record.h"

namespace marc {

constexpr size_t kFieldSizeMax = 9998;  // without the terminator
constexpr size_t kWrittenRecordSizeMax = 99999;

enum class OversizePolicy {
  kError,  // reported and not written
  kSplit,  // long fields become several, long records several with the same 001
  kOther,  // diverted to another output (the sink's), reported as such
};

struct Iso2709WriteOptions {
  bool rebuild = false;
  OversizePolicy oversize = OversizePolicy::kError;
};

class Iso2709Serializer : public Serializer {
 public:
  Iso2709Serializer(const Iso2709WriteOptions& options, RecordSink* sink) : options_(options), sink_(*sink) {}
  bool Append(const RecordView& record, Buffer* out) override;

 private:
  bool AppendOversize(const RecordView& record, size_t longest_field, size_t total, Buffer* out);
  bool AppendSplit(const RecordView& record, Buffer* out);
  void SplitFields(const RecordView& record);
  // Fills part_ from split_'s fields [from, result).
  size_t FillPart(const RecordView& record, size_t from, bool first_part);

  const Iso2709WriteOptions options_;
  RecordSink& sink_;
  Record split_;
  Record part_;
};

// Appends the record with a new directory. False: it does not fit.
bool AppendRebuilt(const RecordView& record, Buffer* out);

}  // namespace marc

#endif  // MARC_CODEC_ISO2709_SERIALIZER_H_

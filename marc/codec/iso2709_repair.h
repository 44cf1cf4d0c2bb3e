// Reads an ISO 2709 record that is not well-formed, and says what it did.
//
// The directory is believed where it agrees with the terminators; where it
// does not, terminators win (SPEC R10). A repair that leaves one reading is
// made in kLenient, a guess only in kSalvage; kStrict rejects any error.
// Bounds:  time O(n log n) in the size of the record.
// Threads: thread-compatible.
#ifndef MARC_CODEC_ISO2709_REPAIR_H_
#define MARC_CODEC_ISO2709_REPAIR_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "marc/codec/iso2709_frame.h"
#include "marc/codec/parser.h"

namespace marc {

struct RepairRequest {
  absl::string_view bytes;  // the frame
  Frame frame;
  uint64_t ordinal = 0;
  uint64_t byte_offset = 0;
  Strictness strictness = Strictness::kLenient;
};

// Fills `fields` and `record`. False: the record is rejected (and was given to
// sink.Reject).
bool RepairIso2709(const RepairRequest& request, std::vector<FieldView>* fields, RecordSink* sink, RecordView* record);

}  // namespace marc

#endif  // MARC_CODEC_ISO2709_REPAIR_H_

// Transcoder brings whole records from one character coding to another.
//
// Leader/09 follows: 'a' for UTF-8, blank for MARC-8 and Latin-1. Records that
// need nothing come back as they are, uncopied.
// Repairs: bytes that are not in the source coding become U+FFFD and are
//          reported; kSalvage first tries whether the text is MARC-8 after all.
//          A record flagged MARC-8 whose high bytes are all valid UTF-8 is read
//          as UTF-8 (except in kStrict), reported as coding_mismatch.
// Life:    the result borrows from the record given and from the transcoder,
//          until the next call.
// Threads: thread-compatible.
// Source:  SPEC.md C1..C9.
#ifndef MARC_CHARSET_TRANSCODER_H_
#define MARC_CHARSET_TRANSCODER_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "marc/charset/marc8.h"
#include "marc/codec/parser.h"
#include "marc/codec/record.h"

namespace marc {

enum class Coding { kAuto, kMarc8, kUtf8, kLatin1 };
enum class Normalization { kNone, kNfc, kNfd };

// "auto", "marc8", "utf8", "latin1".
absl::StatusOr<Coding> ParseCoding(absl::string_view name);

struct TranscodeOptions {
  Coding from = Coding::kAuto;  // kAuto: as leader/09 says
  Coding to = Coding::kUtf8;    // kAuto: as it is
  Normalization normalization = Normalization::kNone;
  Strictness strictness = Strictness::kLenient;
  bool report_irreversible = false;  // MARC-8 that would be encoded otherwise
};

class Transcoder {
 public:
  Transcoder(const TranscodeOptions& options, ProblemSink* sink)
      : options_(options), sink_(*sink) {}

  // `record` in the wanted coding. False: rejected (kStrict), and reported.
  bool Apply(const RecordView& record, RecordView* result);

 private:
  bool NeedsNothing(const RecordView& record, Coding from) const;
  Coding SourceCoding(const RecordView& record);
  void ConvertText(absl::string_view text, Coding from, size_t offset);
  void ToUtf8(absl::string_view text, Coding from, Buffer* out);
  void FromUtf8(absl::string_view text, Buffer* out);
  void Normalize(absl::string_view text, Buffer* out) const;
  void ReplaceInvalidUtf8(absl::string_view text, Buffer* out);
  void ReportIssues(const RecordView& record, const FieldView& field);

  const TranscodeOptions options_;
  ProblemSink& sink_;
  Record result_;
  Buffer field_;   // the field as it will be
  Buffer utf8_;    // a subfield in UTF-8
  Buffer normal_;  // the same, normalised
  Buffer scratch_;
  std::vector<TextIssue> issues_;       // offsets in the field
  std::vector<TextIssue> text_issues_;  // offsets in a subfield
  bool failed_ = false;
};

// Whether all text of the record is valid UTF-8.
bool HasValidUtf8(const RecordView& record);

}  // namespace marc

#endif  // MARC_CHARSET_TRANSCODER_H_

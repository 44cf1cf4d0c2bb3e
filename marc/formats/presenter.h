// Presenter makes a record fit for the text formats, which cannot say all that
// ISO 2709 bytes can.
//
// A record that fits comes back as it is, uncopied. Otherwise, each reported:
//   - a data field without indicators gets blank ones
//   - text before the first delimiter becomes subfield $a
//   - a delimiter without a code is dropped
//   - a code, indicator or tag byte that is no character becomes '?' or blank
//   - a control byte that the format lacks becomes U+FFFD
// What is lossless stays silent: a field with an ordinary tag but without any
// delimiter is presented as a control field, a control field with indicators
// and delimiters as a data field.
// Life:    the result borrows from the record given and the presenter.
// Threads: thread-compatible.
// Source:  SPEC.md T1..T6.
#ifndef MARC_FORMATS_PRESENTER_H_
#define MARC_FORMATS_PRESENTER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "marc/codec/parser.h"
#include "marc/codec/record.h"

namespace marc {

// Whether a field is presented with indicators and subfields.
inline bool IsPresentedAsData(const FieldView& field) {
  if (field.size >= 3) return field.data[2] == kSubfieldDelimiter;
  return field.size == 2 && !field.is_control();
}

class Presenter {
 public:
  enum class Controls {
    kXml,  // TAB, LF, CR
    kAll,  // all but the three of ISO 2709
  };
  Presenter(Controls controls, ProblemSink* sink) : controls_(controls), sink_(*sink) {}

  // REQUIRES: the text of `record` is UTF-8.
  const RecordView& Present(const RecordView& record);

 private:
  bool FitsAsItIs(const FieldView& field) const;
  void PresentField(const RecordView& record, size_t index);
  void PresentLeader(const RecordView& record);
  std::string PresentData(const FieldView& field);
  std::string PresentText(absl::string_view text, bool is_data);
  void Note(ProblemCode code, absl::string_view position, absl::string_view found, absl::string_view expected,
            absl::string_view action);
  bool Allowed(unsigned char c) const;

  const Controls controls_;
  ProblemSink& sink_;
  Record result_;
  RecordView view_;
  const RecordView* record_ = nullptr;  // of the current call
  const FieldView* field_ = nullptr;
};

}  // namespace marc

#endif  // MARC_FORMATS_PRESENTER_H_

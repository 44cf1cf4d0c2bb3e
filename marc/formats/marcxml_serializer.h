// Writes MARCXML: records of http://www.loc.gov/MARC21/slim in a collection.
//
// REQUIRES: text in UTF-8 (see Transcoder).
// Threads: thread-compatible.
// Source:  MARCXML schema 1.2, Library of Congress; SPEC.md X1..X8.
#ifndef MARC_FORMATS_MARCXML_SERIALIZER_H_
#define MARC_FORMATS_MARCXML_SERIALIZER_H_

#include "absl/strings/string_view.h"
#include "marc/codec/parser.h"
#include "marc/formats/presenter.h"

namespace marc {

class MarcXmlSerializer : public Serializer {
 public:
  explicit MarcXmlSerializer(RecordSink* sink) : presenter_(Presenter::Controls::kXml, sink), sink_(*sink) {}
  absl::string_view header() const override;
  absl::string_view footer() const override;
  bool Append(const RecordView& record, Buffer* out) override;

 private:
  Presenter presenter_;
  RecordSink& sink_;
};

}  // namespace marc

#endif  // MARC_FORMATS_MARCXML_SERIALIZER_H_

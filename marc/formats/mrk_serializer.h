// Writes MRK, the text format of MARCMaker and MarcEdit.
//
// "=LDR  " and "=TAG  " lines, an empty line between records. Every byte of a
// record has a form here, so that even damaged fields come back as they were.
// REQUIRES: text in UTF-8 (see Transcoder).
// Threads: thread-compatible.
// Source:  MARCMaker and MARCBreaker User's Manual, Library of Congress;
//          SPEC.md M1..M6.
#ifndef MARC_FORMATS_MRK_SERIALIZER_H_
#define MARC_FORMATS_MRK_SERIALIZER_H_

#include "marc/codec/parser.h"

namespace marc {

class MrkSerializer : public Serializer {
 public:
  explicit MrkSerializer(RecordSink* sink) : sink_(*sink) {}
  bool Append(const RecordView& record, Buffer* out) override;

 private:
  RecordSink& sink_;
};

}  // namespace marc

#endif  // MARC_FORMATS_MRK_SERIALIZER_H_

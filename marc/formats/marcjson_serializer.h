// Writes MARC-in-JSON: one array, or one record a line (NDJSON).
//
// REQUIRES: text in UTF-8 (see Transcoder).
// Threads: thread-compatible.
// Source:  MARC-in-JSON (Ross Singer, 2010); RFC 8259; SPEC.md J1..J6.
#ifndef MARC_FORMATS_MARCJSON_SERIALIZER_H_
#define MARC_FORMATS_MARCJSON_SERIALIZER_H_

#include "absl/strings/string_view.h"
#include "marc/codec/parser.h"
#include "marc/formats/presenter.h"

namespace marc {

enum class JsonShape { kArray, kLines };

class MarcJsonSerializer : public Serializer {
 public:
  MarcJsonSerializer(JsonShape shape, RecordSink* sink)
      : shape_(shape), presenter_(Presenter::Controls::kAll, sink), sink_(*sink) {}
  absl::string_view header() const override { return shape_ == JsonShape::kArray ? "[\n" : ""; }
  absl::string_view footer() const override { return shape_ == JsonShape::kArray ? "\n]\n" : ""; }
  absl::string_view separator() const override { return shape_ == JsonShape::kArray ? ",\n" : ""; }
  bool Append(const RecordView& record, Buffer* out) override;

 private:
  const JsonShape shape_;
  Presenter presenter_;
  RecordSink& sink_;
};

}  // namespace marc

#endif  // MARC_FORMATS_MARCJSON_SERIALIZER_H_

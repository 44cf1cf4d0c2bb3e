// See text_format_fuzz.h.
#include <memory>

#include "marc/formats/marcjson_parser.h"
#include "marc/formats/marcjson_serializer.h"
#include "marc/formats/text_format_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return marc::testing::FuzzTextFormat<marc::MarcJsonParser, marc::MarcJsonSplitter>(
      data, size,
      [](marc::RecordSink* sink) { return std::make_unique<marc::MarcJsonSerializer>(marc::JsonShape::kArray, sink); });
}

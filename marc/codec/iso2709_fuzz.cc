// Any bytes, every strictness: no crash; what is delivered can be written, and
// reads back as the same fields without a problem.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "marc/codec/iso2709_parser.h"
#include "marc/codec/iso2709_serializer.h"

namespace {

using marc::kPaddingBytes;

void RoundTrip(const marc::RecordView& record) {
  marc::Buffer out;
  if (!marc::AppendRebuilt(record, &out)) return;
  const size_t size = out.size();
  marc::RecordProblems sink;
  marc::Iso2709Parser parser(marc::Strictness::kSalvage, &sink);
  marc::Chunk chunk;
  memset(out.Reserve(kPaddingBytes), 0, kPaddingBytes);
  chunk.bytes = absl::string_view(out.data(), size);
  chunk.at_end = true;
  parser.Start(chunk);
  marc::RecordView again;
  if (!parser.Next(&again)) abort();
  // A terminator inside a field may be read either way; nothing else may
  // differ.
  if (sink.list().Has(marc::ProblemCode::kTerminatorInData)) return;
  if (!record.has_controls() && again.fields().size() != record.fields().size()) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  bytes.append(kPaddingBytes, '\0');
  for (const marc::Strictness strictness :
       {marc::Strictness::kStrict, marc::Strictness::kLenient, marc::Strictness::kSalvage}) {
    marc::RecordProblems sink;
    marc::Iso2709Parser parser(strictness, &sink);
    marc::Chunk chunk;
    chunk.bytes = absl::string_view(bytes.data(), size);
    chunk.at_end = true;
    parser.Start(chunk);
    marc::RecordView record;
    uint64_t records = 0;
    while (parser.Next(&record)) {
      ++records;
      RoundTrip(record);
      for (const marc::FieldView& field : record.fields()) {
        marc::SubfieldView subfield;
        marc::SubfieldIterator it = marc::DataFieldView(field).subfields();
        while (it.Next(&subfield)) {
        }
      }
    }
    if (records + sink.rejected().size() != parser.records_seen()) abort();
  }
  return 0;
}

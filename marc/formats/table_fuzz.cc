// Any bytes as a mapping, as CSV and as TSV: no crash, every row counted.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "marc/formats/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  marc::TableMapping::Parse(text).status().IgnoreError();
  const auto mapping = marc::TableMapping::Parse("id -> 001\nt -> 245$a\ns -> 650$a split \"|\"\n245$c = \"x\"");
  if (!mapping.ok()) abort();
  for (const marc::TableKind kind : {marc::TableKind::kCsv, marc::TableKind::kTsv}) {
    const char* header = kind == marc::TableKind::kCsv ? "id,t,s" : "id\tt\ts";
    marc::RecordProblems sink;
    auto parser = marc::TableParser::Create(*mapping, kind, header, &sink);
    if (!parser.ok()) abort();
    marc::Chunk chunk;
    chunk.bytes = text;
    chunk.byte_offset = 1;  // no header row
    (*parser)->Start(chunk);
    marc::RecordView record;
    uint64_t records = 0;
    while ((*parser)->Next(&record)) ++records;
    if (records + sink.rejected().size() != (*parser)->records_seen()) abort();
    if (marc::TableSplitter(kind).Cut(text, false) > size) abort();
  }
  return 0;
}

// What the fuzzers of the text formats share: any bytes, every strictness; no
// crash, every record counted, cuts at any window read the same, and what was
// delivered can be written and read again.
//
// Threads: no state.
#ifndef MARC_FORMATS_TEXT_FORMAT_FUZZ_H_
#define MARC_FORMATS_TEXT_FORMAT_FUZZ_H_

#include <cstdint>
#include <cstdlib>
#include <string>

#include "marc/codec/iso2709_serializer.h"
#include "marc/codec/parser.h"

namespace marc {
namespace testing {

template <typename Parser>
size_t FuzzRead(absl::string_view padded, size_t size, Strictness strictness, Serializer* serializer, Buffer* out) {
  RecordProblems sink;
  Parser parser(strictness, &sink);
  Chunk chunk;
  chunk.bytes = padded.substr(0, size);
  chunk.at_end = true;
  parser.Start(chunk);
  RecordView record;
  size_t records = 0;
  while (parser.Next(&record)) {
    ++records;
    Buffer iso;
    AppendRebuilt(record, &iso);
    if (serializer != nullptr) serializer->Append(record, out);
  }
  if (records + sink.rejected().size() != parser.records_seen()) abort();
  return records;
}

template <typename Parser, typename Splitter, typename MakeSerializer>
int FuzzTextFormat(const uint8_t* data, size_t size, MakeSerializer make_serializer) {
  std::string padded(reinterpret_cast<const char*>(data), size);
  padded.append(kPaddingBytes, '\0');
  FuzzRead<Parser>(padded, size, Strictness::kStrict, nullptr, nullptr);
  FuzzRead<Parser>(padded, size, Strictness::kSalvage, nullptr, nullptr);
  RecordProblems sink;
  auto serializer = make_serializer(&sink);
  Buffer out;
  out.Append(serializer->header());
  const size_t records = FuzzRead<Parser>(padded, size, Strictness::kLenient, serializer.get(), &out);
  out.Append(serializer->footer());
  const size_t written = out.size();
  memset(out.Reserve(kPaddingBytes), 0, kPaddingBytes);
  const absl::string_view text(out.data(), written + kPaddingBytes);
  if (FuzzRead<Parser>(text, written, Strictness::kLenient, nullptr, nullptr) != records) abort();
  Splitter splitter;
  if (size > 1 && splitter.Cut(absl::string_view(padded.data(), size / 2), false) > size / 2) abort();
  return 0;
}

}  // namespace testing
}  // namespace marc

#endif  // MARC_FORMATS_TEXT_FORMAT_FUZZ_H_

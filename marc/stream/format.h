// The formats by name, by file name and by content, and their parts.
//
// Threads: thread-safe.
#ifndef MARC_STREAM_FORMAT_H_
#define MARC_STREAM_FORMAT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "marc/codec/iso2709_serializer.h"
#include "marc/codec/parser.h"

namespace marc {

enum class Format { kAuto, kIso2709, kMarcXml, kMarcJson, kNdjson, kMrk };

// "auto", "marc" (or "iso2709", "mrc"), "marcxml" ("xml"), "json", "ndjson" ("jsonl"), "mrk".
absl::StatusOr<Format> ParseFormat(absl::string_view name);
absl::string_view FormatName(Format format);

// By the ending of a file name, .gz and .zst aside; kAuto when it says nothing.
Format FormatOfPath(absl::string_view path);

// By the first bytes of the content. Never kAuto: what looks like nothing else is ISO 2709.
Format DetectFormat(absl::string_view begin);

// REQUIRES: format is not kAuto. `sink` must outlive the result.
std::unique_ptr<RecordParser> MakeParser(Format format, Strictness strictness, RecordSink* sink);
std::unique_ptr<Splitter> MakeSplitter(Format format);
std::unique_ptr<Serializer> MakeSerializer(Format format, const Iso2709WriteOptions& options, RecordSink* sink);

// Whether the format's text is always UTF-8.
inline bool IsTextFormat(Format format) { return format != Format::kIso2709 && format != Format::kAuto; }

}  // namespace marc

#endif  // MARC_STREAM_FORMAT_H_

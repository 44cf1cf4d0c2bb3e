#include "marc/stream/format.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "marc/codec/iso2709_parser.h"
#include "marc/formats/marcjson_parser.h"
#include "marc/formats/marcjson_serializer.h"
#include "marc/formats/marcxml_parser.h"
#include "marc/formats/marcxml_serializer.h"
#include "marc/formats/mrk_parser.h"
#include "marc/formats/mrk_serializer.h"

namespace marc {
namespace {

constexpr struct {
  absl::string_view name;
  Format format;
} kNames[] = {
    // The first name of a format is the one that is shown.
    {"auto", Format::kAuto},     {"marc", Format::kIso2709},    {"iso2709", Format::kIso2709},
    {"mrc", Format::kIso2709},   {"marcxml", Format::kMarcXml}, {"xml", Format::kMarcXml},
    {"json", Format::kMarcJson}, {"ndjson", Format::kNdjson},   {"jsonl", Format::kNdjson},
    {"mrk", Format::kMrk},
};

}  // namespace

absl::StatusOr<Format> ParseFormat(absl::string_view name) {
  for (const auto& row : kNames) {
    if (row.name == name) return row.format;
  }
  return absl::InvalidArgumentError(absl::StrCat("'", name, "' is no format: auto, marc, marcxml, json, ndjson, mrk"));
}

absl::string_view FormatName(Format format) {
  for (const auto& row : kNames) {
    if (row.format == format) return row.name;
  }
  return "auto";
}

Format FormatOfPath(absl::string_view path) {
  if (!absl::ConsumeSuffix(&path, ".gz")) absl::ConsumeSuffix(&path, ".zst");
  const auto ends = [&](absl::string_view suffix) { return absl::EndsWithIgnoreCase(path, suffix); };
  if (ends(".mrc") || ends(".marc") || ends(".iso") || ends(".iso2709") || ends(".dat")) return Format::kIso2709;
  if (ends(".xml") || ends(".marcxml")) return Format::kMarcXml;
  if (ends(".json")) return Format::kMarcJson;
  if (ends(".ndjson") || ends(".jsonl")) return Format::kNdjson;
  if (ends(".mrk") || ends(".mrk8")) return Format::kMrk;
  return Format::kAuto;
}

Format DetectFormat(absl::string_view begin) {
  absl::ConsumePrefix(&begin, "\xEF\xBB\xBF");
  // UTF-16 goes to the XML reader, which says what it is.
  if (absl::StartsWith(begin, "\xFF\xFE") || absl::StartsWith(begin, "\xFE\xFF")) return Format::kMarcXml;
  const size_t first = begin.find_first_not_of(" \t\r\n");
  if (first == absl::string_view::npos) return Format::kIso2709;
  switch (begin[first]) {
    case '<':
      return Format::kMarcXml;
    case '{':
    case '[':
      return Format::kNdjson;
    case '=':
      return Format::kMrk;
    default:
      return Format::kIso2709;
  }
}

std::unique_ptr<RecordParser> MakeParser(Format format, Strictness strictness, RecordSink* sink) {
  switch (format) {
    case Format::kMarcXml:
      return std::make_unique<MarcXmlParser>(strictness, sink);
    case Format::kMarcJson:
    case Format::kNdjson:
      return std::make_unique<MarcJsonParser>(strictness, sink);
    case Format::kMrk:
      return std::make_unique<MrkParser>(strictness, sink);
    default:
      return std::make_unique<Iso2709Parser>(strictness, sink);
  }
}

std::unique_ptr<Splitter> MakeSplitter(Format format) {
  switch (format) {
    case Format::kMarcXml:
      return std::make_unique<MarcXmlSplitter>();
    case Format::kMarcJson:
    case Format::kNdjson:
      return std::make_unique<MarcJsonSplitter>();
    case Format::kMrk:
      return std::make_unique<MrkSplitter>();
    default:
      return std::make_unique<Iso2709Splitter>();
  }
}

std::unique_ptr<Serializer> MakeSerializer(Format format, const Iso2709WriteOptions& options, RecordSink* sink) {
  switch (format) {
    case Format::kMarcXml:
      return std::make_unique<MarcXmlSerializer>(sink);
    case Format::kMarcJson:
      return std::make_unique<MarcJsonSerializer>(JsonShape::kArray, sink);
    case Format::kNdjson:
      return std::make_unique<MarcJsonSerializer>(JsonShape::kLines, sink);
    case Format::kMrk:
      return std::make_unique<MrkSerializer>(sink);
    default:
      return std::make_unique<Iso2709Serializer>(options, sink);
  }
}

}  // namespace marc

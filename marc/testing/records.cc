#include "marc/testing/records.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "marc/codec/iso2709_parser.h"
#include "marc/codec/iso2709_serializer.h"

namespace marc {
namespace testing {

void FillRecord(absl::string_view text, Record* record) {
  record->Clear();
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const absl::string_view tag = line.substr(0, 3);
    const absl::string_view rest = line.substr(4);
    if (tag == "LDR") {
      record->SetLeader(rest);
    } else {
      const std::string content =
          IsControlTag(PackTag(tag))
              ? std::string(rest)
              : absl::StrReplaceAll(rest, {{"$", "\x1F"}});
      record->AddField(tag, content, Placement::kEnd);
    }
  }
}

std::string ToText(const RecordView& record) {
  // Lengths and addresses belong to the encoding, not to the record.
  std::string leader(record.leader().bytes());
  leader.replace(0, 5, "00000").replace(12, 5, "00000");
  std::string text = absl::StrCat("LDR ", leader, "\n");
  for (const FieldView& field : record.fields()) {
    absl::StrAppend(&text, field.tag(), " ",
                    absl::StrReplaceAll(field.content(), {{"\x1F", "$"}}),
                    "\n");
  }
  return text;
}

std::string Iso(absl::string_view text) {
  Record record;
  FillRecord(text, &record);
  Buffer out;
  if (!AppendRebuilt(record.view(), &out)) return "";
  return std::string(out.view());
}

bool ReadResult::Has(ProblemCode code) const {
  for (const Problem& problem : problems) {
    if (problem.code == code) return true;
  }
  return false;
}

ReadResult ReadAll(absl::string_view bytes, Strictness strictness,
                   const ParserFactory& factory) {
  const std::string padded =
      absl::StrCat(bytes, std::string(kPaddingBytes, '\0'));
  RecordProblems sink;
  const std::unique_ptr<RecordParser> parser = factory(strictness, &sink);
  Chunk chunk;
  chunk.bytes = absl::string_view(padded.data(), bytes.size());
  chunk.at_end = true;
  parser->Start(chunk);
  ReadResult result;
  RecordView record;
  while (parser->Next(&record)) result.records.push_back(ToText(record));
  result.problems = sink.problems();
  result.rejected = sink.rejected();
  return result;
}

ReadResult ReadIso(absl::string_view bytes, Strictness strictness) {
  return ReadAll(
      bytes, strictness,
      [](Strictness s, RecordSink* sink) -> std::unique_ptr<RecordParser> {
        return std::make_unique<Iso2709Parser>(s, sink);
      });
}

uint64_t TestSeed() {
  const char* value = getenv("TEST_SEED");
  const uint64_t seed = value == nullptr ? 20101 : strtoull(value, nullptr, 10);
  printf("seed=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

namespace {

std::string RandomText(std::mt19937_64& random, bool hard) {
  static const char* const kPlain[] = {
      "a", "b", "Title", " of ", "jazz", ".",  "1999",  "/",
      "-", "é", "ü",     "ñ",    "漢",   "字", "עברית", "кир"};
  static const char* const kHard[] = {"<",   ">",        "&",  "&amp;", "\"",
                                      "'",   "\\",       "{",  "}",     "\t",
                                      "]]>", "{dollar}", "é",  "𝄞",     "\x7F",
                                      "=",   "\\u0041",  "  ", "&#x41;"};
  std::string text;
  const size_t count = random() % 12;
  for (size_t i = 0; i < count; ++i) {
    text += hard && random() % 3 == 0 ? kHard[random() % std::size(kHard)]
                                      : kPlain[random() % std::size(kPlain)];
  }
  return text;
}

}  // namespace

void RandomRecord(std::mt19937_64& random, bool hard, Record* record) {
  record->Clear();
  record->SetLeader(5, "acdnp"[random() % 5]);
  record->AddField("001", absl::StrCat("id", random() % 100000),
                   Placement::kEnd);
  if (random() % 2 == 0)
    record->AddField("008", std::string(40, ' '), Placement::kEnd);
  const size_t count = random() % 12;
  for (size_t i = 0; i < count; ++i) {
    std::string tag = absl::StrCat(100 + random() % 900);
    if (hard && random() % 8 == 0) tag = "LKR";
    std::string content = {"0 1a9"[random() % 5], " 02z4"[random() % 5]};
    const size_t subfields = 1 + random() % 4;
    for (size_t k = 0; k < subfields; ++k) {
      content += kSubfieldDelimiter;
      content += hard && random() % 10 == 0 ? "&<\"%={"[random() % 6]
                                            : "abcxyz0269"[random() % 10];
      content += RandomText(random, hard);
    }
    record->AddField(tag, content, Placement::kEnd);
  }
}

std::string ConformanceDir() {
  const char* value = getenv("CACHEFS_CONFORMANCE_DIR");
  return value == nullptr ? "" : value;
}

std::string ReadFileOrEmpty(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file),
                     std::istreambuf_iterator<char>());
}

}  // namespace testing
}  // namespace marc

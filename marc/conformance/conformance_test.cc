// All open MARC data in CACHEFS_CONFORMANCE_DIR through every format, the
// damaged records against their names, and other programs where installed.
#include <libxml/parser.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "marc/charset/transcoder.h"
#include "marc/codec/iso2709_parser.h"
#include "marc/codec/iso2709_serializer.h"
#include "marc/stream/format.h"
#include "marc/testing/records.h"
#include "nlohmann/json.hpp"

namespace marc {
namespace {

using testing::ReadFileOrEmpty;
using testing::ReadIso;
using testing::ReadResult;
namespace fs = std::filesystem;

std::vector<std::string> FilesBelow(const std::string& directory, const std::vector<std::string>& endings) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const std::string path = entry.path().string();
    for (const std::string& ending : endings) {
      if (entry.is_regular_file() && absl::EndsWith(path, ending)) {
        files.push_back(path);
        break;
      }
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// ISO 2709 files of the data; damaged ones and other formats are among them.
std::vector<std::string> IsoFiles(const std::string& data) {
  std::vector<std::string> files = FilesBelow(data + "/real", {".mrc", ".marc", ".dat"});
  for (const char* folder : {"/pymarc", "/yaz"}) {
    for (const std::string& file : FilesBelow(data + folder, {".mrc", ".marc", ".dat"})) files.push_back(file);
  }
  for (const std::string& file : FilesBelow(data + "/mrrc", {".bin"})) files.push_back(file);
  return files;
}

// Whether `text` is what it says it is, by a parser that is not ours.
bool IsWellFormed(Format format, const std::string& text) {
  if (format == Format::kMarcXml) {
    xmlDocPtr document = xmlReadMemory(text.data(), static_cast<int>(text.size()), "t.xml", nullptr,
                                       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE);
    xmlFreeDoc(document);
    return document != nullptr;
  }
  return format != Format::kMarcJson || nlohmann::json::accept(text);
}

struct Counts {
  int records = 0;
  int identical = 0;
  int reported = 0;
  int laid_out = 0;  // the same record; its data lay in another order than its directory
  int silent = 0;
};

// One record through `format` and back, in its own coding again.
void RoundTrip(const RecordView& record, bool clean, Format format, Counts* counts, std::string* where) {
  ++counts->records;
  RecordProblems problems;
  const bool utf8 = record.leader().is_utf8();
  TranscodeOptions to_utf8;
  to_utf8.report_irreversible = true;
  Transcoder forward(to_utf8, &problems);
  RecordView view;
  ASSERT_TRUE(forward.Apply(record, &view));
  const std::unique_ptr<Serializer> serializer = MakeSerializer(format, {}, &problems);
  Buffer text;
  text.Append(serializer->header());
  const size_t begin = text.size();
  ASSERT_TRUE(serializer->Append(view, &text));
  // The separator of the first record is left out.
  std::string whole = std::string(text.view().substr(0, begin)) +
                      std::string(text.view().substr(begin + serializer->separator().size())) +
                      std::string(serializer->footer());
  EXPECT_TRUE(IsWellFormed(format, whole)) << *where;
  const size_t size = whole.size();
  whole.append(kPaddingBytes, '\0');
  const std::unique_ptr<RecordParser> parser = MakeParser(format, Strictness::kLenient, &problems);
  Chunk chunk;
  chunk.bytes = absl::string_view(whole.data(), size);
  chunk.at_end = true;
  parser->Start(chunk);
  RecordView back;
  ASSERT_TRUE(parser->Next(&back)) << *where;
  TranscodeOptions to_own;
  to_own.from = Coding::kUtf8;
  to_own.to = utf8 ? Coding::kUtf8 : Coding::kMarc8;
  Transcoder backward(to_own, &problems);
  RecordView own;
  ASSERT_TRUE(backward.Apply(back, &own));
  Buffer iso;
  AppendRebuilt(own, &iso);
  if (iso.view() == record.bytes()) {
    ++counts->identical;
  } else if (!clean || !problems.problems().empty()) {
    ++counts->reported;
  } else if (testing::ToText(own) == testing::ToText(record)) {
    ++counts->laid_out;
  } else {
    ++counts->silent;
    ADD_FAILURE() << *where << " changed without a word";
  }
}

TEST(OpenDataTest, EveryRecordThroughEveryFormat) {
  const std::string directory = testing::ConformanceDir();
  if (directory.empty()) GTEST_SKIP() << "CACHEFS_CONFORMANCE_DIR is not set";
  const std::vector<std::string> files = IsoFiles(directory + "/marc");
  ASSERT_GT(files.size(), 80u);
  for (const Format format : {Format::kMarcXml, Format::kMarcJson, Format::kMrk}) {
    Counts counts;
    for (const std::string& file : files) {
      std::string bytes = ReadFileOrEmpty(file);
      const size_t size = bytes.size();
      bytes.append(kPaddingBytes, '\0');
      RecordProblems problems;
      Iso2709Parser parser(Strictness::kSalvage, &problems);
      Chunk chunk;
      chunk.bytes = absl::string_view(bytes.data(), size);
      chunk.at_end = true;
      parser.Start(chunk);
      RecordView record;
      size_t before = 0;
      while (parser.Next(&record)) {
        std::string where = absl::StrCat(file, ":", record.ordinal(), " ", FormatName(format));
        RoundTrip(record, problems.problems().size() == before && !record.bytes().empty(), format, &counts, &where);
        before = problems.problems().size();
      }
    }
    printf("%s: %zu files, %d records, %d identical, %d laid out anew, %d reported, %d silent\n",
           std::string(FormatName(format)).c_str(), files.size(), counts.records, counts.identical, counts.laid_out,
           counts.reported, counts.silent);
    EXPECT_EQ(counts.silent, 0);
    EXPECT_GT(counts.identical, 250);
  }
}

// Each damaged record gives the problem that its name tells.
TEST(DamagedRecordsTest, EachGivesItsError) {
  const std::string directory = testing::ConformanceDir();
  if (directory.empty()) GTEST_SKIP() << "CACHEFS_CONFORMANCE_DIR is not set";
  const std::map<std::string, std::string> expected = {
      {"e001_record_length_below_24.bin", "MARC-L001"},
      {"e001_record_length_non_digit.bin", "MARC-L001"},
      {"e002_indicator_count_non_digit.bin", "MARC-L007"},
      {"e002_indicator_count_not_two.bin", "MARC-L007"},
      {"e002_invalid_bibliographic_level.bin", "MARC-L008"},
      {"e002_invalid_cataloging_form.bin", "MARC-L008"},
      {"e002_invalid_character_coding.bin", "MARC-E309"},
      {"e002_invalid_control_record_type.bin", "MARC-L008"},
      {"e002_invalid_encoding_level.bin", "MARC-L008"},
      {"e002_invalid_multipart_level.bin", "MARC-L008"},
      {"e002_invalid_record_status.bin", "MARC-L008"},
      {"e002_invalid_record_type.bin", "MARC-L008"},
      {"e002_subfield_code_count_not_two.bin", "MARC-L007"},
      {"e003_base_address_below_24.bin", "MARC-L003"},
      {"e003_base_address_non_digit.bin", "MARC-L003"},
      {"e004_base_address_past_record.bin", "MARC-L004"},
      {"e005_truncated_record.bin", "MARC-L005"},
      {"e006_no_record_terminator.bin", "MARC-L006"},
      {"e101_directory_no_terminator.bin", "MARC-D101"},
      {"e101_directory_non_digit_length.bin", "MARC-D103"},
      {"e101_directory_non_digit_start.bin", "MARC-D103"},
      {"e101_non_ascii_tag.bin", "MARC-D107"},
      {"e106_field_length_past_data.bin", "MARC-D104"},
      {"e106_expected_subfield_delimiter.bin", "MARC-F203"},
      {"e106_authority_field_too_short.bin", "MARC-D106"},
      {"e201_bad_indicator.bin", "MARC-F202"},
      {"e201_per_tag_indicator_245.bin", "MARC-S903"},
      {"e202_non_printable_subfield_code.bin", "MARC-F205"},
      {"e301_invalid_utf8_in_subfield.bin", "MARC-E301"},
      {"e301_invalid_utf8_in_control_field.bin", "MARC-E301"},
      {"e301_invalid_utf8_in_authority_control_field.bin", "MARC-E302"},
      {"e401_bad_char_reference.xml", "MARC-X401"},
      {"e401_malformed_marcxml.xml", "MARC-X40"},
      {"e401_no_record_element.xml", "MARC-X405"},
      {"e401_unexpected_eof_in_subfield.xml", "MARC-X401"},
      {"e402_malformed_marcjson.json", "MARC-J501"}};
  int checked = 0;
  for (const auto& [name, code] : expected) {
    const std::string path = directory + "/marc/mrrc/" + name;
    ASSERT_TRUE(fs::exists(path)) << path;
    const std::string report = absl::StrCat(getenv("TEST_TMPDIR"), "/report.ndjson");
    const std::string command =
        absl::StrCat("marc/command/marc check --salvage -q --report ", report, " ", path, " 2>/dev/null");
    const int status = system(command.c_str());
    EXPECT_EQ(WEXITSTATUS(status), 1) << name;
    EXPECT_THAT(ReadFileOrEmpty(report), ::testing::HasSubstr(code)) << name;
    ++checked;
  }
  printf("%d damaged records, each with its error\n", checked);
}

// yaz's golden conversions: its XML and ours of the same record are the same record.
TEST(YazTest, GoldenConversions) {
  const std::string directory = testing::ConformanceDir();
  if (directory.empty()) GTEST_SKIP() << "CACHEFS_CONFORMANCE_DIR is not set";
  int same = 0;
  for (const std::string& golden : FilesBelow(directory + "/marc/yaz", {".xml", ".json"})) {
    const std::string base = fs::path(golden).filename().string();
    // TurboMARC and MarcXchange are other formats.
    if (absl::StartsWith(base, "t") || absl::StartsWith(base, "xml2t")) continue;
    const std::string iso_path = golden + ".marc";
    if (!fs::exists(iso_path)) continue;
    const Format format = absl::EndsWith(golden, ".json") ? Format::kMarcJson : Format::kMarcXml;
    const auto read = [](Format f, const std::string& bytes) {
      return testing::ReadAll(bytes, Strictness::kSalvage,
                              [f](Strictness s, RecordSink* sink) { return MakeParser(f, s, sink); });
    };
    const ReadResult ours = read(format, ReadFileOrEmpty(golden));
    const ReadResult theirs = ReadIso(ReadFileOrEmpty(iso_path), Strictness::kSalvage);
    if (ours.records == theirs.records) {
      ++same;
    } else {
      // The differences known: a record without content, and fields with odd
      // indicators or controls, which are reported.
      EXPECT_FALSE(ours.problems.empty() && theirs.problems.empty()) << golden;
    }
  }
  printf("%d golden conversions read as the same records\n", same);
  EXPECT_GE(same, 20);
}

}  // namespace
}  // namespace marc

// MARCXML, MARC-in-JSON and MRK: each by itself, and records through every pair.
#include <libxml/parser.h>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "marc/formats/marcjson_parser.h"
#include "marc/formats/marcjson_serializer.h"
#include "marc/formats/marcxml_parser.h"
#include "marc/formats/marcxml_serializer.h"
#include "marc/formats/mrk_parser.h"
#include "marc/formats/mrk_serializer.h"
#include "marc/testing/records.h"
#include "nlohmann/json.hpp"

namespace marc {
namespace {

using testing::FillRecord;
using ::testing::HasSubstr;
using testing::ReadAll;
using testing::ReadResult;
using ::testing::SizeIs;
using testing::ToText;

struct FormatUnderTest {
  std::string name;
  testing::ParserFactory parser;
  std::function<std::unique_ptr<Serializer>(RecordSink*)> serializer;
  std::function<std::unique_ptr<Splitter>()> splitter;
  std::function<bool(const std::string&)> well_formed;
};

bool IsXml(const std::string& text) {
  xmlDocPtr document = xmlReadMemory(text.data(), static_cast<int>(text.size()), "t.xml", nullptr,
                                     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  xmlFreeDoc(document);
  return document != nullptr;
}

FormatUnderTest Xml() {
  return {"xml", [](Strictness s, RecordSink* sink) { return std::make_unique<MarcXmlParser>(s, sink); },
          [](RecordSink* sink) { return std::make_unique<MarcXmlSerializer>(sink); },
          [] { return std::make_unique<MarcXmlSplitter>(); }, IsXml};
}

FormatUnderTest Json(JsonShape shape) {
  return {"json", [](Strictness s, RecordSink* sink) { return std::make_unique<MarcJsonParser>(s, sink); },
          [shape](RecordSink* sink) { return std::make_unique<MarcJsonSerializer>(shape, sink); },
          [] { return std::make_unique<MarcJsonSplitter>(); },
          [shape](const std::string& text) {
            if (shape == JsonShape::kArray) return nlohmann::json::accept(text);
            size_t begin = 0;
            for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
              if (!nlohmann::json::accept(text.substr(begin, end - begin))) return false;
            }
            return begin == text.size();
          }};
}

FormatUnderTest Mrk() {
  return {"mrk", [](Strictness s, RecordSink* sink) { return std::make_unique<MrkParser>(s, sink); },
          [](RecordSink* sink) { return std::make_unique<MrkSerializer>(sink); },
          [] { return std::make_unique<MrkSplitter>(); }, [](const std::string&) { return true; }};
}

std::vector<FormatUnderTest> AllFormats() { return {Xml(), Json(JsonShape::kArray), Json(JsonShape::kLines), Mrk()}; }

std::string Write(const FormatUnderTest& format, const std::vector<std::string>& records, RecordProblems* problems) {
  const std::unique_ptr<Serializer> serializer = format.serializer(problems);
  Buffer out;
  out.Append(serializer->header());
  bool first = true;
  for (const std::string& text : records) {
    Record record;
    FillRecord(text, &record);
    const size_t before = out.size();
    if (!serializer->Append(record.view(), &out)) continue;
    if (first) {
      std::string rest(out.data() + before + serializer->separator().size(),
                       out.size() - before - serializer->separator().size());
      out.Truncate(before);
      out.Append(rest);
    }
    first = false;
  }
  out.Append(serializer->footer());
  return std::string(out.view());
}

// Random records as text lines, without '$' and line ends, which the notation needs itself.
std::vector<std::string> RandomRecords(int count, bool hard) {
  std::mt19937_64 random(testing::TestSeed());
  std::vector<std::string> records;
  Record record;
  while (static_cast<int>(records.size()) < count) {
    testing::RandomRecord(random, hard, &record);
    records.push_back(ToText(record.view()));
  }
  return records;
}

TEST(FormatPairsTest, RandomRecordsThroughEveryPair) {
  const std::vector<std::string> records = RandomRecords(300, true);
  for (const FormatUnderTest& first : AllFormats()) {
    RecordProblems problems;
    const std::string text = Write(first, records, &problems);
    EXPECT_TRUE(first.well_formed(text)) << first.name;
    EXPECT_THAT(problems.problems(), SizeIs(0)) << first.name << DebugString(problems.problems()[0]);
    const ReadResult read = ReadAll(text, Strictness::kStrict, first.parser);
    ASSERT_EQ(read.records, records) << first.name;
    for (const FormatUnderTest& second : AllFormats()) {
      const std::string again = Write(second, read.records, &problems);
      EXPECT_EQ(ReadAll(again, Strictness::kStrict, second.parser).records, records) << first.name << second.name;
    }
  }
}

TEST(FormatPairsTest, EveryCutGivesTheSameRecords) {
  for (const FormatUnderTest& format : AllFormats()) {
    RecordProblems problems;
    const std::string text = Write(format, RandomRecords(12, true), &problems);
    const ReadResult whole = ReadAll(text, Strictness::kLenient, format.parser);
    for (size_t window = 50; window < text.size(); window += 131) {
      const std::unique_ptr<Splitter> splitter = format.splitter();
      std::vector<std::string> records;
      size_t begin = 0;
      size_t end = 0;
      while (begin < text.size()) {
        end = std::min(text.size(), std::max(end, begin) + window);
        const size_t cut = splitter->Cut(absl::string_view(text).substr(begin, end - begin), end == text.size());
        const ReadResult part =
            ReadAll(absl::string_view(text).substr(begin, cut), Strictness::kLenient, format.parser);
        records.insert(records.end(), part.records.begin(), part.records.end());
        begin += cut;
      }
      EXPECT_EQ(records, whole.records) << format.name << " " << window;
    }
  }
}

// SPEC T1..T6: what ISO 2709 can say and the others cannot.
// SPEC R9: no record makes a reader or a writer grow without end.
TEST(FormatBoundsTest, TooManyFieldsAreRejectedAndTheRestIsRead) {
  std::string fields = "{\"001\":\"1\"}";
  std::string lines;
  std::string elements;
  for (size_t i = 0; i <= kFieldsMax; ++i) {
    fields += ",{\"001\":\"1\"}";
    lines += "=001  1\n";
    elements += "<controlfield tag=\"001\">1</controlfield>";
  }
  const std::string leader = "00000nam a2200000   4500";
  const std::string json = "{\"leader\":\"" + leader + "\",\"fields\":[";
  const auto expect_second_only = [](const FormatUnderTest& format, const std::string& text) {
    const ReadResult result = ReadAll(text, Strictness::kLenient, format.parser);
    ASSERT_THAT(result.records, SizeIs(1)) << format.name;
    EXPECT_THAT(result.records[0], HasSubstr("001 second")) << format.name;
    EXPECT_TRUE(result.Has(ProblemCode::kRecordTooLong)) << format.name;
  };
  expect_second_only(Json(JsonShape::kLines), json + fields + "]}\n" + json + "{\"001\":\"second\"}]}\n");
  expect_second_only(Mrk(), "=LDR  " + leader + "\n" + lines + "\n=LDR  " + leader + "\n=001  second\n");
  const std::string record = "<record><leader>" + leader + "</leader>";
  expect_second_only(Xml(), "<collection>" + record + elements + "</record>" + record +
                                "<controlfield tag=\"001\">second</controlfield></record></collection>");
}

TEST(FormatBoundsTest, RecordThatGrowsTooLongIsRejectedAndLeavesNothing) {
  // Twelve times as long in MARCXML, eight in JSON.
  std::string content = "  ";
  while (content.size() < (size_t{12} << 20))
    content +=
        "\x1F"
        "ax";
  Record record;
  record.AddField("500", content, Placement::kEnd);
  for (const FormatUnderTest& format : AllFormats()) {
    RecordProblems problems;
    const std::unique_ptr<Serializer> serializer = format.serializer(&problems);
    Buffer out;
    out.Append("before");
    // MRK says it in as many bytes.
    EXPECT_EQ(serializer->Append(record.view(), &out), std::string(format.name) == "mrk") << format.name;
    if (std::string(format.name) == "mrk") continue;
    EXPECT_EQ(out.view(), "before") << format.name;
    EXPECT_TRUE(problems.list().Has(ProblemCode::kRecordTooLongToWrite)) << format.name;
    EXPECT_THAT(problems.rejected(), SizeIs(1)) << format.name;
  }
}

TEST(FormatBoundsTest, EveryProblemOfARecordIsCounted) {
  const std::string text = "=LDR  00000nam a2200000   4500\n=500  \\\\$a" + std::string(5000, '{') + "\n";
  const ReadResult result = ReadAll(text, Strictness::kLenient, Mrk().parser);
  EXPECT_THAT(result.records, SizeIs(1));
  EXPECT_THAT(result.problems, SizeIs(5000));
}

TEST(PresenterTest, OddFieldsAreReportedOrLossless) {
  const std::vector<std::string> lossless = {
      "LDR 00000nam a2200000   4500\nFMT BOOK\n", "LDR 00000nam a2200000   4500\nFMT BK\n",
      "LDR 00000nam a2200000   4500\n245 10\n", "LDR 00000nam a2200000   4500\n245 10$éx\n"};
  for (const FormatUnderTest& format : AllFormats()) {
    RecordProblems problems;
    const std::string text = Write(format, lossless, &problems);
    EXPECT_THAT(problems.problems(), SizeIs(0)) << format.name;
    EXPECT_EQ(ReadAll(text, Strictness::kLenient, format.parser).records, lossless) << format.name << text;
  }
  const std::vector<std::string> odd = {
      "LDR 00000nam a2200000   4500\n245 10junk$aT\n246 $aT\n247 10$a$$bx\n248 10$aT\x01\x1E\n"};
  for (const FormatUnderTest& format : {Xml(), Json(JsonShape::kLines)}) {
    RecordProblems problems;
    const std::string text = Write(format, odd, &problems);
    EXPECT_TRUE(format.well_formed(text)) << text;
    EXPECT_TRUE(problems.list().Has(ProblemCode::kTextBeforeSubfield));
    EXPECT_TRUE(problems.list().Has(ProblemCode::kIndicatorMissing));
    EXPECT_TRUE(problems.list().Has(ProblemCode::kSubfieldCodeMissing));
    EXPECT_TRUE(problems.list().Has(ProblemCode::kTerminatorInData));
    const ReadResult read = ReadAll(text, Strictness::kLenient, format.parser);
    ASSERT_THAT(read.records, SizeIs(1));
    EXPECT_THAT(read.records[0], HasSubstr("245 10$ajunk$aT\n246   $aT\n247 10$a$bx\n248 10$aT"));
  }
}

ReadResult ReadXml(absl::string_view text, Strictness strictness = Strictness::kLenient) {
  return ReadAll(text, strictness, Xml().parser);
}

constexpr char kLeaderXml[] = "<leader>00000nam a2200000   4500</leader>";
constexpr char kLeaderText[] = "LDR 00000nam a2200000   4500\n";

TEST(MarcXmlParserTest, EveryLegalShape) {
  const ReadResult result = ReadXml(
      "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8' ?><!-- <record> --><m:collection xmlns:m='x'><?pi <record>?>"
      "<m:record type = \"B\">" +
      std::string("<m:leader >00000nam a2200000   4500</m:leader>") +
      "<m:controlfield\n tag='001' id=\"a>b\">a&amp;b<![CDATA[<c>&amp;]]>&#x41;&#66;<!-- no --></m:controlfield>"
      "<m:datafield ind2='0' tag='245' ind1='&#49;'><m:subfield code='a'>x\r\ny</m:subfield><m:subfield code='b'/>"
      "</m:datafield></m:record></m:collection>");
  ASSERT_THAT(result.records, SizeIs(1));
  EXPECT_EQ(result.records[0], std::string(kLeaderText) + "001 a&b<c>&amp;AB\n245 10$ax\ny$b\n");
  EXPECT_THAT(result.problems, SizeIs(0));
}

// SPEC X5: no document type, so no entity of its own.
TEST(MarcXmlParserTest, DoctypeIsRefused) {
  const ReadResult result = ReadXml(std::string("<!DOCTYPE r [<!ENTITY a 'b'>]><record>") + kLeaderXml + "</record>");
  EXPECT_THAT(result.records, SizeIs(0));
  EXPECT_TRUE(result.Has(ProblemCode::kXmlDoctypeRefused));
}

TEST(MarcXmlParserTest, BrokenRecordDoesNotStopTheRest) {
  const std::string good = std::string("<record>") + kLeaderXml + "<controlfield tag='001'>id</controlfield></record>";
  for (const char* bad : {"<record><datafield tag='245' ind1='1' ind2='0'><subfield code='a'>x</datafield></record>",
                          "<record><leader>short", "<record><controlfield tag='001'>a < b</controlfield></record>",
                          "<record><x/></record>", "<record><datafield tag=245></datafield></record>"}) {
    const ReadResult result = ReadXml("<collection>" + good + bad + good + "</collection>");
    EXPECT_GE(result.records.size(), 2u) << bad;
    EXPECT_FALSE(result.problems.empty()) << bad;
  }
  EXPECT_TRUE(ReadXml("<html/>").Has(ProblemCode::kXmlNoRecord));
}

TEST(MarcXmlParserTest, EntitiesAndReferences) {
  const ReadResult result = ReadXml(std::string("<record>") + kLeaderXml +
                                    "<controlfield tag='001'>&nbsp;&#0;&#xD800;</controlfield></record>");
  ASSERT_THAT(result.records, SizeIs(1));
  EXPECT_THAT(result.records[0], HasSubstr("001 &nbsp;\uFFFD\uFFFD\n"));
  EXPECT_TRUE(result.Has(ProblemCode::kXmlEntityUnknown));
  EXPECT_TRUE(result.Has(ProblemCode::kXmlMalformed));
}

ReadResult ReadJson(absl::string_view text, Strictness strictness = Strictness::kLenient) {
  return ReadAll(text, strictness, Json(JsonShape::kLines).parser);
}

TEST(MarcJsonParserTest, AnyOrderAndSpacing) {
  const ReadResult result = ReadJson(
      "[ { \"fields\" : [ { \"001\" : \"i\\u0041\\ud834\\udd1e\" , "
      "\"245\":{\"subfields\":[{\"a\":\"x\",\"b\":\"\"},{}],\"x\":[{\"y\":1.5e3}],"
      "\"ind2\":\"0\",\"ind1\":\"1\"} } ], \"leader\":\"00000nam a2200000   4500\", \"extra\":null } ]");
  ASSERT_THAT(result.records, SizeIs(1));
  EXPECT_EQ(result.records[0], std::string(kLeaderText) + "001 iA𝄞\n245 10$ax$b\n");
  EXPECT_THAT(result.problems, SizeIs(0));
}

TEST(MarcJsonParserTest, BrokenRecordDoesNotStopTheRest) {
  const std::string good = "{\"leader\":\"00000nam a2200000   4500\",\"fields\":[{\"001\":\"id\"}]}\n";
  for (const char* bad :
       {"{\"leader\":1}\n", "{\"fields\":[{\"245\":{\"subfields\":{\"a\":1}}}]}\n", "{\"leader\":\"x\n", "nonsense\n",
        "{}\n", "{\"leader\":\"00000nam a2200000   4500\",\"fields\":[\n"}) {
    const ReadResult result = ReadJson(good + bad + good);
    EXPECT_GE(result.records.size(), 2u) << bad;
    EXPECT_FALSE(result.problems.empty()) << bad;
  }
  const std::string deep = "{\"x\":" + std::string(100000, '[') + "\n";
  EXPECT_TRUE(ReadJson(deep + good).Has(ProblemCode::kJsonTooDeep));
}

TEST(MarcJsonParserTest, DelimitersInDataDoNotChangeTheStructure) {
  const ReadResult result =
      ReadJson("{\"leader\":\"00000nam a2200000   4500\",\"fields\":[{\"001\":\"a\\u001fb\\u001e\\ud800\"}]}");
  ASSERT_THAT(result.records, SizeIs(1));
  EXPECT_THAT(result.records[0], HasSubstr("001 a\uFFFDb\uFFFD\uFFFD\n"));
  EXPECT_TRUE(result.Has(ProblemCode::kTerminatorInData));
}

TEST(MrkParserTest, MnemonicsBlanksAndOddLines) {
  const ReadResult result = ReadAll(
      "=LDR  00000nam\\a2200000\\\\\\4500\r\n=001  a\\b{bsol}\n=245  1\\$aCaf{eacute} {dollar}5 {zzz}$bC:\\x\n more\n\n"
      "=LDR  00000nam a2200000   4500\n=001  two\n",
      Strictness::kLenient, Mrk().parser);
  ASSERT_THAT(result.records, SizeIs(2));
  // The notation of these tests shows a literal dollar and a delimiter alike.
  EXPECT_EQ(result.records[0], std::string(kLeaderText) + "001 a b\\\n245 1 $aCafe\u0301 $5 {zzz}$bC:\\x  more\n");
  EXPECT_TRUE(result.Has(ProblemCode::kMrkMnemonicUnknown));
  EXPECT_TRUE(result.Has(ProblemCode::kMrkLineInvalid));
  EXPECT_THAT(result.problems, SizeIs(2));
}

}  // namespace
}  // namespace marc

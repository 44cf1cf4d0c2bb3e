#include "marc/formats/table.h"

#include <string>

#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "marc/testing/records.h"

namespace marc {
namespace {

using base::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string Row(TableKind kind) {
  Record record;
  testing::FillRecord("001 id\n245 10$aA, \"b\"\tc\\\n650  0$aX\n650  0$aY\n", &record);
  TableOptions options;
  options.kind = kind;
  for (const char* text : {"001", "245$a", "650$a", "999$a"}) {
    options.titles.push_back(text);
    options.columns.push_back(*Spec::Parse(text));
  }
  TableSerializer serializer(options);
  Buffer out;
  EXPECT_TRUE(serializer.Append(record.view(), &out));
  return std::string(serializer.header()) + std::string(out.view());
}

// SPEC T7.
TEST(TableSerializerTest, QuotesAndJoins) {
  EXPECT_EQ(Row(TableKind::kCsv), "001,245$a,650$a,999$a\nid,\"A, \"\"b\"\"\tc\\\",X; Y,\n");
  EXPECT_EQ(Row(TableKind::kTsv), "001\t245$a\t650$a\t999$a\nid\tA, \"b\"\\tc\\\\\tX; Y\t\n");
}

constexpr char kMapping[] =
    "# books\n"
    "leader = \"00000nam a2200000 i 4500\"\n"
    "id -> 001\n"
    "title -> 245[ind1=1][ind2=0]$a\n"
    "author -> 245[ind1=1][ind2=0]$c\n"
    "topics -> 650[ind2=0]$a split \"|\"\n"
    "040$a = \"XYZ\"\n";

testing::ReadResult Read(const std::string& text) {
  static const TableMapping* const kParsed = new TableMapping(*TableMapping::Parse(kMapping));
  return testing::ReadAll(text, Strictness::kLenient,
                          [&](Strictness, RecordSink* sink) -> std::unique_ptr<RecordParser> {
                            return *TableParser::Create(*kParsed, TableKind::kCsv, text, sink);
                          });
}

// SPEC T8.
TEST(TableParserTest, ColumnsBecomeFields) {
  const testing::ReadResult result =
      Read("title,id,author,topics,unused\r\n\"A \"\"b\"\",\nc\",1,Me,Jazz | Blues,x\r\n\nT,2,,,\n");
  ASSERT_THAT(result.records, SizeIs(2));
  EXPECT_EQ(result.records[0],
            "LDR 00000nam a2200000 i 4500\n001 1\n040   $aXYZ\n245 10$aA \"b\",\nc$cMe\n650  0$aJazz\n650  0$aBlues\n");
  EXPECT_EQ(result.records[1], "LDR 00000nam a2200000 i 4500\n001 2\n040   $aXYZ\n245 10$aT\n");
}

TEST(TableParserTest, BadRowsAreRejectedOneByOne) {
  const testing::ReadResult result = Read("title,id,author,topics\na,b\nT,2,,\nX\x1F,3,,\nbad\xFF,4,,\n");
  EXPECT_THAT(result.records, SizeIs(1));
  EXPECT_THAT(result.rejected, SizeIs(3));
  EXPECT_TRUE(result.Has(ProblemCode::kTableRowInvalid));
  EXPECT_TRUE(result.Has(ProblemCode::kTerminatorInData));
  EXPECT_TRUE(result.Has(ProblemCode::kUtf8Invalid));
}

TEST(TableMappingTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(TableMapping::Parse("x -> 6XX$a").status().message(), HasSubstr("line 1"));
  EXPECT_THAT(TableMapping::Parse("x -> 245").status().message(), HasSubstr("one subfield"));
  EXPECT_THAT(TableMapping::Parse(""), StatusIs(absl::StatusCode::kInvalidArgument));
  const TableMapping mapping = *TableMapping::Parse("x -> 001");
  RecordProblems sink;
  EXPECT_THAT(TableParser::Create(mapping, TableKind::kCsv, "a,b", &sink).status().message(),
              HasSubstr("no column 'x'"));
}

}  // namespace
}  // namespace marc

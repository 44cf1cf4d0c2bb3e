#include "marc/codec/record.h"

#include <string>

#include "gtest/gtest.h"

namespace marc {
namespace {

std::string Tags(const Record& record) {
  std::string tags;
  for (const FieldView& field : record.fields()) tags += std::string(field.tag()) + " ";
  return tags;
}

TEST(RecordTest, PlacementOfNewFields) {
  Record record;
  for (const char* tag : {"001", "245", "650", "500"}) record.AddField(tag, "x", Placement::kEnd);
  record.AddField("651", "x",
                  Placement::kGrouped);  // behind 650, though 500 comes later
  record.AddField("300", "x", Placement::kOrdered);
  record.AddField("003", "x", Placement::kGrouped);
  EXPECT_EQ(Tags(record), "001 003 245 300 650 651 500 ");
  record.SortFields();
  EXPECT_EQ(Tags(record), "001 003 245 300 500 650 651 ");
  EXPECT_EQ(record.RemoveFields("6XX"), 2u);
  EXPECT_EQ(Tags(record), "001 003 245 300 500 ");
}

TEST(RecordTest, OwnOutlivesTheSource) {
  Record record;
  {
    Record source;
    source.AddField("245",
                    "10\x1F"
                    "aTitle",
                    Placement::kEnd);
    record.Assign(source.view());
    record.Own();
    source.Clear();
    source.AddField("245", "ZZZZZZZZZ", Placement::kEnd);
  }
  EXPECT_EQ(DataFieldView(record.fields()[0]).First('a'), "Title");
}

TEST(SubfieldIteratorTest, OddShapes) {
  SubfieldView subfield;
  SubfieldIterator none("");
  EXPECT_FALSE(none.Next(&subfield));
  SubfieldIterator text("no delimiter");
  EXPECT_FALSE(text.Next(&subfield));
  SubfieldIterator odd(
      "x\x1F\x1F"
      "a\x1F"
      "bB");
  ASSERT_TRUE(odd.Next(&subfield));
  EXPECT_EQ(subfield.code, '\0');
  ASSERT_TRUE(odd.Next(&subfield));
  EXPECT_EQ(subfield.code, 'a');
  EXPECT_EQ(subfield.data, "");
  ASSERT_TRUE(odd.Next(&subfield));
  EXPECT_EQ(subfield.data, "B");
  EXPECT_FALSE(odd.Next(&subfield));
}

// SPEC R12: $6 pairs a field with its 880.
TEST(LinkageTest, PairsBothWays) {
  Record record;
  record.AddField("245",
                  "10\x1F"
                  "6880-02\x1F"
                  "aTitle",
                  Placement::kEnd);
  record.AddField("880",
                  "10\x1F"
                  "6100-02/(N\x1F"
                  "aWrong tag",
                  Placement::kEnd);
  record.AddField("880",
                  "10\x1F"
                  "6245-02/(N/r\x1F"
                  "aRight",
                  Placement::kEnd);
  record.AddField("880",
                  "10\x1F"
                  "6500-00/$1\x1F"
                  "aUnlinked",
                  Placement::kEnd);
  const RecordView view = record.view();
  ASSERT_NE(view.LinkedField(view.fields()[0]), nullptr);
  EXPECT_EQ(DataFieldView(*view.LinkedField(view.fields()[0])).First('a'), "Right");
  EXPECT_EQ(view.LinkedField(view.fields()[2]), &view.fields()[0]);
  EXPECT_EQ(view.LinkedField(view.fields()[3]), nullptr);
}

}  // namespace
}  // namespace marc

#include "marc/check/checker.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "marc/testing/records.h"

namespace marc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kGood[] =
    "LDR 00000cam a2200000 a 4500\n"
    "001 id1\n"
    "008 850101s1985    nyu           000 0 eng d\n"
    "245 10$aTitle\n";

std::vector<std::string> Check(absl::string_view text, CheckLevel level = CheckLevel::kMarc21) {
  Record record;
  testing::FillRecord(text, &record);
  ProblemList problems;
  Checker checker(level, &problems);
  checker.Check(record.view());
  std::vector<std::string> lines;
  for (const Problem& problem : problems.problems()) {
    lines.push_back(CodeText(problem.code) + " " + problem.tag + " " + problem.position + " " + problem.found);
  }
  return lines;
}

std::string With(absl::string_view line) { return std::string(kGood) + std::string(line); }

TEST(CheckerTest, GoodRecordIsClean) {
  EXPECT_THAT(Check(kGood), IsEmpty());
  EXPECT_THAT(Check(With("590   $alocal\n999 99$qx\n500   $9x$aNote\n")), IsEmpty());
}

// SPEC F1..F5.
TEST(CheckerTest, Structure) {
  EXPECT_THAT(Check(With("650 A0$a\n"), CheckLevel::kStructure), ElementsAre("MARC-F202 650 ind1 A"));
  EXPECT_THAT(Check(With("650 $a\n"), CheckLevel::kStructure), ElementsAre("MARC-F201 650  "));
  EXPECT_THAT(Check(With("650  0x$a\n"), CheckLevel::kStructure), ElementsAre("MARC-F203 650  x"));
  EXPECT_THAT(Check(With("650  0$$a\n"), CheckLevel::kStructure), ElementsAre("MARC-F204 650  \x1F"));
  EXPECT_THAT(Check(With("650  0\n"), CheckLevel::kStructure), ElementsAre("MARC-F208 650   0"));
  EXPECT_THAT(Check(With("003 a\x1F"
                         "b\n"),
                    CheckLevel::kStructure),
              ElementsAre("MARC-F207 003  \x1F"));
  EXPECT_THAT(Check(With("650 A0$a\n"), CheckLevel::kNone), IsEmpty());
}

TEST(CheckerTest, Encoding) {
  EXPECT_THAT(Check(With("500   $aa\xFFz\n"), CheckLevel::kEncoding), ElementsAre("MARC-E301 500  \xFF"));
  EXPECT_THAT(Check(With("500   $aa\x07z\n"), CheckLevel::kEncoding), ElementsAre("MARC-E308 500  \x07"));
  std::string marc8 = With(
      "500   $aCaf\xE2"
      "e \xAF\n");
  marc8[4 + 9] = ' ';
  EXPECT_THAT(Check(marc8, CheckLevel::kEncoding), ElementsAre("MARC-E302 500  \xAF"));
  marc8[4 + 9] = 'x';
  EXPECT_THAT(Check(marc8, CheckLevel::kEncoding), ElementsAre("MARC-E309  leader/9 x", "MARC-E302 500  \xAF"));
}

// SPEC S1..S9.
TEST(CheckerTest, Bibliographic) {
  EXPECT_THAT(Check(With("245 10$aAgain\n")), ElementsAre("MARC-S902 245  "));
  EXPECT_THAT(Check(With("650 30$aX\n")), ElementsAre("MARC-S903 650 ind1 3"));
  EXPECT_THAT(Check(With("651  0$aX$qY\n")), ElementsAre("MARC-S904 651 $q q"));
  EXPECT_THAT(Check(With("651  0$aX$aY\n")), ElementsAre("MARC-S905 651 $a a"));
  EXPECT_THAT(Check(With("123   $aX\n")), ElementsAre("MARC-S901 123  "));
  EXPECT_THAT(Check("LDR 00000cam a2200000 a 4500\n001 x\n008 short\n245 10$aT\n"),
              ElementsAre("MARC-S906 008  5 bytes"));
  EXPECT_THAT(Check("LDR 00000zzm a2200000 a 4500\n001 x\n"), ::testing::SizeIs(::testing::Ge(3u)));
  EXPECT_THAT(Check("LDR 00000cam a2200000 a 4500\n245 10$aT\n"), ElementsAre("MARC-S908   ", "MARC-S908   "));
}

TEST(CheckerTest, Linkage) {
  EXPECT_THAT(Check(With("880 10$6245-01$aX\n")), ElementsAre("MARC-S909 880 $6 245-01"));
  EXPECT_THAT(Check(With("500   $6880-01$aX\n880   $6500-01/(N$aX\n")), IsEmpty());
  EXPECT_THAT(Check(With("880   $6500-00$aX\n")), IsEmpty());
  EXPECT_THAT(Check(With("880   $6bad$aX\n")), ElementsAre("MARC-S909 880 $6 bad"));
}

TEST(CheckerTest, AuthorityAndHoldings) {
  EXPECT_THAT(
      Check("LDR 00000nz  a2200000n  4500\n001 x\n008 850101|n|azannaabn          |n aaa      \n100 1 $aName\n"),
      IsEmpty());
  EXPECT_THAT(Check("LDR 00000nz  a2200000n  4500\n001 x\n008 850101|n|azannaabn          |n aaa      \n245 10$aX\n"),
              ElementsAre("MARC-S901 245  ", "MARC-S908   "));
  EXPECT_THAT(Check("LDR 00000nx  a2200000zn 4500\n001 x\n004 y\n008 8501010p    8   4001aueng0000000\n852 0 "
                    "$aDLC\n866 30$av.1-2\n"),
              IsEmpty());
}

}  // namespace
}  // namespace marc

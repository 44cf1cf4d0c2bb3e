#include "marc/codec/problem.h"

#include <set>
#include <string>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace marc {
namespace {

// SPEC P1: codes and names are stable, one name for one code.
TEST(ProblemCodeTest, EveryCodeHasItsOwnTextAndName) {
  std::set<std::string> texts;
  std::set<std::string> names;
  for (const ProblemCode code : AllProblemCodes()) {
    EXPECT_TRUE(texts.insert(CodeText(code)).second) << CodeText(code);
    EXPECT_TRUE(names.insert(std::string(CodeName(code))).second) << CodeName(code);
  }
  EXPECT_EQ(CodeText(ProblemCode::kRecordLengthInvalid), "MARC-L001");
  EXPECT_EQ(CodeText(ProblemCode::kDirectoryEntryInvalid), "MARC-D103");
  EXPECT_EQ(CodeText(ProblemCode::kUtf8Invalid), "MARC-E301");
  EXPECT_EQ(CodeText(ProblemCode::kTagUndefined), "MARC-S901");
}

TEST(ProblemTest, LineForPeopleNamesPlaceAndAction) {
  Problem problem = MakeProblem(ProblemCode::kIndicatorInvalid, "digit or blank", "kept");
  problem.input = "a.mrc";
  problem.record = 847;
  problem.control_number = "ocm1";
  problem.tag = "245";
  problem.occurrence = 2;
  problem.position = "ind1";
  problem.byte_offset = 7217;
  problem.found = ":";
  EXPECT_EQ(DebugString(problem),
            "a.mrc:847 (001 ocm1) 245[2] ind1 @7217: MARC-F202 "
            "indicator_invalid, found ':', expected digit or blank "
            "[kept]");
}

TEST(PendingProblemsTest, BeyondTheBoundTheyAreCounted) {
  PendingProblems pending;
  for (size_t i = 0; i < PendingProblems::kMax + 5; ++i) {
    pending.Add(MakeProblem(ProblemCode::kTagInvalid, "", "read as ?"));
  }
  EXPECT_FALSE(pending.empty());
  EXPECT_EQ(pending.size(), PendingProblems::kMax + 5);
  pending.Add(MakeProblem(ProblemCode::kRecordTooLong, "", "kept")).tag = "245";
  EXPECT_TRUE(pending.has_error());
  ProblemList list;
  pending.ReportTo("ocm1", /*rejected=*/true, &list);
  ASSERT_EQ(list.problems().size(), PendingProblems::kMax + 6);
  EXPECT_EQ(list.problems()[0].control_number, "ocm1");
  EXPECT_TRUE(list.Has(ProblemCode::kRecordTooLong));
  EXPECT_TRUE(pending.empty());
  EXPECT_EQ(pending.size(), 0u);
  EXPECT_FALSE(pending.has_error());
}

TEST(PendingProblemsTest, OnlyErrorsOfARejectedRecordSaySo) {
  for (const bool rejected : {false, true}) {
    PendingProblems pending;
    pending.Add(MakeProblem(ProblemCode::kRecordTooLong, "", "read")).severity = Severity::kError;
    pending.Add(MakeProblem(ProblemCode::kTagInvalid, "", "read")).severity = Severity::kInfo;
    ProblemList list;
    pending.ReportTo("", rejected, &list);
    EXPECT_EQ(list.problems()[0].action, rejected ? "rejected" : "read");
    EXPECT_EQ(list.problems()[1].action, "read");
  }
}

TEST(ProblemTest, JsonIsValidWhateverTheBytes) {
  Problem problem = MakeProblem(ProblemCode::kUtf8Invalid, "UTF-8", "replaced");
  problem.input = "a\"b\n.mrc";
  problem.control_number = std::string("\xFF\x00\x1F", 3);
  problem.found = "\xFF";
  const nlohmann::json json = nlohmann::json::parse(ToJson(problem));
  EXPECT_EQ(json["v"], 1);
  EXPECT_EQ(json["code"], "MARC-E301");
  EXPECT_EQ(json["severity"], "error");
  EXPECT_EQ(json["input"], "a\"b\n.mrc");
  EXPECT_EQ(json["found_hex"], "ff");
  EXPECT_EQ(json["action"], "replaced");
  EXPECT_FALSE(json.contains("tag"));
}

}  // namespace
}  // namespace marc

#include <string>

#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "marc/query/edit.h"
#include "marc/query/predicate.h"
#include "marc/query/spec.h"
#include "marc/testing/records.h"

namespace marc {
namespace {

using base::StatusIs;
using ::testing::HasSubstr;

constexpr char kText[] =
    "LDR 00000cam a2200000   4500\n"
    "001 id1\n"
    "008 850101s1985    nyu           000 0 eng d\n"
    "100 1 $aDavis, Miles,$d1926-1991.\n"
    "245 10$aKind of blue :$bjazz classics /$cMiles Davis.\n"
    "650  0$aJazz$xHistory.\n"
    "650  7$aJazz.$2fast\n"
    "651  4$aNew York\n"
    "900   $alocal\n";

std::string Values(absl::string_view text) {
  Record record;
  testing::FillRecord(kText, &record);
  const absl::StatusOr<Spec> spec = Spec::Parse(text);
  if (!spec.ok()) return std::string(spec.status().message());
  std::string values;
  spec->ForEachValue(record.view(), [&](absl::string_view value) {
    values += std::string(value) + "|";
    return true;
  });
  return values;
}

// SPEC Q1..Q6.
TEST(SpecTest, Values) {
  EXPECT_EQ(Values("001"), "id1|");
  EXPECT_EQ(Values("245$a"), "Kind of blue :|");
  EXPECT_EQ(Values("245$a$c"), "Kind of blue :|Miles Davis.|");
  EXPECT_EQ(Values("245"), "Kind of blue : jazz classics / Miles Davis.|");
  EXPECT_EQ(Values("008/35-37"), "eng|");
  EXPECT_EQ(Values("LDR/5-6"), "ca|");
  EXPECT_EQ(Values("leader/9"), "a|");
  EXPECT_EQ(Values("6XX$a"), "Jazz|Jazz.|New York|");
  EXPECT_EQ(Values("650[ind2=0]$a"), "Jazz|");
  EXPECT_EQ(Values("650[ind1=_][ind2=7]$2"), "fast|");
  EXPECT_EQ(Values("650[2]$a"), "Jazz.|");
  EXPECT_EQ(Values("650/ind2"), "0|7|");
  EXPECT_EQ(Values("100$d~/^\\d{4}/"), "1926-1991.|");
  EXPECT_EQ(Values("100$d~\"^[a-z]\""), "");
  EXPECT_EQ(Values("650$*"), "Jazz|History.|Jazz.|fast|");
  EXPECT_EQ(Values("008/90-95"), "");
}

TEST(SpecTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(Values("24"), HasSubstr("a tag of three characters"));
  EXPECT_THAT(Values("245$"), HasSubstr("a subfield code"));
  EXPECT_THAT(Values("245[ind3=1]"), HasSubstr("a number at 'ind3"));
  EXPECT_THAT(Values("008/37-35"), HasSubstr("a range"));
  EXPECT_THAT(Values("245$a~/(/"), HasSubstr("bad regular expression"));
  EXPECT_THAT(Values("245 $a"), HasSubstr("the end of the spec"));
}

bool Matches(absl::string_view text) {
  Record record;
  testing::FillRecord(kText, &record);
  const absl::StatusOr<Predicate> predicate = Predicate::Parse(text);
  EXPECT_TRUE(predicate.ok()) << predicate.status() << " " << text;
  return predicate.ok() && predicate->Matches(record.view());
}

// SPEC Q7..Q10.
TEST(PredicateTest, Tests) {
  EXPECT_TRUE(Matches("245$b ~ /JAZZ/i && 008/35-37 == \"eng\""));
  EXPECT_TRUE(Matches("245$b ~ /JAZZ/i && 008/35-37 == \"eng\" && !exists(880)"));
  EXPECT_FALSE(Matches("245$a ~ /JAZZ/"));
  EXPECT_TRUE(Matches("650"));
  EXPECT_FALSE(Matches("880"));
  EXPECT_TRUE(Matches("880 || 650"));
  EXPECT_TRUE(Matches("count(650) == 2 && count(6XX) > 2 && count(880) != 1"));
  EXPECT_TRUE(Matches("650$2 != lcsh"));
  EXPECT_FALSE(Matches("650$2 != fast"));
  EXPECT_TRUE(Matches("880$a != x"));  // none is x
  EXPECT_TRUE(Matches("008/7-10 >= 1985 && 008/7-10 < 1986"));
  EXPECT_TRUE(Matches("100$a ^= 'Davis'"));
  EXPECT_TRUE(Matches("!(100$a ^= 'Miles') && 651$a !~ /london/i"));
  EXPECT_TRUE(Matches("650[ind2=7]$2 = fast"));
}

TEST(PredicateTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(Predicate::Parse("245$a ~"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Predicate::Parse("(245"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Predicate::Parse("245 245"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Predicate::Parse(""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Predicate::Parse(std::string(100000, '!') + "245"), StatusIs(absl::StatusCode::kInvalidArgument));
}

std::string Edit(absl::string_view script_text) {
  Record record;
  testing::FillRecord(kText, &record);
  const absl::StatusOr<EditScript> script = EditScript::Parse(script_text);
  if (!script.ok()) return std::string(script.status().message());
  const std::string before = testing::ToText(record.view());
  const bool changed = script->Apply(&record);
  const std::string after = testing::ToText(record.view());
  EXPECT_EQ(changed, before != after) << script_text;
  return after;
}

// SPEC E1..E8.
TEST(EditTest, Commands) {
  EXPECT_THAT(Edit("delete 9XX"), ::testing::Not(HasSubstr("\n900")));
  EXPECT_THAT(Edit("delete 245$b$c"), HasSubstr("245 10$aKind of blue :\n"));
  EXPECT_THAT(Edit("delete 900$a"), ::testing::Not(HasSubstr("\n900")));
  EXPECT_THAT(Edit("set 245$b=\"x y\""), HasSubstr("$bx y$c"));
  EXPECT_THAT(Edit("set 651$2=fast"), HasSubstr("651  4$aNew York$2fast\n"));
  EXPECT_THAT(Edit("set 650$x+=\"New\""), HasSubstr("$aJazz$xHistory.$xNew\n650  7$aJazz.$2fast$xNew\n"));
  EXPECT_THAT(Edit("leader/9=' '"), HasSubstr("cam  22"));
  EXPECT_THAT(Edit("008/35-37=fre"), HasSubstr("000 0 fre d"));
  EXPECT_THAT(Edit("set 650[ind2=7]/ind2=4"), HasSubstr("650  4$aJazz."));
  EXPECT_THAT(Edit("set 001=new"), HasSubstr("001 new\n"));
  EXPECT_THAT(Edit("add 500 \"\\\\$aNote\""), HasSubstr("500 "));
  EXPECT_THAT(Edit("replace 6XX$a /jazz(\\.?)/Blues\\1/i"), HasSubstr("650  0$aBlues$xHistory.\n650  7$aBlues.$2"));
  EXPECT_THAT(Edit("rename 900 999"), HasSubstr("\n999   $alocal"));
  EXPECT_THAT(Edit("rename 650$x $v"), HasSubstr("$aJazz$vHistory."));
  EXPECT_THAT(Edit("# nothing\n\n delete 650 if 008/35-37 == \"ger\"\ndelete 651 if 650"), HasSubstr("650  7"));
  EXPECT_THAT(Edit("delete 651 if 650"), ::testing::Not(HasSubstr("651")));
}

TEST(EditTest, WhatIsWrongIsNamedWithItsLine) {
  EXPECT_THAT(Edit("delete 650\nfrobnicate"), HasSubstr("line 2"));
  EXPECT_THAT(Edit("008/35-37=en"), HasSubstr("'en' has 2 bytes, the range 3"));
  EXPECT_THAT(Edit("leader=x"), HasSubstr("positions 0 to 23"));
  EXPECT_THAT(Edit("replace 245 /(/x/"), HasSubstr("bad regular expression"));
  EXPECT_THAT(Edit("replace 245 /a/\\3/"), HasSubstr("parenthesized"));
}

}  // namespace
}  // namespace marc

#include "ssg/data/decode.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ssg/data/encode.h"

namespace ssg {
namespace {

std::string Json(absl::StatusOr<tmpl::Value> value) {
  if (!value.ok()) return std::string(value.status().message());
  std::string json;
  AppendJson(*value, 0, &json);
  return json;
}

TEST(Decode, Yaml) {
  tmpl::Arena arena;
  EXPECT_EQ(Json(DecodeYaml("a: 1\nb: [x, 2.5, true, ~, '3']\nc:\n  d: 2024-01-02\n", arena)),
            "{\"a\":1,\"b\":[\"x\",2.5,true,null,\"3\"],\"c\":{\"d\":\"2024-01-02\"}}");
  EXPECT_EQ(Json(DecodeYaml("x: &a {k: 1}\ny: *a\nz:\n  <<: *a\n  l: 2\n", arena)),
            "{\"x\":{\"k\":1},\"y\":{\"k\":1},\"z\":{\"k\":1,\"l\":2}}");
  EXPECT_EQ(Json(DecodeYaml("", arena)), "null");
  EXPECT_EQ(Json(DecodeYaml("a: [1\n", arena)).substr(0, 2), "2:");
}

TEST(Decode, YamlAliasesAreBounded) {
  tmpl::Arena arena;
  std::string text = "a: &a [1,1,1,1,1,1,1,1,1,1]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    absl::StrAppend(&text, std::string(1, c), ": &", std::string(1, c), " [");
    for (int i = 0; i < 10; ++i) absl::StrAppend(&text, i > 0 ? "," : "", "*", before);
    text += "]\n";
  }
  EXPECT_EQ(DecodeYaml(text, arena).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DecodeYaml(std::string(200, '['), arena).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DecodeJson(std::string(200, '['), arena).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(Decode, TomlKeepsItsOrder) {
  tmpl::Arena arena;
  EXPECT_EQ(Json(DecodeToml("z = 1\na = [1, 2]\nd = 2024-01-02\n[t]\nx = \"y\"\n", arena)),
            "{\"z\":1,\"a\":[1,2],\"d\":\"2024-01-02\",\"t\":{\"x\":\"y\"}}");
  EXPECT_EQ(Json(DecodeToml("a = 1\nb = \n", arena)).substr(0, 2), "2:");
}

TEST(Decode, JsonAndCsv) {
  tmpl::Arena arena;
  EXPECT_EQ(Json(DecodeJson("{\"a\": [1, -2, 1.5, null, false, \"<\"]}", arena)),
            "{\"a\":[1,-2,1.5,null,false,\"\\u003c\"]}");
  EXPECT_EQ(Json(DecodeJson("{\n\"a\": }", arena)).substr(0, 2), "2:");
  EXPECT_EQ(Json(DecodeCsv("a,\"b \"\"c\"\"\",\r\nd\n", arena)), "[[\"a\",\"b \\\"c\\\"\",\"\"],[\"d\"]]");
  EXPECT_EQ(Json(DecodeCsv("a\n\"b", arena)), "2:1: quoted field has no end");
  EXPECT_FALSE(DecodeByName("x.xml", "", arena).ok());
}

TEST(Encode, BinaryRoundTrips) {
  tmpl::Arena arena;
  const auto value =
      DecodeJson("{\"a\": [1, -2, 9223372036854775807, 1.5, null, true, false, \"text\"], \"b\": {}}", arena);
  ASSERT_TRUE(value.ok());
  std::string bytes;
  AppendBinary(*value, &bytes);
  absl::string_view rest = bytes;
  const auto again = TakeBinary(&rest, arena);
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(Json(again), Json(value));
  for (size_t size = 0; size < bytes.size(); ++size) {
    absl::string_view part = absl::string_view(bytes).substr(0, size);
    EXPECT_FALSE(TakeBinary(&part, arena).ok()) << size;
  }
}

}  // namespace
}  // namespace ssg

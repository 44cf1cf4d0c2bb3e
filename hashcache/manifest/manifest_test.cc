#include "hashcache/manifest/manifest.h"

#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hashcache/digest/hash_stream.h"

namespace hashcache {
namespace {

using ::base::IsOkAndHolds;
using ::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

FileResult ResultOf(absl::string_view content) {
  HashStream stream(AlgorithmSet::All());
  FileResult result;
  result.outcome = Outcome::kHashed;
  result.digests = stream.HashWhole({reinterpret_cast<const uint8_t*>(content.data()), content.size()});
  result.fingerprint = {.inode = 7, .size_bytes = 5, .mtime_ns = -1, .ctime_ns = 1'700'000'000'123'456'789};
  return result;
}

// Every byte that a name may hold, in names that try to look like something else.
std::vector<std::string> HostileNames() {
  std::vector<std::string> names = {"a", "b\\c", "d\ne", "f\rg", "\\", "\n", " x", "*x", "x ", "a) = b", "(", "-",
                                    "\xff\xfe", "caf\xc3\xa9", "\"quoted\"", "\x01\x1f\x7f", "a\\nb",
                                    "#comment", "{", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf"};
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  names.push_back(all);
  return names;
}

TEST(ManifestTest, EveryNameSurvivesEveryFormat) {
  const FileResult result = ResultOf("hello");
  for (const ManifestFormat format : {ManifestFormat::kGnu, ManifestFormat::kTag, ManifestFormat::kZero,
                                      ManifestFormat::kJson, ManifestFormat::kJsonl}) {
    ManifestWriter writer({.format = format, .algorithms = {Algorithm::kSha256}});
    std::string text = writer.Header();
    for (const std::string& name : HostileNames()) text += writer.Entry(name, result);
    text += writer.Footer();
    const Manifest manifest = ParseManifest(text, Algorithm::kSha256);
    EXPECT_EQ(manifest.format, format);
    EXPECT_FALSE(manifest.truncated);
    EXPECT_TRUE(manifest.bad_lines.empty()) << manifest.bad_lines[0].reason << text;
    ASSERT_EQ(manifest.entries.size(), HostileNames().size());
    for (size_t i = 0; i < manifest.entries.size(); ++i) {
      EXPECT_EQ(manifest.entries[i].path, HostileNames()[i]);
      EXPECT_EQ(manifest.entries[i].digests, result.digests.Only(Algorithm::kSha256));
    }
  }
}

TEST(ManifestTest, WritesWhatCoreutilsWrites) {
  const FileResult result = ResultOf("abc");
  const std::string hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  ManifestWriter gnu({.algorithms = {Algorithm::kSha256}});
  EXPECT_EQ(gnu.Entry("a", result), hex + "  a\n");
  EXPECT_EQ(gnu.Entry("a\\b\nc\rd", result), "\\" + hex + "  a\\\\b\\nc\\rd\n");
  ManifestWriter tag({.format = ManifestFormat::kTag, .algorithms = {Algorithm::kSha256}});
  EXPECT_EQ(tag.Entry("a", result), "SHA256 (a) = " + hex + "\n");
  EXPECT_EQ(tag.Entry("a\nb", result), "\\SHA256 (a\\nb) = " + hex + "\n");
  ManifestWriter zero({.format = ManifestFormat::kZero, .algorithms = {Algorithm::kSha256}});
  EXPECT_EQ(zero.Entry("a\nb", result), hex + "  a\nb" + std::string(1, '\0'));
  ManifestWriter binary({.algorithms = {Algorithm::kSha256}, .binary = true});
  EXPECT_EQ(binary.Entry("a", result), hex + " *a\n");
}

TEST(ManifestTest, SeveralAlgorithmsOfOneFileAreOneEntry) {
  const FileResult result = ResultOf("abc");
  ManifestWriter writer({.format = ManifestFormat::kTag,
                         .algorithms = {Algorithm::kSha256, Algorithm::kBlake3, Algorithm::kXxh3_64}});
  const Manifest manifest = ParseManifest(writer.Entry("a", result) + writer.Entry("b", result), Algorithm::kBlake3);
  ASSERT_EQ(manifest.entries.size(), 2u);
  EXPECT_EQ(manifest.entries[0].digests.algorithms().size(), 3);
  EXPECT_THAT(manifest.algorithms, ElementsAre(Algorithm::kXxh3_64, Algorithm::kBlake3, Algorithm::kSha256));
}

TEST(ManifestTest, LinesOfOtherTools) {
  const Manifest manifest = ParseManifest(
      "9555e8555c62dcfd  a\nXXH3 (b) = 9555e8555c62dcfd\nXXH3_9555e8555c62dcfd  c\n"
      "b5e9c1ad071b3e7fc779cfaa5e523818  d\r\n9a71bb4c *e\n"
      "EA8F163DB38682925E4491C5E58D4BB3506EF8C14EB78A86E908C5624A67200F  f\n",
      Algorithm::kBlake3);
  EXPECT_TRUE(manifest.bad_lines.empty());
  ASSERT_EQ(manifest.entries.size(), 6u);
  EXPECT_TRUE(manifest.entries[0].digests.Has(Algorithm::kXxh3_64));
  EXPECT_TRUE(manifest.entries[2].digests.Has(Algorithm::kXxh3_64));
  EXPECT_TRUE(manifest.entries[3].digests.Has(Algorithm::kXxh3_128));
  EXPECT_EQ(manifest.entries[3].path, "d");
  EXPECT_TRUE(manifest.entries[4].binary);
  EXPECT_EQ(manifest.entries[5].digests, ResultOf("hello").digests.Only(Algorithm::kBlake3));
  EXPECT_TRUE(manifest.entries[5].ambiguous);
}

TEST(ManifestTest, BadLinesAreCountedAndTheRestIsRead) {
  const Manifest manifest = ParseManifest(
      "hello\n# a comment\n\n9a71bb4g  a\n9a71bb4c  good\n9a71bb4c9  odd\nSHA256 (x) = 12\n"
      "MD5 (x) = d41d8cd98f00b204e9800998ecf8427e\n\\9a71bb4c  a\\q\n9a71bb4c  ",
      Algorithm::kBlake3);
  ASSERT_EQ(manifest.entries.size(), 1u);
  EXPECT_EQ(manifest.entries[0].path, "good");
  EXPECT_EQ(manifest.entries[0].line, 5u);
  std::vector<size_t> lines;
  for (const Manifest::BadLine& bad : manifest.bad_lines) lines.push_back(bad.line);
  EXPECT_THAT(lines, ElementsAre(1, 4, 6, 7, 8, 9, 10));
}

TEST(ManifestTest, TruncatedJsonlShows) {
  ManifestWriter writer({.format = ManifestFormat::kJsonl,
                         .algorithms = {Algorithm::kBlake3},
                         .root = "/x",
                         .recursive = true});
  std::string text = writer.Header();
  for (int i = 0; i < 3; ++i) text += writer.Entry("f", ResultOf("abc"));
  text += writer.Footer();
  const Manifest whole = ParseManifest(text, Algorithm::kBlake3);
  EXPECT_FALSE(whole.truncated);
  EXPECT_EQ(whole.root, "/x");
  EXPECT_TRUE(whole.recursive);
  ASSERT_TRUE(whole.entries[0].fingerprint.has_value());
  EXPECT_EQ(*whole.entries[0].fingerprint, ResultOf("abc").fingerprint);
  for (size_t size = 1; size + 1 < text.size(); ++size) {
    EXPECT_TRUE(ParseManifest(text.substr(0, size), Algorithm::kBlake3).truncated) << size;
  }
  std::string flipped = text;
  flipped[text.find("\"f\"") + 1] = 'g';
  EXPECT_TRUE(ParseManifest(flipped, Algorithm::kBlake3).truncated);
}

TEST(ManifestTest, TruncatedJsonShows) {
  ManifestWriter writer({.format = ManifestFormat::kJson, .algorithms = {Algorithm::kBlake3}});
  const std::string text = writer.Header() + writer.Entry("f", ResultOf("abc")) + writer.Footer();
  EXPECT_FALSE(ParseManifest(text, Algorithm::kBlake3).truncated);
  for (size_t size = 1; size + 1 < text.size(); ++size) {
    EXPECT_TRUE(ParseManifest(text.substr(0, size), Algorithm::kBlake3).truncated) << size;
  }
}

TEST(EscapeTest, UnescapeRefusesWhatIsNeverWritten) {
  EXPECT_THAT(UnescapeName("a\\\\b\\nc\\r"), IsOkAndHolds("a\\b\nc\r"));
  EXPECT_THAT(UnescapeName("a\\"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(UnescapeName("\\t"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("escapes nothing")));
}

}  // namespace
}  // namespace hashcache

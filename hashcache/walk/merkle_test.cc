#include "hashcache/walk/merkle.h"

#include <sys/stat.h>

#include "base/endian.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hashcache {
namespace {

std::string Hash(absl::string_view text) {
  HashStream stream(Algorithm::kBlake3);
  const Digests digests = stream.HashWhole({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  const auto bytes = digests.Get(Algorithm::kBlake3);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string Entry(char kind, const std::string& name, const std::string& digest) {
  char size[8];
  base::StoreLittle<uint64_t>(size, name.size());
  return std::string(1, kind) + std::string(size, 8) + name + digest;
}

FileResult File(absl::string_view content, uint32_t mode = S_IFREG | 0644) {
  FileResult result;
  result.mode = mode;
  HashStream stream(Algorithm::kBlake3);
  result.digests = stream.HashWhole({reinterpret_cast<const uint8_t*>(content.data()), content.size()});
  return result;
}

std::string Text(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

// The encoding written out by hand, as a second implementation would.
TEST(MerkleTest, TheDocumentedEncoding) {
  Merkle merkle(Algorithm::kBlake3);
  merkle.Add({.path = "", .kind = EntryKind::kDirectory}, {});
  // Walk order: "a.b" comes before what is in "a"; name order: "a" before "a.b".
  merkle.Add({.path = "a.b"}, File("one"));
  merkle.Add({.path = "a", .kind = EntryKind::kDirectory}, {});
  merkle.Add({.path = "a/run"}, File("two", S_IFREG | 0755));
  merkle.Add({.path = "empty", .kind = EntryKind::kDirectory}, {});
  merkle.Add({.path = "link", .kind = EntryKind::kSymlink, .link_target = "a.b"}, {});
  merkle.Add({.path = "pipe", .kind = EntryKind::kOther}, {});
  const std::string prefix = "hashcache tree 1\n";
  const std::string a = Hash(prefix + Entry('x', "run", Hash("two")));
  const std::string expected =
      Hash(prefix + Entry('d', "a", a) + Entry('f', "a.b", Hash("one")) + Entry('d', "empty", Hash(prefix)) +
           Entry('l', "link", Hash("a.b")) + Entry('o', "pipe", Hash("")));
  ASSERT_OK_AND_ASSIGN(const std::vector<uint8_t> root, merkle.Finish());
  EXPECT_EQ(Text(root), expected);
}

TEST(MerkleTest, AnUnreadableFileFailsAllAbove) {
  std::vector<std::string> done;
  Merkle merkle(Algorithm::kBlake3,
                [&done](absl::string_view path, absl::Span<const uint8_t>) { done.emplace_back(path); });
  merkle.Add({.path = "", .kind = EntryKind::kDirectory}, {});
  merkle.Add({.path = "bad", .kind = EntryKind::kDirectory}, {});
  FileResult error;
  error.status = absl::PermissionDeniedError("no");
  merkle.Add({.path = "bad/file"}, std::move(error));
  merkle.Add({.path = "good", .kind = EntryKind::kDirectory}, {});
  merkle.Add({.path = "good/file"}, File("x"));
  EXPECT_THAT(merkle.Finish(), base::StatusIs(absl::StatusCode::kPermissionDenied, ::testing::HasSubstr("bad/file")));
  EXPECT_THAT(done, ::testing::ElementsAre("good"));
}

}  // namespace
}  // namespace hashcache

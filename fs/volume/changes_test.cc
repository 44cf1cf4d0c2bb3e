// Digests, versions of subtrees, and what changed since when.
#include <cerrno>
#include <set>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fs/volume/testing/volume_fixture.h"

namespace fs {
namespace {

using ::base::IsOkAndHolds;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ChangesTest : public VolumeTest {
 protected:
  ChangesTest() {
    a_ = MakeDir(kRootInode, "a");
    b_ = MakeDir(a_, "b");
    file_ = MakeFile(b_, "f", "abc");
    other_ = MakeFile(kRootInode, "o", "other");
  }
  ChangeVersion Subtree(InodeNumber inode) {
    const absl::StatusOr<ChangeVersion> version = volume_->SubtreeVersion(inode);
    EXPECT_OK(version.status());
    return version.value_or(0);
  }
  // The changes since the last call, by the token that it gave.
  std::vector<std::string> Changed() {
    const absl::StatusOr<TreeChanges> changes = volume_->ChangedSince(kRootInode, token_, 100);
    EXPECT_OK(changes.status());
    if (!changes.ok()) return {};
    token_ = changes->token;
    if (changes->rescan) return {"rescan"};
    return changes->paths;
  }
  std::string Hex(absl::string_view name) {
    return volume_->GetXattr(file_, absl::StrCat("user.cachefs.", name, ".hex")).value_or("error");
  }

  InodeNumber a_ = 0, b_ = 0, file_ = 0, other_ = 0;
  std::string token_;
};

TEST_F(ChangesTest, DigestsAreThoseOfTheContent) {
  EXPECT_EQ(Hex("sha256"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex("crc32c"), "364b3fb7");
  EXPECT_THAT(volume_->GetXattr(file_, "user.cachefs.crc32c"), IsOkAndHolds("\x36\x4b\x3f\xb7"));
  EXPECT_EQ(Hex("blake3"), "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
  EXPECT_EQ(Hex("xxh3").size(), 16u);
  EXPECT_EQ(Hex("md5"), "error");
  EXPECT_EQ(ErrnoOrZero(volume_->GetXattr(a_, "user.cachefs.sha256")), ENODATA);
}

TEST_F(ChangesTest, DigestsAreKeptForAContentAndNoLonger) {
  EXPECT_TRUE(volume_->DigestWouldRead(file_, DigestType::kSha256));
  const Attributes before = *volume_->GetAttributes(file_);
  const std::string old = Hex("sha256");
  const Attributes after = *volume_->GetAttributes(file_);
  EXPECT_EQ(after.change_time, before.change_time) << "asking is no change";
  EXPECT_EQ(after.version, before.version);
  Remount();
  EXPECT_FALSE(volume_->DigestWouldRead(file_, DigestType::kSha256));
  EXPECT_TRUE(volume_->DigestWouldRead(file_, DigestType::kBlake3));
  AttributeChange chmod{.fields = AttributeChange::kMode, .mode = 0600};
  ASSERT_OK(volume_->SetAttributes(file_, chmod).status());
  EXPECT_FALSE(volume_->DigestWouldRead(file_, DigestType::kSha256)) << "the content is the same";
  ASSERT_OK(volume_->Write(file_, 1, "X"));
  EXPECT_TRUE(volume_->DigestWouldRead(file_, DigestType::kSha256));
  EXPECT_NE(Hex("sha256"), old);
  ASSERT_OK(volume_->Fallocate(file_, FallocateMode::kPunchHole, 0, 1));
  EXPECT_TRUE(volume_->DigestWouldRead(file_, DigestType::kSha256));
}

TEST_F(ChangesTest, DigestOfALargeSparseFile) {
  ASSERT_OK(volume_->Write(file_, 3 * base::kMiB, "end"));
  std::string content = Content(file_);
  Digester whole(DigestType::kXxh3);
  whole.Update(absl::MakeSpan(reinterpret_cast<const uint8_t*>(content.data()), content.size()));
  EXPECT_THAT(volume_->Digest(file_, DigestType::kXxh3), IsOkAndHolds(whole.Finish()));
}

TEST_F(ChangesTest, DigestBesideAWriterIsOfOneContent) {
  // The writer fills the file with one letter at a time; any other digest would be a mix.
  std::set<std::string> possible;
  constexpr size_t kBytes = 64 << 10;
  for (char letter = 'a'; letter <= 'd'; ++letter) {
    const std::string bytes(kBytes, letter);
    Digester digester(DigestType::kCrc32c);
    digester.Update(absl::MakeSpan(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
    possible.insert(digester.Finish());
  }
  ASSERT_OK(volume_->Write(file_, 0, std::string(kBytes, 'a')));
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (char letter = 'a'; !stop; letter = letter == 'd' ? 'a' : static_cast<char>(letter + 1)) {
      EXPECT_OK(volume_->Write(file_, 0, std::string(kBytes, letter)));
    }
  });
  for (int i = 0; i < 200; ++i) {
    const absl::StatusOr<std::string> digest = volume_->Digest(file_, DigestType::kCrc32c);
    EXPECT_OK(digest.status());
    EXPECT_EQ(possible.count(digest.value_or("")), 1u);
  }
  stop = true;
  writer.join();
}

TEST_F(ChangesTest, VirtualXattrsAreNeitherListedNorSettable) {
  EXPECT_THAT(volume_->ListXattrs(file_, true), IsOkAndHolds(""));
  EXPECT_EQ(ErrnoOrZero(volume_->SetXattr(file_, "user.cachefs.sha256", "x")), EPERM);
  EXPECT_EQ(ErrnoOrZero(volume_->RemoveXattr(file_, "user.cachefs.version")), EPERM);
  uint64_t version = 0;
  ASSERT_TRUE(absl::SimpleAtoi(volume_->GetXattr(file_, "user.cachefs.version").value_or(""), &version));
  EXPECT_EQ(version, volume_->GetAttributes(file_)->version);
}

TEST_F(ChangesTest, SubtreeVersionMovesWithEveryChangeBelow) {
  const auto moves = [&](InodeNumber inode, const std::function<void()>& change) {
    const ChangeVersion before = Subtree(inode);
    EXPECT_EQ(Subtree(inode), before) << "asking is no change";
    change();
    return Subtree(inode) > before;
  };
  EXPECT_TRUE(moves(kRootInode, [&] { ASSERT_OK(volume_->Write(file_, 0, "x")); }));
  EXPECT_TRUE(moves(a_, [&] { ASSERT_OK(volume_->Write(file_, 0, "x")); }));
  EXPECT_TRUE(moves(b_, [&] { ASSERT_OK(volume_->SetXattr(file_, "user.x", "1")); }));
  EXPECT_TRUE(moves(kRootInode, [&] { MakeFile(b_, "g"); }));
  EXPECT_TRUE(moves(kRootInode, [&] { ASSERT_OK(volume_->Unlink(b_, "g")); }));
  EXPECT_TRUE(moves(a_, [&] { ASSERT_OK(volume_->Rename(kRootInode, "o", b_, "o", {}, root_)); }));
  EXPECT_TRUE(moves(a_, [&] { ASSERT_OK(volume_->SetXattr(b_, "user.x", "1")); }));
  EXPECT_FALSE(moves(b_, [&] { MakeFile(kRootInode, "elsewhere"); }));
  EXPECT_FALSE(moves(b_, [&] { Hex("sha256"); }));
}

TEST_F(ChangesTest, ASecondLinkMarksBothDirectories) {
  const InodeNumber c = MakeDir(kRootInode, "c");
  ASSERT_OK(volume_->Link(file_, c, "link", Reference::kNone).status());
  const ChangeVersion before_b = Subtree(b_), before_c = Subtree(c);
  ASSERT_OK(volume_->Write(file_, 0, "y"));
  EXPECT_GT(Subtree(b_), before_b);
  EXPECT_GT(Subtree(c), before_c);
}

TEST_F(ChangesTest, ChangedSinceNamesExactlyWhatChanged) {
  EXPECT_EQ(Changed(), std::vector<std::string>{"rescan"}) << "no token yet";
  EXPECT_THAT(Changed(), IsEmpty());
  ASSERT_OK(volume_->Write(file_, 0, "x"));
  EXPECT_THAT(Changed(), UnorderedElementsAre("a/b/f"));
  EXPECT_THAT(Changed(), IsEmpty());
  ASSERT_OK(volume_->Write(file_, 0, "y"));
  ASSERT_OK(volume_->Write(other_, 0, "y"));
  MakeFile(a_, "new");
  EXPECT_THAT(Changed(), UnorderedElementsAre("a", "a/b/f", "a/new", "o"));
  ASSERT_OK(volume_->Unlink(b_, "f"));
  EXPECT_THAT(Changed(), UnorderedElementsAre("a/b"));
  ASSERT_OK(volume_->Unlink(kRootInode, "o"));
  EXPECT_THAT(Changed(), UnorderedElementsAre("."));
}

TEST_F(ChangesTest, TokensSurviveACleanRemount) {
  Changed();
  ASSERT_OK(volume_->Write(file_, 0, "x"));
  Remount();
  ASSERT_OK(volume_->Write(other_, 0, "y"));
  EXPECT_THAT(Changed(), UnorderedElementsAre("a/b/f", "o"));
}

TEST_F(ChangesTest, TokenOfUndoneChangesAsksForARescan) {
  ASSERT_OK(volume_->Sync());
  const Sequence kept = engine_->last_sequence();
  ASSERT_OK(volume_->Write(file_, 0, "lost"));
  Changed();
  CutPower(kept);
  EXPECT_EQ(Changed(), std::vector<std::string>{"rescan"});
  ASSERT_OK(volume_->Write(file_, 0, "x"));
  EXPECT_THAT(Changed(), UnorderedElementsAre("a/b/f"));
}

TEST_F(ChangesTest, StrangeTokensAskForARescan) {
  Changed();
  const std::string good = token_;
  for (const std::string& bad : {std::string("x"), good + "0", good.substr(0, good.size() - 1),
                                 "cachefs1-0000000000000000-" + good.substr(good.size() - 16),
                                 good.substr(0, good.size() - 16) + "ffffffffffffffff"}) {
    token_ = bad;
    EXPECT_EQ(Changed(), std::vector<std::string>{"rescan"}) << bad;
  }
}

TEST_F(ChangesTest, TooManyChangesAskForARescan) {
  Changed();
  for (int i = 0; i < 200; ++i) MakeFile(a_, absl::StrCat("n", i));
  EXPECT_EQ(Changed(), std::vector<std::string>{"rescan"});
}

TEST_F(ChangesTest, NoChangeIsMissedBesideAnAsker) {
  Changed();
  std::atomic<bool> stop{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    while (!stop) {
      EXPECT_OK(volume_->Write(file_, 0, absl::StrCat(++written)));
    }
  });
  // After each answer the file holds what it held then, or is named by the next answer.
  std::string content;
  for (int i = 0; i < 2000; ++i) {
    const bool named = !Changed().empty();
    uint8_t bytes[32];
    const size_t size = volume_->Read(file_, 0, bytes).value_or(0);
    const std::string now(bytes, bytes + size);
    if (i > 0 && !named && now != content) {
      // It changed after the answer: the next one has to say so.
      ASSERT_THAT(Changed(), UnorderedElementsAre("a/b/f")) << i;
    }
    content = now;
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace fs

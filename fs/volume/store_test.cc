// StoreFiles: whole files under names, many in one mutation.
#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "fs/volume/testing/volume_fixture.h"

namespace fs {
namespace {

class StoreTest : public VolumeTest {
 protected:
  absl::StatusOr<StoredFile> Store(const FileToStore& file) {
    ASSIGN_OR_RETURN(const std::vector<StoredFile> stored, volume_->StoreFiles({&file, 1}, root_));
    return stored.at(0);
  }
};

TEST_F(StoreTest, StoresAndReplacesWhole) {
  ASSERT_OK_AND_ASSIGN(const StoredFile first, Store({.directory = kRootInode, .name = "f", .data = "one"}));
  EXPECT_EQ(first.replaced, 0u);
  ASSERT_OK_AND_ASSIGN(const StoredFile second,
                       Store({.directory = kRootInode, .name = "f", .data = "second", .mode = 0600}));
  EXPECT_EQ(second.replaced, first.inode);
  ASSERT_OK_AND_ASSIGN(const Attributes found, Look(kRootInode, "f"));
  EXPECT_EQ(found.inode, second.inode);
  EXPECT_EQ(found.mode, uint32_t{S_IFREG | 0600});
  EXPECT_EQ(Content(found.inode), "second");
  ASSERT_OK_AND_ASSIGN(const Attributes root, volume_->GetAttributes(kRootInode));
  EXPECT_EQ(root.link_count, 2u);
  Remount();
  EXPECT_EQ(Content(second.inode), "second");
  EXPECT_EQ(ErrnoOrZero(volume_->GetAttributes(first.inode)), ESTALE);
}

TEST_F(StoreTest, ReplacedFileLivesForItsHolder) {
  const InodeNumber old = MakeFile(kRootInode, "f", "old");
  ASSERT_OK(volume_->Lookup(kRootInode, "f", Reference::kTake));
  ASSERT_OK(Store({.directory = kRootInode, .name = "f", .data = "new"}));
  EXPECT_EQ(Content(old), "old");
  EXPECT_TRUE(volume_->Forget(old, 1));
  ASSERT_OK(volume_->RemoveOrphans());
  EXPECT_EQ(ErrnoOrZero(volume_->GetAttributes(old)), ESTALE);
}

TEST_F(StoreTest, ManyAreOneMutation) {
  const InodeNumber directory = MakeDir(kRootInode, "d");
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back(absl::StrCat("f", i));
  std::vector<FileToStore> files;
  for (const std::string& name : names) files.push_back({.directory = directory, .name = name, .data = name});
  const Sequence before = engine_->last_sequence();
  ASSERT_OK(volume_->StoreFiles(files, root_));
  EXPECT_EQ(engine_->last_sequence(), before + 1);
  ASSERT_OK(volume_->Sync());
  CutPower(engine_->last_sequence());
  for (const std::string& name : names) {
    ASSERT_OK_AND_ASSIGN(const Attributes found, Look(directory, name));
    EXPECT_EQ(Content(found.inode), name);
  }
}

TEST_F(StoreTest, OneRefusalLeavesNothing) {
  MakeDir(kRootInode, "d");
  const std::vector<FileToStore> files = {{.directory = kRootInode, .name = "a", .data = "x"},
                                          {.directory = kRootInode, .name = "d", .data = "x"}};
  EXPECT_EQ(ErrnoOrZero(volume_->StoreFiles(files, root_)), EISDIR);
  EXPECT_EQ(ErrnoOrZero(Look(kRootInode, "a")), ENOENT);
  const std::vector<FileToStore> twice = {{.directory = kRootInode, .name = "a", .data = "x"},
                                          {.directory = kRootInode, .name = "a", .data = "y"}};
  EXPECT_EQ(ErrnoOrZero(volume_->StoreFiles(twice, root_)), EEXIST);
  engine_->FailNextApply(absl::ResourceExhaustedError("full"));
  EXPECT_EQ(ErrnoOrZero(volume_->StoreFiles({files.data(), 1}, root_)), ENOSPC);
  EXPECT_EQ(ErrnoOrZero(Look(kRootInode, "a")), ENOENT);
}

TEST_F(StoreTest, UploadAppearsWhenStored) {
  ASSERT_OK_AND_ASSIGN(const Attributes upload, volume_->MakeTemporary(kRootInode, 0640, root_));
  ASSERT_OK(volume_->Write(upload.inode, 0, "in parts"));
  MakeFile(kRootInode, "f", "old");
  ASSERT_OK(Store({.directory = kRootInode, .name = "f", .upload = upload.inode, .modify_time = {5, 6}}));
  ASSERT_OK_AND_ASSIGN(const Attributes found, Look(kRootInode, "f"));
  EXPECT_EQ(found.inode, upload.inode);
  EXPECT_EQ(found.link_count, 1u);
  EXPECT_EQ(found.modify_time, (Timestamp{5, 6}));
  EXPECT_FALSE(volume_->Forget(upload.inode, 1));
  Remount();
  EXPECT_EQ(Content(upload.inode), "in parts");
  EXPECT_EQ(ErrnoOrZero(Store({.directory = kRootInode, .name = "g", .upload = upload.inode})), ENOENT);
}

}  // namespace
}  // namespace fs

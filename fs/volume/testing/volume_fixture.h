// A Volume on a MemEngine, for tests: opens, reopens after clean ends and power cuts.
//
// Threads: single thread (the test's).
#ifndef FS_VOLUME_TESTING_VOLUME_FIXTURE_H_
#define FS_VOLUME_TESTING_VOLUME_FIXTURE_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/testing/status_matchers.h"
#include "fs/cache/testing/mem_engine.h"
#include "fs/volume/volume.h"
#include "gtest/gtest.h"

namespace fs {

// What an errno test expects: 0 = OK, ENOENT = a bare NotFound.
inline int ErrnoOrZero(const absl::Status& status) {
  if (status.ok()) return 0;
  if (const int number = base::ErrnoOf(status); number != 0) return number;
  if (absl::IsNotFound(status)) return ENOENT;
  if (absl::IsResourceExhausted(status)) return ENOSPC;
  if (absl::IsDataLoss(status)) return EIO;
  return -1;
}
template <typename T>
int ErrnoOrZero(const absl::StatusOr<T>& result) {
  return ErrnoOrZero(result.status());
}

class VolumeTest : public ::testing::Test {
 protected:
  explicit VolumeTest(uint64_t capacity_bytes = base::kTiB) : engine_(std::make_unique<MemEngine>(capacity_bytes)) {
    EXPECT_OK(Volume::Format(*engine_, clock_, 1, 2));
    Open();
  }

  virtual Engine& engine() { return *engine_; }
  void Open() {
    absl::StatusOr<std::unique_ptr<Volume>> volume =
        Volume::Open(engine(), {.clock = &clock_, .name_hash_bits = name_hash_bits_});
    ASSERT_OK(volume.status());
    volume_ = *std::move(volume);
  }
  // Unmounts cleanly and mounts again.
  virtual void Remount() {
    ASSERT_OK(volume_->Close());
    volume_ = nullptr;
    engine_ = engine_->Reopen();
    Open();
  }
  // Loses all mutations after `kept` (but no committed one) and mounts again.
  virtual void CutPower(Sequence kept) {
    volume_ = nullptr;
    engine_ = engine_->CutPower(kept);
    Open();
  }

  InodeNumber MakeFile(InodeNumber directory, absl::string_view name, absl::string_view bytes = "") {
    const absl::StatusOr<Attributes> file = volume_->MakeNode(directory, name, {.mode = 0644}, root_, Reference::kNone);
    EXPECT_OK(file.status());
    if (!file.ok()) return 0;
    EXPECT_OK(volume_->Write(file->inode, 0, bytes));
    return file->inode;
  }
  InodeNumber MakeDir(InodeNumber directory, absl::string_view name) {
    const absl::StatusOr<Attributes> made = volume_->MakeDirectory(directory, name, 0755, root_, Reference::kNone);
    EXPECT_OK(made.status());
    return made.ok() ? made->inode : 0;
  }
  absl::StatusOr<Attributes> Look(InodeNumber directory, absl::string_view name) {
    return volume_->Lookup(directory, name, Reference::kNone);
  }
  std::string Content(InodeNumber inode) {
    const absl::StatusOr<Attributes> attributes = volume_->GetAttributes(inode);
    EXPECT_OK(attributes.status());
    if (!attributes.ok()) return "";
    std::string bytes(attributes->size_bytes, '?');
    const absl::StatusOr<size_t> size =
        volume_->Read(inode, 0, absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
    EXPECT_OK(size.status());
    EXPECT_EQ(size.value_or(0), bytes.size());
    return bytes;
  }

  int name_hash_bits_ = 64;
  base::ManualClock clock_;
  std::unique_ptr<MemEngine> engine_;
  std::unique_ptr<Volume> volume_;
  const Credentials root_;
};

}  // namespace fs

#endif  // FS_VOLUME_TESTING_VOLUME_FIXTURE_H_

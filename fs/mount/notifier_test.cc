#include "fs/mount/notifier.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::testing::ElementsAre;

// Writes notices down; Hold() makes the kernel slow.
class RecordingSink : public NoticeSink {
 public:
  void InvalidateEntry(InodeNumber directory, const std::string& name) override {
    Record(absl::StrCat("entry ", directory, " ", name));
  }
  void InvalidateInode(InodeNumber inode, bool data) override {
    Record(absl::StrCat(data ? "data " : "attributes ", inode));
  }
  void Delete(InodeNumber directory, InodeNumber child, const std::string& name) override {
    Record(absl::StrCat("delete ", directory, " ", child, " ", name));
  }
  void Hold() {
    base::MutexLock lock(&mutex_);
    held_ = true;
  }
  void Release() {
    base::MutexLock lock(&mutex_);
    held_ = false;
    changed_.SignalAll();
  }
  std::vector<std::string> notices() {
    base::MutexLock lock(&mutex_);
    return notices_;
  }

 private:
  void Record(std::string notice) {
    base::MutexLock lock(&mutex_);
    while (held_) changed_.Wait(&mutex_);
    notices_.push_back(std::move(notice));
  }
  base::Mutex mutex_;
  base::CondVar changed_;
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::string> notices_ ABSL_GUARDED_BY(mutex_);
};

TEST(NotifierTest, SendsInOrder) {
  RecordingSink sink;
  Notifier notifier(sink);
  notifier.InvalidateEntry(1, "a");
  notifier.InvalidateInode(7, true);
  notifier.InvalidateInode(8, false);
  notifier.Delete(1, 7, "b");
  notifier.Drain();
  EXPECT_THAT(sink.notices(), ElementsAre("entry 1 a", "data 7", "attributes 8", "delete 1 7 b"));
}

TEST(NotifierTest, QueueingDoesNotWaitForAKernelThatDoes) {
  RecordingSink sink;
  sink.Hold();
  Notifier notifier(sink);
  // Would hang here if it waited for the sink, as a handler would for its own reply.
  for (size_t i = 0; i < Notifier::kQueueMax + 10; ++i) notifier.InvalidateInode(i, false);
  EXPECT_TRUE(sink.notices().empty());
  sink.Release();
  notifier.WaitForRoom();
  notifier.Drain();
  EXPECT_EQ(sink.notices().size(), Notifier::kQueueMax + 10);
}

TEST(NotifierTest, ANoticeThatStillWaitsServesTheNextChange) {
  RecordingSink sink;
  sink.Hold();
  Notifier notifier(sink);
  notifier.InvalidateEntry(1, "being sent");
  for (const char* const name : {"a", "b", "c"}) {
    notifier.InvalidateEntry(1, name);
    notifier.InvalidateInode(1, true);
    notifier.InvalidateInode(2, false);
  }
  sink.Release();
  notifier.Drain();
  EXPECT_THAT(sink.notices(),
              ElementsAre("entry 1 being sent", "entry 1 a", "data 1", "attributes 2", "entry 1 b", "entry 1 c"));
  notifier.InvalidateInode(1, true);  // a change after it was sent
  notifier.Drain();
  EXPECT_EQ(sink.notices().size(), 7u);
}

TEST(NotifierTest, SendsWhatIsQueuedBeforeItEnds) {
  RecordingSink sink;
  {
    Notifier notifier(sink);
    for (int i = 0; i < 100; ++i) notifier.InvalidateEntry(1, absl::StrCat(i));
  }
  EXPECT_EQ(sink.notices().size(), 100);
}

}  // namespace
}  // namespace fs

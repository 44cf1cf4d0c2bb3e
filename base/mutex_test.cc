#include "base/mutex.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace base {
namespace {

TEST(MutexTest, ManyThreadsCountWithoutLoss) {
  struct Counter {
    Mutex mutex;
    int value ABSL_GUARDED_BY(mutex) = 0;
  } counter;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&counter] {
      for (int i = 0; i < 1000; ++i) {
        MutexLock lock(&counter.mutex);
        ++counter.value;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ReaderMutexLock lock(&counter.mutex);
  EXPECT_EQ(counter.value, 4000);
}

TEST(MutexTest, CondVarHandsOverAndTimesOut) {
  Mutex mutex;
  CondVar cond;
  bool ready = false;
  std::thread setter([&] {
    MutexLock lock(&mutex);
    ready = true;
    cond.Signal();
  });
  {
    MutexLock lock(&mutex);
    while (!ready) cond.Wait(&mutex);
    EXPECT_TRUE(cond.WaitWithTimeout(&mutex, absl::Milliseconds(1)));
  }
  setter.join();
}

TEST(NotificationTest, WaitsUntilNotified) {
  Notification notification;
  EXPECT_FALSE(notification.HasBeenNotified());
  EXPECT_FALSE(notification.WaitWithTimeout(absl::Milliseconds(1)));
  std::thread notifier([&] { notification.Notify(); });
  notification.Wait();
  EXPECT_TRUE(notification.HasBeenNotified());
  notifier.join();
}

}  // namespace
}  // namespace base

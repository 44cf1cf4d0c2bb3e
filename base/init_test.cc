#include "base/init.h"

#include <csignal>

#include "base/mutex.h"
#include "gtest/gtest.h"

namespace base {
namespace {

TEST(InitProgramTest, IgnoresClosedReaders) {
  InitProgram("init_test");
  EXPECT_EQ(std::signal(SIGPIPE, SIG_IGN), SIG_IGN);
}

// ThreadSanitizer looks for cycles by itself.
#ifndef BASE_MUTEX_TSAN
TEST(InitProgramTest, LooksForNoCyclesOfLocks) {
  InitProgram("init_test");
  Mutex a, b;
  {
    MutexLock first(&a);
    MutexLock second(&b);
  }
  MutexLock first(&b);
  MutexLock second(&a);  // with detection on the process ends here
}
#endif

}  // namespace
}  // namespace base

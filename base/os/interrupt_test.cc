#include "base/os/interrupt.h"

#include <poll.h>

#include <csignal>

#include "gtest/gtest.h"

namespace base {
namespace {

TEST(InterruptTest, SignalSetsTheFlagAndWakesPoll) {
  TakeInterrupts();
  EXPECT_EQ(Interrupted(), 0);
  pollfd poll_fd = {InterruptFd(), POLLIN, 0};
  EXPECT_EQ(poll(&poll_fd, 1, 0), 0);
  raise(SIGTERM);
  EXPECT_EQ(Interrupted(), SIGTERM);
  EXPECT_EQ(poll(&poll_fd, 1, 0), 1);
}

TEST(InterruptTest, SecondCtrlCEndsAtOnce) {
  TakeInterrupts();
  EXPECT_EXIT(
      {
        raise(SIGINT);
        raise(SIGINT);
      },
      ::testing::ExitedWithCode(128 + SIGINT), "");
}

}  // namespace
}  // namespace base

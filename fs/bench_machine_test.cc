#include "fs/bench_machine.h"

#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

TEST(BenchMachineTest, HaltPollIsPutBack) {
  constexpr char kPath[] = "/sys/module/haltpoll/parameters/guest_halt_poll_ns";
  const absl::StatusOr<std::string> before = base::ReadFile(kPath, 1 << 20);
  if (access(kPath, W_OK) != 0) GTEST_SKIP() << "no such setting, or not ours to change";
  ASSERT_OK(before.status());
  {
    // The value that is there, so that nobody else notices.
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<HaltPoll> set, HaltPoll::Set(std::stoull(*before)));
    EXPECT_EQ(base::ReadFile(kPath, 1 << 20).value_or(""), *before);
  }
  EXPECT_EQ(base::ReadFile(kPath, 1 << 20).value_or(""), *before);
}

TEST(BenchMachineTest, ProcessesUseCpuAndEnd) {
  EXPECT_EQ(ProcessCpuSeconds(0), 0);
  const double before = ProcessCpuSeconds(getpid());
  volatile uint64_t work = 0;
  while (ProcessCpuSeconds(getpid()) - before < 0.02) work = work + 1;
  { const BusyNeighbours neighbours(2); }
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "no child is left";
}

}  // namespace
}  // namespace fs

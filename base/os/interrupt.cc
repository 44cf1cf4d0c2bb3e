#include "base/os/interrupt.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace base {
namespace {

std::atomic<int> g_signal{0};
int g_event = -1;

void Handle(int signal_number) {
  const int saved = errno;
  if (g_signal.exchange(signal_number) != 0 && signal_number == SIGINT) _exit(128 + signal_number);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(g_event, &one, sizeof one);
  errno = saved;
}

}  // namespace

void TakeInterrupts() {
  if (g_event < 0) g_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action = {};
  action.sa_handler = Handle;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int Interrupted() { return g_signal.load(std::memory_order_relaxed); }

int InterruptFd() { return g_event; }

}  // namespace base

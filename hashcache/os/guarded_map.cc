#include "hashcache/os/guarded_map.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <utility>

#include "base/status.h"

namespace hashcache {
namespace {

// A slot is free while `size` is 0 and not taken. The handler reads these
// without a lock: `size` is published last and withdrawn first.
struct Slot {
  std::atomic<bool> taken{false};
  std::atomic<uintptr_t> start{0};
  std::atomic<size_t> size{0};
  std::atomic<bool> faulted{false};
};

constexpr size_t kSlots = 512;
std::array<Slot, kSlots> g_slots;
struct sigaction g_previous;

// Async-signal-safe: atomics and one mmap(2).
void HandleBusError(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (Slot& slot : g_slots) {
    const size_t size = slot.size.load(std::memory_order_acquire);
    const uintptr_t start = slot.start.load(std::memory_order_acquire);
    if (size == 0 || address < start || address - start >= size) continue;
    const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    void* const at = reinterpret_cast<void*>(address & ~(page - 1));
    const int saved_errno = errno;
    const bool mapped = mmap(at, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
    errno = saved_errno;
    if (!mapped) break;
    slot.faulted.store(true, std::memory_order_release);
    return;
  }
  if ((g_previous.sa_flags & SA_SIGINFO) != 0 && g_previous.sa_sigaction != nullptr) {
    g_previous.sa_sigaction(signal, info, context);
  } else if (g_previous.sa_handler != SIG_DFL && g_previous.sa_handler != SIG_IGN) {
    g_previous.sa_handler(signal);
  } else {
    // Back to the default; the access is repeated and ends the process as it
    // would have.
    std::signal(SIGBUS, SIG_DFL);
  }
}

void InstallHandler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = HandleBusError;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGBUS, &action, &g_previous);
  });
}

}  // namespace

absl::StatusOr<GuardedMap> GuardedMap::Map(int fd, uint64_t offset, size_t size_bytes) {
  GuardedMap map;
  if (size_bytes == 0) return map;
  InstallHandler();
  for (size_t i = 0; i < kSlots; ++i) {
    if (!g_slots[i].taken.exchange(true)) {
      map.slot_ = static_cast<int>(i);
      break;
    }
  }
  if (map.slot_ < 0) return absl::ResourceExhaustedError("too many files are mapped at once");
  void* const address = mmap(nullptr, size_bytes, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset));
  if (address == MAP_FAILED) {
    const int error = errno;
    g_slots[map.slot_].taken = false;
    map.slot_ = -1;
    return base::ErrnoStatus(error, "mmap");
  }
  map.data_ = static_cast<uint8_t*>(address);
  map.size_ = size_bytes;
  Slot& slot = g_slots[map.slot_];
  slot.faulted = false;
  slot.start.store(reinterpret_cast<uintptr_t>(address), std::memory_order_release);
  slot.size.store(size_bytes, std::memory_order_release);
  return map;
}

GuardedMap::~GuardedMap() {
  if (slot_ < 0) return;
  Slot& slot = g_slots[slot_];
  slot.size.store(0, std::memory_order_release);
  munmap(data_, size_);
  slot.taken.store(false);
}

GuardedMap::GuardedMap(GuardedMap&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      slot_(std::exchange(other.slot_, -1)) {}

GuardedMap& GuardedMap::operator=(GuardedMap&& other) noexcept {
  if (this != &other) {
    GuardedMap old(std::move(*this));
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    slot_ = std::exchange(other.slot_, -1);
  }
  return *this;
}

bool GuardedMap::faulted() const {
  return slot_ >= 0 && g_slots[slot_].faulted.load(std::memory_order_acquire);
}

}  // namespace hashcache

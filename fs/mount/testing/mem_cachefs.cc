// cachefs on an engine in memory: the mount's own tests, without a disk. STORE
// is a name only.
#include "base/clock.h"
#include "base/status_macros.h"
#include "fs/cache/testing/mem_engine.h"
#include "fs/mount/cachefs_command.h"

namespace {

absl::StatusOr<fs::Store> OpenInMemory(const fs::StoreOptions& options) {
  auto engine =
      options.size_bytes == 0 ? std::make_unique<fs::MemEngine>() : std::make_unique<fs::MemEngine>(options.size_bytes);
  RETURN_IF_ERROR(fs::Volume::Format(*engine, base::Clock::Real(), 1, 2));
  fs::VolumeOptions volume_options;
  volume_options.read_only = options.read_only;
  ASSIGN_OR_RETURN(std::unique_ptr<fs::Volume> volume, fs::Volume::Open(*engine, volume_options));
  fs::Store store;
  store.engine = std::move(engine);
  store.volume = std::move(volume);
  return store;
}

}  // namespace

int main(int argc, char** argv) { return fs::RunCachefs(OpenInMemory, argc, argv); }

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "fs/cache/testing/mem_engine.h"
#include "fs/format/batch_frame.h"
#include "fs/volume/batch_session.h"
#include "fs/volume/volume.h"
#include "glog/logging.h"

namespace {

class NoObserver final : public fs::BatchObserver {
 public:
  void EntryChanged(fs::InodeNumber, absl::string_view, fs::InodeNumber) override {}
};

}  // namespace

// Any bytes as a frame to a session on a small tree: the answer is always a frame.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  base::ManualClock clock;
  fs::MemEngine engine;
  CHECK(fs::Volume::Format(engine, clock, 1, 2).ok());
  const std::unique_ptr<fs::Volume> volume = *fs::Volume::Open(engine, {.clock = &clock});
  NoObserver observer;
  fs::BatchSession session(*volume, {}, observer);
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (int i = 0; i < 2; ++i) {
    const std::string answer = session.Handle(bytes);
    CHECK(fs::DecodeFrame(answer, fs::FrameKind::kReply).ok());
  }
  return 0;
}

// Golden images: volumes of the present format version, made the same way each time, and
// what is in them as text. testdata/fs/images keeps those of every version for ever;
// fs/volume/images_test.cc reads them.
//
// Threads: no state.
#ifndef FS_VOLUME_TESTING_GOLDEN_IMAGES_H_
#define FS_VOLUME_TESTING_GOLDEN_IMAGES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "fs/cache/raw_engine.h"
#include "fs/disk/device.h"
#include "fs/volume/volume.h"

namespace fs::testing {

struct GoldenImage {
  std::string name;   // "clean"
  std::string bytes;  // of the whole device
};

// All of this version, in order of their names.
absl::StatusOr<std::vector<GoldenImage>> MakeGoldenImages();

// The engine and the volume of a device that holds a golden image, without threads.
struct OpenedImage {
  std::unique_ptr<base::ManualClock> clock;
  std::unique_ptr<RawEngine> engine;
  std::unique_ptr<Volume> volume;
};
absl::StatusOr<OpenedImage> OpenGoldenImage(Device& device, bool read_only);

// One line for each file: path, attributes, xattrs, and the crc32c and holes of its data.
absl::StatusOr<std::string> ListTree(Volume& volume);

// Everything on the device, as `cachectl dump` shows it with rows and records.
absl::StatusOr<std::string> DumpText(Device& device);

}  // namespace fs::testing

#endif  // FS_VOLUME_TESTING_GOLDEN_IMAGES_H_

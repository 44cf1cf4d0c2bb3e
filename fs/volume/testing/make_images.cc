// Writes the golden images of the present format version, and what is in them as text:
// make_images DIRECTORY. Images of a version that was released are never made again.
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/os/stream.h"
#include "base/status_macros.h"
#include "fs/disk/testing/mem_device.h"
#include "fs/format/superblock.h"
#include "fs/volume/testing/golden_images.h"

namespace fs::testing {
namespace {

absl::Status WriteFile(const std::string& path, absl::string_view bytes) {
  ASSIGN_OR_RETURN(const std::unique_ptr<base::Sink> sink, base::OpenSink(path, {}));
  RETURN_IF_ERROR(sink->Write(bytes));
  return sink->Close();
}

absl::Status WriteAll(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<GoldenImage> images, MakeGoldenImages());
  for (const GoldenImage& image : images) {
    const std::string path = absl::StrCat(directory, "/v", kFormatVersion, "-", image.name);
    RETURN_IF_ERROR(WriteFile(absl::StrCat(path, ".img.zst"), image.bytes));
    MemDevice device(image.bytes.size());
    std::copy(image.bytes.begin(), image.bytes.end(), device.bytes().begin());
    const absl::StatusOr<OpenedImage> opened = OpenGoldenImage(device, true);
    if (absl::IsUnimplemented(opened.status())) continue;  // as it should be: the test knows which
    RETURN_IF_ERROR(opened.status());
    ASSIGN_OR_RETURN(const std::string text, ListTree(*opened->volume));
    RETURN_IF_ERROR(WriteFile(absl::StrCat(path, ".txt"), text));
    ASSIGN_OR_RETURN(const std::string dump, DumpText(device));
    RETURN_IF_ERROR(WriteFile(absl::StrCat(path, ".dump.zst"), dump));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace fs::testing

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_images DIRECTORY\n";
    return 2;
  }
  const absl::Status status = fs::testing::WriteAll(argv[1]);
  if (!status.ok()) std::cerr << "make_images: " << status << "\n";
  return status.ok() ? 0 : 1;
}

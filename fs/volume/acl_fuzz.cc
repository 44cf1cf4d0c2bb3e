#include <cstddef>
#include <cstdint>

#include "fs/volume/acl.h"
#include "glog/logging.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::StatusOr<fs::Acl> acl = fs::Acl::Parse(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!acl.ok()) return 0;
  // What was accepted survives a round trip and every use.
  const absl::StatusOr<fs::Acl> again = fs::Acl::Parse(acl->Encode());
  CHECK(again.ok() && again->entries() == acl->entries());
  const uint32_t gids[] = {0, 50};
  acl->Grants(7, 1000, gids, 0, 0);
  acl->SetModeBits(0640);
  if (!acl->empty()) CHECK_EQ(acl->ModeBits(), 0640u);
  acl->ApplyToNewMode(0777);
  return 0;
}

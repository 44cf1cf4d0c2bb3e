// Any bytes as a base table: opening refuses or every lookup ends, and records found
// are within the file.
#include "hashcache/store/table.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "base/endian.h"
#include "base/os/file.h"
#include "glog/logging.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hashcache;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size >= kHeaderSize) {
    // A right checksum lets the rest of the decoder see the header.
    base::StoreLittle<uint32_t>(bytes.data() + kHeaderSize - 4, Crc32c(bytes.data(), kHeaderSize - 4));
  }
  const base::Fd fd(memfd_create("table", MFD_CLOEXEC));
  CHECK(base::WriteFull(fd.get(), bytes).ok());
  const uint64_t generation = size >= 16 ? base::LoadLittle<uint64_t>(bytes.data() + 8) : 0;
  const absl::StatusOr<BaseTable> table = BaseTable::Open(fd.get(), "fs", generation);
  if (!table.ok()) return 0;
  for (uint64_t inode = 0; inode < 64; ++inode) {
    const uint8_t* const record = table->Find(inode);
    if (record != nullptr) DecodeRecord(record);
  }
  for (size_t i = 0; i < table->count(); ++i) DecodeRecord(table->At(i));
  return 0;
}

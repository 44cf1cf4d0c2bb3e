// CRC-32 Castagnoli: of bytes, and of the concatenation of two byte strings.
//
// Threads: no state.
// Source:  RFC 3720, appendix B.4; the check value of "123456789" is 0xE3069283.
#ifndef FS_FORMAT_CRC32C_H_
#define FS_FORMAT_CRC32C_H_

#include <cstddef>
#include <cstdint>

namespace fs {

// The crc of what `crc` is the crc of, followed by `data`. Start with 0.
uint32_t ExtendCrc32c(uint32_t crc, const void* data, size_t size);

inline uint32_t Crc32c(const void* data, size_t size) { return ExtendCrc32c(0, data, size); }

// The crc of `first` followed by the `second_size` bytes that `second` is the crc
// of, without looking at the bytes.
uint32_t CombineCrc32c(uint32_t first, uint32_t second, uint64_t second_size);

}  // namespace fs

#endif  // FS_FORMAT_CRC32C_H_

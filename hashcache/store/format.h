// The small files of a store as bytes: `state` and the header of a log.
//
// Shape:   state is "HCS1", the generation (u64) and the CRC-32C of both. A log's header is as long
//          as a record: "HCLOG001", generation u64, CRC-32C of the filesystem's id, zeros, CRC-32C
//          of all that.
// Threads: no state.
#ifndef HASHCACHE_STORE_FORMAT_H_
#define HASHCACHE_STORE_FORMAT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "hashcache/store/record.h"

namespace hashcache {

constexpr size_t kLogHeaderSize = kRecordSize;  // so that records stay aligned

std::string EncodeState(uint64_t generation);
absl::optional<uint64_t> DecodeState(absl::string_view bytes);
std::string LogHeader(absl::string_view filesystem_id, uint64_t generation);

}  // namespace hashcache

#endif  // HASHCACHE_STORE_FORMAT_H_

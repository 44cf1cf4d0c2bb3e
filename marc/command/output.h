// Where a command's bytes go: whole files that appear on Close(), or streams.
//
// A regular file is written through fs::TreeClient, so that it is seen whole or
// not at all on any filesystem and in large batches on a cachefs mount; ".gz"
// and ".zst" compress. "-", FIFOs and devices are written as it goes.
// Threads: thread-compatible.
#ifndef MARC_COMMAND_OUTPUT_H_
#define MARC_COMMAND_OUTPUT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/os/stream.h"

namespace marc {

// Writes go out in batches of `batch_bytes`, which each open output holds in memory.
constexpr size_t kOutputBatchBytes = size_t{1} << 20;
absl::StatusOr<std::unique_ptr<base::Sink>> OpenOutput(const std::string& path, size_t batch_bytes = kOutputBatchBytes);

}  // namespace marc

#endif  // MARC_COMMAND_OUTPUT_H_

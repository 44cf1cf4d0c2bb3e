// The part of Worker that computes the digests of two small files at once.
#include <utility>

#include "hashcache/digest/sha256_pair.h"
#include "hashcache/engine/attempt.h"
#include "hashcache/engine/large_file.h"
#include "hashcache/engine/worker.h"

namespace hashcache {
namespace {

Digests DigestsOf(const Sha256Digest& digest) {
  Digests digests;
  digests.Set(Algorithm::kSha256, digest);
  return digests;
}

}  // namespace

Worker::Step Worker::GiveWhole(Attempt* attempt, Outcome outcome, uint64_t size) {
  const absl::Span<const uint8_t> content = Buffer().subspan(0, size);
  if (attempt->task.algorithms != Algorithm::kSha256 || !HaveSha256Pair()) {
    return Give(attempt, outcome, Stream(attempt->task.algorithms).HashWhole(content));
  }
  if (single_ == nullptr) single_ = std::make_unique<Single>();
  if (single_waits_) {
    single_waits_ = false;
    const auto digests = Sha256Pair({single_->buffer.get(), single_->size}, content);
    Give(&single_->attempt, single_->outcome, DigestsOf(digests[0]));
    return Give(attempt, outcome, DigestsOf(digests[1]));
  }
  // A writer must not wait for the pair.
  filesystem_.Close(attempt->fd);
  attempt->fd = -1;
  single_->attempt = std::move(*attempt);
  single_->outcome = outcome;
  single_->size = size;
  std::swap(single_->buffer, buffer_);
  single_waits_ = true;
  return Step::kDone;
}

void Worker::EndSingle() {
  if (!single_waits_) return;
  single_waits_ = false;
  Give(&single_->attempt, single_->outcome,
       Stream(single_->attempt.task.algorithms).HashWhole({single_->buffer.get(), single_->size}));
}

}  // namespace hashcache

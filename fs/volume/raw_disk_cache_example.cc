// A tour of RawDiskCache: raw_disk_cache_example IMAGE
//
// Makes the image if there is none, fills a cache with thumbnails, reads them back one by
// one and in batches, and prints what it cost.
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/volume/raw_disk_cache.h"

namespace fs {
namespace {

absl::Status Tour(const std::string& path) {
  RawDiskCacheOptions options;
  options.path = path;
  options.size_bytes = 256 * base::kMiB;
  options.ttl = absl::Hours(24);
  ASSIGN_OR_RETURN(const std::unique_ptr<RawDiskCache> cache, RawDiskCache::Open(options));

  // One that matters: durable when the call returns, at the price of a flush.
  RETURN_IF_ERROR(cache->Store("config/version", "42", {.priority = EntryPriority::kUrgent}));

  // Many that can be made again: buffered, with one flush for all.
  for (int i = 0; i < 1000; ++i) {
    RETURN_IF_ERROR(cache->StoreBuffered(absl::StrCat("thumbnails/", i % 10, "/", i), std::string(4096, 'x')));
  }
  RETURN_IF_ERROR(cache->FlushWrites());

  ASSIGN_OR_RETURN(const std::string version, cache->Lookup("config/version"));
  absl::PrintF("config/version is %s\n", version);

  // Many at once: their reads are merged and go to the disk together.
  std::vector<std::string> names;
  for (int i = 0; i < 1000; i += 10) names.push_back(absl::StrCat("thumbnails/", i % 10, "/", i));
  const std::vector<absl::string_view> keys(names.begin(), names.end());
  size_t found = 0;
  for (const absl::StatusOr<std::string>& value : cache->LookupBatch(keys)) found += value.ok() ? 1 : 0;
  absl::PrintF("%d of %d thumbnails found\n", found, keys.size());

  ASSIGN_OR_RETURN(const bool existed, cache->Remove("thumbnails/0/0"));
  absl::PrintF("the first one %s\n", existed ? "is removed" : "was not there");

  const RawDiskCacheStats stats = cache->Stats();
  absl::PrintF("%d flushes for %d buffered stores (%.0f each); durable store %s, buffered %s, batch of 100 %s\n",
               stats.flushes, stats.buffered_stores, stats.batch_operations_average,
               base::HumanDuration(stats.store_latency.average()),
               base::HumanDuration(stats.buffered_store_latency.average()),
               base::HumanDuration(stats.batch_lookup_latency.average()));
  return cache->Close();
}

}  // namespace
}  // namespace fs

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: raw_disk_cache_example IMAGE\n");
    return 2;
  }
  const absl::Status status = fs::Tour(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "raw_disk_cache_example: %s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}

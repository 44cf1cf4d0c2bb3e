#include "fs/volume/raw_disk_cache.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "fs/volume/open_volume.h"
#include "fs/volume/raw_disk_cache_impl.h"

namespace fs {

absl::Status RawDiskCacheOptions::Validate() const {
  if (block_bytes < 4096 || block_bytes > (64 << 10) || (block_bytes & (block_bytes - 1)) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("block_bytes is ", block_bytes, ", not a power of two in 4..64 KiB"));
  }
  if (size_bytes % 4096 != 0) return absl::InvalidArgumentError("size_bytes is no multiple of 4096");
  if (ttl <= absl::ZeroDuration()) return absl::InvalidArgumentError("ttl is not positive");
  if (flush_interval <= absl::ZeroDuration()) return absl::InvalidArgumentError("flush_interval is not positive");
  if (value_bytes_max > kFileBytesMax) return absl::InvalidArgumentError("value_bytes_max is too large");
  if (read_threads == 0 || read_threads > 256) return absl::InvalidArgumentError("read_threads is not in 1..256");
  if (clock == nullptr) return absl::InvalidArgumentError("there is no clock");
  return absl::OkStatus();
}

RawDiskCache::RawDiskCache(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RawDiskCache::~RawDiskCache() = default;

absl::StatusOr<std::unique_ptr<RawDiskCache>> RawDiskCache::Open(const RawDiskCacheOptions& options) {
  RETURN_IF_ERROR(options.Validate());
  OpenVolumeOptions open;
  open.path = options.path;
  open.size_bytes = options.size_bytes;
  open.page_bytes = options.block_bytes;
  open.force = options.force;
  open.read_only = options.read_only;
  open.clock = options.clock;
  ASSIGN_OR_RETURN(OpenedVolume opened, OpenVolume(open));
  Volume& volume = *opened.volume;
  auto impl = std::make_unique<Impl>(volume, kRootInode, options, std::move(opened));
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<RawDiskCache>(new RawDiskCache(std::move(impl)));
}

absl::StatusOr<std::unique_ptr<RawDiskCache>> RawDiskCache::OnVolume(Volume& volume, InodeNumber root,
                                                                     const RawDiskCacheOptions& options) {
  RETURN_IF_ERROR(options.Validate());
  ASSIGN_OR_RETURN(const Attributes attributes, volume.GetAttributes(root));
  if (!attributes.is_directory()) return absl::InvalidArgumentError("the root of the cache is no directory");
  auto impl = std::make_unique<Impl>(volume, root, options, OpenedVolume());
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<RawDiskCache>(new RawDiskCache(std::move(impl)));
}

absl::Status RawDiskCache::Store(absl::string_view key, absl::string_view value, const EntryOptions& options) {
  return impl_->Store({key, value, options});
}

absl::Status RawDiskCache::StoreBuffered(absl::string_view key, absl::string_view value, const EntryOptions& options) {
  const CacheEntry entry{key, value, options};
  return impl_->StoreBuffered(absl::MakeSpan(&entry, 1));
}

absl::Status RawDiskCache::StoreBatch(absl::Span<const CacheEntry> entries) { return impl_->StoreBuffered(entries); }

absl::StatusOr<std::string> RawDiskCache::Lookup(absl::string_view key) { return impl_->Lookup(key); }

std::vector<absl::StatusOr<std::string>> RawDiskCache::LookupBatch(absl::Span<const absl::string_view> keys) {
  return impl_->LookupBatch(keys);
}

absl::StatusOr<bool> RawDiskCache::Remove(absl::string_view key) { return impl_->Remove(key); }

std::vector<absl::StatusOr<bool>> RawDiskCache::RemoveBatch(absl::Span<const absl::string_view> keys) {
  return impl_->RemoveBatch(keys);
}

absl::Status RawDiskCache::FlushWrites() { return impl_->Flush(Priority::kForeground); }
void RawDiskCache::FlushWritesAsync(Done done) { impl_->FlushAsync(Priority::kForeground, std::move(done)); }

void RawDiskCache::StoreAsync(absl::string_view key, absl::string_view value, const EntryOptions& options, Done done) {
  impl_->StoreAsync({key, value, options}, std::move(done));
}

void RawDiskCache::LookupAsync(absl::string_view key, LookupDone done) { impl_->LookupAsync(key, std::move(done)); }

RawDiskCacheStats RawDiskCache::Stats() const { return impl_->Stats(); }
Volume& RawDiskCache::volume() { return impl_->volume(); }
absl::Status RawDiskCache::Close() { return impl_->Close(); }

}  // namespace fs

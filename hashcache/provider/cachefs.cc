#include "hashcache/provider/cachefs.h"

#include <utility>

#include "absl/types/optional.h"
#include "base/status_macros.h"

namespace hashcache {
namespace {

absl::optional<fs::DigestKind> KindOf(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kCrc32c:
      return fs::DigestKind::kCrc32c;
    case Algorithm::kXxh3_64:
      return fs::DigestKind::kXxh3;
    case Algorithm::kBlake3:
      return fs::DigestKind::kBlake3;
    case Algorithm::kSha256:
      return fs::DigestKind::kSha256;
    case Algorithm::kXxh3_128:
      return absl::nullopt;
  }
  return absl::nullopt;
}

class CachefsProvider : public DigestProvider {
 public:
  explicit CachefsProvider(std::unique_ptr<fs::TreeClient> client) : client_(std::move(client)) {}

  absl::string_view name() const override { return "cachefs"; }

  AlgorithmSet algorithms() const override {
    AlgorithmSet all;
    if ((client_->capabilities() & fs::kDigest) == 0) return all;
    for (const Algorithm algorithm : kAllAlgorithms) {
      if (KindOf(algorithm).has_value()) all.Add(algorithm);
    }
    return all;
  }

  absl::Status Lookup(absl::Span<const absl::string_view> paths, Algorithm algorithm,
                      absl::FunctionRef<void(size_t, absl::StatusOr<absl::Span<const uint8_t>>)> sink) override {
    const absl::optional<fs::DigestKind> kind = KindOf(algorithm);
    if (!kind.has_value()) return absl::UnimplementedError("cachefs keeps no such digest");
    return client_->Digest(paths, *kind, [&](size_t index, absl::StatusOr<absl::string_view> raw) {
      if (!raw.ok()) {
        sink(index, raw.status());
      } else {
        sink(index, absl::Span<const uint8_t>(reinterpret_cast<const uint8_t*>(raw->data()), raw->size()));
      }
      return true;
    });
  }

  absl::StatusOr<Changes> ChangedSince(absl::string_view token) override {
    if ((client_->capabilities() & fs::kChanges) == 0) return absl::UnimplementedError("this mount tracks no changes");
    ASSIGN_OR_RETURN(fs::Changes told, client_->ChangedSince(token));
    return Changes{std::move(told.paths), std::move(told.token), told.overflow};
  }

 private:
  const std::unique_ptr<fs::TreeClient> client_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DigestProvider>> CachefsProviderOver(std::unique_ptr<fs::TreeClient> client) {
  if ((client->capabilities() & (fs::kDigest | fs::kChanges)) == 0) {
    return absl::NotFoundError("not on a cachefs mount that tells digests or changes");
  }
  return std::make_unique<CachefsProvider>(std::move(client));
}

absl::StatusOr<std::unique_ptr<DigestProvider>> CachefsProviderFor(absl::string_view root) {
  ASSIGN_OR_RETURN(std::unique_ptr<fs::TreeClient> client, fs::TreeClient::ForPath(root));
  return CachefsProviderOver(std::move(client));
}

}  // namespace hashcache

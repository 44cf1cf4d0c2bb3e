#include "hashcache/engine/batch_providers.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/os/file.h"
#include "hashcache/store/rules.h"

namespace hashcache {

std::shared_ptr<DigestProvider> BatchProviders::For(const std::string& directory) {
  {
    base::MutexLock lock(&mutex_);
    const auto known = known_.find(directory);
    if (known != known_.end()) return known->second;
  }
  std::shared_ptr<DigestProvider> provider;
  const absl::StatusOr<base::Fd> fd = base::OpenFile(directory, O_RDONLY | O_DIRECTORY);
  FileAttributes attributes;
  if (fd.ok() && context_.filesystem.StatAgain(fd->get(), &attributes) == 0) {
    const absl::StatusOr<FilesystemFacts> facts = context_.filesystem.Facts(fd->get(), attributes.device);
    for (const DigestProviderFactory& factory : factories_) {
      if (provider != nullptr || !facts.ok() || !TraitsOf(facts->type).made_up) break;
      absl::StatusOr<std::unique_ptr<DigestProvider>> made = factory(directory);
      if (made.ok()) provider = *std::move(made);
    }
  }
  base::MutexLock lock(&mutex_);
  if (known_.size() >= kDirectoriesMax) known_.clear();
  return known_[directory] = provider;
}

void BatchProviders::Answer(const std::string& directory, absl::Span<const std::string> names,
                            AlgorithmSet algorithms, absl::Span<FileResult* const> results) {
  // With --strict a lease would have to be held meanwhile: those files are read.
  if (factories_.empty() || context_.strict || algorithms.empty()) return;
  const std::shared_ptr<DigestProvider> provider = For(directory);
  if (provider == nullptr || !provider->algorithms().HasAll(algorithms)) return;
  const std::vector<absl::string_view> views(names.begin(), names.end());
  std::vector<Digests> digests(names.size());
  for (const Algorithm algorithm : algorithms.List()) {
    const absl::Status told =
        provider->Lookup(views, algorithm, [&](size_t i, absl::StatusOr<absl::Span<const uint8_t>> bytes) {
          if (bytes.ok() && bytes->size() == DigestSize(algorithm)) digests[i].Set(algorithm, *bytes);
        });
    if (!told.ok()) return;
  }
  for (size_t i = 0; i < names.size(); ++i) {
    FileAttributes attributes;
    const std::string path = base::JoinPath(directory, names[i]);
    // A link's digest is that of its target, which the provider does not follow.
    if (!digests[i].algorithms().HasAll(algorithms) ||
        context_.filesystem.StatAt(AT_FDCWD, path.c_str(), /*follow=*/false, false, &attributes) != 0 ||
        (attributes.mode & S_IFMT) != S_IFREG) {
      continue;
    }
    FileResult& result = *results[i];
    result.outcome = Outcome::kProvider;
    result.trust = TrustClass::kProvider;
    result.digests = digests[i];
    result.mode = attributes.mode;
    result.device = attributes.device;
    result.fingerprint = FingerprintOf(attributes, 0);
    context_.counters.files.fetch_add(1, std::memory_order_relaxed);
    context_.counters.provided.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace hashcache

#include "ssg/build/cache_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace ssg {
namespace {

constexpr uint64_t kManifestBytesMax = uint64_t{2} << 30;

}  // namespace

absl::StatusOr<std::unique_ptr<CacheDir>> CacheDir::Open(const std::string& site_dir, const std::string& name) {
  const std::string parent = absl::StrCat(site_dir, "/.ssg");
  std::unique_ptr<CacheDir> cache(new CacheDir(absl::StrCat(parent, "/", name)));
  for (const std::string& directory : {parent, cache->path_}) {
    if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) return base::ErrnoStatus(errno, directory);
  }
  const std::string lock = absl::StrCat(cache->path_, "/lock");
  cache->lock_ = base::Fd(open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!cache->lock_.valid()) return base::ErrnoStatus(errno, lock);
  if (flock(cache->lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::UnavailableError(absl::StrCat("another build of ", site_dir, " is running"));
  }
  cache->Load();
  return cache;
}

CacheDir::~CacheDir() {
  if (map_ != nullptr) munmap(const_cast<char*>(map_), map_size_);
}

std::string CacheDir::BodiesPath(uint64_t id) const { return absl::StrCat(path_, "/bodies-", id); }

void CacheDir::Load() {
  auto pending = base::ReadFile(absl::StrCat(path_, "/pending"), kManifestBytesMax);
  if (pending.ok()) {
    interrupted_ = true;
    for (const absl::string_view path : absl::StrSplit(*pending, '\0', absl::SkipEmpty())) pending_.emplace_back(path);
  }
  auto bytes = base::ReadFile(absl::StrCat(path_, "/manifest"), kManifestBytesMax);
  if (!bytes.ok()) return;
  manifest_bytes_ = *std::move(bytes);
  auto manifest = DecodeManifest(manifest_bytes_);
  if (!manifest.ok()) return;
  manifest_ = *std::move(manifest);
  bodies_id_ = manifest_.bodies_id;
  bodies_size_ = manifest_.bodies_size;
  has_manifest_ = MapBodies();
}

bool CacheDir::MapBodies() {
  if (manifest_.bodies_size == 0) return true;
  const base::Fd file(open(BodiesPath(manifest_.bodies_id).c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (!file.valid() || fstat(file.get(), &info) != 0 || static_cast<uint64_t>(info.st_size) < manifest_.bodies_size) {
    return false;
  }
  void* map = mmap(nullptr, manifest_.bodies_size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (map == MAP_FAILED) return false;
  map_ = static_cast<const char*>(map);
  map_size_ = manifest_.bodies_size;
  return true;
}

absl::string_view CacheDir::Body(const Manifest::Source& source) const {
  return source.body_size == 0 ? absl::string_view() : absl::string_view(map_ + source.body_at, source.body_size);
}

absl::Status CacheDir::WritePending(const std::vector<std::string>& outputs) {
  std::string text;
  for (const std::string& path : outputs) {
    text.append(path);
    text.push_back('\0');
  }
  for (const std::string& path : pending_) {
    text.append(path);
    text.push_back('\0');
  }
  return base::ReplaceFile(absl::StrCat(path_, "/pending"), text, {});
}

absl::StatusOr<uint64_t> CacheDir::AppendBodies(const std::vector<absl::string_view>& bodies, bool start_new) {
  if (start_new || !has_manifest_) {
    obsolete_bodies_.push_back(bodies_id_);
    ++bodies_id_;
    bodies_size_ = 0;
  }
  const uint64_t begin = bodies_size_;
  if (bodies.empty()) return begin;
  const std::string path = BodiesPath(bodies_id_);
  const base::Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file.valid()) return base::ErrnoStatus(errno, path);
  // What a killed build appended goes.
  if (ftruncate(file.get(), static_cast<off_t>(bodies_size_)) != 0) return base::ErrnoStatus(errno, path);
  std::string buffer;
  constexpr size_t kBufferBytes = 1 << 20;
  for (size_t i = 0; i < bodies.size(); ++i) {
    buffer.append(bodies[i].data(), bodies[i].size());
    if (buffer.size() < kBufferBytes && i + 1 < bodies.size()) continue;
    RETURN_IF_ERROR(base::PWriteFull(file.get(), buffer, bodies_size_));
    bodies_size_ += buffer.size();
    buffer.clear();
  }
  return begin;
}

absl::Status CacheDir::Commit(Manifest& manifest) {
  manifest.bodies_id = bodies_id_;
  manifest.bodies_size = bodies_size_;
  RETURN_IF_ERROR(base::ReplaceFile(absl::StrCat(path_, "/manifest"), EncodeManifest(manifest), {}));
  for (const uint64_t id : obsolete_bodies_) unlink(BodiesPath(id).c_str());
  obsolete_bodies_.clear();
  unlink(absl::StrCat(path_, "/pending").c_str());
  return absl::OkStatus();
}

}  // namespace ssg

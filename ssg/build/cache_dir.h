// The directory .ssg/cache: the manifest, the bodies and the lock that keeps two
// builds of one site apart.
//
// Crash:   the manifest is replaced atomically after the bodies it names are
//          written; bodies beyond its size are ignored. Before outputs are stored,
//          `pending` names the new ones, so that a killed build leaves no strangers.
// Errors:  Unavailable  another build holds the lock
//          other        the file system's
// Threads: thread-compatible.
#ifndef SSG_BUILD_CACHE_DIR_H_
#define SSG_BUILD_CACHE_DIR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/os/file.h"
#include "ssg/build/manifest.h"

namespace ssg {

class CacheDir {
 public:
  // Makes .ssg/`name` below `site_dir` and takes the lock.
  static absl::StatusOr<std::unique_ptr<CacheDir>> Open(const std::string& site_dir, const std::string& name = "cache");
  ~CacheDir();
  CacheDir(const CacheDir&) = delete;
  CacheDir& operator=(const CacheDir&) = delete;

  const std::string& path() const { return path_; }

  // The manifest of the last build; nullptr if there is none that can be used.
  const Manifest* manifest() const { return has_manifest_ ? &manifest_ : nullptr; }
  // The body of `source` as cached.
  absl::string_view Body(const Manifest::Source& source) const;
  // Whether the last build did not finish: it may have left temporary files.
  bool interrupted() const { return interrupted_; }
  // Outputs that a build which did not finish may have made.
  const std::vector<std::string>& pending() const { return pending_; }

  absl::Status WritePending(const std::vector<std::string>& outputs);
  // Appends `bodies` (or starts a new file with them) and gives where they begin.
  absl::StatusOr<uint64_t> AppendBodies(const std::vector<absl::string_view>& bodies, bool start_new);
  // Stores `manifest`, whose bodies_* are filled in here, and forgets what is pending.
  absl::Status Commit(Manifest& manifest);
  uint64_t bodies_size() const { return bodies_size_; }

 private:
  explicit CacheDir(std::string path) : path_(std::move(path)) {}
  void Load();
  bool MapBodies();
  std::string BodiesPath(uint64_t id) const;

  const std::string path_;
  base::Fd lock_;
  std::string manifest_bytes_;
  Manifest manifest_;
  bool has_manifest_ = false;
  const char* map_ = nullptr;
  size_t map_size_ = 0;
  bool interrupted_ = false;
  std::vector<std::string> pending_;
  uint64_t bodies_id_ = 1;
  uint64_t bodies_size_ = 0;
  std::vector<uint64_t> obsolete_bodies_;
};

}  // namespace ssg

#endif  // SSG_BUILD_CACHE_DIR_H_

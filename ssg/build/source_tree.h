// The files a site is made of, below its directory and below its mounts,
// listed and read in batches through fs/client.
//
// Bounds:  files over 256 MiB are refused.
// Errors:  links and special files are reported to Diagnostics and left out: a
//          site never reads what lies outside of it, except through a mount.
// Threads: thread-compatible.
#ifndef SSG_BUILD_SOURCE_TREE_H_
#define SSG_BUILD_SOURCE_TREE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fs/client/tree_client.h"
#include "ssg/config/config.h"
#include "ssg/diagnostics/diagnostics.h"

namespace ssg {

struct SourceFile {
  std::string path;             // relative to the site (for mounts: as configured); shown in messages
  std::string tree_path;        // relative to its root
  std::string target;           // mounts: the path below content/ it takes
  uint32_t root = 0;            // 0 = the site
  uint32_t mount = UINT32_MAX;  // index into Config::mounts
  fs::FileStat stat;
};

class SourceTree {
 public:
  static constexpr size_t kFileBytesMax = 256 << 20;

  static absl::StatusOr<std::unique_ptr<SourceTree>> Open(const std::string& site_dir);

  // All files below `directory` of the site, sorted by path; none if it is missing.
  absl::Status List(absl::string_view directory, Diagnostics& diagnostics, std::vector<SourceFile>* files);
  // The files of the configured mounts, `target` set.
  absl::Status ListMounts(const std::vector<Mount>& mounts, Diagnostics& diagnostics, std::vector<SourceFile>* files);

  // Reads `files`; `found` is called on this thread with each index once.
  absl::Status Read(absl::Span<const SourceFile* const> files,
                    absl::FunctionRef<void(size_t index, absl::StatusOr<absl::string_view> text)> found);

  const std::string& site_dir() const { return site_dir_; }
  // The path of `file` for programs and other libraries.
  std::string DiskPath(const SourceFile& file) const;

 private:
  explicit SourceTree(std::string site_dir) : site_dir_(std::move(site_dir)) {}
  // The index of the root for `directory`, opened if new.
  absl::StatusOr<uint32_t> Root(const std::string& directory);
  absl::Status ListRoot(uint32_t root, absl::string_view directory, Diagnostics& diagnostics,
                        std::vector<SourceFile>* files);

  const std::string site_dir_;
  std::vector<std::string> root_dirs_;
  std::vector<std::unique_ptr<fs::TreeClient>> roots_;
};

}  // namespace ssg

#endif  // SSG_BUILD_SOURCE_TREE_H_

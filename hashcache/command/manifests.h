// Manifests and trees as sides of a comparison.
//
// Threads: single thread (main).
#ifndef HASHCACHE_COMMAND_MANIFESTS_H_
#define HASHCACHE_COMMAND_MANIFESTS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hashcache/command/run.h"
#include "hashcache/manifest/manifest.h"

namespace hashcache {

struct ManifestReading {
  std::string root;        // where its names lie; "" = here
  bool or_here = false;    // names that begin with `root` lie here, as those of a tree's plain manifest
  bool must_know = false;  // FailedPrecondition where 64 digits may be either algorithm
  bool silent = false;     // says nothing of what it found out
};

// "-" is standard input. What 64 hex digits are is told by -a, else by the manifest's name
// (sha256, blake3, b3), else by the first listed file that is as listed under one of both.
// Errors: as reading a file; with the name
absl::StatusOr<Manifest> ReadManifest(Run& run, const std::string& name, const ManifestReading& reading);

// Whether `path` is absolute or climbs above where it starts.
bool EscapesRoot(absl::string_view path);

// Path -> digests. A side is a directory or a manifest; paths are relative to the tree.
struct Side {
  std::map<std::string, Digests> files;
  AlgorithmSet algorithms;
};
// `root`: where the names of a manifest lie.
absl::StatusOr<Side> ReadSide(Run& run, const std::string& side, const std::string& root, AlgorithmSet wanted);
bool IsDirectory(const std::string& path);

}  // namespace hashcache

#endif  // HASHCACHE_COMMAND_MANIFESTS_H_

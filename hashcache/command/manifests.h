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

// What 64 hex digits in the manifest `name` are: -a's algorithm, else by the name.
Algorithm AlgorithmHint(absl::string_view algorithms, bool given, absl::string_view name);

// "-" is standard input. Errors: as reading a file; with the name
absl::StatusOr<Manifest> ReadManifest(const std::string& name, Algorithm hint);

// Whether `path` is absolute or climbs above where it starts.
bool EscapesRoot(absl::string_view path);

// Path -> digests. A side is a directory or a manifest; paths are relative to the tree.
struct Side {
  std::map<std::string, Digests> files;
  AlgorithmSet algorithms;
};
absl::StatusOr<Side> ReadSide(Run& run, const std::string& side, AlgorithmSet wanted);
bool IsDirectory(const std::string& path);

}  // namespace hashcache

#endif  // HASHCACHE_COMMAND_MANIFESTS_H_

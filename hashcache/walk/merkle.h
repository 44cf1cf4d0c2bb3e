// A Merkle computes one digest of a whole tree from the digests of its files.
//
// Encoding, version 1. H is the algorithm. The digest of a directory is
//            H("hashcache tree 1\n" E1 E2 ...), one E for each entry, ascending by the
//          bytes of its name:
//            E = kind (1 byte) | length of the name (u64, little-endian) | name | digest
//          kind 'f' file: H(content). 'x' file its owner may execute: H(content).
//               'l' symbolic link: H(target). 'd' directory: as above. 'o' anything else: H("").
//          Times, owners and other mode bits do not count; empty directories do.
// Order:   entries as HashTree shows them: directories before their content.
// Errors:  a file without a digest makes all directories above it fail
// Threads: thread-compatible.
#ifndef HASHCACHE_WALK_MERKLE_H_
#define HASHCACHE_WALK_MERKLE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/tree.h"

namespace hashcache {

class Merkle {
 public:
  // `algorithm` must be an identity. `directory_done`, if given, hears of each
  // directory's digest, children first.
  using DirectoryDone = std::function<void(absl::string_view path, absl::Span<const uint8_t> digest)>;
  explicit Merkle(Algorithm algorithm, DirectoryDone directory_done = nullptr);

  // REQUIRES: the first entry is the root.
  void Add(const TreeEntry& entry, const FileResult& result);
  absl::StatusOr<std::vector<uint8_t>> Finish();

 private:
  struct Child {
    std::string name;
    char kind;
    std::vector<uint8_t> digest;
  };
  struct Level {
    std::string path;  // "" or "a/b/"
    std::vector<Child> children;
    absl::Status status;
  };
  std::vector<uint8_t> Hash(absl::string_view text);
  void Close();  // the innermost directory

  const Algorithm algorithm_;
  const DirectoryDone directory_done_;
  HashStream stream_;
  std::vector<Level> levels_;
  std::vector<uint8_t> root_;
  absl::Status root_status_;
};

}  // namespace hashcache

#endif  // HASHCACHE_WALK_MERKLE_H_

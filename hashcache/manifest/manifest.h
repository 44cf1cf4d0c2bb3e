// Manifests: digests of files as text, in the formats people check with other tools.
//
// Formats: gnu    "<hex>  <name>"            sha256sum, b3sum, xxhsum
//          tag    "BLAKE3 (<name>) = <hex>"  --tag of coreutils, xxhsum -H3
//          zero   gnu with NUL for newline and names as they are (-z)
//          json   one document: {"hashcache":1,"algorithms":[..],"files":[{..},..]}
//          jsonl  a header line, a line per file, and a last line that holds the
//                 count and the BLAKE3 of all bytes before it
//          In gnu and tag lines '\', newline and carriage return are escaped as
//          coreutils 9 does, with a '\' in front of the line. JSON names that are not
//          UTF-8 stand in "path_hex".
// Bounds:  kManifestSizeMax; a line of kLineSizeMax.
// Errors:  bad lines are collected with their numbers, the rest is read.
// Threads: thread-compatible values.
#ifndef HASHCACHE_MANIFEST_MANIFEST_H_
#define HASHCACHE_MANIFEST_MANIFEST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "hashcache/digest/algorithm.h"
#include "hashcache/result.h"

namespace hashcache {

constexpr uint64_t kManifestSizeMax = uint64_t{4} << 30;
constexpr size_t kLineSizeMax = 1 << 20;

enum class ManifestFormat { kGnu, kTag, kZero, kJson, kJsonl };

struct ManifestEntry {
  std::string path;
  Digests digests;
  // A gnu line of 64 digits: BLAKE3 or SHA-256, whichever the reader says.
  bool ambiguous = false;
  bool binary = false;                        // " *" in a gnu line
  absl::optional<Fingerprint> fingerprint;    // json formats only
  size_t line = 0;                            // from 1
};

struct Manifest {
  ManifestFormat format = ManifestFormat::kGnu;
  std::vector<ManifestEntry> entries;
  struct BadLine {
    size_t line;
    std::string reason;
  };
  std::vector<BadLine> bad_lines;
  std::vector<Algorithm> algorithms;  // json formats: of the header; else of the lines, in order
  std::string root;                   // json formats: what paths are relative to; may be ""
  bool recursive = false;             // json formats: lists all of `root`
  bool truncated = false;             // jsonl: the last line is missing or does not fit
};

// Reads any of the formats; which one is seen from the text.
// `hint` decides what 64 hex digits are: BLAKE3 or SHA-256.
Manifest ParseManifest(absl::string_view text, Algorithm hint);

// Writes a manifest piece by piece: Header(), Entry()*, Footer().
class ManifestWriter {
 public:
  struct Options {
    ManifestFormat format = ManifestFormat::kGnu;
    std::vector<Algorithm> algorithms;  // in the order they are printed
    std::string root;
    bool recursive = false;
    bool names = true;           // --no-names
    bool binary = false;         // " *"
    bool with_outcome = true;    // json formats: how each digest was come by
  };
  explicit ManifestWriter(Options options);

  std::string Header();
  // A line per algorithm, or one JSON object.
  std::string Entry(absl::string_view path, const FileResult& result);
  std::string Footer();

 private:
  std::string JsonObject(absl::string_view path, const FileResult& result) const;
  std::string Counted(std::string text);

  const Options options_;
  uint64_t count_ = 0;
  struct Running;  // the digest of what was written
  std::shared_ptr<Running> running_;
};

// The name as coreutils prints it; `*escaped` tells that the line needs a '\'.
std::string EscapeName(absl::string_view name, bool* escaped);
// InvalidArgument: a '\' followed by something that is never written.
absl::StatusOr<std::string> UnescapeName(absl::string_view name);
// A JSON string with its quotes. REQUIRES: IsUtf8(text).
std::string JsonString(absl::string_view text);
bool IsUtf8(absl::string_view text);
// "path":"..." or "path_hex":"..."
std::string JsonPath(absl::string_view path);

}  // namespace hashcache

#endif  // HASHCACHE_MANIFEST_MANIFEST_H_

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/manifest/manifest.h"
#include "nlohmann/json.hpp"

namespace hashcache {
namespace {

using Json = nlohmann::json;

absl::Status SetDigest(Algorithm algorithm, absl::string_view hex, Digests* digests) {
  ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, FromHex(hex));
  if (bytes.size() != DigestSize(algorithm)) {
    return absl::InvalidArgumentError(
        absl::StrCat(hex.size(), " hex digits are no ", AlgorithmTag(algorithm), " digest"));
  }
  digests->Set(algorithm, bytes);
  return absl::OkStatus();
}

absl::StatusOr<Algorithm> AlgorithmOfSize(size_t digits, Algorithm hint, bool* ambiguous) {
  *ambiguous = digits == 64;
  switch (digits) {
    case 8: return Algorithm::kCrc32c;
    case 16: return Algorithm::kXxh3_64;
    case 32: return Algorithm::kXxh3_128;
    case 64: return hint == Algorithm::kSha256 ? Algorithm::kSha256 : Algorithm::kBlake3;
    default: return absl::InvalidArgumentError(absl::StrCat("no algorithm has ", digits, " hex digits"));
  }
}

absl::Status SetName(absl::string_view name, bool escaped, ManifestEntry* entry) {
  if (escaped) {
    ASSIGN_OR_RETURN(entry->path, UnescapeName(name));
  } else {
    entry->path = std::string(name);
  }
  if (entry->path.empty()) return absl::InvalidArgumentError("no file name");
  if (absl::StrContains(entry->path, '\0')) return absl::InvalidArgumentError("a NUL in the file name");
  return absl::OkStatus();
}

// "BLAKE3 (name) = hex"; false if the line does not begin like that.
absl::StatusOr<bool> ParseTagLine(absl::string_view line, bool escaped, ManifestEntry* entry) {
  const size_t open = line.find(" (");
  const size_t close = line.rfind(") = ");
  if (open == absl::string_view::npos || close == absl::string_view::npos || close < open + 2) return false;
  const absl::string_view tag = line.substr(0, open);
  if (!std::all_of(tag.begin(), tag.end(), [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; })) {
    return false;
  }
  const absl::StatusOr<Algorithm> algorithm = ParseAlgorithm(tag);
  if (!algorithm.ok()) return absl::InvalidArgumentError(absl::StrCat("the algorithm ", tag, " is not known"));
  RETURN_IF_ERROR(SetName(line.substr(open + 2, close - open - 2), escaped, entry));
  RETURN_IF_ERROR(SetDigest(*algorithm, line.substr(close + 4), &entry->digests));
  return true;
}

absl::Status ParseGnuLine(absl::string_view line, bool escaped, Algorithm hint, ManifestEntry* entry) {
  const bool xxh3 = absl::ConsumePrefix(&line, "XXH3_");  // xxhsum -H3 from 0.8.2 on
  const size_t space = line.find(' ');
  if (space == absl::string_view::npos || space + 2 > line.size() ||
      (line[space + 1] != ' ' && line[space + 1] != '*')) {
    return absl::InvalidArgumentError("not a checksum line");
  }
  const absl::string_view hex = line.substr(0, space);
  ASSIGN_OR_RETURN(const Algorithm algorithm, AlgorithmOfSize(hex.size(), hint, &entry->ambiguous));
  if (xxh3 && algorithm != Algorithm::kXxh3_64) return absl::InvalidArgumentError("not an XXH3 digest");
  RETURN_IF_ERROR(SetDigest(algorithm, hex, &entry->digests));
  entry->binary = line[space + 1] == '*';
  return SetName(line.substr(space + 2), escaped, entry);
}

absl::Status ParseTextLine(absl::string_view line, bool zero, Algorithm hint, ManifestEntry* entry, bool* tagged) {
  if (line.size() > kLineSizeMax) return absl::InvalidArgumentError("the line is too long");
  const bool escaped = !zero && absl::ConsumePrefix(&line, "\\");
  ASSIGN_OR_RETURN(*tagged, ParseTagLine(line, escaped, entry));
  return *tagged ? absl::OkStatus() : ParseGnuLine(line, escaped, hint, entry);
}

void ParseText(absl::string_view text, Algorithm hint, Manifest* manifest) {
  const bool zero = absl::StrContains(text, '\0');
  manifest->format = zero ? ManifestFormat::kZero : ManifestFormat::kGnu;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, zero ? '\0' : '\n')) {
    ++number;
    if (!zero) absl::ConsumeSuffix(&line, "\r");
    if (line.empty() || line[0] == '#') continue;
    ManifestEntry entry;
    entry.line = number;
    bool tagged = false;
    const absl::Status status = ParseTextLine(line, zero, hint, &entry, &tagged);
    if (!status.ok()) {
      manifest->bad_lines.push_back({number, std::string(status.message())});
      continue;
    }
    if (tagged) manifest->format = ManifestFormat::kTag;
    // Lines for several algorithms of one file, one after the other, are one entry.
    if (!manifest->entries.empty() && manifest->entries.back().path == entry.path &&
        AlgorithmSet::FromBits(manifest->entries.back().digests.algorithms().bits() &
                               entry.digests.algorithms().bits())
            .empty()) {
      manifest->entries.back().digests.Merge(entry.digests);
    } else {
      manifest->entries.push_back(std::move(entry));
    }
  }
}

const std::string* StringAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() ? found->get_ptr<const std::string*>() : nullptr;
}

absl::optional<int64_t> NumberAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return absl::nullopt;
  return found->get<int64_t>();
}

absl::Status ParseJsonEntry(const Json& object, ManifestEntry* entry) {
  if (!object.is_object()) return absl::InvalidArgumentError("not a JSON object");
  const std::string* const path = StringAt(object, "path");
  const std::string* const path_hex = StringAt(object, "path_hex");
  if (path_hex != nullptr) {
    ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, FromHex(*path_hex));
    RETURN_IF_ERROR(SetName({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, false, entry));
  } else if (path != nullptr) {
    RETURN_IF_ERROR(SetName(*path, false, entry));
  } else {
    return absl::InvalidArgumentError("no \"path\"");
  }
  for (const Algorithm algorithm : kAllAlgorithms) {
    const std::string* const hex = StringAt(object, std::string(AlgorithmName(algorithm)).c_str());
    if (hex != nullptr) RETURN_IF_ERROR(SetDigest(algorithm, *hex, &entry->digests));
  }
  if (entry->digests.algorithms().empty() && StringAt(object, "error") == nullptr) {
    return absl::InvalidArgumentError("no digest");
  }
  const absl::optional<int64_t> size = NumberAt(object, "size");
  const absl::optional<int64_t> mtime = NumberAt(object, "mtime_ns");
  const absl::optional<int64_t> ctime = NumberAt(object, "ctime_ns");
  const absl::optional<int64_t> inode = NumberAt(object, "inode");
  if (size && mtime && ctime && inode) {
    entry->fingerprint = Fingerprint{.inode = static_cast<uint64_t>(*inode),
                                     .size_bytes = static_cast<uint64_t>(*size),
                                     .mtime_ns = *mtime,
                                     .ctime_ns = *ctime};
  }
  return absl::OkStatus();
}

void ParseHeader(const Json& object, Manifest* manifest) {
  const auto algorithms = object.find("algorithms");
  if (algorithms != object.end() && algorithms->is_array()) {
    for (const Json& word : *algorithms) {
      const auto* const name = word.get_ptr<const std::string*>();
      const absl::StatusOr<Algorithm> algorithm = ParseAlgorithm(name != nullptr ? *name : "");
      if (algorithm.ok()) manifest->algorithms.push_back(*algorithm);
    }
  }
  if (const std::string* const root = StringAt(object, "root"); root != nullptr) manifest->root = *root;
  const auto recursive = object.find("recursive");
  manifest->recursive = recursive != object.end() && recursive->is_boolean() && recursive->get<bool>();
}

void AddJsonEntry(const Json& object, size_t line, Manifest* manifest) {
  ManifestEntry entry;
  entry.line = line;
  const absl::Status status = ParseJsonEntry(object, &entry);
  if (!status.ok()) {
    manifest->bad_lines.push_back({line, std::string(status.message())});
  } else if (!entry.digests.algorithms().empty()) {
    manifest->entries.push_back(std::move(entry));
  }
}

void ParseJsonl(absl::string_view text, Manifest* manifest) {
  manifest->format = ManifestFormat::kJsonl;
  manifest->truncated = true;
  HashStream before(Algorithm::kBlake3);
  size_t number = 0;
  size_t lines = 0;  // of files, good or bad
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const absl::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    ++number;
    manifest->truncated = true;  // until the last line is the right one
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    const Json object = line.size() > kLineSizeMax ? Json() : Json::parse(line.begin(), line.end(), nullptr, false);
    if (number == 1 && object.is_object() && object.contains("hashcache")) {
      ParseHeader(object, manifest);
    } else if (object.is_object() && object.contains("manifest_blake3")) {
      const std::string* const digest = StringAt(object, "manifest_blake3");
      manifest->truncated = digest == nullptr || NumberAt(object, "count") != static_cast<int64_t>(lines) ||
                            *digest != before.Finish().Hex(Algorithm::kBlake3);
      continue;
    } else if (object.is_discarded() || object.is_null()) {
      ++lines;
      manifest->bad_lines.push_back({number, "not JSON"});
    } else {
      ++lines;
      AddJsonEntry(object, number, manifest);
    }
    before.Update({reinterpret_cast<const uint8_t*>(line.data()), line.size()});
  }
}

bool ParseJsonDocument(absl::string_view text, Manifest* manifest) {
  const Json document = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!document.is_object() || !document.contains("files") || !document["files"].is_array()) return false;
  manifest->format = ManifestFormat::kJson;
  ParseHeader(document, manifest);
  size_t number = 0;
  for (const Json& object : document["files"]) AddJsonEntry(object, ++number, manifest);
  return true;
}

}  // namespace

Manifest ParseManifest(absl::string_view text, Algorithm hint) {
  Manifest manifest;
  absl::ConsumePrefix(&text, "\xef\xbb\xbf");
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != absl::string_view::npos && text[first] == '{') {
    const absl::string_view line = text.substr(0, text.find('\n'));
    const bool document = absl::StrContains(line, "\"files\":[") || !absl::StrContains(line, "}");
    if (!document) {
      ParseJsonl(text, &manifest);
    } else if (!ParseJsonDocument(text, &manifest)) {
      manifest.format = ManifestFormat::kJson;
      manifest.truncated = true;
      manifest.bad_lines.push_back({1, "not a whole JSON document"});
    }
  } else {
    ParseText(text, hint, &manifest);
  }
  if (manifest.algorithms.empty()) {
    AlgorithmSet seen;
    for (const ManifestEntry& entry : manifest.entries) {
      for (const Algorithm algorithm : entry.digests.algorithms().Without(seen).List()) {
        manifest.algorithms.push_back(algorithm);
      }
      seen.Add(entry.digests.algorithms());
    }
  }
  return manifest;
}

}  // namespace hashcache

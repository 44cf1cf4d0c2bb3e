#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/manifest/manifest.h"

namespace hashcache {

struct ManifestWriter::Running {
  HashStream stream{Algorithm::kBlake3};
};

ManifestWriter::ManifestWriter(Options options)
    : options_(std::move(options)), running_(std::make_shared<Running>()) {}

std::string ManifestWriter::Counted(std::string text) {
  if (options_.format == ManifestFormat::kJsonl) {
    running_->stream.Update({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }
  return text;
}

std::string ManifestWriter::Header() {
  if (options_.format != ManifestFormat::kJson && options_.format != ManifestFormat::kJsonl) return "";
  const auto quoted = [](std::string* out, Algorithm algorithm) {
    absl::StrAppend(out, "\"", AlgorithmName(algorithm), "\"");
  };
  std::string text =
      absl::StrCat("{\"hashcache\":1,\"algorithms\":[", absl::StrJoin(options_.algorithms, ",", quoted), "]");
  if (options_.recursive) absl::StrAppend(&text, ",\"recursive\":true");
  if (!options_.root.empty() && IsUtf8(options_.root)) absl::StrAppend(&text, ",\"root\":", JsonString(options_.root));
  if (options_.format == ManifestFormat::kJson) return absl::StrCat(text, ",\"files\":[");
  return Counted(absl::StrCat(text, "}\n"));
}

std::string ManifestWriter::Entry(absl::string_view path, const FileResult& result) {
  ++count_;
  if (options_.format == ManifestFormat::kJson) {
    return absl::StrCat(count_ == 1 ? "\n" : ",\n", JsonObject(path, result));
  }
  if (options_.format == ManifestFormat::kJsonl) return Counted(absl::StrCat(JsonObject(path, result), "\n"));
  const bool zero = options_.format == ManifestFormat::kZero;
  bool escaped = false;
  const std::string name = zero ? std::string(path) : EscapeName(path, &escaped);
  std::string text;
  for (const Algorithm algorithm : options_.algorithms) {
    if (!result.digests.Has(algorithm)) continue;
    const std::string hex = result.digests.Hex(algorithm);
    if (!options_.names) {
      absl::StrAppend(&text, hex);
    } else if (options_.format == ManifestFormat::kTag) {
      absl::StrAppend(&text, escaped ? "\\" : "", AlgorithmTag(algorithm), " (", name, ") = ", hex);
    } else {
      absl::StrAppend(&text, escaped ? "\\" : "", hex, options_.binary ? " *" : "  ", name);
    }
    text += zero ? '\0' : '\n';
  }
  return text;
}

std::string ManifestWriter::JsonObject(absl::string_view path, const FileResult& result) const {
  std::string text = absl::StrCat("{", JsonPath(path));
  for (const Algorithm algorithm : options_.algorithms) {
    if (!result.digests.Has(algorithm)) continue;
    absl::StrAppend(&text, ",\"", AlgorithmName(algorithm), "\":\"", result.digests.Hex(algorithm), "\"");
  }
  const Fingerprint& fingerprint = result.fingerprint;
  if (fingerprint.ctime_ns != 0) {
    absl::StrAppend(&text, ",\"size\":", fingerprint.size_bytes, ",\"mtime_ns\":", fingerprint.mtime_ns,
                    ",\"ctime_ns\":", fingerprint.ctime_ns, ",\"inode\":", fingerprint.inode);
  }
  if (options_.with_outcome) {
    absl::StrAppend(&text, ",\"outcome\":\"", OutcomeName(result.outcome), "\",\"trust\":\"",
                    TrustClassName(result.trust), "\"");
  }
  if (!result.status.ok()) {
    const std::string message(result.status.message());
    absl::StrAppend(&text, ",\"error\":", JsonString(IsUtf8(message) ? message : "an error"));
  }
  return text + "}";
}

std::string ManifestWriter::Footer() {
  if (options_.format == ManifestFormat::kJson) return absl::StrCat("\n],\"count\":", count_, "}\n");
  if (options_.format != ManifestFormat::kJsonl) return "";
  return absl::StrCat("{\"count\":", count_, ",\"manifest_blake3\":\"",
                      running_->stream.Finish().Hex(Algorithm::kBlake3), "\"}\n");
}

}  // namespace hashcache

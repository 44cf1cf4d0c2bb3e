#include "ssg/assets/assets.h"

#include <xxhash.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "ssg/assets/css_minifier.h"
#include "ssg/theme/builtin.h"

namespace ssg {

void Assets::Add(absl::string_view name, std::string text) {
  if (config_.minify_assets && absl::EndsWith(name, ".css") && !absl::EndsWith(name, ".min.css"))
    text = MinifyCss(text);
  Asset& asset = assets_[std::string(name)];
  asset.hash = XXH3_64bits(text.data(), text.size());
  asset.text = std::move(text);
  asset.output = std::string(name);
  const size_t dot = asset.output.rfind('.');
  if (config_.fingerprint && dot != std::string::npos) {
    asset.output.insert(dot, absl::StrCat(".", absl::Hex(asset.hash >> 32, absl::kZeroPad8)));
  }
}

absl::Status Assets::Prepare(const std::vector<SourceFile>& files, SourceTree& tree, Diagnostics& diagnostics) {
  absl::flat_hash_map<std::string, std::string> texts;
  for (const BuiltinFile& file : BuiltinTheme()) {
    if (!config_.theme.empty()) break;
    absl::string_view name = file.path;
    if (absl::ConsumePrefix(&name, "assets/")) texts[std::string(name)] = std::string(file.text);
  }
  std::vector<const SourceFile*> pointers;
  for (const SourceFile& file : files) pointers.push_back(&file);
  RETURN_IF_ERROR(tree.Read(pointers, [&](size_t i, absl::StatusOr<absl::string_view> text) {
    if (!text.ok()) return diagnostics.Error("io", files[i].path, 0, text.status().message());
    const size_t at = files[i].path.find("assets/");
    texts[files[i].path.substr(at + 7)] = std::string(*text);
  }));
  for (const auto& [name, parts] : config_.bundles) {
    std::string bundle;
    for (const std::string& part : parts) {
      const auto found = texts.find(part);
      if (found == texts.end()) {
        diagnostics.Error("assets", "ssg.toml", 0, absl::StrCat("bundle \"", name, "\": no asset \"", part, "\""));
        continue;
      }
      absl::StrAppend(&bundle, found->second, absl::EndsWith(found->second, "\n") ? "" : "\n");
    }
    texts[name] = std::move(bundle);
  }
  std::vector<std::string> names;
  for (const auto& [name, text] : texts) names.push_back(name);
  std::sort(names.begin(), names.end());
  hash_ = 8;
  for (const std::string& name : names) {
    Add(name, std::move(texts[name]));
    hash_ = CombineHash(hash_, CombineHash(XXH3_64bits(name.data(), name.size()), assets_[name].hash));
  }
  return absl::OkStatus();
}

absl::string_view Assets::OutputOf(absl::string_view name) const {
  const auto found = assets_.find(name);
  return found == assets_.end() ? absl::string_view() : absl::string_view(found->second.output);
}

void Assets::AddOutputs(std::vector<Aggregate>* out) const {
  for (const auto& [name, asset] : assets_) {
    out->push_back({asset.output, asset.hash, [text = &asset.text] { return *text; }});
  }
}

}  // namespace ssg

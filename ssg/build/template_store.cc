#include "ssg/build/template_store.h"

#include <xxhash.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace ssg {

void TemplateStore::Add(Layer layer, absl::string_view name, absl::string_view text, absl::string_view file) {
  Entry& entry = layers_[layer][std::string(name)];
  entry.text = std::string(text);
  entry.file = std::string(file);
  entry.hash = XXH3_64bits(text.data(), text.size()) | 1;
}

const TemplateStore::Entry* TemplateStore::Find(absl::string_view name) const {
  const size_t first = absl::ConsumePrefix(&name, "theme/") ? kTheme : kSite;
  for (size_t layer = first; layer < kLayerCount; ++layer) {
    const auto found = layers_[layer].find(name);
    if (found != layers_[layer].end()) return &found->second;
  }
  return nullptr;
}

uint64_t TemplateStore::HashOf(absl::string_view name) const {
  const Entry* entry = Find(name);
  return entry == nullptr ? 0 : entry->hash;
}

std::string TemplateStore::FileOf(absl::string_view name) const {
  const Entry* entry = Find(name);
  return entry == nullptr || entry->file.empty() ? std::string(name) : entry->file;
}

bool TemplateStore::Mentions(absl::string_view name, absl::string_view word) const {
  const Entry* entry = Find(name);
  const auto in_word = [&](size_t i) {
    return i < entry->text.size() && (absl::ascii_isalnum(entry->text[i]) || entry->text[i] == '_');
  };
  if (entry == nullptr) return false;
  for (size_t at = entry->text.find(word.data(), 0, word.size()); at != std::string::npos;
       at = entry->text.find(word.data(), at + 1, word.size())) {
    if (!in_word(at + word.size()) && (at == 0 || !in_word(at - 1))) return true;
  }
  return false;
}

std::vector<std::string> TemplateStore::Names() const {
  std::vector<std::string> names;
  for (const auto& layer : layers_) {
    for (const auto& [name, entry] : layer) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

absl::StatusOr<std::string> TemplateStore::Load(absl::string_view name) const {
  const Entry* entry = Find(name);
  if (entry == nullptr) return absl::NotFoundError(absl::StrCat("no template \"", name, "\""));
  return entry->text;
}

}  // namespace ssg

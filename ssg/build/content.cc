// BuildRun: templates, data and content come in.
#include <simdjson.h>
#include <xxhash.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "ssg/build/build_run.h"
#include "ssg/build/template_functions.h"
#include "ssg/content/front_matter.h"
#include "ssg/data/decode.h"
#include "ssg/data/encode.h"
#include "ssg/theme/builtin.h"

namespace ssg {
namespace {

bool IsMarkdown(absl::string_view path) { return absl::EndsWith(path, ".md") || absl::EndsWith(path, ".markdown"); }

uint64_t HashOf(absl::string_view text) { return XXH3_64bits(text.data(), text.size()) | 1; }

// The title in a file's first heading, which then leaves the body; for mounts.
absl::string_view TakeHeading(absl::string_view text, uint32_t* offset) {
  if (!absl::StartsWith(text, "# ")) return "";
  const size_t end = std::min(text.find('\n'), text.size());
  *offset = static_cast<uint32_t>(std::min(end + 1, text.size()));
  return absl::StripAsciiWhitespace(text.substr(2, end - 2));
}

std::vector<const SourceFile*> Pointers(const std::vector<SourceFile>& files) {
  std::vector<const SourceFile*> pointers;
  for (const SourceFile& file : files) pointers.push_back(&file);
  return pointers;
}

}  // namespace

absl::Status BuildRun::LoadTemplates() {
  for (const BuiltinFile& file : BuiltinTheme()) {
    if (!config_.theme.empty()) break;  // another theme stands alone
    absl::string_view name = file.path;
    if (absl::ConsumePrefix(&name, "templates/")) templates_.Add(TemplateStore::kBuiltIn, name, file.text, "");
  }
  const auto load = [&](const std::vector<SourceFile>& files, TemplateStore::Layer layer, absl::string_view directory) {
    const std::vector<const SourceFile*> pointers = Pointers(files);
    return tree_->Read(pointers, [&](size_t i, absl::StatusOr<absl::string_view> text) {
      if (!text.ok()) return diagnostics_.Error("io", files[i].path, 0, text.status().message());
      templates_.Add(layer, absl::StripPrefix(files[i].path, directory), *text, files[i].path);
      file_hashes_[files[i].path] = HashOf(*text);
    });
  };
  RETURN_IF_ERROR(
      load(theme_template_files_, TemplateStore::kTheme, absl::StrCat("themes/", config_.theme, "/templates/")));
  RETURN_IF_ERROR(load(template_files_, TemplateStore::kSite, "templates/"));
  tmpl::Environment::Options options;
  options.undefined = tmpl::UndefinedPolicy::kChainable;
  options.syntax.trim_blocks = true;
  options.syntax.lstrip_blocks = true;
  engine_ = std::make_unique<tmpl::Engine>(options, std::make_unique<StoreLoader>(&templates_));
  assets_ = std::make_unique<Assets>(config_);
  AddSiteFunctions(engine_->environment(), *assets_, now_);
  return absl::OkStatus();
}

absl::Status BuildRun::LoadData() {
  arenas_.push_back(std::make_unique<tmpl::Arena>());
  tmpl::Arena& arena = *arenas_.back();
  tmpl::Dict* root = tmpl::NewDict(arena);
  uint64_t hash = 7;
  RETURN_IF_ERROR(tree_->Read(Pointers(data_files_), [&](size_t i, absl::StatusOr<absl::string_view> text) {
    const SourceFile& file = data_files_[i];
    if (!text.ok()) return diagnostics_.Error("io", file.path, 0, text.status().message());
    file_hashes_[file.path] = HashOf(*text);
    auto value = DecodeByName(file.path, *text, arena);
    if (!value.ok()) return diagnostics_.AddStatus("data", file.path, value.status());
    // data/a/b.toml is site.data.a.b.
    const absl::string_view name = absl::string_view(file.path).substr(5, file.path.rfind('.') - 5);
    tmpl::Dict* dict = root;
    const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
    for (size_t k = 0; k + 1 < parts.size(); ++k) {
      tmpl::Value* found = dict->Find(parts[k]);
      if (found == nullptr || !found->IsDict()) {
        tmpl::Set(arena, *dict, tmpl::Value::String(arena.Copy(parts[k])), tmpl::Value::Of(tmpl::NewDict(arena)));
        found = dict->Find(parts[k]);
      }
      dict = &found->dict();
    }
    tmpl::Set(arena, *dict, tmpl::Value::String(arena.Copy(parts.back())), *value);
  }));
  for (const SourceFile& file : data_files_) {
    hash = CombineHash(hash, CombineHash(HashOf(file.path), file_hashes_[file.path]));
  }
  const tmpl::Value data = tmpl::Value::Of(root);
  tmpl::Freeze(data);
  site_->SetData(data, hash);
  return absl::OkStatus();
}

bool BuildRun::LoadCachedSource(const SourceFile& file, const Manifest::Source& cached, Source* source) {
  if (cached.hash == 0 || cached.values.empty() || !(cached.mark == FileMark::Of(file.stat))) return false;
  source->hash = cached.hash;
  source->body_offset = cached.body_offset;
  source->body_line = cached.body_line;
  return true;
}

void BuildRun::ParseSource(const SourceFile& file, absl::string_view text, Source* source, tmpl::Arena& arena) {
  source->text = text;
  source->hash = HashOf(text);
  source->values = tmpl::Value::Of(tmpl::NewDict(arena));
  auto parsed = ParseFrontMatter(text, arena);
  if (!parsed.ok()) {
    diagnostics_.AddStatus("front-matter", file.path, parsed.status());
    source->body_offset = static_cast<uint32_t>(text.size());
    return;
  }
  source->values = parsed->values;
  source->body_offset = parsed->body_offset;
  source->body_line = parsed->body_line;
  if (file.mount == UINT32_MAX || parsed->present) return;
  // A mounted file without front matter: its heading is its title.
  const Mount& mount = config_.mounts[file.mount];
  uint32_t offset = 0;
  absl::string_view title = TakeHeading(text.substr(source->body_offset), &offset);
  source->body_offset += offset;
  source->body_line += offset > 0 ? 1 : 0;
  const bool single = mount.target == file.target;
  if (single && !mount.title.empty()) title = mount.title;
  tmpl::Dict& values = source->values.dict();
  if (!title.empty()) tmpl::Set(arena, values, tmpl::Value::String("title"), tmpl::Value::String(arena.Copy(title)));
  if (single && mount.weight != 0)
    tmpl::Set(arena, values, tmpl::Value::String("weight"), tmpl::Value::Int(mount.weight));
}

absl::Status BuildRun::LoadContent() {
  const size_t count = content_files_.size();
  std::vector<Source> sources(count);
  std::vector<const Manifest::Source*> cached(count, nullptr);
  std::vector<const SourceFile*> to_read;
  std::vector<size_t> read_index;
  source_texts_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const SourceFile& file = content_files_[i];
    if (!IsMarkdown(file.target)) {
      site_->AddResource(file.target, file.path);
      files_by_content_path_.emplace(file.path, &file);
      continue;
    }
    if (!simdjson::validate_utf8(file.target.data(), file.target.size())) {
      diagnostics_.Error("io", file.path, 0, "the name is not UTF-8");
      continue;
    }
    sources[i].path = file.target;
    sources[i].file = file.path;
    if (git_dates_.has_value()) sources[i].git_date = git_dates_->DateOf(file.path);
    sources[i].mounted = file.mount != UINT32_MAX;
    files_by_content_path_.emplace(file.target, &file);
    const Manifest::Source* found = old_ == nullptr ? nullptr : old_->FindSource(file.path);
    if (found != nullptr && LoadCachedSource(file, *found, &sources[i])) {
      cached[i] = found;
    } else {
      to_read.push_back(&file);
      read_index.push_back(i);
    }
    if (found != nullptr) cached_sources_.emplace(file.target, found);
  }
  RETURN_IF_ERROR(tree_->Read(to_read, [&](size_t k, absl::StatusOr<absl::string_view> text) {
    if (!text.ok()) return diagnostics_.Error("io", to_read[k]->path, 0, text.status().message());
    source_texts_[read_index[k]] = std::string(*text);
  }));
  constexpr size_t kGrain = 128;
  const size_t chunks = (count + kGrain - 1) / kGrain;
  const size_t first_arena = arenas_.size();
  for (size_t i = 0; i < chunks; ++i) arenas_.push_back(std::make_unique<tmpl::Arena>());
  base::ParallelFor(chunks, jobs_, [&](size_t chunk) {
    tmpl::Arena& arena = *arenas_[first_arena + chunk];
    for (size_t i = chunk * kGrain; i < std::min(count, (chunk + 1) * kGrain); ++i) {
      if (sources[i].path.empty()) continue;
      if (cached[i] == nullptr) {
        ParseSource(content_files_[i], source_texts_[i], &sources[i], arena);
        continue;
      }
      absl::string_view bytes = cached[i]->values;
      auto values = TakeBinary(&bytes, arena);
      sources[i].values = values.ok() && values->IsDict() ? *values : tmpl::Value::Of(tmpl::NewDict(arena));
    }
  });
  for (size_t i = 0; i < count; ++i) {
    if (sources[i].path.empty()) continue;
    file_hashes_[content_files_[i].path] = sources[i].hash;
    site_->AddSource(std::move(sources[i]));
  }
  return absl::OkStatus();
}

}  // namespace ssg

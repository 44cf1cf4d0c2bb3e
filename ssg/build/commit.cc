// BuildRun: the manifest of this build is put together and committed.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/status_macros.h"
#include "ssg/build/build_run.h"
#include "ssg/data/encode.h"

namespace ssg {
namespace {

// A tick of the kernel's coarse clock, doubled.
constexpr int64_t kRacyNs = 20'000'000;

}  // namespace

void BuildRun::NumberTemplates(Manifest* manifest) {
  base::MutexLock lock(&names_mutex_);
  // Those of this build first, then those that kept things still name.
  old_template_ids_.clear();
  for (size_t i = 0; old_ != nullptr && i < old_->templates.size(); ++i) {
    const std::string name(old_->templates[i].name);
    const auto [it, inserted] = template_ids_.try_emplace(name, static_cast<uint32_t>(template_names_.size()));
    if (inserted) template_names_.push_back(name);
    old_template_ids_.push_back(it->second);
  }
  for (const std::string& name : template_names_) manifest->templates.push_back({name, templates_.HashOf(name)});
}

Dependencies BuildRun::Translate(const Dependencies& old) const {
  Dependencies translated;
  translated.reads = changes_->Renumber(old.reads);
  translated.templates.reserve(old.templates.size());
  for (const uint32_t id : old.templates) translated.templates.push_back(old_template_ids_[id]);
  return translated;
}

void BuildRun::AddObjects(Manifest* manifest) const {
  manifest->objects.reserve(site_->object_count());
  for (const Page* page : site_->pages()) {
    Manifest::Object& row = manifest->objects.emplace_back();
    row.key = page->key;
    std::copy(std::begin(page->facets), std::end(page->facets), std::begin(row.facets));
  }
  for (uint32_t object = 0; object < Site::kSiteObjectCount; ++object) {
    Manifest::Object& row = manifest->objects.emplace_back();
    row.key = SiteObjectKey(object);
    const auto& facets = site_->object_facets(static_cast<Site::SiteObject>(object));
    std::copy(std::begin(facets), std::end(facets), std::begin(row.facets));
  }
}

void BuildRun::AddBody(const Page& page, bool start_new, uint64_t* at, std::vector<absl::string_view>* bodies,
                       Manifest::Source* source) const {
  const BodyState& state = bodies_[page.id];
  source->text_facet = page.facets[static_cast<size_t>(Facet::kText)];
  source->body_facet = page.facets[static_cast<size_t>(Facet::kBody)];
  source->outline_facet = page.facets[static_cast<size_t>(Facet::kOutline)];
  source->body_size = static_cast<uint32_t>(page.body.size());
  if (state.cached != nullptr) {
    source->body = Translate(state.cached->body);
  } else {
    source->body = state.dependencies;
  }
  if (page.body.empty()) return;
  if (state.cached != nullptr && !start_new) {
    source->body_at = state.cached->body_at;
    return;
  }
  source->body_at = *at;
  *at += page.body.size();
  bodies->push_back(page.body);
}

void BuildRun::AddSources(bool start_new, Manifest* manifest, std::vector<absl::string_view>* bodies) {
  absl::flat_hash_map<absl::string_view, const Source*> contents;
  for (const Source& source : site_->sources()) contents.emplace(source.file, &source);
  uint64_t at = start_new ? 0 : cache_->bodies_size();
  for (const SourceFile* file : AllFiles()) {
    Manifest::Source& row = manifest->sources.emplace_back();
    row.path = file->path;
    // A file changed this recently may change again without new times: next time it is read.
    if (file->stat.ctime_ns < scan_start_ns_ - kRacyNs) row.mark = FileMark::Of(file->stat);
    const auto hash = file_hashes_.find(file->path);
    row.hash = hash == file_hashes_.end() ? 0 : hash->second;
    const auto content = contents.find(file->path);
    if (content == contents.end()) continue;
    const Source& source = *content->second;
    row.body_offset = source.body_offset;
    row.body_line = source.body_line;
    const Manifest::Source* old = old_ == nullptr ? nullptr : old_->FindSource(file->path);
    if (old != nullptr && old->hash == source.hash && !old->values.empty()) {
      row.values = old->values;
    } else {
      texts_.emplace_back();
      AppendBinary(source.values, &texts_.back());
      row.values = texts_.back();
    }
    const Page* page = site_->FindByContentPath(source.path);
    if (page != nullptr) AddBody(*page, start_new, &at, bodies, &row);
  }
}

void BuildRun::AddOutputs(Manifest* manifest) const {
  manifest->outputs.reserve(outputs_.size());
  for (const OutputState& output : outputs_) {
    Manifest::Output& row = manifest->outputs.emplace_back();
    row.path = output.path;
    row.mark = output.mark;
    row.input_hash = output.input_hash;
    row.object = output.object;
    row.page_number = output.page_number;
    row.content_hash = output.kept != nullptr ? output.kept->content_hash : output.content_hash;
    row.dependencies = output.kept != nullptr ? Translate(output.kept->dependencies) : output.dependencies;
  }
}

absl::Status BuildRun::CommitManifest() {
  Manifest manifest;
  // What was built in spite of errors is owned by us, but nothing of it is reused.
  manifest.generator = diagnostics_.error_count() > 0 ? 0 : generator_;
  manifest.markdown_hash = diagnostics_.error_count() > 0 ? 0 : config_.markdown_hash;
  manifest.valid_until = site_->next_change();
  manifest.git_hash = git_hash_;
  NumberTemplates(&manifest);
  // A file of bodies that is mostly garbage is written anew.
  uint64_t live_bytes = 0;
  for (const Page* page : site_->pages()) live_bytes += page->body.size();
  const bool start_new = old_ == nullptr || cache_->bodies_size() > 2 * live_bytes + (uint64_t{8} << 20);
  std::vector<absl::string_view> bodies;
  AddSources(start_new, &manifest, &bodies);
  AddObjects(&manifest);
  AddOutputs(&manifest);
  RETURN_IF_ERROR(cache_->AppendBodies(bodies, start_new).status());
  return cache_->Commit(manifest);
}

}  // namespace ssg

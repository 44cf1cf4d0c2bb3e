// BuildRun: bodies and outputs are rendered, or found to be valid still.
#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "ssg/build/build_run.h"
#include "ssg/build/link_check.h"
#include "ssg/output/html_minifier.h"
#include "ssg/output/search.h"
#include "ssg/site/body.h"

namespace ssg {
namespace {

constexpr size_t kGrain = 16;

uint64_t HashText(absl::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace

// Workers are handed out to chunks of work and come back.
class BuildRun::WorkerPool {
 public:
  class Lease {
   public:
    Lease(WorkerPool& pool, std::unique_ptr<Worker> worker) : pool_(pool), worker_(std::move(worker)) {}
    ~Lease() {
      base::MutexLock lock(&pool_.mutex_);
      pool_.idle_.push_back(std::move(worker_));
    }
    Worker& operator*() { return *worker_; }

   private:
    WorkerPool& pool_;
    std::unique_ptr<Worker> worker_;
  };

  Lease Take() {
    base::MutexLock lock(&mutex_);
    if (idle_.empty()) return Lease(*this, std::make_unique<Worker>());
    std::unique_ptr<Worker> worker = std::move(idle_.back());
    idle_.pop_back();
    return Lease(*this, std::move(worker));
  }

 private:
  base::Mutex mutex_;
  std::vector<std::unique_ptr<Worker>> idle_ ABSL_GUARDED_BY(mutex_);
};

Dependencies BuildRun::Record(const ReadSet& reads) {
  Dependencies dependencies;
  dependencies.reads = reads.reads();
  std::sort(dependencies.reads.begin(), dependencies.reads.end());
  base::MutexLock lock(&names_mutex_);
  for (const std::string& name : reads.templates()) {
    const auto [it, inserted] = template_ids_.try_emplace(name, static_cast<uint32_t>(template_names_.size()));
    if (inserted) template_names_.push_back(name);
    dependencies.templates.push_back(it->second);
  }
  return dependencies;
}

bool BuildRun::ReuseBody(const Page& page, BodyState* state) {
  const auto found = cached_sources_.find(page.content_path);
  if (found == cached_sources_.end()) return false;
  const Manifest::Source& cached = *found->second;
  if (cached.hash != page.source_hash || cached.body_size == 0 || old_->markdown_hash != config_.markdown_hash ||
      !changes_->Holds(cached.body)) {
    return false;
  }
  state->cached = &cached;
  return true;
}

void BuildRun::RenderBodies() {
  const auto& pages = site_->pages();
  bodies_.resize(pages.size());
  std::vector<Page*> stale;
  for (Page* page : pages) {
    BodyState& state = bodies_[page->id];
    if (page->file.empty()) continue;
    if (ReuseBody(*page, &state)) {
      page->body = cache_->Body(*state.cached);
    } else {
      stale.push_back(page);
    }
  }
  // Pages whose file did not change but what they refer to did.
  std::vector<const SourceFile*> to_read;
  std::vector<Page*> readers;
  for (Page* page : stale) {
    if (!page->source.empty()) continue;
    to_read.push_back(files_by_content_path_.at(page->content_path));
    readers.push_back(page);
  }
  const absl::Status status = tree_->Read(to_read, [&](size_t i, absl::StatusOr<absl::string_view> text) {
    if (!text.ok()) return diagnostics_.Error("io", to_read[i]->path, 0, text.status().message());
    texts_.emplace_back(*text);
    readers[i]->source = texts_.back();
  });
  if (!status.ok()) diagnostics_.Error("io", "content", 0, status.message());
  const MarkdownStage stage(*site_, *engine_, templates_, nullptr, diagnostics_);
  WorkerPool pool;
  base::ParallelFor((stale.size() + kGrain - 1) / kGrain, jobs_, [&](size_t chunk) {
    WorkerPool::Lease worker = pool.Take();
    for (size_t i = chunk * kGrain; i < std::min(stale.size(), (chunk + 1) * kGrain); ++i) {
      Page& page = *stale[i];
      BodyState& state = bodies_[page.id];
      (*worker).reads.Reset(site_->object_count());
      auto body = stage.Render(page, (*worker).reads);
      if (!body.has_value()) {
        state.failed = true;
        continue;
      }
      state.fresh = *std::move(body);
      state.dependencies = Record((*worker).reads);
      page.body = state.fresh;
    }
  });
  result_->body_count = stale.size();
}

void BuildRun::SetTextFacets() {
  const auto& pages = site_->pages();
  base::ParallelFor((pages.size() + 255) / 256, jobs_, [&](size_t chunk) {
    for (size_t i = chunk * 256; i < std::min(pages.size(), (chunk + 1) * 256); ++i) {
      Page& page = *pages[i];
      uint64_t& text = page.facets[static_cast<size_t>(Facet::kText)];
      uint64_t& body = page.facets[static_cast<size_t>(Facet::kBody)];
      uint64_t& outline = page.facets[static_cast<size_t>(Facet::kOutline)];
      if (bodies_[i].cached != nullptr) {
        text = bodies_[i].cached->text_facet;
        body = bodies_[i].cached->body_facet;
        outline = bodies_[i].cached->outline_facet;
        continue;
      }
      const BodyView view = ViewBody(page.body);
      text = CombineHash(HashText(view.summary_html), CombineHash(HashText(page.summary_text), view.word_count));
      body = HashText(view.html);
      outline = HashText(view.headings);
    }
  });
}

bool BuildRun::IsKept(OutputState* state) {
  const Manifest::Output* old = FindIntact(state->path);
  if (old == nullptr || old_->generator != generator_) return false;
  if (old->input_hash != state->input_hash || old->page_number != state->page_number) return false;
  if (state->object != UINT32_MAX) {
    if (old->object == UINT32_MAX || changes_->NewId(old->object) != state->object) return false;
    if (!changes_->Holds(old->dependencies)) return false;
  }
  state->kept = old;
  return true;
}

void BuildRun::RenderUnitInto(const RenderUnit& unit, Worker& worker, OutputState* state) {
  const PageStage stage(*site_, *engine_, templates_, diagnostics_);
  worker.reads.Reset(site_->object_count());
  std::string html;
  const bool ok =
      unit.page == nullptr ? stage.RenderNotFound(worker.reads, &html) : stage.Render(unit, worker.reads, &html);
  if (!ok) return;
  if (config_.minify_html && absl::EndsWith(state->path, ".html")) html = MinifyHtml(html);
  state->dependencies = Record(worker.reads);
  state->content_hash = HashText(html);
  state->spooled = spool_->Add(state->path, std::move(html));
}

void BuildRun::RenderUnits() {
  const PageStage stage(*site_, *engine_, templates_, diagnostics_);
  std::vector<RenderUnit> units = stage.Units();
  if (templates_.Has("404.html")) {
    RenderUnit not_found;
    not_found.output = "404.html";
    units.push_back(not_found);
  }
  const size_t begin = outputs_.size();
  std::vector<size_t> to_render;
  for (size_t i = 0; i < units.size(); ++i) {
    OutputState state;
    state.path = units[i].output;
    state.object = units[i].page == nullptr ? site_->home()->id : units[i].page->id;
    state.page_number = units[i].number;
    if (!IsKept(&state)) to_render.push_back(i);
    outputs_.push_back(std::move(state));
    if (units[i].format.empty()) ++result_->page_count;
  }
  WorkerPool pool;
  base::ParallelFor((to_render.size() + kGrain - 1) / kGrain, jobs_, [&](size_t chunk) {
    WorkerPool::Lease worker = pool.Take();
    for (size_t k = chunk * kGrain; k < std::min(to_render.size(), (chunk + 1) * kGrain); ++k) {
      RenderUnitInto(units[to_render[k]], *worker, &outputs_[begin + to_render[k]]);
    }
  });
  result_->rendered_count = to_render.size();
}

void BuildRun::RenderAggregates() {
  std::vector<Aggregate> aggregates;
  AddFeeds(*site_, &aggregates);
  AddSitemap(*site_, &aggregates);
  AddRobots(*site_, &aggregates);
  AddJsonIndex(*site_, &aggregates);
  AddRedirects(*site_, &aggregates);
  assets_->AddOutputs(&aggregates);
  const size_t begin = outputs_.size();
  for (const Aggregate& aggregate : aggregates) {
    OutputState state;
    state.path = aggregate.path;
    state.input_hash = aggregate.input_hash | 1;
    IsKept(&state);
    outputs_.push_back(std::move(state));
  }
  base::ParallelFor(aggregates.size(), jobs_, [&](size_t i) {
    OutputState& state = outputs_[begin + i];
    if (state.kept != nullptr) return;
    std::string text = aggregates[i].make();
    state.content_hash = HashText(text);
    state.spooled = spool_->Add(state.path, std::move(text));
  });
}

void BuildRun::RenderGroups() {
  std::vector<AggregateGroup> groups;
  AddSearchIndex(*site_, &groups);
  for (const AggregateGroup& group : groups) {
    std::vector<const Manifest::Output*> old;
    bool keep = old_ != nullptr && old_->generator == generator_;
    for (size_t i = 0; keep && i < old_->outputs.size(); ++i) {
      if (!absl::StartsWith(old_->outputs[i].path, group.prefix)) continue;
      if (old_->outputs[i].input_hash != (group.input_hash | 1)) continue;
      keep = old_intact_[i];
      old.push_back(&old_->outputs[i]);
    }
    if (keep && !old.empty()) {
      for (const Manifest::Output* output : old) {
        OutputState state;
        state.path = std::string(output->path);
        state.input_hash = output->input_hash;
        state.kept = output;
        outputs_.push_back(std::move(state));
      }
      continue;
    }
    for (auto& [path, text] : group.make()) {
      OutputState state;
      state.path = path;
      state.input_hash = group.input_hash | 1;
      state.content_hash = HashText(text);
      state.spooled = spool_->Add(path, std::move(text));
      outputs_.push_back(std::move(state));
    }
  }
}

void BuildRun::AddCopies() {
  const auto add = [&](const SourceFile& file, absl::string_view output) {
    OutputState state;
    state.path = std::string(output);
    const FileMark mark = FileMark::Of(file.stat);
    state.input_hash = CombineHash(HashText(file.path),
                                   HashText(absl::string_view(reinterpret_cast<const char*>(&mark), sizeof(mark)))) |
                       1;
    if (!IsKept(&state)) state.copy = &file;
    outputs_.push_back(std::move(state));
  };
  for (const auto& [file, output] : site_->copies()) add(*files_by_content_path_.at(file), output);
  // Later files hide earlier ones: a site's own those of its theme.
  absl::flat_hash_map<std::string, const SourceFile*> statics;
  for (const SourceFile& file : static_files_) {
    const size_t at = file.path.find("static/");
    statics[file.path.substr(at + 7)] = &file;
  }
  for (const auto& [output, file] : statics) add(*file, output);
}

void BuildRun::CheckOutputCollisions() {
  std::sort(outputs_.begin(), outputs_.end(),
            [](const OutputState& a, const OutputState& b) { return a.path < b.path; });
  const auto owner = [&](const OutputState& state) -> std::string {
    if (state.copy != nullptr) return state.copy->path;
    if (state.object < site_->pages().size()) {
      const Page& page = *site_->pages()[state.object];
      return std::string(page.file.empty() ? page.key : page.file);
    }
    return "a generated file";
  };
  for (size_t i = 1; i < outputs_.size(); ++i) {
    if (outputs_[i].path != outputs_[i - 1].path) continue;
    // Two pages with one URL are reported already.
    if (outputs_[i].object != UINT32_MAX && outputs_[i - 1].object != UINT32_MAX) continue;
    diagnostics_.Error("duplicate-url", owner(outputs_[i]), 0,
                       absl::StrCat("output ", outputs_[i].path, " is also made by ", owner(outputs_[i - 1])));
  }
}

void BuildRun::RenderOutputs() {
  RenderUnits();
  RenderAggregates();
  RenderGroups();
  AddCopies();
  CheckOutputCollisions();
  CheckAllLinks();
}

// Links lead where they led if the same outputs are there, and the same anchors:
// then only those of fresh bodies can be wrong.
bool BuildRun::OldLinksHold() const {
  if (old_ == nullptr || old_->generator != generator_ || outputs_.size() != old_->outputs.size()) return false;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (outputs_[i].path != old_->outputs[i].path) return false;
  }
  for (const Page* page : site_->pages()) {
    if (page->file.empty() || bodies_[page->id].cached != nullptr) continue;
    const auto before = cached_sources_.find(page->content_path);
    if (before == cached_sources_.end() || !KeepsIds(cache_->Body(*before->second), page->body)) return false;
    // Raw HTML may hold anchors that are not listed.
    if (absl::StrContains(ViewBody(cache_->Body(*before->second)).html, " name=\"")) return false;
  }
  return true;
}

void BuildRun::CheckAllLinks() {
  const bool old_hold = OldLinksHold();
  std::vector<const Page*> from;
  for (const Page* page : site_->pages()) {
    if (!page->file.empty() && (!old_hold || bodies_[page->id].cached == nullptr)) from.push_back(page);
  }
  if (from.empty()) return;
  absl::flat_hash_set<absl::string_view> paths;
  paths.reserve(outputs_.size());
  for (const OutputState& output : outputs_) paths.insert(output.path);
  CheckLinks(*site_, paths, from, jobs_, diagnostics_);
}

void BuildRun::Explain() {
  if (options_.explain.empty()) return;
  std::string text;
  for (const OutputState& output : outputs_) {
    const Page* page = output.object < site_->pages().size() ? site_->pages()[output.object] : nullptr;
    if (output.path != options_.explain &&
        (page == nullptr || (page->file != options_.explain && page->path != options_.explain))) {
      continue;
    }
    absl::StrAppend(&text, output.path, ": ");
    const Manifest::Output* old = old_ == nullptr ? nullptr : old_->FindOutput(output.path);
    if (output.kept != nullptr) {
      absl::StrAppend(&text, "not rendered: nothing that it read has changed\n");
    } else if (old_ == nullptr) {
      absl::StrAppend(&text, "rendered: there is no usable cache\n");
    } else if (old_->generator != generator_) {
      absl::StrAppend(&text, "rendered: the configuration, the flags or the program changed\n");
    } else if (old == nullptr) {
      absl::StrAppend(&text, "rendered: it is new\n");
    } else {
      const std::string why = changes_->Explain(old->dependencies);
      absl::StrAppend(&text, "rendered: ", why.empty() ? "what it is made from changed" : why, "\n");
    }
    for (const uint32_t read : old == nullptr ? std::vector<uint32_t>() : old->dependencies.reads) {
      const absl::string_view key = old_->objects[read / kFacetCount].key;
      absl::StrAppend(&text, "  read ", key[0] == '\xFF' ? key.substr(1) : key, "\n");
    }
  }
  if (text.empty()) text = absl::StrCat("no output or page \"", options_.explain, "\"\n");
  result_->explanation = text;
}

}  // namespace ssg

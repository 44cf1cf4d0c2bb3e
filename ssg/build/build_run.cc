#include "ssg/build/build_run.h"

#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/init.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"

namespace ssg {

BuildRun::BuildRun(const BuildOptions& options, Diagnostics& diagnostics)
    : options_(options), diagnostics_(diagnostics) {
  jobs_ = options.jobs > 0 ? options.jobs : base::DefaultParallelism();
  now_ = options.now != 0 ? options.now : absl::ToUnixSeconds(absl::Now());
}

void BuildRun::Phase(const char* name) {
  const absl::Time now = absl::Now();
  if (!phase_.empty()) result_->phases.emplace_back(phase_, now - phase_start_);
  phase_ = name;
  phase_start_ = now;
}

absl::Status BuildRun::Run(BuildResult* result) {
  result_ = result;
  Phase("configuration");
  config_ = LoadConfig({options_.site_dir, options_.environment, options_.base_url, options_.output_dir}, diagnostics_);
  config_.minify_html |= options_.minify_html;
  if (diagnostics_.error_count() > 0) return absl::OkStatus();
  RETURN_IF_ERROR(CheckOutputDir());
  ASSIGN_OR_RETURN(tree_, SourceTree::Open(options_.site_dir));
  ASSIGN_OR_RETURN(cache_, CacheDir::Open(options_.site_dir, options_.cache_name));
  if (!options_.full) old_ = cache_->manifest();
  generator_ = GeneratorHash();
  Phase("discovery");
  RETURN_IF_ERROR(Scan());
  if (config_.git_dates) ReadGitState();
  RETURN_IF_ERROR(StatOldOutputs());
  if (IsUpToDate()) {
    Phase("");
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(LoadTemplates());
  site_ = std::make_unique<Site>(config_, BuildFilter{options_.drafts, options_.future, options_.expired, now_},
                                 diagnostics_);
  RETURN_IF_ERROR(LoadData());
  RETURN_IF_ERROR(LoadContent());
  site_->Assemble(jobs_);
  Phase("assets");
  RETURN_IF_ERROR(assets_->Prepare(asset_files_, *tree_, diagnostics_));
  site_->SetAssetsHash(assets_->hash());
  site_->HashFacets(jobs_);
  changes_ = std::make_unique<Changes>(old_, *site_, templates_);
  const uint32_t text_facets = 1u << static_cast<uint32_t>(Facet::kText) | 1u << static_cast<uint32_t>(Facet::kBody) |
                               1u << static_cast<uint32_t>(Facet::kOutline);
  changes_->Update(~text_facets);
  Phase("markdown");
  RenderBodies();
  SetTextFacets();
  changes_->Update(text_facets);
  source_texts_.clear();
  Phase("templates");
  spool_ = std::make_unique<Spool>(cache_->path());
  RenderOutputs();
  Explain();
  if ((diagnostics_.error_count() > 0 && !options_.keep_going) || options_.check_only) {
    Phase("");
    return absl::OkStatus();
  }
  Phase("writing");
  RETURN_IF_ERROR(StoreOutputs());
  Phase("cache");
  RETURN_IF_ERROR(CommitManifest());
  result_->stored = true;
  Phase("");
  return absl::OkStatus();
}

absl::Status BuildRun::CheckOutputDir() {
  output_dir_ = absl::StartsWith(config_.output_dir, "/") ? config_.output_dir
                                                          : absl::StrCat(options_.site_dir, "/", config_.output_dir);
  result_->output_dir = output_dir_;
  RETURN_IF_ERROR(base::Annotate(base::MakeDirectories(output_dir_), "output directory"));
  char* real_output = realpath(output_dir_.c_str(), nullptr);
  char* real_site = realpath(options_.site_dir.c_str(), nullptr);
  const std::string output = real_output == nullptr ? "" : real_output;
  const std::string site = real_site == nullptr ? "" : real_site;
  std::free(real_output);
  std::free(real_site);
  const auto holds = [](const std::string& outer, const std::string& inner) {
    return inner == outer || absl::StartsWith(inner, absl::StrCat(outer == "/" ? "" : outer, "/"));
  };
  for (const char* name : {"content", "templates", "static", "assets", "data", "themes", "config"}) {
    if (holds(absl::StrCat(site, "/", name), output)) {
      return absl::InvalidArgumentError(absl::StrCat("the output directory ", output_dir_, " lies inside ", name, "/"));
    }
  }
  if (holds(output, site)) {
    return absl::InvalidArgumentError(absl::StrCat("the output directory ", output_dir_, " holds the site itself"));
  }
  ASSIGN_OR_RETURN(output_, fs::TreeClient::ForPath(output_dir_));
  return absl::OkStatus();
}

absl::Status BuildRun::Scan() {
  scan_start_ns_ = absl::ToUnixNanos(absl::Now());
  RETURN_IF_ERROR(tree_->List("content", diagnostics_, &content_files_));
  for (SourceFile& file : content_files_) file.target = file.path.substr(8);
  RETURN_IF_ERROR(tree_->ListMounts(config_.mounts, diagnostics_, &content_files_));
  const std::string theme = config_.theme.empty() ? "" : absl::StrCat("themes/", config_.theme);
  if (!theme.empty()) {
    struct stat info;
    if (stat(absl::StrCat(options_.site_dir, "/", theme).c_str(), &info) != 0) {
      diagnostics_.Error("config", "ssg.toml", 0, absl::StrCat("theme \"", config_.theme, "\" is not in themes/"));
    }
    RETURN_IF_ERROR(tree_->List(absl::StrCat(theme, "/templates"), diagnostics_, &theme_template_files_));
    // What the site has itself hides the theme's file of the same name.
    RETURN_IF_ERROR(tree_->List(absl::StrCat(theme, "/static"), diagnostics_, &static_files_));
    RETURN_IF_ERROR(tree_->List(absl::StrCat(theme, "/assets"), diagnostics_, &asset_files_));
  }
  RETURN_IF_ERROR(tree_->List("templates", diagnostics_, &template_files_));
  RETURN_IF_ERROR(tree_->List("data", diagnostics_, &data_files_));
  RETURN_IF_ERROR(tree_->List("static", diagnostics_, &static_files_));
  RETURN_IF_ERROR(tree_->List("assets", diagnostics_, &asset_files_));
  return absl::OkStatus();
}

void BuildRun::ReadGitState() {
  const auto warn = [&](const absl::Status& status) {
    diagnostics_.Warning("git", "ssg.toml", 0, absl::StrCat("git_dates: no dates from git: ", status.message()));
  };
  const auto state = GitState(options_.site_dir);
  if (!state.ok()) return warn(state.status());
  auto dates = GitDates::Read(options_.site_dir, *state, absl::StrCat(cache_->path(), "/git_dates"));
  if (!dates.ok()) return warn(dates.status());
  git_dates_ = *std::move(dates);
  git_hash_ = XXH3_64bits(state->data(), state->size()) | 1;
}

std::vector<const SourceFile*> BuildRun::AllFiles() const {
  std::vector<const SourceFile*> all;
  for (const auto* files :
       {&content_files_, &template_files_, &theme_template_files_, &data_files_, &static_files_, &asset_files_}) {
    for (const SourceFile& file : *files) all.push_back(&file);
  }
  std::sort(all.begin(), all.end(), [](const SourceFile* a, const SourceFile* b) { return a->path < b->path; });
  all.erase(
      std::unique(all.begin(), all.end(), [](const SourceFile* a, const SourceFile* b) { return a->path == b->path; }),
      all.end());
  return all;
}

uint64_t BuildRun::GeneratorHash() const {
  // The program itself counts: another version may render differently.
  struct stat self {};
  stat("/proc/self/exe", &self);
  const std::string text = absl::StrCat(base::ProgramVersion(), "|", self.st_size, "|", self.st_mtim.tv_sec, ".",
                                        self.st_mtim.tv_nsec, "|", config_.hash, "|", config_.minify_html,
                                        options_.drafts, options_.future, options_.expired, "|", output_dir_);
  return XXH3_64bits(text.data(), text.size());
}

bool BuildRun::InputsUnchanged() const {
  const std::vector<const SourceFile*> files = AllFiles();
  if (files.size() != old_->sources.size()) return false;
  for (size_t i = 0; i < files.size(); ++i) {
    if (files[i]->path != old_->sources[i].path || !(FileMark::Of(files[i]->stat) == old_->sources[i].mark))
      return false;
  }
  return true;
}

bool BuildRun::IsUpToDate() {
  if (old_ == nullptr || diagnostics_.error_count() > 0) return false;
  if (old_->git_hash != git_hash_) return false;
  if (old_->generator != generator_ || now_ >= old_->valid_until) return false;
  if (cache_->interrupted() || !options_.explain.empty() || !InputsUnchanged()) return false;
  if (std::find(old_intact_.begin(), old_intact_.end(), false) != old_intact_.end()) return false;
  result_->up_to_date = true;
  result_->stored = true;
  result_->output_count = old_->outputs.size();
  for (const auto& output : old_->outputs) result_->page_count += absl::EndsWith(output.path, ".html") ? 1 : 0;
  return true;
}

absl::StatusOr<BuildResult> BuildSite(const BuildOptions& options, Diagnostics& diagnostics) {
  BuildResult result;
  BuildRun run(options, diagnostics);
  RETURN_IF_ERROR(run.Run(&result));
  return result;
}

}  // namespace ssg

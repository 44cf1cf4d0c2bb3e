// One build, step by step. Internal to ssg/build.
//
// Threads: thread-compatible; steps run in the order of Run().
#ifndef SSG_BUILD_BUILD_RUN_H_
#define SSG_BUILD_BUILD_RUN_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "ssg/assets/assets.h"
#include "ssg/build/builder.h"
#include "ssg/build/cache_dir.h"
#include "ssg/build/changes.h"
#include "ssg/build/git_dates.h"
#include "ssg/build/manifest.h"
#include "ssg/build/markdown_stage.h"
#include "ssg/build/output_writer.h"
#include "ssg/build/page_stage.h"
#include "ssg/build/source_tree.h"
#include "ssg/build/spool.h"
#include "ssg/build/template_store.h"
#include "ssg/config/config.h"
#include "ssg/output/aggregate.h"
#include "ssg/site/site.h"

namespace ssg {

class BuildRun {
 public:
  BuildRun(const BuildOptions& options, Diagnostics& diagnostics);
  absl::Status Run(BuildResult* result);

 private:
  // What one worker needs while it renders; reused from page to page.
  struct Worker {
    ReadSet reads;
  };
  class WorkerPool;

  // A page's body: cached, or rendered in this build.
  struct BodyState {
    const Manifest::Source* cached = nullptr;  // valid as it is
    std::string fresh;
    Dependencies dependencies;  // of the fresh one; `templates` index template_names_
    bool failed = false;
  };
  // An output of this build.
  struct OutputState {
    std::string path;
    const Manifest::Output* kept = nullptr;  // valid as it is
    uint64_t content_hash = 0;
    uint64_t input_hash = 0;
    uint32_t object = UINT32_MAX;
    uint32_t page_number = 0;
    Dependencies dependencies;
    FileMark mark;
    size_t spooled = SIZE_MAX;         // index into spool_
    const SourceFile* copy = nullptr;  // copied from there when storing
  };

  // build_run.cc:
  void Phase(const char* name);
  absl::Status Scan();
  void ReadGitState();
  absl::Status CheckOutputDir();
  bool IsUpToDate();
  bool InputsUnchanged() const;
  uint64_t GeneratorHash() const;
  std::vector<const SourceFile*> AllFiles() const;
  // content.cc:
  absl::Status LoadTemplates();
  absl::Status LoadContent();
  absl::Status LoadData();
  bool LoadCachedSource(const SourceFile& file, const Manifest::Source& cached, Source* source);
  void ParseSource(const SourceFile& file, absl::string_view text, Source* source, tmpl::Arena& arena);
  // render.cc:
  void RenderBodies();
  bool ReuseBody(const Page& page, BodyState* state);
  void SetTextFacets();
  void RenderOutputs();
  void RenderUnits();
  void RenderUnitInto(const RenderUnit& unit, Worker& worker, OutputState* state);
  void RenderAggregates();
  void RenderGroups();
  void AddCopies();
  bool IsKept(OutputState* state);
  Dependencies Record(const ReadSet& reads) ABSL_LOCKS_EXCLUDED(names_mutex_);
  void CheckOutputCollisions();
  bool OldLinksHold() const;
  void CheckAllLinks();
  void Explain();
  // store.cc:
  absl::Status StatOldOutputs();
  // The old output at `path`, if it is on disk as it was left.
  const Manifest::Output* FindIntact(absl::string_view path) const;
  absl::Status StoreOutputs();
  absl::Status StoreSpool(OutputWriter& writer);
  absl::Status StoreCopies(OutputWriter& writer);
  absl::Status RemoveStale();
  absl::Status RemoveTemporaries();
  bool IsOutput(absl::string_view path) const;
  absl::Status MarkOutputs();
  // commit.cc:
  absl::Status CommitManifest();
  void NumberTemplates(Manifest* manifest) ABSL_LOCKS_EXCLUDED(names_mutex_);
  Dependencies Translate(const Dependencies& old) const;
  void AddObjects(Manifest* manifest) const;
  void AddBody(const Page& page, bool start_new, uint64_t* at, std::vector<absl::string_view>* bodies,
               Manifest::Source* source) const;
  void AddSources(bool start_new, Manifest* manifest, std::vector<absl::string_view>* bodies);
  void AddOutputs(Manifest* manifest) const;

  const BuildOptions& options_;
  Diagnostics& diagnostics_;
  BuildResult* result_ = nullptr;
  size_t jobs_ = 1;
  int64_t now_ = 0;
  int64_t scan_start_ns_ = 0;
  absl::Time phase_start_;
  std::string phase_;

  Config config_;
  std::unique_ptr<SourceTree> tree_;
  std::string output_dir_;
  std::unique_ptr<fs::TreeClient> output_;
  std::unique_ptr<CacheDir> cache_;
  const Manifest* old_ = nullptr;
  uint64_t generator_ = 0;

  uint64_t git_hash_ = 0;  // of HEAD, if the site wants dates from git
  absl::optional<GitDates> git_dates_;

  std::vector<SourceFile> content_files_;
  std::vector<SourceFile> template_files_;
  std::vector<SourceFile> theme_template_files_;
  std::vector<SourceFile> data_files_;
  std::vector<SourceFile> static_files_;
  std::vector<SourceFile> asset_files_;
  absl::flat_hash_map<std::string, uint64_t> file_hashes_;  // of files read in full

  TemplateStore templates_;
  std::unique_ptr<tmpl::Engine> engine_;
  std::vector<std::unique_ptr<tmpl::Arena>> arenas_;
  std::deque<std::string> texts_;
  std::vector<std::string> source_texts_;  // by content file
  std::unique_ptr<Site> site_;
  std::unique_ptr<Assets> assets_;
  std::unique_ptr<Changes> changes_;
  absl::flat_hash_map<absl::string_view, const Manifest::Source*> cached_sources_;  // by content path
  absl::flat_hash_map<absl::string_view, const SourceFile*> files_by_content_path_;
  std::vector<BodyState> bodies_;  // by page id
  std::vector<OutputState> outputs_;
  std::vector<bool> old_intact_;  // by old output
  std::vector<uint32_t> old_template_ids_;
  std::unique_ptr<Spool> spool_;

  base::Mutex names_mutex_;
  std::vector<std::string> template_names_ ABSL_GUARDED_BY(names_mutex_);
  absl::flat_hash_map<std::string, uint32_t> template_ids_ ABSL_GUARDED_BY(names_mutex_);
};

}  // namespace ssg

#endif  // SSG_BUILD_BUILD_RUN_H_

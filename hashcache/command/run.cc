#include "hashcache/command/run.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/os/file.h"
#include "base/os/interrupt.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "hashcache/provider/cachefs.h"

namespace hashcache {
namespace {

constexpr char kProgram[] = "hashcache";
constexpr size_t kOutputBuffer = 64 << 10;
constexpr int kJobsMax = 1024;

// On one line of a terminal whatever names it contains.
std::string OneLine(absl::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      absl::StrAppend(&line, "\\x", absl::Hex(byte, absl::kZeroPad2));
    } else {
      line += c;
    }
  }
  return line;
}

// Whether `message` names `path` already, as messages of the kernel's errors do.
bool Names(absl::string_view message, absl::string_view path) {
  for (size_t at = message.find(path); at != absl::string_view::npos; at = message.find(path, at + 1)) {
    const size_t end = at + path.size();
    const bool begins = at == 0 || message[at - 1] == ' ';
    const bool ends = end == message.size() || absl::StrContains(":; ", message.substr(end, 1));
    if (begins && ends && (at == 0 || end < message.size())) return true;
  }
  return false;
}

// A deep tree holds one descriptor per level, each file in flight another.
void RaiseFileLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

std::vector<base::Flag> HasherFlags() {
  return {
      {.name = "algorithm",
       .letter = 'a',
       .value = "NAMES",
       .help = "crc32c, xxh3-64, xxh3-128, blake3, sha256, or several with commas: all in one pass",
       .fallback = "blake3"},
      {.name = "jobs", .letter = 'j', .value = "N", .help = "threads; 0 = twice the CPUs", .fallback = "0"},
      {.name = "no-cache", .help = "neither use nor fill the cache"},
      {.name = "cache-dir",
       .value = "DIR",
       .help = "where digests are remembered; $XDG_CACHE_HOME/hashcache unless given"},
      {.name = "strict", .help = "believe only digests of files that were hashed under a lease"},
      {.name = "allow-unstable", .help = "print digests of files that changed while being read"},
      {.name = "trust",
       .value = "WHAT",
       .help = "\"network\": believe attributes of network filesystems",
       .choices = {"network"}},
      {.name = "ctime",
       .value = "HOW",
       .help = "\"soft\": a change of ctime alone is no change of content",
       .fallback = "hard",
       .choices = {"hard", "soft"}},
      {.name = "audit",
       .value = "SHARE",
       .help = "read this share of the remembered files again and compare",
       .fallback = "0.001"},
      {.name = "progress",
       .value = "WHEN",
       .help = "draw a progress line on a terminal",
       .fallback = "auto",
       .choices = {"auto", "always", "never"}},
  };
}

std::vector<base::Flag> TreeFlags() {
  return {
      {.name = "dereference", .letter = 'L', .help = "follow symbolic links in trees"},
      {.name = "no-dereference", .letter = 'P', .help = "do not follow symbolic links in trees (the default)"},
      {.name = "one-file-system", .letter = 'x', .help = "do not enter other filesystems"},
      {.name = "gitignore", .help = "leave out what .gitignore files name, and .git"},
      {.name = "ignore", .value = "PATTERN", .help = "leave out what matches, as a line of .gitignore; repeatable"},
      {.name = "exclude-caches", .help = "leave out directories that hold a CACHEDIR.TAG, except the tag"},
      {.name = "no-ignore", .help = "do not read .hashcacheignore files"},
  };
}

std::vector<base::Flag> Join(std::vector<base::Flag> a, const std::vector<base::Flag>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

absl::StatusOr<std::unique_ptr<Run>> Run::Create(const base::Arguments& arguments, bool tree) {
  std::unique_ptr<Run> run(new Run(arguments));
  HasherOptions options;
  ASSIGN_OR_RETURN(run->algorithms_, ParseAlgorithms(arguments.Get("algorithm"), &run->order_));
  ASSIGN_OR_RETURN(const int64_t jobs, arguments.GetInt("jobs", 0, kJobsMax));
  if (!absl::SimpleAtod(arguments.Get("audit"), &options.audit_share) ||
      !(options.audit_share >= 0 && options.audit_share <= 1)) {
    return absl::InvalidArgumentError("--audit is a number from 0 to 1");
  }
  if (arguments.Has("cache-dir") && arguments.Get("cache-dir").empty()) {
    return absl::InvalidArgumentError("--cache-dir cannot be empty");
  }
  run->cache_directory_ = arguments.Has("cache-dir")
                              ? arguments.Get("cache-dir")
                              : base::JoinPath(base::UserDirectory("XDG_CACHE_HOME", ".cache"), "hashcache");
  options.threads = static_cast<int>(jobs);
  options.use_cache = !arguments.Has("no-cache");
  options.cache_directory = run->cache_directory_;
  options.strict = arguments.Has("strict");
  options.allow_unstable = arguments.Has("allow-unstable");
  options.trust_network = arguments.Get("trust") == "network";
  options.soft_ctime = arguments.Get("ctime") == "soft";
  options.providers = {CachefsProviderFor};
  options.interrupted = [] { return base::Interrupted() != 0; };
  if (tree && arguments.Has("dereference") && arguments.Has("no-dereference")) {
    return absl::InvalidArgumentError("-L and -P contradict each other");
  }
  ASSIGN_OR_RETURN(run->hasher_, Hasher::Create(options));
  const std::string when = arguments.Get("progress");
  const bool wanted = when == "always" || (when == "auto" && isatty(STDERR_FILENO) != 0);
  run->progress_ = std::make_unique<base::Progress>(base::Progress::Options{.label = "hashing",
                                                                            .unit = base::Progress::Unit::kBytes,
                                                                            .quiet = !wanted,
                                                                            .force = when == "always",
                                                                            .second_unit = "files"});
  base::TakeInterrupts();
  RaiseFileLimit();
  return run;
}

void Run::UseAlgorithms(const std::vector<Algorithm>& order) {
  order_ = order;
  algorithms_ = AlgorithmSet();
  for (const Algorithm algorithm : order) algorithms_.Add(algorithm);
}

TreeOptions Run::tree_options() const {
  TreeOptions options;
  options.algorithms = algorithms_;
  options.follow_links = arguments_.Has("dereference");
  options.one_file_system = arguments_.Has("one-file-system");
  options.use_gitignore = arguments_.Has("gitignore");
  options.use_hashcacheignore = !arguments_.Has("no-ignore");
  options.skip_tagged_caches = arguments_.Has("exclude-caches");
  options.ignore = arguments_.GetAll("ignore");
  return options;
}

void Run::Print(absl::string_view text) {
  output_.append(text.data(), text.size());
  if (output_.size() >= kOutputBuffer) FlushOutput();
}

void Run::FlushOutput() {
  if (!output_failed_ && !output_.empty()) {
    const absl::Status written = base::WriteFull(STDOUT_FILENO, output_);
    if (!written.ok()) {
      output_failed_ = true;
      Problem("standard output", written);
      Code(kInternal);
    }
  }
  output_.clear();
}

void Run::Problem(absl::string_view path, const absl::Status& status) {
  Code(kUnreadable);
  const absl::string_view message = status.message();
  base::PrintError(kProgram, OneLine(Names(message, path) ? std::string(message) : absl::StrCat(path, ": ", message)));
}

void Run::Warn(absl::string_view message) { base::PrintWarning(kProgram, OneLine(message)); }

void Run::Summary(const std::vector<std::string>& parts) {
  progress_ = nullptr;
  FlushOutput();
  const std::string line = absl::StrCat(kProgram, ": ", OneLine(absl::StrJoin(parts, ", ")), "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

bool Run::Count(absl::string_view path, const FileResult& result) {
  if (progress_ != nullptr) {
    progress_->Add(result.fingerprint.size_bytes);
    progress_->AddSecond(1);
  }
  if (result.status.ok()) return true;
  if (!(absl::IsCancelled(result.status) && Interrupted())) Problem(path, result.status);
  return false;
}

bool Run::Interrupted() { return base::Interrupted() != 0; }

int Run::Finish() {
  progress_ = nullptr;
  FlushOutput();
  const absl::Status flushed = hasher_->Flush();
  for (const absl::Status& problem : hasher_->cache_problems()) Warn(absl::StrCat("cache: ", problem.message()));
  for (const AuditFinding& finding : hasher_->audit_findings()) {
    Code(kCacheFault);
    std::string text = absl::StrCat(finding.path, ": the remembered digest is wrong, or the file has rotted;");
    for (const Algorithm algorithm : finding.remembered.algorithms().List()) {
      absl::StrAppend(&text, " ", AlgorithmName(algorithm), " remembered ", finding.remembered.Hex(algorithm),
                      " found ", finding.found.Hex(algorithm), ";");
    }
    base::PrintError(kProgram, absl::StrCat(text, " inode ", finding.fingerprint.inode, " size ",
                                            finding.fingerprint.size_bytes, " mtime ", finding.fingerprint.mtime_ns,
                                            " ctime ", finding.fingerprint.ctime_ns, "; the cache was emptied"));
  }
  if (Interrupted()) {
    Warn("interrupted; what was hashed is kept");
    return 128 + base::Interrupted();
  }
  return code_;
}

int WithRun(const base::Arguments& arguments, bool tree, absl::FunctionRef<absl::Status(Run&)> work) {
  absl::StatusOr<std::unique_ptr<Run>> run = Run::Create(arguments, tree);
  if (!run.ok()) {
    base::PrintError(kProgram, run.status().message());
    return absl::IsInvalidArgument(run.status()) ? kUsage : kInternal;
  }
  const absl::Status status = work(**run);
  if (absl::IsInvalidArgument(status)) {
    base::PrintError(kProgram, status.message());
    (*run)->Code(kUsage);
  } else if (!status.ok()) {
    base::PrintError(kProgram, status.message());
    (*run)->Code(kUnreadable);
  }
  return (*run)->Finish();
}

std::string Counted(uint64_t count, absl::string_view noun) {
  return absl::StrCat(base::HumanCount(count), " ", noun, count == 1 ? "" : "s");
}

std::string PathBelow(absl::string_view root, absl::string_view path) {
  if (path.empty()) return std::string(root);
  return absl::StrCat(root, absl::EndsWith(root, "/") ? "" : "/", path);
}

}  // namespace hashcache

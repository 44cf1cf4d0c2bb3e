// Measures hashcache against the tools that people use, in one run, interleaved, the
// same algorithm, outputs compared before times count.
//
// Usage: bench [--quick] [--filter=TEXT] [--directory=DIR] [--on=cachefs] [--runs=N] [--files=N] ...
#include "base/bench/bench.h"

#include <unistd.h>

#include <cstdio>
#include <map>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/command_line.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "hashcache/benchmark/corpus.h"
#include "hashcache/benchmark/ground.h"
#include "hashcache/benchmark/lookup.h"
#include "hashcache/hasher.h"
#include "hashcache/provider/cachefs.h"

namespace hashcache {
namespace {

using base::Contender;
using base::Measurement;

class Benchmark {
 public:
  Benchmark(const Plan& plan, Ground& ground, base::Bench& bench) : plan_(plan), ground_(ground), bench_(bench) {}

  void AddRows() {
    if (plan_.cold) AddColdRows();
    AddWarmRows();
    AddRescanRows();
    AddHitRows();
    AddComponentRows();
    AddManyRow();
    if (plan_.on_cachefs) {
      AddTokenRow();
    } else {
      AddLookupRows(bench_, plan_.quick ? 10'000 : 1'000'000);
    }
  }

 private:
  using Words = std::vector<std::string>;

  // Runs `argv` over `tree` with standard output in a file whose lines are compared.
  Contender Program(const std::string& name, const std::string& tree, const Words& argv, bool cold, bool compare = true,
                    double units = 1) {
    Contender contender;
    contender.name = name;
    contender.run = [this, argv, compare, units]() -> absl::StatusOr<Measurement> {
      const std::string output = ground_.Path("output.txt");
      ASSIGN_OR_RETURN(Measurement measurement, base::MeasureCommand(argv, {.stdout_path = output}));
      measurement.units = units;
      if (!compare) return measurement;
      ASSIGN_OR_RETURN(measurement.output_digest, OutputDigest(output, ground_.directory()));
      return measurement;
    };
    contender.prepare = [this, tree, cold]() -> absl::Status {
      RETURN_IF_ERROR(ground_.Need(tree));
      return cold ? ground_.MakeCold() : absl::OkStatus();
    };
    return contender;
  }

  Words Hashcache(const Words& words) const {
    Words argv = {plan_.hashcache};
    argv.insert(argv.end(), words.begin(), words.end());
    argv.push_back("--cache-dir=" + ground_.Path("cache"));
    argv.push_back("--progress=never");
    return argv;
  }

  Words Xargs(const std::string& tree, int processes, const Words& tool) const {
    Words argv = {"xargs", "-d", "\n", "-a", ground_.Path(tree + ".list")};
    if (processes > 1) argv.insert(argv.end(), {"-P", absl::StrCat(processes), "-n", "200"});
    argv.insert(argv.end(), tool.begin(), tool.end());
    return argv;
  }

  struct Peer {
    std::string name;
    std::string algorithm;
    Words tool;
    bool walks = false;  // takes the tree itself, not a list
  };

  static std::vector<Peer> Peers() {
    std::vector<Peer> peers = {
        {"b3sum", "blake3", {"b3sum"}},
        {"xxhsum", "xxh3-128", {"xxhsum", "-H2", "-q"}},
        {"sha256sum", "sha256", {"sha256sum"}},
        {"openssl", "sha256", {"openssl", "dgst", "-r", "-sha256"}},
        {"hashdeep", "sha256", {"hashdeep", "-c", "sha256", "-r", "-l"}, true},
        {"rhash", "crc32c", {"rhash", "--crc32c"}},
    };
    std::erase_if(peers, [](const Peer& peer) {
      if (base::HaveProgram(peer.tool[0])) return false;
      std::fprintf(stderr, "%s is not installed: its rows are left out\n", peer.name.c_str());
      return true;
    });
    return peers;
  }

  Contender PeerOver(const Peer& peer, const std::string& tree, bool cold, double units) {
    Words argv = peer.walks ? peer.tool : Xargs(tree, 1, peer.tool);
    if (peer.walks) argv.push_back(tree);
    return Program(peer.name, tree, argv, cold, true, units);
  }

  void AddColdRows() {
    struct Tree {
      std::string name, label, unit;
      double units;
      std::map<std::string, double> gates;
    };
    const std::vector<Tree> trees = {
        {"small",
         "cold 4 KiB files",
         "file",
         static_cast<double>(plan_.files),
         {{"b3sum", 5}, {"xxhsum", 5}, {"hashdeep", 4}}},
        {"medium",
         "cold 1 MiB files",
         "file",
         static_cast<double>(plan_.medium),
         {{"b3sum", 2}, {"xxhsum", 2}, {"hashdeep", 5}}},
        {"large", "cold large file", "byte", static_cast<double>(plan_.large_bytes), {{"b3sum", 1.5}, {"xxhsum", 1.2}}},
    };
    for (const Tree& tree : trees) {
      for (const Peer& peer : Peers()) {
        const auto gate = tree.gates.find(peer.name);
        if (gate == tree.gates.end()) continue;
        const Contender ours =
            Program("hashcache", tree.name, Hashcache({"sum", "-r", "-a", peer.algorithm, tree.name}), true, true,
                    tree.units);
        std::vector<Contender> contenders = {PeerOver(peer, tree.name, true, tree.units), ours};
        bench_.Add({.name = absl::StrCat(tree.label, ", ", peer.name), .unit = tree.unit, .gate = gate->second},
                   std::move(contenders));
        if (tree.name != "small" || peer.walks) continue;
        for (const int processes : {2, 16, 64}) {
          // Their lines may be torn: several processes write to one file.
          bench_.Add({.name = absl::StrCat(tree.label, ", ", peer.name, " xargs -P", processes),
                      .unit = tree.unit,
                      .gate = 1.1},
                     {Program(absl::StrCat(peer.name, " -P", processes), "small", Xargs("small", processes, peer.tool), true,
                              false, tree.units),
                      ours});
        }
      }
    }
  }

  void AddWarmRows() {
    const std::map<std::string, double> plain = {{"xxhsum", 1.3}, {"b3sum", 1.3}, {"sha256sum", 2.4}, {"hashdeep", 3}};
    const std::map<std::string, double> filling = {
        {"xxhsum", 1.05}, {"b3sum", 1.1}, {"sha256sum", 2.0}, {"hashdeep", 2.7}};
    const auto units = static_cast<double>(plan_.files);
    for (const Peer& peer : Peers()) {
      const auto gate_of = [&](const std::map<std::string, double>& gates) {
        const auto found = gates.find(peer.name);
        return found != gates.end() ? found->second : 0;
      };
      const Words base_words = {"sum", "-r", "-j1", "-a", peer.algorithm, "small"};
      Words without = base_words;
      without.push_back("--no-cache");
      bench_.Add({.name = absl::StrCat("warm 4 KiB files, CPU, no cache, ", peer.name),
                  .unit = "file",
                  .by = base::Bench::By::kCpu,
                  .gate = gate_of(plain)},
                 {PeerOver(peer, "small", false, units), Program("hashcache", "small", Hashcache(without), false, true, units)});
      Contender fill = Program("hashcache", "small", Hashcache(base_words), false, true, units);
      fill.prepare = [this]() -> absl::Status {
        RETURN_IF_ERROR(ground_.Need("small"));
        return base::RemoveTree(ground_.Path("cache"));
      };
      bench_.Add({.name = absl::StrCat("warm 4 KiB files, CPU, filling the cache, ", peer.name),
                  .unit = "file",
                  .by = base::Bench::By::kCpu,
                  .gate = gate_of(filling)},
                 {PeerOver(peer, "small", false, units), fill});
    }
  }

  void AddRescanRows() {
    const auto units = static_cast<double>(plan_.files);
    const Contender ours =
        Program("hashcache status", "small", Hashcache({"status", "-q", "-j1", "small"}), false, false, units);
    const Contender sums =
        Program("hashcache sum", "small", Hashcache({"sum", "-r", "-j1", "-a", "xxh3-128", "small"}), false, false, units);
    for (const bool untracked : {false, true}) {
      if (!base::HaveProgram("git")) continue;
      Contender git = Program(
          "git status", "small",
          {"git", "-c", absl::StrCat("core.untrackedCache=", untracked ? "true" : "false"), "status", "--porcelain"},
          false, false, units);
      git.prepare = [this]() -> absl::Status {
        RETURN_IF_ERROR(ground_.Need("small"));
        if (git_ready_) return absl::OkStatus();
        git_ready_ = true;
        RETURN_IF_ERROR(base::ReplaceFile(".gitignore", "*\n!small\n!small/**\n", {}));
        for (const Words& words :
             std::vector<Words>{{"git", "init", "-q", "."},
                                {"git", "add", "small"},
                                {"git", "-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "b"},
                                {"git", "status"}}) {
          RETURN_IF_ERROR(base::MeasureCommand(words, {}).status());
        }
        return absl::OkStatus();
      };
      bench_.Add({.name = absl::StrCat("no-change rescan, CPU, git status", untracked ? " with untracked cache" : ""),
                  .unit = "file",
                  .by = base::Bench::By::kCpu,
                  .gate = untracked ? 0 : 1 / 0.85},
                 {git, ours, sums});
    }
  }

  // The reference's claims: what a hit saves, by size of the file.
  void AddHitRows() {
    for (const auto& [size, label] : std::vector<std::pair<size_t, std::string>>{
             {4 << 10, "4 KiB"}, {64 << 10, "64 KiB"}, {1 << 20, "1 MiB"}, {16 << 20, "16 MiB"}}) {
      const std::string tree = absl::StrCat("hits", size);
      const size_t count = plan_.quick ? 4 : size >= (16 << 20) ? 8 : 100;
      const auto pass = [this, tree, count](bool hit) {
        return [this, tree, count, hit]() -> absl::StatusOr<Measurement> {
          HasherOptions options;
          options.cache_directory = ground_.Path("hitcache");
          options.use_cache = hit;
          if (hit) options.providers = {CachefsProviderFor};
          options.audit_share = 0;
          options.threads = 1;
          ASSIGN_OR_RETURN(const auto hasher, Hasher::Create(options));
          struct Sink : TreeSink {
            bool Visit(const TreeEntry&, FileResult&& result) override {
              if (result.digests.Has(Algorithm::kBlake3))
                absl::StrAppend(&text, result.digests.Hex(Algorithm::kBlake3));
              return true;
            }
            std::string text;
          } sink;
          ASSIGN_OR_RETURN(Measurement measurement, base::Measure([&] { return hasher->HashTree(tree, {}, sink); }));
          measurement.units = static_cast<double>(count);
          measurement.output_digest = sink.text;
          return measurement;
        };
      };
      Contender miss = {.name = "miss", .run = pass(false), .prepare = [this, tree, count] { return ground_.Need(tree, count); }};
      Contender hit = {.name = "hit", .run = pass(true), .prepare = [pass]() { return pass(true)().status(); }};
      bench_.Add({.name = absl::StrCat("hit against warm miss, ", count, " files of ", label),
                  .unit = "file",
                  .gate = size >= (64 << 10) ? 8.0 : 0},
                 {miss, hit});
    }
  }

  // The reference's claim: a hundred components in 146 ms, 70 to 90 % less reading when some changed.
  void AddComponentRows() {
    constexpr size_t kComponents = 100;
    const auto pass = [this](bool use_cache, bool cold) {
      return [this, use_cache, cold]() -> absl::StatusOr<Measurement> {
        if (cold) RETURN_IF_ERROR(ground_.MakeCold());
        ASSIGN_OR_RETURN(const std::string list, base::ReadFile(ground_.Path("hits16384.list"), 1 << 20));
        const std::vector<absl::string_view> paths = absl::StrSplit(list, '\n', absl::SkipEmpty());
        std::vector<HashRequest> requests;
        for (const absl::string_view path : paths) requests.push_back({.path = path});
        std::string text;
        HasherOptions options = {
            .use_cache = use_cache, .cache_directory = ground_.Path("componentcache"), .audit_share = 0};
        if (use_cache) options.providers = {CachefsProviderFor};
        ASSIGN_OR_RETURN(Measurement measurement, base::Measure([&]() -> absl::Status {
                           ASSIGN_OR_RETURN(const auto hasher, Hasher::Create(options));
                           return hasher->HashBatch(requests, [&text](size_t, FileResult&& result) {
                             if (result.digests.Has(Algorithm::kBlake3)) text += result.digests.Hex(Algorithm::kBlake3);
                           });
                         }));
        measurement.output_digest = text;
        return measurement;
      };
    };
    const auto prepare = [this] { return ground_.Need("hits16384", kComponents); };
    std::vector<Contender> contenders;
    if (plan_.cold) contenders.push_back({.name = "cold", .run = pass(false, true), .prepare = prepare});
    contenders.push_back({.name = "in memory", .run = pass(false, false), .prepare = prepare});
    contenders.push_back({.name = "remembered", .run = pass(true, false), .prepare = [prepare, pass]() -> absl::Status {
                            RETURN_IF_ERROR(prepare());
                            return pass(true, false)().status();
                          }});
    bench_.Add({.name = "100 components of 16 KiB, one batch", .unit = "batch"}, std::move(contenders));
  }

  void AddManyRow() {
    const Words argv = Hashcache({"status", "-q", "many"});
    Contender ours = {.name = "hashcache status",
                      .run = [this, argv]() -> absl::StatusOr<Measurement> {
                        ASSIGN_OR_RETURN(Measurement measurement, MeasurePrivateMemory(argv));
                        measurement.units = static_cast<double>(plan_.many);
                        return measurement;
                      },
                      .prepare = [this, argv]() -> absl::Status {
                        RETURN_IF_ERROR(ground_.Need("many"));
                        return base::MeasureCommand(argv, {}).status();
                      }};
    Contender sums = ours;
    const Words sum_argv = Hashcache({"sum", "-r", "-a", "xxh3-128", "many"});
    sums.name = "hashcache sum";
    sums.run = [this, sum_argv]() -> absl::StatusOr<Measurement> {
      ASSIGN_OR_RETURN(Measurement measurement, MeasurePrivateMemory(sum_argv));
      measurement.units = static_cast<double>(plan_.many);
      return measurement;
    };
    sums.prepare = [this, sum_argv]() -> absl::Status {
      RETURN_IF_ERROR(ground_.Need("many"));
      return base::MeasureCommand(sum_argv, {}).status();
    };
    bench_.Add({.name = absl::StrCat("private memory, no-change rescan of ", plan_.many, " files"), .unit = "file"},
               {ours, sums});
  }

  // On a cachefs mount: asking it what changed, against looking at every file.
  void AddTokenRow() {
    const auto scan = [this](bool ask) {
      // The token of the look before; each look gives the next.
      const auto token = std::make_shared<std::string>();
      const auto look = [this, ask, token]() -> absl::Status {
        HasherOptions options = {.cache_directory = ground_.Path("tokencache")};
        if (ask) options.providers = {CachefsProviderFor};
        ASSIGN_OR_RETURN(const auto hasher, Hasher::Create(options));
        ASSIGN_OR_RETURN(const ChangeSet changes, hasher->ChangedSince("small", *token, {}));
        if (!token->empty() && (changes.rescan || !changes.changes.empty())) {
          return absl::InternalError("changes were seen where there were none");
        }
        *token = changes.token;
        return absl::OkStatus();
      };
      Contender contender = {.name = ask ? "change token" : "stat scan",
                             .run = [look] { return base::Measure(look); },
                             .prepare = [this, look, token]() -> absl::Status {
                               RETURN_IF_ERROR(ground_.Need("small"));
                               return token->empty() ? look() : absl::OkStatus();
                             }};
      return contender;
    };
    bench_.Add({.name = "no-change rescan on cachefs, change token", .unit = "scan", .gate = 50}, {scan(false), scan(true)});
  }

  const Plan& plan_;
  Ground& ground_;
  base::Bench& bench_;
  bool git_ready_ = false;
};

int RunBenchmark(const base::Arguments& arguments) {
  Plan plan;
  plan.quick = arguments.Has("quick");
  const absl::StatusOr<int64_t> files = arguments.GetInt("files", 1, 10'000'000);
  const absl::StatusOr<int64_t> runs = arguments.GetInt("runs", 1, 100);
  const absl::StatusOr<uint64_t> large = arguments.GetSize("large");
  const absl::StatusOr<int64_t> many = arguments.GetInt("many", 1, 10'000'000);
  for (const absl::Status& status : {files.status(), runs.status(), large.status(), many.status()}) {
    if (status.ok()) continue;
    base::PrintError("bench", status.message());
    return 2;
  }
  plan.files = plan.quick ? 300 : static_cast<size_t>(*files);
  plan.medium = plan.quick ? 20 : std::max<size_t>(plan.files / 50, 1);
  plan.many = plan.quick ? 1000 : static_cast<size_t>(*many);
  plan.on_cachefs = arguments.Get("on") == "cachefs";
  plan.large_bytes = plan.quick ? 8 << 20 : *large;
  plan.cold = geteuid() == 0 && !arguments.Has("no-cold");
  if (!plan.cold) std::fprintf(stderr, "cold rows are left out: dropping the page cache needs root\n");
  char program[4096] = {};
  if (readlink("/proc/self/exe", program, sizeof program - 1) < 0) return 1;
  plan.hashcache = base::JoinPath(base::DirectoryName(program), "hashcache");
  if (access(plan.hashcache.c_str(), X_OK) != 0) {
    base::PrintError("bench", absl::StrCat("build //hashcache:hashcache first; there is no ", plan.hashcache));
    return 1;
  }
  char here[4096] = {};
  const std::string parent = arguments.Get("directory");
  plan.parent = parent[0] == '/' || getcwd(here, sizeof here) == nullptr ? parent : base::JoinPath(here, parent);
  base::Bench bench({.title = plan.on_cachefs ? "hashcache on cachefs" : "hashcache",
                     .runs = static_cast<int>(*runs),
                     .tiny = plan.quick});
  Ground ground(plan);
  Benchmark benchmark(plan, ground, bench);
  absl::Status status = ground.Start();
  if (status.ok()) {
    benchmark.AddRows();
    status = bench.Run(arguments.Get("filter"));
  }
  if (status.ok()) return 0;
  base::PrintError("bench", status.message());
  return 1;
}

}  // namespace
}  // namespace hashcache

int main(int argc, char** argv) {
  const base::Command command = {
      .name = "bench",
      .summary = "measure hashcache against b3sum, xxhsum, sha256sum, openssl, hashdeep, rhash, git and LMDB",
      .flags = {{.name = "quick", .help = "tiny inputs, one run: shows that it works"},
                {.name = "filter", .value = "TEXT", .help = "only rows whose name contains TEXT"},
                {.name = "directory", .value = "DIR", .help = "where to make the trees", .fallback = "/tmp"},
                {.name = "files", .value = "N", .help = "small files", .fallback = "100000"},
                {.name = "many", .value = "N", .help = "files for the row of private memory", .fallback = "1000000"},
                {.name = "on",
                 .value = "WHAT",
                 .help = "\"cachefs\": on a mount made in DIR; cold means remounted",
                 .fallback = "directory",
                 .choices = {"directory", "cachefs"}},
                {.name = "large", .value = "SIZE", .help = "the large file", .fallback = "4G"},
                {.name = "runs", .value = "N", .help = "of each contender", .fallback = "5"},
                {.name = "no-cold", .help = "leave out the rows that empty the page cache"}},
      .run = hashcache::RunBenchmark};
  return base::RunCommand(command, argc, argv);
}

// tools/bench fs: mounts against their peers, interleaved on one disk.
#include "base/bench/bench.h"

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/command_line.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "fs/bench_peers.h"
#include "fs/bench_workloads.h"

namespace {

absl::Status RunBench(const base::Arguments& arguments) {
  if (geteuid() != 0) return absl::PermissionDeniedError("only root can make and mount the peers");
  const bool tiny = arguments.Has("tiny");
  ASSIGN_OR_RETURN(const int64_t runs, arguments.GetInt("runs", 1, 100));
  ASSIGN_OR_RETURN(const uint64_t image_bytes, arguments.GetSize("image-size"));
  std::string directory = absl::StrCat(arguments.Get("dir"), "/cachefs_bench_XXXXXX");
  if (mkdtemp(directory.data()) == nullptr) return absl::NotFoundError("cannot work in " + arguments.Get("dir"));
  fs::WorkloadOptions options;
  if (tiny) options = {.files = 200, .large_bytes = 8 << 20, .appends = 200, .fsyncs = 5, .tree = "/usr/include/linux"};
  printf("%s\n", base::DescribeMachine().c_str());
  absl::Status status;
  {
    std::vector<std::unique_ptr<fs::Peer>> peers;
    for (absl::string_view kind : absl::StrSplit(arguments.Get("peers"), ',', absl::SkipEmpty())) {
      std::unique_ptr<fs::Peer> peer = fs::MakePeer(kind, directory, tiny ? 256 << 20 : image_bytes);
      if (peer == nullptr) return absl::InvalidArgumentError(absl::StrCat("unknown peer \"", kind, "\""));
      const absl::Status started = peer->Start();
      if (started.ok()) {
        peers.push_back(std::move(peer));
      } else {
        printf("left out: %s: %s\n", peer->name().c_str(), started.ToString().c_str());
      }
    }
    base::Bench bench({.title = "fs", .runs = static_cast<int>(runs), .tiny = tiny});
    for (const fs::Workload& workload : fs::Workloads(options)) {
      std::vector<base::Contender> contenders;
      for (const std::unique_ptr<fs::Peer>& peer : peers) {
        base::Contender contender = {.name = peer->name(),
                                     .run = [run = workload.run, peer = peer.get()] { return run(*peer); },
                                     .prepare = nullptr};
        if (workload.prepare != nullptr) {
          contender.prepare = [prepare = workload.prepare, peer = peer.get()] { return prepare(*peer); };
        }
        contenders.push_back(std::move(contender));
      }
      bench.Add({.name = workload.name, .unit = workload.unit, .gate = workload.gate}, std::move(contenders));
    }
    status = bench.Run(arguments.Get("filter"));
  }
  status.Update(base::RemoveTree(directory));
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const base::Command command = {
      .name = "bench",
      .summary = "measure mounts of cachefs against their peers on the same disk",
      .description = "Ratios are to the first peer. Rows and gates: DESIGN.md, section 7.",
      .flags = {{.name = "peers",
                 .value = "LIST",
                 .help = "of ext4, btrfs, bindfs, tmpfs, cachefs, private",
                 .fallback = "ext4,cachefs,private,btrfs,bindfs,tmpfs"},
                {.name = "filter", .value = "TEXT", .help = "only rows whose name has it", .fallback = ""},
                {.name = "runs", .value = "N", .help = "of each row; medians count", .fallback = "5"},
                {.name = "dir", .value = "DIR", .help = "on the disk to measure", .fallback = "/var/tmp"},
                {.name = "image-size", .value = "SIZE", .help = "of each peer's image", .fallback = "2G"},
                {.name = "tiny", .help = "one small run: proves that it works"}},
      .examples = {{"tools/bench fs", "everything"}, {"tools/bench fs --filter cold --runs 3", "only cold reads"}},
      .run = [](const base::Arguments& arguments) {
        const absl::Status status = RunBench(arguments);
        if (!status.ok()) base::PrintError("bench", status.ToString());
        return status.ok() ? 0 : 1;
      }};
  return base::RunCommand(command, argc, argv);
}

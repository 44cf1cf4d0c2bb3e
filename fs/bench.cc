// tools/bench fs: mounts against their peers, interleaved on one disk.
#include "base/bench/bench.h"

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/command_line.h"
#include "base/os/file.h"
#include "base/os/interrupt.h"
#include "base/status_macros.h"
#include "fs/bench_machine.h"
#include "fs/bench_peers.h"
#include "fs/bench_workloads.h"

namespace {

bool Wanted(const std::string& name, absl::string_view filter) {
  if (filter.empty()) return true;
  for (absl::string_view part : absl::StrSplit(filter, ',', absl::SkipEmpty())) {
    if (absl::StrContains(name, part)) return true;
  }
  return false;
}

// What `peer` does in a row, with the CPU that its daemon uses for it.
base::Contender ContenderOf(const fs::Workload& workload, fs::Peer* peer) {
  return {.name = peer->name(),
          .run = [run = workload.run, peer]() -> absl::StatusOr<base::Measurement> {
            const double before = fs::ProcessCpuSeconds(peer->pid());
            ASSIGN_OR_RETURN(base::Measurement measured, run(*peer));
            measured.cpu_seconds += fs::ProcessCpuSeconds(peer->pid()) - before;
            return measured;
          },
          .prepare = [prepare = workload.prepare, peer]() -> absl::Status {
            if (base::Interrupted() != 0) return absl::CancelledError("interrupted");
            return prepare == nullptr ? absl::OkStatus() : prepare(*peer);
          }};
}

absl::Status Measure(const base::Arguments& arguments, const std::string& directory) {
  const bool tiny = arguments.Has("tiny");
  ASSIGN_OR_RETURN(const int64_t runs, arguments.GetInt("runs", 1, 100));
  ASSIGN_OR_RETURN(const uint64_t image_bytes, arguments.GetSize("image-size"));
  fs::WorkloadOptions options;
  if (tiny) {
    options = {
        .files = 200, .large_bytes = 8 << 20, .appends = 200, .fsyncs = 5, .sources = 2, .tree = "/usr/include/linux"};
  }
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
    if (!Wanted(workload.name, arguments.Get("filter"))) continue;
    std::vector<base::Contender> contenders;
    for (const std::unique_ptr<fs::Peer>& peer : peers) contenders.push_back(ContenderOf(workload, peer.get()));
    bench.Add({.name = workload.name, .unit = workload.unit, .gate = workload.gate}, std::move(contenders));
  }
  return bench.Run();
}

absl::Status RunBench(const base::Arguments& arguments) {
  if (geteuid() != 0) return absl::PermissionDeniedError("only root can make and mount the peers");
  base::TakeInterrupts();  // so that what is changed and mounted is always undone
  std::unique_ptr<fs::HaltPoll> halt_poll;
  if (arguments.Has("haltpoll")) {
    ASSIGN_OR_RETURN(const int64_t nanoseconds, arguments.GetInt("haltpoll", 0, 1'000'000'000));
    ASSIGN_OR_RETURN(halt_poll, fs::HaltPoll::Set(static_cast<uint64_t>(nanoseconds)));
  }
  ASSIGN_OR_RETURN(const int64_t busy, arguments.GetInt("busy", 0, 1000));
  if (busy > 0) printf("%d busy neighbours\n", static_cast<int>(busy));
  std::string directory = absl::StrCat(arguments.Get("dir"), "/cachefs_bench_XXXXXX");
  if (mkdtemp(directory.data()) == nullptr) return absl::NotFoundError("cannot work in " + arguments.Get("dir"));
  absl::Status status;
  {
    const fs::BusyNeighbours neighbours(static_cast<int>(busy));
    status = Measure(arguments, directory);
  }
  status.Update(base::RemoveTree(directory));
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const base::Command command = {
      .name = "bench",
      .summary = "measure mounts of cachefs against their peers on the same disk",
      .description = "Ratios are to the first peer. What was measured, and what limits it: docs/perf.md.",
      .flags = {{.name = "peers",
                 .value = "LIST",
                 .help = "of ext4, btrfs, bindfs, tmpfs, cachefs, private",
                 .fallback = "ext4,cachefs,private,btrfs,bindfs,tmpfs"},
                {.name = "filter", .value = "TEXTS", .help = "only rows whose name has one of them", .fallback = ""},
                {.name = "runs", .value = "N", .help = "of each row; medians count", .fallback = "5"},
                {.name = "dir", .value = "DIR", .help = "on the disk to measure", .fallback = "/var/tmp"},
                {.name = "image-size", .value = "SIZE", .help = "of each peer's image", .fallback = "2G"},
                {.name = "haltpoll", .value = "NS", .help = "measure with this guest_halt_poll_ns, then put it back"},
                {.name = "busy", .value = "N", .help = "beside N programs that use a CPU each", .fallback = "0"},
                {.name = "tiny", .help = "one small run: proves that it works"}},
      .examples = {{"tools/bench fs", "everything"},
                   {"tools/bench fs --filter cold,unlink --runs 3", "only some rows"},
                   {"tools/bench fs --haltpoll 200000", "as a virtual machine that wakes fast"},
                   {"tools/bench fs --busy 1", "beside a busy neighbour"}},
      .run = [](const base::Arguments& arguments) {
        const absl::Status status = RunBench(arguments);
        if (!status.ok()) base::PrintError("bench", status.ToString());
        return status.ok() ? 0 : 1;
      }};
  return base::RunCommand(command, argc, argv);
}

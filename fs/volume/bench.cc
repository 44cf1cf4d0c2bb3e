// What the calls of a Volume cost by themselves: on an engine in memory, so that neither
// the engine's work nor the disk is measured, one thread, time per call.
//
// Back of the envelope: a lookup is one hash (20 ns), one ordered lookup (~300 ns in a
// std::map), two uncontended locks and a copy of 150 bytes; a create writes five rows of
// together 250 bytes. With an ordered map of a million rows both are bound by cache misses.
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "fs/cache/testing/mem_engine.h"
#include "fs/volume/check.h"
#include "fs/volume/volume.h"
#include "glog/logging.h"

namespace fs {
namespace {

class Bench {
 public:
  explicit Bench(int files) : files_(files) {}

  absl::Status Run() {
    base::Clock& clock = base::Clock::Real();
    RETURN_IF_ERROR(Volume::Format(engine_, clock, 1, 2));
    ASSIGN_OR_RETURN(volume_, Volume::Open(engine_, {}));
    ASSIGN_OR_RETURN(const Attributes directory, volume_->MakeDirectory(kRootInode, "d", 0755, root_));
    directory_ = directory.inode;
    inodes_.resize(static_cast<size_t>(files_));
    RETURN_IF_ERROR(Names());
    RETURN_IF_ERROR(Data());
    return Ends();
  }

 private:
  absl::Status Measure(const char* what, const std::function<absl::Status(int)>& call) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < files_; ++i) RETURN_IF_ERROR(call(i));
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    std::printf("%-28s %8.2f us\n", what, took.count() / files_);
    return absl::OkStatus();
  }

  absl::Status Names() {
    RETURN_IF_ERROR(Measure("create", [&](int i) -> absl::Status {
      ASSIGN_OR_RETURN(const Attributes made, volume_->MakeNode(directory_, absl::StrCat("file", i), {}, root_));
      inodes_[static_cast<size_t>(i)] = made.inode;
      return absl::OkStatus();
    }));
    RETURN_IF_ERROR(Measure("lookup", [&](int i) -> absl::Status {
      ASSIGN_OR_RETURN(const Attributes found, volume_->Lookup(directory_, absl::StrCat("file", i), Reference::kNone));
      CHECK_EQ(found.inode, inodes_[static_cast<size_t>(i)]);
      return absl::OkStatus();
    }));
    RETURN_IF_ERROR(Measure("lookup of no file", [&](int i) {
      CHECK(absl::IsNotFound(volume_->Lookup(directory_, absl::StrCat("none", i)).status()));
      return absl::OkStatus();
    }));
    RETURN_IF_ERROR(
        Measure("attributes", [&](int i) { return volume_->GetAttributes(inodes_[static_cast<size_t>(i)]).status(); }));
    ReadDirOptions plus;
    plus.attributes = true;
    int seen = 0;
    const auto start = std::chrono::steady_clock::now();
    RETURN_IF_ERROR(volume_->ReadDir(directory_, plus, [&](const DirectoryEntry&) {
      ++seen;
      return true;
    }));
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    CHECK_EQ(seen, files_ + 2);
    std::printf("%-28s %8.2f us\n", "entry of readdirplus", took.count() / files_);
    return absl::OkStatus();
  }

  absl::Status Data() {
    const std::string bytes(4096, 'x');
    RETURN_IF_ERROR(
        Measure("write of 4 KiB", [&](int i) { return volume_->Write(inodes_[static_cast<size_t>(i)], 0, bytes); }));
    std::vector<uint8_t> out(4096);
    RETURN_IF_ERROR(Measure("read of 4 KiB", [&](int i) {
      return volume_->Read(inodes_[static_cast<size_t>(i)], 0, absl::MakeSpan(out)).status();
    }));
    const auto digest = [&](int i) {
      return volume_->Digest(inodes_[static_cast<size_t>(i)], DigestType::kSha256).status();
    };
    RETURN_IF_ERROR(Measure("sha256, computed", digest));
    return Measure("sha256, kept", digest);
  }

  absl::Status Ends() {
    ASSIGN_OR_RETURN(const TreeCheckReport report, CheckTree(engine_));
    CHECK_EQ(report.problem_count, 0u) << report.problems[0].text;
    RETURN_IF_ERROR(Measure("rename over nothing", [&](int i) {
      return volume_->Rename(directory_, absl::StrCat("file", i), directory_, absl::StrCat("name", i), {}, root_);
    }));
    RETURN_IF_ERROR(
        Measure("unlink, held", [&](int i) { return volume_->Unlink(directory_, absl::StrCat("name", i)); }));
    RETURN_IF_ERROR(Measure("forget and remove", [&](int i) -> absl::Status {
      volume_->Forget(inodes_[static_cast<size_t>(i)], 1);
      return volume_->RemoveOrphans();
    }));
    ASSIGN_OR_RETURN(const VolumeStat stat, volume_->Stat());
    CHECK_EQ(stat.files, 2u) << "the root and the directory are left";
    return absl::OkStatus();
  }

  const int files_;
  MemEngine engine_;
  std::unique_ptr<Volume> volume_;
  InodeNumber directory_ = 0;
  std::vector<InodeNumber> inodes_;
  const Credentials root_;
};

}  // namespace
}  // namespace fs

// bench [FILES]: files of one directory, 2,000 unless said otherwise.
int main(int argc, char** argv) {
  int files = 2000;
  if (argc > 2 || (argc == 2 && (!absl::SimpleAtoi(argv[1], &files) || files < 1))) {
    std::fprintf(stderr, "usage: bench [FILES]\n");
    return 2;
  }
  const absl::Status status = fs::Bench(files).Run();
  if (!status.ok()) std::fprintf(stderr, "bench: %s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}

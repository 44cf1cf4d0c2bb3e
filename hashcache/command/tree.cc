#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "hashcache/command/commands.h"
#include "hashcache/command/run.h"
#include "hashcache/manifest/manifest.h"
#include "hashcache/walk/merkle.h"

namespace hashcache {
namespace {

class MerkleSink : public TreeSink {
 public:
  MerkleSink(Run& run, const std::string& root, Merkle& merkle) : run_(run), root_(root), merkle_(merkle) {}
  bool Visit(const TreeEntry& entry, FileResult&& result) override {
    if (Run::Interrupted()) return false;
    if (entry.kind == EntryKind::kFile) {
      run_.Count(PathBelow(root_, entry.path), result);
    } else if (!result.status.ok()) {
      run_.Problem(PathBelow(root_, entry.path), result.status);
    }
    merkle_.Add(entry, result);
    return true;
  }

 private:
  Run& run_;
  const std::string& root_;
  Merkle& merkle_;
};

absl::Status Tree(Run& run) {
  std::vector<std::string> roots = run.arguments().positional();
  if (roots.empty()) roots.push_back(".");
  if (run.order().size() != 1 || !IsIdentity(run.order()[0])) {
    return absl::InvalidArgumentError("tree takes one algorithm of at least 128 bits: blake3, sha256 or xxh3-128");
  }
  ManifestWriter writer({.algorithms = run.order()});
  for (const std::string& root : roots) {
    const auto print = [&](absl::string_view path, absl::Span<const uint8_t> digest) {
      FileResult result;
      result.digests.Set(run.order()[0], digest);
      run.Print(writer.Entry(PathBelow(root, path), result));
    };
    Merkle merkle(run.order()[0], run.arguments().Has("all") ? Merkle::DirectoryDone(print) : nullptr);
    MerkleSink sink(run, root, merkle);
    const absl::Status walked = run.hasher().HashTree(root, run.tree_options(), sink);
    if (!walked.ok()) {
      run.Problem(root, walked);
      continue;
    }
    if (Run::Interrupted()) break;
    const absl::StatusOr<std::vector<uint8_t>> digest = merkle.Finish();
    // What keeps the tree from having a digest was reported where it was met.
    if (digest.ok() && !run.arguments().Has("all")) print("", *digest);
  }
  return absl::OkStatus();
}

}  // namespace

base::Command TreeCommand() {
  return {.name = "tree",
          .summary = "print one digest of a whole tree (a Merkle root)",
          .arguments = "[DIR]...",
          .description =
              "The digest covers names, contents, link targets, the owner's execute bit and empty directories; it "
              "does not cover times and owners. A tree with an unreadable file has none.",
          .flags = Join({{.name = "all", .help = "print the digest of every directory, the inner ones first"}},
                        Join(TreeFlags(), HasherFlags())),
          .examples = {{"hashcache tree src", "one line"}, {"hashcache tree -a sha256 --gitignore .", "for CI keys"}},
          .run = [](const base::Arguments& arguments) { return WithRun(arguments, true, Tree); },
          .usage_error_code = kUsage};
}

}  // namespace hashcache

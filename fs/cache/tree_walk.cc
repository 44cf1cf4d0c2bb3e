#include "fs/cache/tree_walk.h"

#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "fs/disk/aligned_buffer.h"

namespace fs {

absl::Status WalkTree(Device& device, const Superblock& superblock, uint64_t pages_max,
                      absl::FunctionRef<void(const WalkedPage&)> visit) {
  struct Wanted {
    PageRef ref;
    int level;
    std::string low, high;  // high empty: no bound
  };
  if (superblock.tree_height == 0) return absl::OkStatus();
  AlignedBuffer buffer = AlignedBuffer::Uninitialized(superblock.page_bytes);
  std::vector<Wanted> stack = {{superblock.root, static_cast<int>(superblock.tree_height) - 1, "", ""}};
  for (uint64_t pages = 0; !stack.empty(); ++pages) {
    if (pages == pages_max) return absl::DataLossError(absl::StrFormat("more than %d pages", pages_max));
    const Wanted wanted = std::move(stack.back());
    stack.pop_back();
    WalkedPage walked;
    walked.ref = wanted.ref;
    walked.level = wanted.level;
    walked.bytes = buffer.span();
    walked.status = device.Read(wanted.ref.address, buffer.span());
    if (walked.status.ok()) walked.status = VerifyPage(buffer.span(), superblock.header.volume_id, wanted.ref);
    Page page(buffer.data(), buffer.size());
    if (walked.status.ok() && page.level() != wanted.level) walked.status = absl::DataLossError("V23: page of a wrong level");
    if (walked.status.ok() && page.count() == 0 && superblock.tree_height > 1) walked.status = absl::DataLossError("V28: empty page");
    const int first = wanted.level > 0 ? 1 : 0;
    if (walked.status.ok() && first < page.count() &&
        (page.Key(first) < wanted.low || (!wanted.high.empty() && page.Key(page.count() - 1) >= wanted.high))) {
      walked.status = absl::DataLossError("V29: keys outside the range that the parent gives");
    }
    visit(walked);
    if (!walked.status.ok() || wanted.level == 0) continue;
    for (int i = page.count() - 1; i >= 0; --i) {
      Wanted child{{}, wanted.level - 1, i == 0 ? wanted.low : page.Key(i), i + 1 < page.count() ? page.Key(i + 1) : wanted.high};
      std::memcpy(&child.ref, page.Value(i).data(), sizeof child.ref);
      stack.push_back(std::move(child));
    }
  }
  return absl::OkStatus();
}

}  // namespace fs

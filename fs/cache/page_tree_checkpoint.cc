// The part of PageTree that meets the device: freezing, writing and loading pages.
#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/cache/page_tree.h"
#include "fs/cache/page_tree_internal.h"

namespace fs {

PageTree::Frozen PageTree::Freeze() {
  Frozen frozen;
  for (Frame* frame : dirty_) {
    frame->dirty = false;
    if (frame->removed) continue;
    frame->frozen = frame->page;
    frozen.frames.push_back(frame);
  }
  dirty_.clear();
  std::sort(frozen.frames.begin(), frozen.frames.end(), [](Frame* a, Frame* b) { return a->level < b->level; });
  for (Frame* frame : frozen.frames) frozen.replaced.push_back(frame->disk);
  frozen.removed = std::move(removed_);
  removed_.clear();
  frozen.root = root_;
  frozen.height = height();
  frozen.pages = page_count_;
  return frozen;
}

void PageTree::Encode(Frozen& frozen, size_t index, uint64_t volume_id, uint64_t generation, uint64_t address,
                      absl::Span<uint8_t> out) {
  Frame* frame = frozen.frames[index];
  std::memcpy(out.data(), frame->frozen, page_bytes_);
  Page page(out.data(), page_bytes_);
  for (int i = 0; frame->level > 0 && i < page.count(); ++i) {
    const PageRef& ref = Child(page, i)->disk;
    DCHECK_NE(ref.address, 0u) << "children are written before their parents";
    std::memcpy(page.MutableValue(i), &ref, sizeof ref);
  }
  page.Seal(volume_id, generation, address);
  frame->disk = {address, generation, page.header().header.crc32c, 0};
}

void PageTree::Thaw(const Frozen& frozen, size_t first, size_t last) {
  for (size_t i = first; i < last; ++i) {
    Frame* frame = frozen.frames[i];
    if (frame->frozen != frame->page) std::free(frame->frozen);
    frame->frozen = nullptr;
  }
}

std::vector<PageRef> PageTree::Finish(Frozen& frozen) {
  std::vector<PageRef> free;
  for (const PageRef& ref : frozen.replaced) {
    if (ref.address != 0) free.push_back(ref);
  }
  for (Frame* frame : frozen.removed) {
    if (frame->disk.address != 0) free.push_back(frame->disk);
    DeleteFrame(frame);
  }
  frozen.removed.clear();
  return free;
}

void PageTree::Abandon(Frozen& frozen) {
  Thaw(frozen, 0, frozen.frames.size());
  for (size_t i = 0; i < frozen.frames.size(); ++i) {
    Frame* frame = frozen.frames[i];
    frame->disk = frozen.replaced[i];
    if (!frame->removed) MarkFrameDirty(frame);
  }
  removed_.insert(removed_.end(), frozen.removed.begin(), frozen.removed.end());
  frozen = Frozen();
}

PageRef PageTree::RootRef(const Frozen& frozen) const { return frozen.root->disk; }

void PageTree::VisitPages(absl::FunctionRef<void(const PageRef&)> visit) const {
  std::vector<Frame*> level = {root_};
  while (!level.empty()) {
    std::vector<Frame*> below;
    for (Frame* frame : level) {
      if (frame->disk.address != 0) visit(frame->disk);
      const Page page = View(frame);
      for (int i = 0; frame->level > 0 && i < page.count(); ++i) below.push_back(Child(page, i));
    }
    level = std::move(below);
  }
}

namespace {

// Checks a page against its place in the tree; `low` and `high` bound its keys.
absl::Status CheckPlace(const Page& page, int level, bool is_root, absl::string_view low, absl::string_view high) {
  if (page.level() != level) return absl::DataLossError("V23: page of a wrong level");
  if (page.count() == 0) return is_root && level == 0 ? absl::OkStatus() : absl::DataLossError("V28: empty page");
  const int first = level > 0 ? 1 : 0;  // above the leaves slot 0 has no key
  if (first >= page.count()) return absl::OkStatus();
  if (page.Key(first) < low || (!high.empty() && page.Key(page.count() - 1) >= high)) {
    return absl::DataLossError("V29: keys outside the range that the parent gives");
  }
  return absl::OkStatus();
}

}  // namespace

// One level at a time. A page that fails becomes an empty leaf, so that what was built
// so far stays a tree that can be destroyed.
absl::Status PageTree::Load(const PageRef& root, int height, uint64_t volume_id, ReadPages read) {
  CHECK(root_->level == 0 && View(root_).count() == 0);
  struct Wanted {
    Frame* frame;
    std::string low, high;  // high empty: no bound
  };
  root_->disk = root;
  std::vector<Wanted> wanted = {{root_, "", ""}};
  for (int level = height - 1; level >= 0; --level) {
    std::vector<PageRead> reads;
    reads.reserve(wanted.size());
    for (const Wanted& w : wanted) {
      reads.push_back({w.frame->disk, absl::MakeSpan(w.frame->page, page_bytes_), absl::OkStatus()});
    }
    read(absl::MakeSpan(reads));
    std::vector<Wanted> below;
    absl::Status first_error;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const Wanted& w = wanted[i];
      Page page = View(w.frame);
      absl::Status status = reads[i].status;
      if (status.ok()) status = VerifyPage(reads[i].out, volume_id, w.frame->disk);
      if (status.ok()) status = CheckPlace(page, level, w.frame == root_, w.low, w.high);
      if (!status.ok()) {
        page.Init(0, "");
        first_error.Update(base::Annotate(status, absl::StrFormat("tree page at %d", w.frame->disk.address)));
        continue;
      }
      w.frame->level = static_cast<uint8_t>(level);
      for (int j = 0; level > 0 && j < page.count(); ++j) {
        Frame* child = NewFrame(0);
        std::memcpy(&child->disk, page.Value(j).data(), sizeof child->disk);
        StoreChild(child, page.MutableValue(j));
        below.push_back({child, j == 0 ? w.low : page.Key(j), j + 1 < page.count() ? page.Key(j + 1) : w.high});
      }
    }
    RETURN_IF_ERROR(first_error);
    wanted = std::move(below);
  }
  for (Frame* frame : dirty_) frame->dirty = false;
  dirty_.clear();
  return absl::OkStatus();
}

}  // namespace fs

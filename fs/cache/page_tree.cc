#include "fs/cache/page_tree.h"

#include <glog/logging.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "fs/cache/page_tree_internal.h"

namespace fs {

namespace {

absl::string_view CommonPrefix(absl::string_view a, absl::string_view b) {
  const size_t limit = std::min(a.size(), b.size());
  size_t n = 0;
  while (n < limit && a[n] == b[n]) ++n;
  return a.substr(0, n);
}

}  // namespace

PageTree::PageTree(uint32_t page_bytes) : page_bytes_(page_bytes) { root_ = NewFrame(0); }

PageTree::~PageTree() {
  std::vector<Frame*> level = {root_};
  while (!level.empty()) {
    std::vector<Frame*> below;
    for (Frame* frame : level) {
      const Page page = View(frame);
      for (int i = 0; frame->level > 0 && i < page.count(); ++i) below.push_back(Child(page, i));
      DeleteFrame(frame);
    }
    level = std::move(below);
  }
  for (Frame* frame : removed_) DeleteFrame(frame);
}

PageTree::Frame* PageTree::Child(const Page& page, int slot) {
  Frame* frame;
  std::memcpy(&frame, page.Value(slot).data(), sizeof frame);
  return frame;
}

std::vector<PageTree::Cell> PageTree::Cells(const Page& page) {
  std::vector<Cell> cells(page.count());
  for (int i = 0; i < page.count(); ++i) cells[i] = {page.Key(i), std::string(page.Value(i))};
  return cells;
}

PageTree::Frame* PageTree::NewFrame(int level) {
  auto* frame = new Frame;
  frame->page_bytes = page_bytes_;
  frame->page = AllocatePage(page_bytes_);
  frame->level = static_cast<uint8_t>(level);
  View(frame).Init(level, "");
  ++page_count_;
  MarkFrameDirty(frame);
  return frame;
}

void PageTree::DeleteFrame(Frame* frame) {
  if (frame->frozen != nullptr && frame->frozen != frame->page) std::free(frame->frozen);
  std::free(frame->page);
  delete frame;
}

void PageTree::MarkFrameDirty(Frame* frame) {
  if (frame->dirty) return;
  frame->dirty = true;
  dirty_.push_back(frame);
}

void PageTree::MarkRemoved(Frame* frame) {
  frame->removed = true;
  removed_.push_back(frame);
  --page_count_;
}

int PageTree::height() const { return root_->level + 1; }

void PageTree::DescendTo(absl::string_view key, Path* path) const {
  path->depth = 0;
  Frame* frame = root_;
  while (true) {
    path->frames[path->depth] = frame;
    const Page page = View(frame);
    if (frame->level == 0) {
      path->slots[path->depth] = page.LowerBound(key, &path->equal);
      return;
    }
    const int i = page.ChildIndex(key);
    path->slots[path->depth++] = i;
    frame = Child(page, i);
  }
}

// Moves to the first row of the next leaf.
bool PageTree::Next(Path* path) {
  int depth = path->depth - 1;
  while (depth >= 0 && path->slots[depth] + 1 >= View(path->frames[depth]).count()) --depth;
  if (depth < 0) return false;
  ++path->slots[depth];
  for (; depth < path->depth; ++depth) {
    path->frames[depth + 1] = Child(View(path->frames[depth]), path->slots[depth]);
    path->slots[depth + 1] = 0;
  }
  return true;
}

// Moves to the last row of the leaf before.
bool PageTree::Previous(Path* path) {
  int depth = path->depth - 1;
  while (depth >= 0 && path->slots[depth] == 0) --depth;
  if (depth < 0) return false;
  --path->slots[depth];
  for (; depth < path->depth; ++depth) {
    path->frames[depth + 1] = Child(View(path->frames[depth]), path->slots[depth]);
    path->slots[depth + 1] = View(path->frames[depth + 1]).count() - 1;
  }
  return true;
}

bool PageTree::Get(absl::string_view key, absl::string_view* value) const {
  Path path;
  DescendTo(key, &path);
  if (!path.equal) return false;
  if (value != nullptr) *value = View(path.leaf()).Value(path.slot());
  return true;
}

bool PageTree::Floor(absl::string_view key, std::string* found, absl::string_view* value) const {
  Path path;
  DescendTo(key, &path);
  if (!path.equal) {
    if (path.slot() > 0) {
      --path.slots[path.depth];
    } else if (!Previous(&path)) {
      return false;
    }
  }
  const Page page = View(path.leaf());
  *found = page.Key(path.slot());
  *value = page.Value(path.slot());
  return true;
}

void PageTree::Scan(absl::string_view first, absl::string_view last,
                    absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const {
  Path path;
  DescendTo(first, &path);
  std::string key;
  while (true) {
    const Page page = View(path.leaf());
    for (int i = path.slot(); i < page.count(); ++i) {
      const absl::string_view prefix = page.prefix(), suffix = page.KeySuffix(i);
      key.assign(prefix.data(), prefix.size());
      key.append(suffix.data(), suffix.size());
      if (key >= last || !visit(key, page.Value(i))) return;
    }
    if (!Next(&path)) return;
  }
}

Page PageTree::Writable(Frame* frame) {
  if (frame->frozen == frame->page) {
    frame->page = AllocatePage(page_bytes_);
    std::memcpy(frame->page, frame->frozen, page_bytes_);
  }
  return View(frame);
}

// T1: from the leaf up, until a page is dirty already.
void PageTree::MarkDirty(const Path& path) {
  for (int depth = path.depth; depth >= 0 && !path.frames[depth]->dirty; --depth) MarkFrameDirty(path.frames[depth]);
}

bool PageTree::Rebuild(Frame* frame, const std::vector<Cell>& cells, size_t first, size_t last, absl::string_view also) {
  // Above the leaves the first key counts as lower than all and is kept as the bare
  // prefix, so the others must be longer than that.
  const bool inner = frame->level > 0;
  const size_t low = first + (inner ? 1 : 0);
  absl::string_view prefix;
  if (low < last) prefix = CommonPrefix(cells[low].key, cells[last - 1].key);
  if (!also.empty()) prefix = low < last ? CommonPrefix(prefix, also) : also.substr(0, inner ? 0 : also.size());
  if (inner && low < last) prefix = prefix.substr(0, std::min(prefix.size(), cells[low].key.size() - 1));
  if (inner && !also.empty()) prefix = prefix.substr(0, std::min(prefix.size(), also.size() - 1));
  auto* memory = AllocatePage(page_bytes_);
  Page page(memory, page_bytes_);
  page.Init(frame->level, prefix);
  bool fits = true;
  for (size_t i = first; i < last && fits; ++i) {
    fits = page.Append(inner && i == first ? prefix : absl::string_view(cells[i].key), cells[i].value);
  }
  if (!fits) {
    std::free(memory);
    return false;
  }
  if (frame->frozen != frame->page) std::free(frame->page);
  frame->page = memory;
  return true;
}

void PageTree::Put(absl::string_view key, absl::string_view value) {
  CHECK(!key.empty() && key.size() <= kKeyBytesMax && key.size() + value.size() <= RowBytesMax(page_bytes_))
      << "row too long; key=" << key.size() << " value=" << value.size();
  while (true) {
    Path path;
    DescendTo(key, &path);
    MarkDirty(path);
    Page page = Writable(path.leaf());
    if (path.equal ? page.Replace(path.slot(), value) : page.Insert(path.slot(), key, value)) return;
    if (!absl::StartsWith(key, page.prefix())) {
      const std::vector<Cell> cells = Cells(page);
      if (Rebuild(path.leaf(), cells, 0, cells.size(), key)) continue;
    }
    SplitAt(path, path.depth, key);
  }
}

// Splits the page at `depth`: in the middle by bytes, or behind the last cell when `key`
// goes there, since keys mostly come in order.
void PageTree::SplitAt(Path& path, int depth, absl::string_view key) {
  Frame* left = path.frames[depth];
  const Page old = View(left);
  const std::vector<Cell> cells = Cells(old);
  const size_t count = cells.size();
  CHECK_GE(count, 2u) << "rows within bounds can always be split";
  const bool at_end = key > cells.back().key && count > 4;
  size_t middle = count - 1;
  if (!at_end) {
    size_t bytes = 0;
    for (middle = 0; middle < count - 1 && (middle == 0 || bytes < old.UsedBytes() / 2); ++middle) {
      bytes += Page::CellBytes(cells[middle].key.size() - old.prefix().size(), cells[middle].value.size());
    }
  }
  // The shortest key above all on the left and not above any on the right.
  const std::string& first_right = cells[middle].key;
  const size_t shared = CommonPrefix(cells[middle - 1].key, first_right).size();
  const std::string separator = first_right.substr(0, shared + 1);

  Frame* right = NewFrame(left->level);
  CHECK(Rebuild(right, cells, middle, count, at_end ? absl::string_view(key) : absl::string_view()));
  CHECK(Rebuild(left, cells, 0, middle, ""));
  InsertChild(path, depth - 1, left->level > 0 ? first_right : separator, right);
}

// Puts `child`, whose keys start at `separator`, behind the child at path.slots[depth].
void PageTree::InsertChild(const Path& path, int depth, absl::string_view separator, Frame* child) {
  char cell[sizeof(PageRef)];
  StoreChild(child, cell);
  const absl::string_view value(cell, sizeof cell);
  if (depth < 0) {
    char old_cell[sizeof(PageRef)];
    StoreChild(root_, old_cell);
    root_ = NewFrame(root_->level + 1);
    const std::vector<Cell> cells = {{"", std::string(old_cell, sizeof old_cell)}, {std::string(separator), std::string(value)}};
    CHECK(Rebuild(root_, cells, 0, 2, ""));
    return;
  }
  Frame* frame = path.frames[depth];
  Page page = Writable(frame);
  const int slot = path.slots[depth] + 1;
  const bool strange = !absl::StartsWith(separator, page.prefix()) || separator.size() == page.prefix().size();
  if (!strange && page.Insert(slot, separator, value)) return;
  if (strange) {
    std::vector<Cell> cells = Cells(page);
    cells.insert(cells.begin() + slot, {std::string(separator), std::string(value)});
    if (Rebuild(frame, cells, 0, cells.size(), "")) return;
  }
  // Full. Until `child` is in place its keys lead to its left neighbour, and so to the
  // page that has to take it.
  Path mutable_path = path;
  SplitAt(mutable_path, depth, separator);
  Path fresh;
  DescendTo(separator, &fresh);
  int at = 0;
  while (fresh.frames[at]->level != child->level + 1) ++at;
  InsertChild(fresh, at, separator, child);
}

bool PageTree::Delete(absl::string_view key) {
  Path path;
  DescendTo(key, &path);
  if (!path.equal) return false;
  MarkDirty(path);
  Page page = Writable(path.leaf());
  page.Erase(path.slot());
  if (page.count() == 0) {
    RemovePage(path, path.depth);
  } else {
    MergeIfSparse(path, path.depth);
  }
  CollapseRoot();
  return true;
}

// T2: takes the empty page at `depth` away, and its parents as they become empty. The
// neighbour on the left takes over its keys, or that on the right if it was the first.
void PageTree::RemovePage(const Path& path, int depth) {
  Frame* frame = path.frames[depth];
  if (depth == 0) {
    if (frame->level == 0) return;  // the tree's last page is an empty leaf
    MarkRemoved(frame);
    root_ = NewFrame(0);
    return;
  }
  MarkRemoved(frame);
  Page parent = Writable(path.frames[depth - 1]);
  const int slot = path.slots[depth - 1];
  if (slot == 0 && parent.count() > 1) {
    // The first cell's key stands for "lower than all": keep it, take the next one's child.
    std::memcpy(parent.MutableValue(0), parent.Value(1).data(), sizeof(PageRef));
    parent.Erase(1);
  } else {
    parent.Erase(slot);
  }
  if (parent.count() == 0) {
    RemovePage(path, depth - 1);
  } else {
    MergeIfSparse(path, depth - 1);
  }
}

void PageTree::MergeIfSparse(const Path& path, int depth) {
  if (depth == 0) return;
  const Page page = View(path.frames[depth]);
  if (page.UsedBytes() >= page.CapacityBytes() / 4) return;
  Frame* parent = path.frames[depth - 1];
  const int slot = path.slots[depth - 1];
  const bool merged =
      (slot + 1 < View(parent).count() && MergePair(parent, slot)) || (slot > 0 && MergePair(parent, slot - 1));
  if (merged) MergeIfSparse(path, depth - 1);
}

// Moves the cells of the right one of two neighbours into the left one.
bool PageTree::MergePair(Frame* parent, int left_slot) {
  Page parent_page = View(parent);
  Frame* left = Child(parent_page, left_slot);
  Frame* right = Child(parent_page, left_slot + 1);
  const Page a = View(left), b = View(right);
  if (a.UsedBytes() + b.UsedBytes() > a.CapacityBytes() * 5 / 8) return false;
  std::vector<Cell> cells = Cells(a);
  std::vector<Cell> more = Cells(b);
  if (left->level > 0) more[0].key = parent_page.Key(left_slot + 1);
  cells.insert(cells.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  if (!Rebuild(left, cells, 0, cells.size(), "")) return false;
  MarkFrameDirty(left);
  MarkRemoved(right);
  Writable(parent).Erase(left_slot + 1);
  return true;
}

void PageTree::CollapseRoot() {
  while (root_->level > 0 && View(root_).count() == 1) {
    Frame* old = root_;
    root_ = Child(View(old), 0);
    MarkRemoved(old);
  }
}

}  // namespace fs

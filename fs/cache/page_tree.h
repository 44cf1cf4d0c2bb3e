// The PageTree is the one ordered table: a B+tree whose pages are all in memory.
//
// Checkpoints: Freeze() takes every page changed since the last one, as they are at that
//          moment. They are written bottom-up while writers go on: who changes a page that is
//          still frozen works on a copy. Where a page lies on the device is known to its
//          frame; only the image that is written carries the addresses of its children.
// Invariants, quoted by the .cc:
//   T1     the parent of a dirty page is dirty
//   T2     every page but the root has a cell; every page above the leaves has a cell
//   T3     a frame that a frozen page may name lives until that checkpoint is over
// Threads: thread-compatible, with one exception: Encode() may run beside everything else,
//          on one thread, for frames of the current Frozen.
#ifndef FS_CACHE_PAGE_TREE_H_
#define FS_CACHE_PAGE_TREE_H_

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fs/format/page.h"
#include "fs/format/superblock.h"

namespace fs {

class PageTree {
 public:
  struct Frame;

  // What one checkpoint writes.
  struct Frozen {
    std::vector<Frame*> frames;      // by level, leaves first
    std::vector<PageRef> replaced;   // parallel to `frames`: where each one was before
    std::vector<Frame*> removed;     // no page names them any longer
    Frame* root = nullptr;
    int height = 0;
    uint64_t pages = 0;
  };

  explicit PageTree(uint32_t page_bytes);
  ~PageTree();
  PageTree(const PageTree&) = delete;
  PageTree& operator=(const PageTree&) = delete;

  // False if absent. The view lives until the next change.
  bool Get(absl::string_view key, absl::string_view* value) const;
  // The last row whose key is <= `key`; false if there is none.
  bool Floor(absl::string_view key, std::string* found, absl::string_view* value) const;
  // Rows in [first, last) until `visit` returns false; `visit` must not change the tree.
  void Scan(absl::string_view first, absl::string_view last,
            absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const;

  // REQUIRES: key not empty, key and value within RowBytesMax(page_bytes).
  void Put(absl::string_view key, absl::string_view value);
  // False if there was no such row.
  bool Delete(absl::string_view key);

  uint64_t page_count() const { return page_count_; }
  // Pages the next checkpoint would write.
  uint64_t dirty_count() const { return dirty_.size(); }
  int height() const;

  // --- checkpoints, one at a time
  Frozen Freeze();
  // Writes the image of frames[index] for `address` into `out`. Children come first.
  void Encode(Frozen& frozen, size_t index, uint64_t volume_id, uint64_t generation, uint64_t address,
              absl::Span<uint8_t> out);
  // The images of frames [first, last) are written: writers need no copies any longer.
  void Thaw(const Frozen& frozen, size_t first, size_t last);
  // The checkpoint holds: forgets what was removed and returns the places that are free
  // once no superblock needs them.
  std::vector<PageRef> Finish(Frozen& frozen);
  // The checkpoint failed: everything it took is dirty again.
  void Abandon(Frozen& frozen);
  PageRef RootRef(const Frozen& frozen) const;

  // --- loading
  // Reads a whole tree: `read` fills pages of one level, all at once, and says for each
  // one how it went. Every page is verified, also against its parent.
  // REQUIRES: nothing was put yet.
  struct PageRead {
    PageRef ref;
    absl::Span<uint8_t> out;
    absl::Status status;
  };
  using ReadPages = absl::FunctionRef<void(absl::Span<PageRead> reads)>;
  absl::Status Load(const PageRef& root, int height, uint64_t volume_id, ReadPages read);
  // Where every clean page lies.
  void VisitPages(absl::FunctionRef<void(const PageRef&)> visit) const;

 private:
  struct Path;
  struct Cell {
    std::string key, value;
  };

  static Frame* Child(const Page& page, int slot);
  static std::vector<Cell> Cells(const Page& page);

  Frame* NewFrame(int level);
  static void DeleteFrame(Frame* frame);
  Page Writable(Frame* frame);
  void MarkDirty(const Path& path);
  void MarkFrameDirty(Frame* frame);
  void MarkRemoved(Frame* frame);
  void DescendTo(absl::string_view key, Path* path) const;
  static bool Next(Path* path);
  static bool Previous(Path* path);
  // Fills `frame` with cells [first, last) under the longest prefix they have in common
  // with `also` (empty: no further key). False if they do not fit: nothing changed.
  bool Rebuild(Frame* frame, const std::vector<Cell>& cells, size_t first, size_t last, absl::string_view also);
  void SplitAt(Path& path, int depth, absl::string_view key);
  void InsertChild(const Path& path, int depth, absl::string_view separator, Frame* child);
  void RemovePage(const Path& path, int depth);
  void MergeIfSparse(const Path& path, int depth);
  bool MergePair(Frame* parent, int left_slot);
  void CollapseRoot();

  const uint32_t page_bytes_;
  Frame* root_ = nullptr;
  uint64_t page_count_ = 0;
  std::vector<Frame*> dirty_;
  std::vector<Frame*> removed_;
};

}  // namespace fs

#endif  // FS_CACHE_PAGE_TREE_H_

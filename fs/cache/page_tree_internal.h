// What page_tree.cc and page_tree_checkpoint.cc share. Private to them.
//
// Threads: as PageTree.
#ifndef FS_CACHE_PAGE_TREE_INTERNAL_H_
#define FS_CACHE_PAGE_TREE_INTERNAL_H_

#include <glog/logging.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fs/cache/page_tree.h"
#include "fs/format/page.h"

namespace fs {

struct PageTree::Frame {
  uint8_t* page = nullptr;    // what readers and writers see
  uint8_t* frozen = nullptr;  // what a checkpoint is about to write; may be `page`
  PageRef disk;               // the image that was written last; address 0: none
  uint32_t page_bytes = 0;
  uint8_t level = 0;
  bool dirty = false;    // changed since the last Freeze(); then it is in dirty_
  bool removed = false;  // no page names it; then it is in removed_ or a Frozen's
};

struct PageTree::Path {
  Frame* frames[17];
  int slots[17];
  int depth = 0;  // of the leaf
  bool equal = false;

  Frame* leaf() const { return frames[depth]; }
  int slot() const { return slots[depth]; }
};

// Device transfers go straight into pages.
inline uint8_t* AllocatePage(uint32_t page_bytes) {
  auto* page = static_cast<uint8_t*>(std::aligned_alloc(kBlockBytes, page_bytes));
  CHECK(page != nullptr) << "out of memory";
  return page;
}

template <typename FramePointer>
Page View(FramePointer frame) {
  return Page(frame->page, frame->page_bytes);
}

// In memory the cell of a child begins with its frame's address instead of its place.
template <typename FramePointer>
void StoreChild(FramePointer frame, char* cell) {
  std::memset(cell, 0, sizeof(PageRef));
  std::memcpy(cell, &frame, sizeof frame);
}

}  // namespace fs

#endif  // FS_CACHE_PAGE_TREE_INTERNAL_H_

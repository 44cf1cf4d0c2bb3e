// Reads tree pages from a device, many at once.
//
// Threads: no state.
#ifndef FS_CACHE_PAGE_READER_H_
#define FS_CACHE_PAGE_READER_H_

#include "absl/types/span.h"
#include "fs/cache/page_tree.h"
#include "fs/disk/device.h"

namespace fs {

// Fills in each read's status; bounds what is under way at a time.
void ReadTreePages(Device& device, absl::Span<PageTree::PageRead> reads);

}  // namespace fs

#endif  // FS_CACHE_PAGE_READER_H_

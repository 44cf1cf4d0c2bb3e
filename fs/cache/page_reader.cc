#include "fs/cache/page_reader.h"

#include <algorithm>
#include <vector>

namespace fs {

void ReadTreePages(Device& device, absl::Span<PageTree::PageRead> reads) {
  constexpr size_t kWindow = 256;
  for (size_t begin = 0; begin < reads.size(); begin += kWindow) {
    const size_t end = std::min(begin + kWindow, reads.size());
    std::vector<IoRequest> requests;
    for (size_t i = begin; i < end; ++i) {
      requests.push_back(IoRequest::Read(reads[i].ref.address, reads[i].out,
                                         [&read = reads[i]](const absl::Status& status) { read.status = status; }));
    }
    static_cast<void>(device.SubmitAndWait(absl::MakeSpan(requests)));  // each read has its own status
  }
}

}  // namespace fs

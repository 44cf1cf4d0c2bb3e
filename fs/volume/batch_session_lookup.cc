// BatchSession: LOOKUP items, read together.
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "fs/format/contract_status.h"
#include "fs/volume/batch_session.h"
#include "fs/volume/batch_status.h"

namespace fs {

absl::StatusOr<Attributes> BatchSession::CheckLookup(const batch::Request& request, const batch::Lookup& lookup) {
  ASSIGN_OR_RETURN(const Attributes file, Look(request, lookup.path()));
  if (file.is_directory()) return Errno(EISDIR, "is a directory");
  if (!file.is_regular()) return Errno(ELOOP, "is no regular file");
  RETURN_IF_ERROR(volume_.CheckAccess(options_.opener, file.inode, R_OK));
  if (file.size_bytes > lookup.bytes_max()) {
    return absl::OutOfRangeError(absl::StrCat("has ", file.size_bytes, " bytes, more than ", lookup.bytes_max()));
  }
  if (lookup.offset() > file.size_bytes || (lookup.version() != 0 && lookup.version() != file.data_version)) {
    return absl::AbortedError("the file has changed while it was read in parts");
  }
  return file;
}

int BatchSession::LookupRun(const batch::Request& request, int first, size_t room_bytes, batch::Reply* reply,
                            std::string* out) {
  struct Wanted {
    absl::StatusOr<Attributes> file;
    size_t size = 0;
    size_t at = 0;  // in `out`
  };
  std::vector<Wanted> wanted;
  size_t total = out->size();
  const size_t limit = out->size() + room_bytes;
  size_t message_bytes = 0;
  for (int i = first; i < request.items_size() && request.items(i).has_lookup(); ++i) {
    const batch::Lookup& lookup = request.items(i).lookup();
    Wanted want{CheckLookup(request, lookup), 0, total};
    if (want.file.ok()) {
      const uint64_t left = want.file->size_bytes - lookup.offset();
      // A file is cut only if it is alone in the answer.
      if (left > limit - total && total > 0) break;
      want.size = static_cast<size_t>(std::min<uint64_t>(left, limit - total));
    }
    message_bytes += want.file.ok() ? 48 : 128 + want.file.status().message().size();
    if (message_bytes > kMessageBytesMax && !wanted.empty()) break;
    total += want.size;
    wanted.push_back(std::move(want));
    if (total == limit) break;
  }
  out->resize(total);
  std::vector<VolumeRead> reads;
  std::vector<size_t> reading;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i].file.ok() || wanted[i].size == 0) continue;
    const batch::Lookup& lookup = request.items(first + static_cast<int>(i)).lookup();
    reads.push_back({wanted[i].file->inode, lookup.offset(),
                     absl::MakeSpan(reinterpret_cast<uint8_t*>(&(*out)[wanted[i].at]), wanted[i].size)});
    reading.push_back(i);
  }
  volume_.ReadBatch(reads, [&](size_t index, absl::StatusOr<size_t> size) {
    Wanted& want = wanted[reading[index]];
    if (!size.ok()) {
      want.file = size.status();
    } else if (*size != want.size) {
      want.file = absl::AbortedError("the file shrank while it was read");
    }
  });
  // Payload of items that failed stays in place as unused bytes would: squeeze it out.
  size_t end = wanted.empty() ? out->size() : wanted.front().at;
  for (const Wanted& want : wanted) {
    batch::Result& result = *reply->add_results();
    if (!want.file.ok()) {
      SetStatus(ContractStatus(want.file.status()), &result);
      continue;
    }
    if (end != want.at)
      std::copy_n(out->begin() + static_cast<ptrdiff_t>(want.at), want.size,
                  out->begin() + static_cast<ptrdiff_t>(end));
    end += want.size;
    result.set_payload_bytes(static_cast<uint32_t>(want.size));
    result.set_size_bytes(want.file->size_bytes);
    result.set_version(want.file->data_version);
  }
  out->resize(end);
  return static_cast<int>(wanted.size());
}

}  // namespace fs

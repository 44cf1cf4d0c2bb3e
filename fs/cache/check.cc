#include "fs/cache/check.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/endian.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/chunk_table.h"
#include "fs/cache/log_scanner.h"
#include "fs/cache/pack_summary.h"
#include "fs/cache/page_tree.h"
#include "fs/cache/superblock_store.h"
#include "fs/cache/tree_walk.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/format/chunk_row.h"
#include "fs/format/crc32c.h"
#include "fs/format/extent_row.h"
#include "fs/format/key.h"

namespace fs {
namespace {

class Checker {
 public:
  Checker(Device& device, const CheckOptions& options) : device_(device), options_(options) {}

  absl::StatusOr<CheckReport> Run();

 private:
  void Find(const absl::Status& status, absl::string_view where, bool harmless = false);
  void CheckTree();
  void CheckLeaf(Page& page);
  void CheckChunkRows();
  void CheckOwners();
  void CheckLog();
  void ApplyRecord(const LogRecord& record);
  void CheckExtents();
  void CheckSummaries();
  void ReadExtents();

  Device& device_;
  const CheckOptions& options_;
  Superblock superblock_;
  CheckReport report_;
  std::unique_ptr<PageTree> table_;
  std::unique_ptr<ChunkTable> space_;
  std::map<uint32_t, std::string> chunk_rows_;  // as the checkpoint wrote them
  std::vector<uint64_t> pages_;
};

// The rule is what the message begins with, if that looks like one.
void Checker::Find(const absl::Status& status, absl::string_view where, bool harmless) {
  if (status.ok() || report_.findings.size() >= options_.findings_max) return;
  CheckFinding finding;
  const absl::string_view text = status.message();
  for (const char* mark : {"rule ", ""}) {
    const size_t at = *mark == '\0' ? 0 : text.find(mark);
    if (at == absl::string_view::npos) continue;
    const absl::string_view rest = text.substr(at + std::strlen(mark));
    size_t digits = 1;
    if (rest.empty() || (rest[0] != 'V' && rest[0] != 'R')) continue;
    while (digits < rest.size() && absl::ascii_isdigit(rest[digits])) ++digits;
    if (digits > 1) finding.rule = std::string(rest.substr(0, digits));
    if (!finding.rule.empty()) break;
  }
  finding.message = absl::StrCat(where, ": ", text);
  finding.harmless = harmless;
  report_.findings.push_back(std::move(finding));
}

void Checker::CheckLeaf(Page& page) {
  for (int i = 0; i < page.count(); ++i) {
    const std::string key = page.Key(i);
    const absl::string_view value = page.Value(i);
    ++report_.rows;
    if (key.size() < kKeyHeaderBytes || key.size() + value.size() > RowBytesMax(superblock_.page_bytes)) {
      Find(absl::DataLossError("V13: bad row"), absl::StrFormat("key %s", absl::BytesToHexString(key)));
      continue;
    }
    if (KeyInode(key) == 0 && KeyType(key) == RowType::kChunk && key.size() == kKeyHeaderBytes + 4) {
      chunk_rows_[base::LoadBig<uint32_t>(KeySuffix(key).data())] = std::string(value);
    }
    table_->Put(key, value);
  }
}

void Checker::CheckTree() {
  table_ = std::make_unique<PageTree>(superblock_.page_bytes);
  const uint64_t pages_max = superblock_.chunk_count * uint64_t{superblock_.chunk_bytes / superblock_.page_bytes};
  const absl::Status walked = WalkTree(device_, superblock_, pages_max, [&](const WalkedPage& walked_page) {
    ++report_.pages;
    Find(walked_page.status, absl::StrFormat("tree page at %d", walked_page.ref.address));
    if (!walked_page.status.ok()) return;
    pages_.push_back(walked_page.ref.address);
    Page page(walked_page.bytes.data(), walked_page.bytes.size());
    if (walked_page.level == 0) CheckLeaf(page);
  });
  Find(walked, "tree");
  if (report_.findings.empty() && report_.pages != superblock_.tree_pages) {
    Find(absl::DataLossError(absl::StrFormat("R4: %d pages, the superblock says %d", report_.pages, superblock_.tree_pages)), "tree");
  }
}

// V46: chunk rows and extents of the same checkpoint tell the same story.
void Checker::CheckChunkRows() {
  ChunkTable told(superblock_), counted(superblock_);
  std::map<uint32_t, ChunkRow> from_extents;
  table_->Scan("", std::string(kKeyBytesMax, '\xff'), [&](absl::string_view key, absl::string_view value) {
    if (KeyType(key) != RowType::kExtent) return true;
    const absl::StatusOr<ExtentView> extent = DecodeExtent(value);
    if (!extent.ok() || extent->kind == ExtentKind::kInline) return true;  // reported with the extents
    Find(counted.AddLive(extent->address, extent->length, extent->kind == ExtentKind::kPacked),
         absl::StrFormat("extent of inode %d", KeyInode(key)));
    return true;
  });
  counted.VisitChanged([&](uint32_t index, const absl::optional<ChunkRow>& row) {
    if (row) from_extents[index] = *row;
  });
  for (const auto& [index, value] : chunk_rows_) {
    const std::string where = absl::StrFormat("row of chunk %d", index);
    absl::StatusOr<ChunkRow> row = DecodeChunkRow(value, superblock_.chunk_bytes);
    Find(row.status(), where);
    if (!row.ok()) continue;
    Find(told.LoadRow(index, *row), where);
    const auto it = from_extents.find(index);
    const ChunkRow none;
    const ChunkRow& expected = it == from_extents.end() ? none : it->second;
    const bool empty = it == from_extents.end() && row->live_bytes == 0 &&
                       row->bitmap.find_first_not_of('\0') == std::string::npos;
    const bool equal = row->live_bytes == expected.live_bytes && row->type == expected.type && row->bitmap == expected.bitmap;
    if (!empty && !equal) {
      Find(absl::DataLossError(absl::StrFormat("V46: it says %s, the extents say %s", DebugString(*row), DebugString(expected))), where);
    }
    if (it != from_extents.end()) from_extents.erase(it);
  }
  for (const auto& [index, row] : from_extents) {
    Find(absl::DataLossError("V46: no row, though extents name it"), absl::StrFormat("chunk %d", index));
  }
}

// V47: owner rows and extents of the same checkpoint tell the same story.
void Checker::CheckOwners() {
  std::map<std::string, ExtentOwner> from_extents;
  const auto visit = [&](absl::string_view key, absl::string_view value) {
    if (KeyType(key) != RowType::kExtent || key.size() != kKeyHeaderBytes + 8) return true;
    const absl::StatusOr<ExtentView> extent = DecodeExtent(value);
    if (!extent.ok() || extent->kind != ExtentKind::kDevice || extent->address < superblock_.chunks_address) return true;
    const uint64_t at = extent->address - superblock_.chunks_address;
    from_extents[OwnerKey(static_cast<uint32_t>(at / superblock_.chunk_bytes),
                          static_cast<uint32_t>(at % superblock_.chunk_bytes / kBlockBytes))] = {
        KeyInode(key), base::LoadBig<uint64_t>(KeySuffix(key).data()), extent->length};
    return true;
  };
  table_->Scan("", std::string(kKeyBytesMax, '\xff'), visit);
  table_->Scan(RowKey(0, RowType::kOwner), RowEnd(0, RowType::kOwner), [&](absl::string_view key, absl::string_view value) {
    const std::string where = absl::StrFormat("owner row %s", absl::BytesToHexString(KeySuffix(key)));
    const absl::StatusOr<ExtentOwner> owner = DecodeOwnerRow(value);
    Find(owner.status(), where);
    const auto it = from_extents.find(std::string(key));
    if (it == from_extents.end()) {
      Find(absl::DataLossError("V47: no extent begins there"), where);
      return true;
    }
    if (owner.ok() && !(*owner == it->second)) {
      Find(absl::DataLossError(absl::StrFormat("V47: it says %s, the extent says %s", DebugString(*owner), DebugString(it->second))), where);
    }
    from_extents.erase(it);
    return true;
  });
  for (const auto& [key, owner] : from_extents) {
    Find(absl::DataLossError(absl::StrFormat("V47: no owner row; %s", DebugString(owner))),
         absl::StrFormat("chunk and block %s", absl::BytesToHexString(KeySuffix(key))));
  }
}

void Checker::ApplyRecord(const LogRecord& record) {
  const bool row = record.kind == LogRecordKind::kPut || record.kind == LogRecordKind::kDelete;
  if (!row) return;
  if (record.key.size() == kKeyHeaderBytes + 4 && KeyInode(record.key) == 0 && KeyType(record.key) == RowType::kChunk) {
    // The table keeps what the checkpoint said; summaries are looked for where the log says.
    chunk_rows_[base::LoadBig<uint32_t>(KeySuffix(record.key).data())] = std::string(record.value);
    return;
  }
  if (record.key.size() < kKeyHeaderBytes || record.key.size() > kKeyBytesMax ||
      record.key.size() + record.value.size() > RowBytesMax(superblock_.page_bytes)) {
    Find(absl::DataLossError("V13: bad row"), "log");
  } else if (record.kind == LogRecordKind::kPut) {
    table_->Put(record.key, record.value);
  } else {
    table_->Delete(record.key);
  }
}

void Checker::CheckLog() {
  LogScanner scanner(device_, superblock_);
  while (true) {
    absl::StatusOr<absl::optional<LogScanner::Batch>> batch = scanner.Next();
    Find(batch.status(), "log");
    if (!batch.ok() || !*batch) break;
    ++report_.log_batches;
    Find(DecodeLogPayload((*batch)->header, (*batch)->payload,
                          [&](const LogRecord& record) {
                            ApplyRecord(record);
                            return absl::OkStatus();
                          }),
         absl::StrFormat("log batch %d", (*batch)->header.number()));
  }
  if (!scanner.cut().empty()) {
    Find(absl::DataLossError(absl::StrFormat("R9: the newest commit is incomplete and will be cut: %s", scanner.cut())), "log", true);
  }
}

void Checker::CheckExtents() {
  space_ = std::make_unique<ChunkTable>(superblock_);
  for (const uint64_t address : pages_) Find(space_->LoadPage(address), "tree page");
  InodeNumber inode = 0;
  uint64_t previous_end = 0;
  table_->Scan("", std::string(kKeyBytesMax, '\xff'), [&](absl::string_view key, absl::string_view value) {
    if (KeyType(key) != RowType::kExtent) return true;
    ++report_.extents;
    const std::string where = absl::StrFormat("extent %s", absl::BytesToHexString(key));
    const absl::StatusOr<ExtentView> extent = DecodeExtent(value);
    Find(extent.status(), where);
    if (key.size() != kKeyHeaderBytes + 8) Find(absl::DataLossError("V30: bad extent key"), where);
    if (!extent.ok() || key.size() != kKeyHeaderBytes + 8) return true;
    const uint64_t offset = base::LoadBig<uint64_t>(KeySuffix(key).data());
    if (offset % kBlockBytes != 0) Find(absl::DataLossError("V34: extent does not begin at a unit"), where);
    if (KeyInode(key) == inode && offset < previous_end) Find(absl::DataLossError("V34: extents of a file overlap"), where);
    inode = KeyInode(key);
    previous_end = offset + base::RoundUp(extent->length, kBlockBytes);
    if (extent->kind == ExtentKind::kInline) return true;
    report_.data_bytes += extent->length;
    const absl::Status named = space_->AddLive(extent->address, extent->length, extent->kind == ExtentKind::kPacked);
    if (!named.ok()) Find(absl::DataLossError(absl::StrCat("V35: ", named.message())), where);
    return true;
  });
  const absl::Status settled = space_->FinishLoad();
  if (!settled.ok()) Find(absl::DataLossError(absl::StrCat("V35: ", settled.message())), "chunks");
}

void Checker::CheckSummaries() {
  for (const auto& [index, value] : chunk_rows_) {
    const absl::StatusOr<ChunkRow> row = DecodeChunkRow(value, superblock_.chunk_bytes);
    if (!row.ok() || row->type != ChunkType::kPack || row->summary_block == 0) continue;
    if (space_->type(index) != ChunkType::kPack) continue;  // it has become something else since
    const uint64_t address = superblock_.ChunkAddress(index);
    Find(ReadPackOwners(device_, {superblock_.header.volume_id, address, superblock_.chunk_bytes, row->summary_block}).status(),
         absl::StrFormat("chunk %d at %d", index, address), true);
  }
}

void Checker::ReadExtents() {
  AlignedBuffer buffer = AlignedBuffer::Uninitialized(kExtentBytesMax + 2 * kBlockBytes);
  table_->Scan("", std::string(kKeyBytesMax, '\xff'), [&](absl::string_view key, absl::string_view value) {
    if (KeyType(key) != RowType::kExtent) return true;
    const absl::StatusOr<ExtentView> extent = DecodeExtent(value);
    if (!extent.ok() || extent->kind == ExtentKind::kInline) return true;
    const std::string where = absl::StrFormat("data of inode %d", KeyInode(key));
    const uint64_t begin = base::RoundDown(extent->address, kBlockBytes);
    const uint64_t end = base::RoundUp(extent->address + extent->length, kBlockBytes);
    const absl::Status read = device_.Read(begin, buffer.span(0, end - begin));
    Find(read, where);
    const uint8_t* data = buffer.data() + (extent->address - begin);
    for (uint32_t unit = 0; read.ok() && unit < UnitCount(extent->length); ++unit) {
      const uint32_t computed = Crc32c(data + size_t{unit} * kBlockBytes, extent->UnitBytes(unit));
      if (computed == extent->Crc(unit)) continue;
      Find(absl::DataLossError(absl::StrFormat("V36: checksum mismatch; address %d; stored %08x, computed %08x",
                                               extent->address + uint64_t{unit} * kBlockBytes, extent->Crc(unit), computed)),
           where);
    }
    report_.bytes_read += extent->length;
    if (options_.progress) options_.progress(report_.bytes_read, report_.data_bytes);
    return report_.findings.size() < options_.findings_max;
  });
}

absl::StatusOr<CheckReport> Checker::Run() {
  const std::vector<SuperblockStore::Copy> copies = SuperblockStore::ReadCopies(device_);
  const SuperblockStore::Copy* best = nullptr;
  for (const SuperblockStore::Copy& copy : copies) {
    if (copy.status.code() == absl::StatusCode::kUnimplemented) return copy.status;
    if (copy.status.ok() && (best == nullptr || copy.superblock.header.generation > best->superblock.header.generation)) best = &copy;
  }
  if (best == nullptr) return SuperblockStore::NoVolume(device_, copies);
  superblock_ = best->superblock;
  for (size_t i = 0; i < copies.size(); ++i) {
    const absl::Status& status = copies[i].status;
    if (!status.ok()) {
      Find(absl::DataLossError(absl::StrCat("V0: ", status.message())), absl::StrFormat("superblock copy %d at %d", i, copies[i].address), true);
    }
  }
  if (superblock_.device_bytes > device_.size_bytes()) {
    Find(absl::DataLossError(absl::StrFormat("V3: the device has %d bytes, the volume needs %d", device_.size_bytes(), superblock_.device_bytes)), "superblock");
    return report_;
  }
  report_.cleanly_closed = (superblock_.flags & kCleanlyClosed) != 0;
  CheckTree();
  CheckChunkRows();
  CheckOwners();
  CheckLog();
  CheckExtents();
  CheckSummaries();
  if (options_.read_data) ReadExtents();
  return report_;
}

}  // namespace

bool CheckReport::sound() const {
  return std::all_of(findings.begin(), findings.end(), [](const CheckFinding& finding) { return finding.harmless; });
}

absl::StatusOr<CheckReport> CheckVolume(Device& device, const CheckOptions& options) {
  return Checker(device, options).Run();
}

}  // namespace fs

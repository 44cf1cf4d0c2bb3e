#include "fs/volume/check.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "base/endian.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/format/inode_row.h"
#include "fs/format/key.h"
#include "fs/format/name_row.h"
#include "fs/format/volume_row.h"
#include "fs/volume/name_hash.h"
#include "fs/volume/types.h"

namespace fs {
namespace {

constexpr size_t kRowsPerScan = 4096;
constexpr uint64_t kUnitBytes = 4096;  // the engine's: the last unit of a file may be short

// What the rows of one inode said, gathered in key order.
struct Seen {
  bool exists = false;
  bool is_orphan = false;
  uint32_t mode = 0;
  uint32_t link_count = 0;
  uint32_t policy = 0;
  uint32_t xattr_row_count = 0;
  uint32_t xattr_rows = 0;
  uint32_t back_references = 0;
  uint64_t size_bytes = 0;
  uint64_t entry_count = 0;
  uint64_t next_index = 0;
  uint64_t run_next = 0;
  uint64_t run_end = 0;
  uint64_t name_rows = 0;
  uint64_t order_rows = 0;
  uint64_t subdirectories = 0;
  uint64_t index_max = 0;
  InodeNumber parent = 0;
  int64_t expiry_seconds = 0;  // 0 = never
  uint32_t expiry_rows = 0;
  bool has_expiring = false;

  bool is_directory() const { return S_ISDIR(mode); }
};

class Checker {
 public:
  Checker(Engine& engine, const TreeCheckOptions& options) : engine_(engine), options_(options) {}

  absl::StatusOr<TreeCheckReport> Run();

 private:
  void Report(absl::string_view rule, std::string text);
  absl::Status LoadCounters();
  absl::Status CheckRow(absl::string_view key, absl::string_view value);
  absl::Status CheckVolumeRow(absl::string_view key, absl::string_view value);
  absl::Status CheckBackReference(InodeNumber inode, absl::string_view suffix);
  absl::Status CheckName(InodeNumber directory, absl::string_view suffix, absl::string_view value);
  absl::Status CheckOrder(InodeNumber directory, absl::string_view suffix, absl::string_view value);
  void CheckInodeRow(InodeNumber inode, absl::string_view value);
  absl::StatusOr<absl::optional<OrderRow>> FindOrder(InodeNumber directory, uint64_t index);
  absl::StatusOr<absl::optional<NameRow>> FindName(InodeNumber directory, absl::string_view name);
  absl::Status CheckInode(InodeNumber inode, const Seen& seen);
  absl::Status CheckPastEnd(InodeNumber inode, uint64_t size_bytes);
  void CheckLinks(InodeNumber inode, const Seen& seen);
  void CheckNumbers();
  void CheckAncestors();
  void CheckExpiry();
  void CheckUsage();

  Engine& engine_;
  const TreeCheckOptions& options_;
  TreeCheckReport report_;
  NameHash hash_;
  uint64_t next_inode_ = 0;
  absl::flat_hash_map<InodeNumber, Seen> inodes_;
  std::vector<std::pair<InodeNumber, uint64_t>> expiry_rows_;  // inode, minute
  absl::flat_hash_set<uint32_t> policies_;
  absl::flat_hash_map<uint32_t, UsageRow> usage_rows_;
  absl::flat_hash_map<uint32_t, UsageRow> usage_;
};

std::string Quoted(absl::string_view name) { return absl::StrCat("\"", absl::CHexEscape(name), "\""); }

void Checker::Report(absl::string_view rule, std::string text) {
  ++report_.problem_count;
  if (report_.problems.size() < options_.problems_max) {
    report_.problems.push_back({std::string(rule), std::move(text)});
  }
}

absl::Status Checker::LoadCounters() {
  uint64_t values[4] = {};
  for (const Counter counter : {Counter::kNextInode, Counter::kHashKeyLow, Counter::kHashKeyHigh}) {
    std::string bytes;
    ASSIGN_OR_RETURN(const bool found, engine_.Get(CounterKey(counter), &bytes));
    const uint32_t id = static_cast<uint32_t>(counter);
    const absl::StatusOr<uint64_t> value = found ? DecodeCounter(bytes) : absl::NotFoundError("missing");
    if (!value.ok()) {
      Report("T1", absl::StrCat("counter ", id, ": ", value.status().message()));
    } else {
      values[id] = *value;
    }
  }
  next_inode_ = values[static_cast<int>(Counter::kNextInode)];
  hash_ = NameHash(values[static_cast<int>(Counter::kHashKeyLow)], values[static_cast<int>(Counter::kHashKeyHigh)],
                   options_.name_hash_bits);
  return absl::OkStatus();
}

absl::StatusOr<absl::optional<OrderRow>> Checker::FindOrder(InodeNumber directory, uint64_t index) {
  std::string bytes;
  ASSIGN_OR_RETURN(const bool found, engine_.Get(RowKey(directory, RowType::kOrder, index), &bytes));
  if (!found) return absl::optional<OrderRow>();
  absl::StatusOr<OrderRow> row = OrderRow::Decode(bytes);
  if (!row.ok()) return absl::optional<OrderRow>();  // reported where it stands
  return absl::optional<OrderRow>(*std::move(row));
}

absl::StatusOr<absl::optional<NameRow>> Checker::FindName(InodeNumber directory, absl::string_view name) {
  const uint64_t hash = hash_(name);
  const std::string last =
      hash == UINT64_MAX ? RowEnd(directory, RowType::kName) : RowKey(directory, RowType::kName, hash + 1);
  absl::optional<NameRow> result;
  RETURN_IF_ERROR(
      engine_.Scan(RowKey(directory, RowType::kName, hash), last, [&](absl::string_view, absl::string_view value) {
        absl::StatusOr<NameRow> row = NameRow::Decode(value);
        if (row.ok() && row->name == name) result = *std::move(row);
        return !result.has_value();
      }));
  return result;
}

void Checker::CheckInodeRow(InodeNumber inode, absl::string_view value) {
  Seen& seen = inodes_[inode];
  const absl::StatusOr<InodeRow> row = InodeRow::Decode(value);
  if (!row.ok()) return Report("T1", absl::StrCat("inode ", inode, ": ", row.status().message()));
  seen.exists = true;
  seen.mode = row->mode;
  seen.link_count = row->link_count;
  seen.policy = row->policy;
  seen.xattr_row_count = row->xattr_row_count;
  seen.size_bytes = row->size_bytes;
  seen.entry_count = row->entry_count;
  seen.next_index = row->next_index;
  seen.run_next = row->run_next;
  seen.run_end = row->run_end;
  seen.expiry_seconds = row->expiry_time.is_zero() ? 0 : std::max<int64_t>(row->expiry_time.seconds, 1);
  seen.has_expiring = row->has_expiring;
}

absl::Status Checker::CheckBackReference(InodeNumber inode, absl::string_view suffix) {
  Seen& seen = inodes_[inode];
  ++seen.back_references;
  const InodeNumber parent = base::LoadBig<uint64_t>(suffix.data());
  const uint64_t index = base::LoadBig<uint64_t>(suffix.data() + 8);
  seen.parent = parent;
  ASSIGN_OR_RETURN(const absl::optional<OrderRow> order, FindOrder(parent, index));
  if (!order.has_value() || order->child != inode) {
    Report("T2", absl::StrCat("inode ", inode, ": back-reference to directory ", parent, " index ", index,
                              " without such an entry"));
  }
  return absl::OkStatus();
}

absl::Status Checker::CheckName(InodeNumber directory, absl::string_view suffix, absl::string_view value) {
  ++inodes_[directory].name_rows;
  const absl::StatusOr<NameRow> row = NameRow::Decode(value);
  if (!row.ok()) {
    Report("T1", absl::StrCat("name row of directory ", directory, ": ", row.status().message()));
    return absl::OkStatus();
  }
  const std::string where = absl::StrCat("directory ", directory, " entry ", Quoted(row->name));
  if (hash_(row->name) != base::LoadBig<uint64_t>(suffix.data())) {
    Report("T2", absl::StrCat(where, ": the name row stands under another hash"));
  }
  ASSIGN_OR_RETURN(const absl::optional<OrderRow> order, FindOrder(directory, row->index));
  if (!order.has_value() || order->child != row->child || order->name != row->name) {
    Report("T2", absl::StrCat(where, ": no order row ", row->index, " agrees with its name row"));
  }
  return absl::OkStatus();
}

absl::Status Checker::CheckOrder(InodeNumber directory, absl::string_view suffix, absl::string_view value) {
  Seen& seen = inodes_[directory];
  const uint64_t index = base::LoadBig<uint64_t>(suffix.data());
  ++seen.order_rows;
  seen.index_max = std::max(seen.index_max, index);
  const absl::StatusOr<OrderRow> row = OrderRow::Decode(value);
  if (!row.ok()) {
    Report("T1", absl::StrCat("order row ", index, " of directory ", directory, ": ", row.status().message()));
    return absl::OkStatus();
  }
  if (row->type == S_IFDIR >> 12) ++seen.subdirectories;
  const std::string where = absl::StrCat("directory ", directory, " entry ", Quoted(row->name));
  ASSIGN_OR_RETURN(const absl::optional<NameRow> name, FindName(directory, row->name));
  if (!name.has_value() || name->child != row->child || name->index != index) {
    Report("T2", absl::StrCat(where, ": no name row agrees with its order row ", index));
  }
  ASSIGN_OR_RETURN(const bool referenced,
                   engine_.Get(RowKey(row->child, RowType::kBackReference, directory, index), nullptr));
  if (!referenced) Report("T2", absl::StrCat(where, ": inode ", row->child, " has no back-reference to it"));
  std::string bytes;
  ASSIGN_OR_RETURN(const bool found, engine_.Get(RowKey(row->child, RowType::kInode), &bytes));
  const absl::StatusOr<InodeRow> child = found ? InodeRow::Decode(bytes) : absl::NotFoundError("does not exist");
  if (!child.ok()) {
    Report("T2", absl::StrCat(where, ": inode ", row->child, ": ", child.status().message()));
  } else if (child->mode >> 12 != row->type) {
    Report("T2", absl::StrCat(where, ": says type ", row->type, ", inode ", row->child, " is ", child->mode >> 12));
  }
  return absl::OkStatus();
}

absl::Status Checker::CheckVolumeRow(absl::string_view key, absl::string_view value) {
  const absl::string_view suffix = KeySuffix(key);
  switch (KeyType(key)) {
    case RowType::kOrphan:
      if (suffix.size() != 8) break;
      ++report_.orphans;
      inodes_[base::LoadBig<uint64_t>(suffix.data())].is_orphan = true;
      return absl::OkStatus();
    case RowType::kUsage: {
      const absl::StatusOr<UsageRow> usage = UsageRow::Decode(value);
      if (suffix.size() != 4 || !usage.ok()) break;
      usage_rows_[base::LoadBig<uint32_t>(suffix.data())] = *usage;
      return absl::OkStatus();
    }
    case RowType::kExpiry: {
      if (suffix.size() != 16) break;
      const InodeNumber inode = base::LoadBig<uint64_t>(suffix.data() + 8);
      const auto minute = base::LoadBig<uint64_t>(suffix.data());
      expiry_rows_.emplace_back(inode, minute);
      return absl::OkStatus();
    }
    case RowType::kPolicy:
      if (suffix.size() != 4 || !PolicyRow::Decode(value).ok()) break;
      policies_.insert(base::LoadBig<uint32_t>(suffix.data()));
      return absl::OkStatus();
    case RowType::kCounter:
    case RowType::kChunk:
    case RowType::kOwner:
    case RowType::kSharedExtent:
      return absl::OkStatus();
    default:
      break;
  }
  Report("T1", absl::StrCat("row ", absl::BytesToHexString(key), " of the volume is none that is known"));
  return absl::OkStatus();
}

absl::Status Checker::CheckRow(absl::string_view key, absl::string_view value) {
  if (key.size() < kKeyHeaderBytes) {
    Report("T1", absl::StrCat("key ", absl::BytesToHexString(key), " is too short"));
    return absl::OkStatus();
  }
  const InodeNumber inode = KeyInode(key);
  const absl::string_view suffix = KeySuffix(key);
  if (inode == 0) return CheckVolumeRow(key, value);
  switch (KeyType(key)) {
    case RowType::kInode:
      if (!suffix.empty()) break;
      CheckInodeRow(inode, value);
      return absl::OkStatus();
    case RowType::kBackReference:
      if (suffix.size() != 16) break;
      return CheckBackReference(inode, suffix);
    case RowType::kXattr: {
      absl::string_view name;
      uint16_t part = 0;
      if (!ParseXattrSuffix(suffix, &name, &part)) break;
      inodes_[inode].xattr_rows += part == 0 ? 1 : 0;
      return absl::OkStatus();
    }
    case RowType::kExtent:
      inodes_[inode];  // exists or not, see CheckInode()
      return absl::OkStatus();
    case RowType::kName:
      if (suffix.size() != 12) break;
      return CheckName(inode, suffix, value);
    case RowType::kOrder:
      if (suffix.size() != 8) break;
      return CheckOrder(inode, suffix, value);
    default:
      break;
  }
  Report("T1", absl::StrCat("row ", absl::BytesToHexString(key), " of inode ", inode, " is none that is known"));
  return absl::OkStatus();
}

void Checker::CheckLinks(InodeNumber inode, const Seen& seen) {
  const std::string where = absl::StrCat("inode ", inode);
  if (seen.is_orphan != (seen.link_count == 0)) {
    Report("T5", absl::StrCat(where, ": ", seen.link_count, " links, ", seen.is_orphan ? "an" : "no", " orphan row"));
  }
  if (!seen.is_directory()) {
    if (seen.link_count != seen.back_references) {
      Report("T3", absl::StrCat(where, ": ", seen.link_count, " links, ", seen.back_references, " names"));
    }
    return;
  }
  const uint32_t names = inode == kRootInode || seen.link_count == 0 ? 0 : 1;
  if (seen.back_references != names) {
    Report("T3", absl::StrCat(where, ": a directory with ", seen.back_references, " names, not ", names));
  }
  if (seen.link_count != 0 && seen.link_count != 2 + seen.subdirectories) {
    Report("T3", absl::StrCat(where, ": ", seen.link_count, " links, ", seen.subdirectories, " subdirectories"));
  }
}

absl::Status Checker::CheckInode(InodeNumber inode, const Seen& seen) {
  const std::string where = absl::StrCat("inode ", inode);
  if (!seen.exists) {
    Report("T1", absl::StrCat(where, ": has rows but does not exist"));
    return absl::OkStatus();
  }
  ++(seen.is_directory() ? report_.directories : report_.files);
  UsageRow& usage = usage_[seen.policy];
  ++usage.files;
  if (seen.policy != kNoPolicy) usage.bytes += seen.size_bytes;
  CheckLinks(inode, seen);
  if (seen.policy != kNoPolicy && policies_.count(seen.policy) == 0) {
    Report("T12", absl::StrCat(where, ": its policy ", seen.policy, " does not exist"));
  }
  if (seen.xattr_rows != seen.xattr_row_count) {
    Report("T6", absl::StrCat(where, ": counts ", seen.xattr_row_count, " xattr rows, has ", seen.xattr_rows));
  }
  if (seen.entry_count != seen.order_rows || seen.entry_count != seen.name_rows) {
    Report("T3", absl::StrCat(where, ": counts ", seen.entry_count, " entries, has ", seen.order_rows,
                              " order rows and ", seen.name_rows, " name rows"));
  }
  if (seen.is_directory() && seen.next_index <= seen.index_max) {
    Report("T4", absl::StrCat(where, ": next index ", seen.next_index, " is not past ", seen.index_max));
  }
  if (!S_ISREG(seen.mode)) return absl::OkStatus();
  return CheckPastEnd(inode, seen.size_bytes);
}

// Space that was allocated past the end holds zeros; anything else was left there by a truncate.
absl::Status Checker::CheckPastEnd(InodeNumber inode, uint64_t size_bytes) {
  std::vector<uint8_t> bytes;
  for (uint64_t at = base::RoundUp(size_bytes, kUnitBytes);;) {
    const absl::StatusOr<uint64_t> data = engine_.Seek(inode, at, /*hole=*/false);
    if (absl::IsNotFound(data.status())) return absl::OkStatus();
    RETURN_IF_ERROR(data.status());
    ASSIGN_OR_RETURN(const uint64_t hole, engine_.Seek(inode, *data, /*hole=*/true));
    bytes.resize(std::min<uint64_t>(hole - *data, base::kMiB));
    RETURN_IF_ERROR(engine_.ReadData({inode, *data, absl::MakeSpan(bytes)}));
    if (std::any_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte != 0; })) {
      Report("T9", absl::StrCat("inode ", inode, ": data at ", *data, " past the end ", size_bytes));
      return absl::OkStatus();
    }
    at = *data + bytes.size();
  }
}

void Checker::CheckNumbers() {
  std::vector<std::pair<InodeNumber, InodeNumber>> runs;
  std::vector<InodeNumber> numbers;
  for (const auto& [inode, seen] : inodes_) {
    if (!seen.exists) continue;
    numbers.push_back(inode);
    if (inode >= next_inode_) Report("T7", absl::StrCat("inode ", inode, " is past the counter ", next_inode_));
    if (seen.run_next < seen.run_end) runs.emplace_back(seen.run_next, seen.run_end);
    if (seen.run_end > next_inode_) Report("T7", absl::StrCat("inode ", inode, ": its run is past the counter"));
  }
  std::sort(numbers.begin(), numbers.end());
  std::sort(runs.begin(), runs.end());
  for (size_t i = 0; i < runs.size(); ++i) {
    const auto [first, end] = runs[i];
    const auto used = std::lower_bound(numbers.begin(), numbers.end(), first);
    if (used != numbers.end() && *used < end) {
      Report("T7", absl::StrCat("inode ", *used, " lies in the free run [", first, ", ", end, ")"));
    }
    if (i > 0 && runs[i - 1].second > first) Report("T7", absl::StrCat("two free runs overlap at ", first));
  }
}

void Checker::CheckAncestors() {
  absl::flat_hash_set<InodeNumber> rooted = {kRootInode};
  for (const auto& [inode, seen] : inodes_) {
    if (!seen.exists || !seen.is_directory() || seen.link_count == 0) continue;
    std::vector<InodeNumber> path;
    absl::flat_hash_set<InodeNumber> on_path;
    InodeNumber at = inode;
    while (rooted.count(at) == 0 && at != 0 && on_path.insert(at).second) {
      path.push_back(at);
      const auto it = inodes_.find(at);
      at = it == inodes_.end() ? 0 : it->second.parent;
    }
    if (rooted.count(at) == 0) Report("T8", absl::StrCat("directory ", inode, " does not lead up to the root"));
    rooted.insert(path.begin(), path.end());  // named once is enough
  }
}

void Checker::CheckExpiry() {
  for (const auto& [inode, minute] : expiry_rows_) {
    Seen& seen = inodes_[inode];
    ++seen.expiry_rows;
    if (!seen.exists || seen.expiry_seconds == 0 || static_cast<uint64_t>(seen.expiry_seconds) / 60 != minute) {
      Report("T11", absl::StrCat("inode ", inode, ": an expiry row of minute ", minute, " that it does not ask for"));
    }
  }
  for (const auto& [inode, seen] : inodes_) {
    if (seen.exists && seen.expiry_seconds != 0 && seen.expiry_rows != 1) {
      Report("T11", absl::StrCat("inode ", inode, ": expires, but has ", seen.expiry_rows, " expiry rows"));
    }
    if (seen.expiry_seconds == 0 || seen.parent == 0) continue;
    const auto parent = inodes_.find(seen.parent);
    if (parent != inodes_.end() && !parent->second.has_expiring) {
      Report("T11", absl::StrCat("directory ", seen.parent, ": does not know that inode ", inode, " expires"));
    }
  }
}

void Checker::CheckUsage() {
  for (const auto& [policy, usage] : usage_) usage_rows_.try_emplace(policy);
  for (const auto& [policy, row] : usage_rows_) {
    const UsageRow& counted = usage_[policy];
    if (row.files != counted.files || row.bytes != counted.bytes) {
      Report("T10", absl::StrCat("policy ", policy, ": its usage row says ", row.files, " files, ", row.bytes,
                                 " bytes; counted ", counted.files, ", ", counted.bytes));
    }
  }
}

absl::StatusOr<TreeCheckReport> Checker::Run() {
  RETURN_IF_ERROR(LoadCounters());
  std::vector<std::pair<std::string, std::string>> rows;
  std::string from;
  do {
    rows.clear();
    RETURN_IF_ERROR(engine_.Scan(from, std::string(64, '\xff'), [&](absl::string_view key, absl::string_view value) {
      rows.emplace_back(key, value);
      return rows.size() < kRowsPerScan;
    }));
    for (const auto& [key, value] : rows) RETURN_IF_ERROR(CheckRow(key, value));
    report_.rows += rows.size();
    if (options_.progress) options_.progress(report_.rows);
    if (!rows.empty()) from = rows.back().first + '\0';
  } while (rows.size() == kRowsPerScan);
  if (!inodes_[kRootInode].is_directory()) Report("T8", "the root directory is missing");
  for (const auto& [inode, seen] : inodes_) RETURN_IF_ERROR(CheckInode(inode, seen));
  CheckNumbers();
  CheckAncestors();
  CheckExpiry();
  CheckUsage();
  return std::move(report_);
}

}  // namespace

absl::StatusOr<TreeCheckReport> CheckTree(Engine& engine, const TreeCheckOptions& options) {
  return Checker(engine, options).Run();
}

}  // namespace fs

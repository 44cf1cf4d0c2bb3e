#include "marc/codec/iso2709_repair.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "marc/codec/scan.h"

namespace marc {
namespace {

constexpr size_t kNearBytes = 16;

struct Entry {
  uint32_t tag = 0;
  int length = -1;  // -1: not digits
  int start = -1;
  size_t at = 0;       // of the entry in the record
  int piece = -1;      // index of the piece it was given
  bool exact = false;  // start and length lead from border to terminator
};

// What lies between two terminators.
struct Piece {
  size_t begin = 0;
  size_t end = 0;  // the terminator, or the end of the data
  bool used = false;
};

class Repair {
 public:
  Repair(const RepairRequest& request, RecordSink& sink) : request_(request), bytes_(request.bytes), sink_(sink) {}

  bool Run(std::vector<FieldView>* fields, RecordView* record);

 private:
  Problem& Note(ProblemCode code, size_t at, size_t count, absl::string_view expected, absl::string_view action);
  void CheckLeader();
  bool FindBase();
  void ReadDirectory();
  void ReadPieces();
  void MarkExact();
  bool AssignPieces();
  void AssignByStart();
  void ReportEntries();
  void FillFields(std::vector<FieldView>* fields);
  bool Reject();

  const RepairRequest& request_;
  const absl::string_view bytes_;
  RecordSink& sink_;
  PendingProblems problems_;
  std::vector<Entry> entries_;
  std::vector<Piece> pieces_;
  size_t base_ = 0;
  size_t data_end_ = 0;  // of the data, without the record terminator
  bool guessed_ = false;
  bool in_data_ = false;  // terminators lie inside fields the directory describes
};

Problem& Repair::Note(ProblemCode code, size_t at, size_t count, absl::string_view expected, absl::string_view action) {
  Problem problem = MakeProblem(code, expected, action);
  at = std::min(at, bytes_.size());
  problem.record = request_.ordinal;
  problem.byte_offset = request_.byte_offset + at;
  problem.record_offset = at;
  problem.found = std::string(bytes_.substr(at, count));
  const size_t from = at < kNearBytes ? 0 : at - kNearBytes;
  problem.near = std::string(bytes_.substr(from, 2 * kNearBytes));
  return problems_.Add(std::move(problem));
}

void Repair::CheckLeader() {
  const int length = DecodeFiveDigits(bytes_.data());
  if (request_.frame.too_long) {
    Note(ProblemCode::kRecordTooLong, 0, 5, absl::StrCat("an end within ", kRecordSizeMax, " bytes"), "rejected");
  } else if (length < 0 || length < static_cast<int>(kRecordSizeMin) - 1) {
    Note(ProblemCode::kRecordLengthInvalid, 0, 5, absl::StrCat(bytes_.size()), "read to the record terminator");
  } else if (static_cast<size_t>(length) != bytes_.size()) {
    const bool truncated = !request_.frame.terminated && static_cast<size_t>(length) > bytes_.size();
    Note(truncated ? ProblemCode::kRecordTruncated : ProblemCode::kRecordLengthWrong, 0, 5, absl::StrCat(bytes_.size()),
         truncated ? "read to the end" : "read to the record terminator");
  }
  if (!request_.frame.terminated) {
    Note(ProblemCode::kRecordTerminatorMissing, bytes_.size() - 1, 1, "1d", "read to the end");
  }
  const auto constant = [&](size_t at, absl::string_view expected) {
    if (bytes_.substr(at, expected.size()) == expected) return;
    Note(ProblemCode::kLeaderConstantWrong, at, expected.size(), absl::StrCat("'", expected, "'"), "read as if it were")
        .position = absl::StrCat("leader/", at);
  };
  constant(10, "2");
  constant(11, "2");
  constant(20, "4500");
  for (size_t i = 5; i < kLeaderSize; ++i) {
    if (bytes_[i] >= 0x20 && bytes_[i] <= 0x7E) continue;
    Note(ProblemCode::kLeaderByteInvalid, i, 1, "graphic ASCII or blank", "kept").position = absl::StrCat("leader/", i);
  }
}

// The base address as the leader says, or behind the first field terminator.
bool Repair::FindBase() {
  const int base = DecodeFiveDigits(bytes_.data() + 12);
  const bool inside = base > static_cast<int>(kLeaderSize) && static_cast<size_t>(base) <= bytes_.size();
  if (inside && bytes_[base - 1] == kFieldTerminator) {
    base_ = base;
    return true;
  }
  const void* found = memchr(bytes_.data() + kLeaderSize, kFieldTerminator, bytes_.size() - kLeaderSize);
  const size_t end = found == nullptr ? 0 : static_cast<const char*>(found) - bytes_.data();
  const std::string expected = found == nullptr ? "a field terminator behind the directory" : absl::StrCat(end + 1);
  const absl::string_view action = found == nullptr ? "rejected" : "read behind the first field terminator";
  const ProblemCode code = base < 0     ? ProblemCode::kBaseAddressInvalid
                           : base <= 24 ? ProblemCode::kBaseAddressInvalid
                           : !inside    ? ProblemCode::kBaseAddressOutside
                                        : ProblemCode::kDirectoryUnterminated;
  Note(code, 12, 5, expected, action).position = "leader/12-16";
  base_ = end + 1;
  return found != nullptr;
}

bool IsTagByte(char c) { return c > 0x20 && c < 0x7F; }

void Repair::ReadDirectory() {
  const size_t size = base_ - 1 - kLeaderSize;
  if (size % kDirectoryEntrySize != 0) {
    Note(ProblemCode::kDirectoryLengthOdd, kLeaderSize + size / kDirectoryEntrySize * kDirectoryEntrySize,
         size % kDirectoryEntrySize, "entries of 12 bytes", "left out of the directory");
  }
  const auto number = [](absl::string_view digits) {
    int value = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  for (size_t i = 0; i + kDirectoryEntrySize <= size && entries_.size() <= kFieldsMax; i += kDirectoryEntrySize) {
    Entry entry;
    entry.at = kLeaderSize + i;
    const absl::string_view raw = bytes_.substr(entry.at, kDirectoryEntrySize);
    char tag[3] = {raw[0], raw[1], raw[2]};
    bool valid = true;
    for (char& c : tag) {
      if (IsTagByte(c)) continue;
      c = '?';
      valid = false;
    }
    entry.tag = PackTag(tag[0], tag[1], tag[2]);
    if (!valid) {
      Note(ProblemCode::kTagInvalid, entry.at, 3, "three graphic ASCII characters",
           absl::StrCat("read as ", absl::string_view(tag, 3)));
    }
    entry.length = number(raw.substr(3, 4));
    entry.start = number(raw.substr(7, 5));
    if (entry.length < 0 || entry.start < 0) {
      Note(ProblemCode::kDirectoryEntryInvalid, entry.at, kDirectoryEntrySize, "nine digits behind the tag",
           "read by terminators")
          .tag = std::string(tag, 3);
    }
    entries_.push_back(entry);
  }
}

void Repair::ReadPieces() {
  data_end_ = bytes_.size() - (request_.frame.terminated ? 1 : 0);
  size_t begin = base_;
  while (begin < data_end_ && pieces_.size() <= kFieldsMax) {
    const void* found = memchr(bytes_.data() + begin, kFieldTerminator, data_end_ - begin);
    const size_t end = found == nullptr ? data_end_ : static_cast<const char*>(found) - bytes_.data();
    pieces_.push_back(Piece{begin, end});
    begin = end + 1;
  }
}

void Repair::MarkExact() {
  for (Entry& entry : entries_) {
    if (entry.length < 1 || entry.start < 0) continue;
    const size_t begin = base_ + entry.start;
    const auto piece =
        std::lower_bound(pieces_.begin(), pieces_.end(), begin, [](const Piece& p, size_t at) { return p.begin < at; });
    if (piece == pieces_.end() || piece->begin != begin || piece->used) continue;
    if (piece->end >= data_end_ || piece->end - begin + 1 != static_cast<size_t>(entry.length)) continue;
    entry.piece = static_cast<int>(piece - pieces_.begin());
    entry.exact = piece->used = true;
  }
}

// One piece for each entry. False: there is no single reading.
bool Repair::AssignPieces() {
  // The directory is sound by itself, but fields hold terminators.
  size_t end = 0;
  bool contiguous = !entries_.empty();
  for (const Entry& entry : entries_) {
    contiguous = contiguous && entry.length > 0 && static_cast<size_t>(entry.start) == end &&
                 base_ + end + entry.length <= data_end_ && bytes_[base_ + end + entry.length - 1] == kFieldTerminator;
    end += contiguous ? entry.length : 0;
  }
  if (contiguous && base_ + end == data_end_) {
    in_data_ = pieces_.size() != entries_.size();
    if (in_data_) return true;
  }
  bool all_exact = true;
  for (const Entry& entry : entries_) all_exact = all_exact && entry.exact;
  if (all_exact) return true;
  if (pieces_.size() == entries_.size()) {
    // As many fields as entries: in the order of the starting positions, or of
    // the directory when those say nothing.
    AssignByStart();
    return true;
  }
  Note(ProblemCode::kFieldCountMismatch, base_, 0, absl::StrCat(entries_.size(), " field terminators"),
       request_.strictness == Strictness::kSalvage ? "read by the nearest terminator" : "rejected");
  guessed_ = true;
  return false;
}

void Repair::AssignByStart() {
  std::vector<size_t> order(entries_.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  bool usable = true;
  for (const Entry& entry : entries_) usable = usable && entry.start >= 0;
  if (usable) {
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return entries_[a].start < entries_[b].start; });
    // Offsets that wrapped at 100,000, or repeat, order nothing.
    for (size_t i = 1; i < order.size() && usable; ++i) {
      usable = entries_[order[i - 1]].start < entries_[order[i]].start;
    }
    if (!usable || data_end_ - base_ > 99999) {
      for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    }
  }
  for (size_t i = 0; i < order.size(); ++i) {
    entries_[order[i]].piece = static_cast<int>(i);
    pieces_[i].used = true;
  }
}

void Repair::ReportEntries() {
  uint32_t reported = 0;
  for (const Entry& entry : entries_) {
    if (entry.exact || entry.length < 0 || entry.start < 0) continue;
    const size_t end = base_ + entry.start + entry.length;
    const ProblemCode code =
        end > data_end_ ? ProblemCode::kFieldOutsideRecord : ProblemCode::kFieldTerminatorMisplaced;
    std::string expected = "a field terminator at its end";
    std::string action = entry.piece >= 0 ? "read by terminators" : "dropped";
    if (in_data_) action = "kept";
    if (entry.piece >= 0 && !in_data_) {
      const Piece& piece = pieces_[entry.piece];
      expected = absl::StrCat("start ", piece.begin - base_, ", length ", piece.end - piece.begin + 1);
      if (piece.begin - base_ == static_cast<size_t>(entry.start) &&
          piece.end - piece.begin + 1 == static_cast<size_t>(entry.length) && piece.end < data_end_) {
        continue;
      }
    }
    if (in_data_ &&
        bytes_.substr(base_ + entry.start, entry.length - 1).find(kFieldTerminator) == absl::string_view::npos) {
      continue;
    }
    if (++reported > 50) break;  // the rest of a shifted directory says the same
    Problem& problem = Note(in_data_ ? ProblemCode::kTerminatorInData : code, entry.at, kDirectoryEntrySize,
                            in_data_ ? "no field terminator inside the field" : expected, action);
    problem.tag = std::string(reinterpret_cast<const char*>(&entry.tag), 3);
  }
  if (in_data_) return;
  for (const Piece& piece : pieces_) {
    if (piece.used) continue;
    Note(ProblemCode::kBytesOutsideFields, piece.begin, std::min<size_t>(piece.end - piece.begin, 64),
         "a directory entry for it", "dropped");
  }
}

void Repair::FillFields(std::vector<FieldView>* fields) {
  fields->clear();
  for (const Entry& entry : entries_) {
    FieldView field;
    field.packed_tag = entry.tag;
    if (in_data_) {
      field.data = bytes_.data() + base_ + entry.start;
      field.size = static_cast<uint32_t>(entry.length - 1);
    } else if (entry.piece >= 0) {
      const Piece& piece = pieces_[entry.piece];
      field.data = bytes_.data() + piece.begin;
      field.size = static_cast<uint32_t>(piece.end - piece.begin);
    } else {
      continue;
    }
    fields->push_back(field);
  }
}

bool Repair::Reject() {
  problems_.ReportTo("", /*rejected=*/true, &sink_);
  sink_.Reject(bytes_);
  return false;
}

bool Repair::Run(std::vector<FieldView>* fields, RecordView* record) {
  if (bytes_.size() < kRecordSizeMin) {
    Note(ProblemCode::kRecordTruncated, 0, bytes_.size(), "26 bytes or more", "rejected");
    return Reject();
  }
  CheckLeader();
  if (request_.frame.too_long || !FindBase()) return Reject();
  ReadDirectory();
  ReadPieces();
  if (entries_.size() > kFieldsMax || pieces_.size() > kFieldsMax) {
    Note(ProblemCode::kRecordTooLong, kLeaderSize, 0, absl::StrCat("at most ", kFieldsMax, " fields"), "rejected");
    return Reject();
  }
  MarkExact();
  if (!AssignPieces()) {
    // Salvage: an entry that is not exact takes the piece its start points
    // into, then the remaining pieces go to the remaining entries in order.
    size_t next = 0;
    for (Entry& entry : entries_) {
      if (entry.piece >= 0) continue;
      while (next < pieces_.size() && pieces_[next].used) ++next;
      if (next == pieces_.size()) break;
      entry.piece = static_cast<int>(next);
      pieces_[next].used = true;
    }
  }
  ReportEntries();
  // A torn tail may have lost the end of its last field: a guess.
  guessed_ = guessed_ || (!request_.frame.terminated && data_end_ > base_ && bytes_[data_end_ - 1] != kFieldTerminator);
  if (problems_.has_error() && request_.strictness == Strictness::kStrict) return Reject();
  if (guessed_ && request_.strictness != Strictness::kSalvage) return Reject();
  FillFields(fields);
  const TextScan scan = ScanText(bytes_.data() + base_, bytes_.size() - base_);
  record->Set(bytes_.data(), *fields, request_.frame.terminated ? bytes_ : absl::string_view());
  record->SetText(scan.high, true, false);
  record->SetPlace(request_.ordinal, request_.byte_offset);
  problems_.ReportTo(record->control_number(), /*rejected=*/false, &sink_);
  return true;
}

}  // namespace

bool RepairIso2709(const RepairRequest& request, std::vector<FieldView>* fields, RecordSink* sink, RecordView* record) {
  return Repair(request, *sink).Run(fields, record);
}

}  // namespace marc

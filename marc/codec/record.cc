#include "marc/codec/record.h"

#include <algorithm>
#include <cstring>

namespace marc {
namespace {

constexpr size_t kBlockBytes = 16384;
constexpr char kNewLeader[] = "00000nam a2200000   4500";

}  // namespace

char* Arena::Allocate(size_t size) {
  const size_t needed = size + kPaddingBytes;
  if (blocks_.empty() || blocks_.back().size - used_ < needed) {
    const size_t capacity = std::max(kBlockBytes, needed * 2);
    Block block;
    block.data = std::make_unique<char[]>(capacity);
    block.size = capacity;
    blocks_.push_back(std::move(block));
    used_ = 0;
  }
  char* result = blocks_.back().data.get() + used_;
  used_ += size;
  return result;
}

absl::string_view Arena::Copy(absl::string_view text) {
  char* to = Allocate(text.size());
  if (!text.empty()) memcpy(to, text.data(), text.size());
  return absl::string_view(to, text.size());
}

void Arena::Clear() {
  // The last block is the largest unless a huge record came by.
  if (blocks_.size() > 1) blocks_.erase(blocks_.begin(), blocks_.end() - 1);
  if (!blocks_.empty() && blocks_.back().size > (size_t{1} << 20)) blocks_.clear();
  used_ = 0;
}

Record::Record() { Clear(); }

void Record::Clear() {
  memcpy(leader_, kNewLeader, kLeaderSize);
  fields_.clear();
  arena_.Clear();
  ordinal_ = byte_offset_ = 0;
}

void Record::Assign(const RecordView& view) {
  memcpy(leader_, view.leader().bytes().data(), kLeaderSize);
  fields_.assign(view.fields().begin(), view.fields().end());
  arena_.Clear();
  ordinal_ = view.ordinal();
  byte_offset_ = view.byte_offset();
}

void Record::Own() {
  Arena arena;
  size_t total = 0;
  for (const FieldView& field : fields_) total += field.size + 1;
  char* to = arena.Allocate(total);
  for (FieldView& field : fields_) {
    if (field.size != 0) memcpy(to, field.data, field.size);
    field.data = to;
    to += field.size;
    *to++ = kFieldTerminator;
  }
  arena_ = std::move(arena);
}

RecordView Record::view() const {
  RecordView view;
  view.Set(leader_, fields_, absl::string_view());
  view.SetPlace(ordinal_, byte_offset_);
  return view;
}

void Record::SetLeader(size_t position, char value) { leader_[position] = value; }

void Record::SetLeader(absl::string_view leader) { memcpy(leader_, leader.data(), kLeaderSize); }

void Record::AddField(absl::string_view tag, absl::string_view content, Placement placement) {
  const absl::string_view kept = arena_.Copy(content);
  const FieldView field = {kept.data(), static_cast<uint32_t>(kept.size()), PackTag(tag)};
  auto at = fields_.end();
  if (placement == Placement::kGrouped) {
    for (auto it = fields_.begin(); it != fields_.end(); ++it) {
      if (it->tag()[0] == tag[0] && it->tag() <= tag) at = it + 1;
    }
  }
  if (placement == Placement::kOrdered || (placement == Placement::kGrouped && at == fields_.end())) {
    at = std::find_if(fields_.begin(), fields_.end(), [&](const FieldView& other) { return other.tag() > tag; });
  }
  fields_.insert(at, field);
}

void Record::ReplaceField(size_t index, absl::string_view content) {
  ReplaceFieldBorrowed(index, arena_.Copy(content));
}

void Record::ReplaceFieldBorrowed(size_t index, absl::string_view content) {
  fields_[index].data = content.data();
  fields_[index].size = static_cast<uint32_t>(content.size());
}

void Record::RemoveField(size_t index) { fields_.erase(fields_.begin() + static_cast<ptrdiff_t>(index)); }

size_t Record::RemoveFields(absl::string_view pattern) {
  const size_t before = fields_.size();
  fields_.erase(std::remove_if(fields_.begin(), fields_.end(),
                               [&](const FieldView& field) { return TagMatches(pattern, field.tag()); }),
                fields_.end());
  return before - fields_.size();
}

void Record::SortFields() {
  std::stable_sort(fields_.begin(), fields_.end(),
                   [](const FieldView& a, const FieldView& b) { return a.tag() < b.tag(); });
}

std::string DataField(absl::string_view indicators, absl::Span<const std::pair<char, absl::string_view>> subfields) {
  std::string content(indicators);
  for (const auto& [code, data] : subfields) {
    content += kSubfieldDelimiter;
    content += code;
    content.append(data.data(), data.size());
  }
  return content;
}

bool TagMatches(absl::string_view pattern, absl::string_view tag) {
  if (pattern.size() != tag.size()) return false;
  for (size_t i = 0; i < tag.size(); ++i) {
    const char c = pattern[i];
    if (c != 'X' && c != 'x' && c != '.' && c != tag[i]) return false;
  }
  return true;
}

}  // namespace marc

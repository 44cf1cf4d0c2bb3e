#include "fs/format/name_row.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "fs/format/varint.h"

namespace fs {
namespace {

constexpr size_t kNameBytesMax = 255;

}  // namespace

bool IsEntryName(absl::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || name == "." || name == "..") return false;
  return name.find('/') == absl::string_view::npos && name.find('\0') == absl::string_view::npos;
}

std::string NameRow::Encode() const {
  std::string out;
  out.reserve(2 * kVarintBytesMax + name.size());
  AppendVarint(&out, child);
  AppendVarint(&out, index);
  out += name;
  return out;
}

absl::StatusOr<NameRow> NameRow::Decode(absl::string_view bytes) {
  absl::string_view in = bytes;
  NameRow row;
  if (!ConsumeVarint(&in, &row.child) || !ConsumeVarint(&in, &row.index)) {
    return absl::DataLossError("name row is cut off");
  }
  if (row.child == 0 || !IsEntryName(in)) return absl::DataLossError("name row has a bad name or child");
  row.name = std::string(in);
  return row;
}

std::string NameRow::DebugString() const {
  return absl::StrCat("\"", absl::CHexEscape(name), "\" child ", child, " index ", index);
}

std::vector<NameRow> NameRow::TestInstances() {
  return {{2, 3, "a"}, {UINT64_MAX, UINT64_MAX, std::string(255, 'n')}, {300, 128, "\xff\x01"}};
}

std::string OrderRow::Encode() const {
  std::string out;
  out.reserve(kVarintBytesMax + 1 + name.size());
  AppendVarint(&out, child);
  out.push_back(static_cast<char>(type));
  out += name;
  return out;
}

absl::StatusOr<OrderRow> OrderRow::Decode(absl::string_view bytes) {
  absl::string_view in = bytes;
  OrderRow row;
  if (!ConsumeVarint(&in, &row.child) || in.empty()) return absl::DataLossError("order row is cut off");
  row.type = static_cast<uint8_t>(in[0]);
  in.remove_prefix(1);
  if (row.child == 0 || row.type == 0 || row.type > 15 || !IsEntryName(in)) {
    return absl::DataLossError("order row has a bad name, type or child");
  }
  row.name = std::string(in);
  return row;
}

std::string OrderRow::DebugString() const {
  return absl::StrCat("\"", absl::CHexEscape(name), "\" child ", child, " type ", type);
}

std::vector<OrderRow> OrderRow::TestInstances() {
  return {{2, 8, "a"}, {UINT64_MAX, 15, std::string(255, 'n')}, {300, 4, "\xff\x01"}};
}

}  // namespace fs

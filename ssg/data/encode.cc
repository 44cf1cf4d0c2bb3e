#include "ssg/data/encode.h"

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ssg {
namespace {

using tmpl::Kind;
using tmpl::Value;

constexpr int kDepthMax = 80;

enum BinaryTag : char {
  kNone = 'n',
  kTrue = 't',
  kFalse = 'f',
  kInt = 'i',
  kFloat = 'd',
  kText = 's',
  kList = 'l',
  kDict = 'm'
};

void NewLine(size_t indent, size_t depth, std::string* out) {
  if (indent == 0) return;
  out->push_back('\n');
  out->append(indent * depth, ' ');
}

void AppendJsonAt(const Value& value, size_t indent, size_t depth, std::string* out) {
  switch (value.kind()) {
    case Kind::kBool:
      out->append(value.bool_value() ? "true" : "false");
      break;
    case Kind::kInt:
      absl::StrAppend(out, value.int_value());
      break;
    case Kind::kFloat:
      absl::StrAppend(out, absl::StrFormat("%.17g", value.float_value()));
      break;
    case Kind::kString:
      AppendJsonString(value.text(), out);
      break;
    case Kind::kList:
    case Kind::kTuple: {
      out->push_back('[');
      for (uint32_t i = 0; i < value.list().size; ++i) {
        if (i > 0) out->push_back(',');
        NewLine(indent, depth + 1, out);
        AppendJsonAt(value.list()[i], indent, depth + 1, out);
      }
      if (value.list().size > 0) NewLine(indent, depth, out);
      out->push_back(']');
      break;
    }
    case Kind::kDict: {
      out->push_back('{');
      bool first = true;
      const tmpl::Dict& dict = value.dict();
      for (uint32_t i = 0; i < dict.used; ++i) {
        if (!dict.entries[i].key.IsString()) continue;
        if (!first) out->push_back(',');
        first = false;
        NewLine(indent, depth + 1, out);
        AppendJsonString(dict.entries[i].key.text(), out);
        out->append(indent > 0 ? ": " : ":");
        AppendJsonAt(dict.entries[i].value, indent, depth + 1, out);
      }
      if (!first) NewLine(indent, depth, out);
      out->push_back('}');
      break;
    }
    default:
      out->append("null");
      break;
  }
}

absl::Status Damaged() { return absl::DataLossError("cached value is damaged"); }

absl::StatusOr<Value> TakeBinaryAt(absl::string_view* bytes, tmpl::Arena& arena, int depth) {
  if (bytes->empty() || depth > kDepthMax) return Damaged();
  const char tag = bytes->front();
  bytes->remove_prefix(1);
  uint64_t number = 0;
  absl::string_view text;
  switch (tag) {
    case kNone:
      return Value::None();
    case kTrue:
      return Value::Bool(true);
    case kFalse:
      return Value::Bool(false);
    case kInt:
      if (!TakeVarint(bytes, &number)) return Damaged();
      return Value::Int(static_cast<int64_t>((number >> 1) ^ (~(number & 1) + 1)));
    case kFloat: {
      double real;
      if (bytes->size() < sizeof(real)) return Damaged();
      std::memcpy(&real, bytes->data(), sizeof(real));
      bytes->remove_prefix(sizeof(real));
      return Value::Float(real);
    }
    case kText:
      if (!TakeCounted(bytes, &text)) return Damaged();
      return Value::String(text);
    case kList: {
      if (!TakeVarint(bytes, &number) || number > bytes->size()) return Damaged();
      tmpl::List* list = tmpl::NewList(arena, number);
      for (uint64_t i = 0; i < number; ++i) {
        auto item = TakeBinaryAt(bytes, arena, depth + 1);
        if (!item.ok()) return item.status();
        tmpl::Append(arena, *list, *item);
      }
      return Value::Of(list);
    }
    case kDict: {
      if (!TakeVarint(bytes, &number) || number > bytes->size()) return Damaged();
      tmpl::Dict* dict = tmpl::NewDict(arena, number);
      for (uint64_t i = 0; i < number; ++i) {
        if (!TakeCounted(bytes, &text)) return Damaged();
        auto item = TakeBinaryAt(bytes, arena, depth + 1);
        if (!item.ok()) return item.status();
        tmpl::Set(arena, *dict, Value::String(text), *item);
      }
      return Value::Of(dict);
    }
    default:
      return Damaged();
  }
}

}  // namespace

void AppendJsonString(absl::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  size_t begin = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const unsigned char c = static_cast<unsigned char>(text[at]);
    if (c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != 0x7F) continue;
    out->append(text.data() + begin, at - begin);
    begin = at + 1;
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(static_cast<char>(c));
    } else if (c == '\n') {
      out->append("\\n");
    } else {
      const char escape[6] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
      out->append(escape, 6);
    }
  }
  out->append(text.data() + begin, text.size() - begin);
  out->push_back('"');
}

void AppendJson(const Value& value, size_t indent, std::string* out) { AppendJsonAt(value, indent, 0, out); }

void AppendVarint(uint64_t number, std::string* out) {
  while (number >= 0x80) {
    out->push_back(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  out->push_back(static_cast<char>(number));
}

bool TakeVarint(absl::string_view* bytes, uint64_t* number) {
  *number = 0;
  for (int shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const uint8_t byte = static_cast<uint8_t>(bytes->front());
    bytes->remove_prefix(1);
    *number |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

void AppendCounted(absl::string_view text, std::string* out) {
  AppendVarint(text.size(), out);
  out->append(text.data(), text.size());
}

bool TakeCounted(absl::string_view* bytes, absl::string_view* text) {
  uint64_t size;
  if (!TakeVarint(bytes, &size) || size > bytes->size()) return false;
  *text = bytes->substr(0, size);
  bytes->remove_prefix(size);
  return true;
}

void AppendBinary(const Value& value, std::string* out) {
  switch (value.kind()) {
    case Kind::kBool:
      out->push_back(value.bool_value() ? kTrue : kFalse);
      break;
    case Kind::kInt: {
      out->push_back(kInt);
      const uint64_t bits = static_cast<uint64_t>(value.int_value());
      AppendVarint((bits << 1) ^ (value.int_value() < 0 ? ~uint64_t{0} : 0), out);
      break;
    }
    case Kind::kFloat: {
      out->push_back(kFloat);
      const double real = value.float_value();
      out->append(reinterpret_cast<const char*>(&real), sizeof(real));
      break;
    }
    case Kind::kString:
      out->push_back(kText);
      AppendCounted(value.text(), out);
      break;
    case Kind::kList:
    case Kind::kTuple:
      out->push_back(kList);
      AppendVarint(value.list().size, out);
      for (const Value& item : value.list()) AppendBinary(item, out);
      break;
    case Kind::kDict: {
      out->push_back(kDict);
      const tmpl::Dict& dict = value.dict();
      AppendVarint(dict.size, out);
      for (uint32_t i = 0; i < dict.used; ++i) {
        if (dict.entries[i].key.IsMissing()) continue;
        AppendCounted(dict.entries[i].key.IsString() ? dict.entries[i].key.text() : "", out);
        AppendBinary(dict.entries[i].value, out);
      }
      break;
    }
    default:
      out->push_back(kNone);
      break;
  }
}

absl::StatusOr<Value> TakeBinary(absl::string_view* bytes, tmpl::Arena& arena) { return TakeBinaryAt(bytes, arena, 0); }

}  // namespace ssg

#include "ssg/template/json_text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/builtins.h"
#include "ssg/template/number_text.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

void AppendJsonString(absl::string_view text, std::string& out) {
  out += '"';
  char buffer[16];
  while (!text.empty()) {
    const CodePoint point = Decode(text);
    const int32_t code = point.value < 0 ? 0xDC00 + (-1 - point.value) : point.value;
    static constexpr absl::string_view kFrom = "\"\\\n\r\t\f\b";
    static constexpr absl::string_view kTo = "\"\\nrtfb";
    const size_t simple = code < 0x80 ? kFrom.find(static_cast<char>(code)) : absl::string_view::npos;
    if (simple != absl::string_view::npos) {
      out += '\\';
      out += kTo[simple];
    } else if (code >= 0x20 && code < 0x7F) {
      out += static_cast<char>(code);
    } else if (code < 0x10000) {
      snprintf(buffer, sizeof(buffer), "\\u%04x", static_cast<unsigned>(code));
      out += buffer;
    } else {
      const unsigned pair = static_cast<unsigned>(code) - 0x10000;
      snprintf(buffer, sizeof(buffer), "\\u%04x\\u%04x", 0xD800 + (pair >> 10), 0xDC00 + (pair & 0x3FF));
      out += buffer;
    }
    text.remove_prefix(point.size);
  }
  out += '"';
}

class JsonWriter {
 public:
  JsonWriter(Runtime& runtime, const Value& indent, std::string& out)
      : runtime_(runtime), out_(out), pretty_(!indent.IsNone()) {
    if (indent.IsIntegral()) {
      indent_ = std::string(static_cast<size_t>(std::clamp<int64_t>(indent.int_value(), 0, 64)), ' ');
    } else if (indent.IsString()) {
      indent_ = std::string(indent.text());
    }
  }

  absl::Status Write(const Value& value) {
    const Runtime::Depth depth(runtime_);
    RETURN_IF_ERROR(depth.Check());
    RETURN_IF_ERROR(runtime_.Spend(1));
    switch (value.kind()) {
      case Kind::kNone:
        out_ += "null";
        return absl::OkStatus();
      case Kind::kBool:
        out_ += value.bool_value() ? "true" : "false";
        return absl::OkStatus();
      case Kind::kInt:
        AppendInt(value.int_value(), out_);
        return absl::OkStatus();
      case Kind::kFloat:
        WriteFloat(value.float_value());
        return absl::OkStatus();
      case Kind::kString:
        AppendJsonString(value.text(), out_);
        return absl::OkStatus();
      case Kind::kList:
      case Kind::kTuple:
        return WriteList(value.list());
      case Kind::kDict:
        return WriteDict(value.dict());
      default:
        return absl::InvalidArgumentError(
            absl::StrCat("Object of type ", TypeName(value), " is not JSON serializable"));
    }
  }

 private:
  void WriteFloat(double value) {
    if (std::isnan(value)) {
      out_ += "NaN";
    } else if (std::isinf(value)) {
      out_ += value < 0 ? "-Infinity" : "Infinity";
    } else {
      AppendFloat(value, out_);
    }
  }

  void NewLine() {
    if (!pretty_) return;
    out_ += '\n';
    for (int i = 0; i < level_; ++i) out_ += indent_;
  }

  // Between two items.
  void Separate() {
    out_ += pretty_ ? "," : ", ";
    NewLine();
  }

  absl::Status WriteList(const List& list) {
    if (list.size == 0) {
      out_ += "[]";
      return absl::OkStatus();
    }
    out_ += '[';
    ++level_;
    NewLine();
    for (uint32_t i = 0; i < list.size; ++i) {
      if (i > 0) Separate();
      RETURN_IF_ERROR(Write(list[i]));
    }
    --level_;
    NewLine();
    out_ += ']';
    return absl::OkStatus();
  }

  absl::Status AppendKey(const Value& key) {
    std::string text;
    switch (key.kind()) {
      case Kind::kString:
        AppendJsonString(key.text(), out_);
        return absl::OkStatus();
      case Kind::kNone:
        out_ += "\"null\"";
        return absl::OkStatus();
      case Kind::kBool:
        out_ += key.bool_value() ? "\"true\"" : "\"false\"";
        return absl::OkStatus();
      case Kind::kInt:
      case Kind::kFloat:
        RETURN_IF_ERROR(runtime_.AppendStr(key, text));
        AppendJsonString(text, out_);
        return absl::OkStatus();
      default:
        return absl::InvalidArgumentError(
            absl::StrCat("keys must be str, int, float, bool or None, not ", TypeName(key)));
    }
  }

  absl::Status WriteDict(const Dict& dict) {
    if (dict.size == 0) {
      out_ += "{}";
      return absl::OkStatus();
    }
    std::vector<std::pair<Value, Value>> entries;
    for (uint32_t i = 0; i < dict.used; ++i) {
      if (dict.entries[i].key.IsMissing()) continue;
      entries.emplace_back(dict.entries[i].key, Value::Int(i));
    }
    RETURN_IF_ERROR(SortByKeys(runtime_, entries, false));
    out_ += '{';
    ++level_;
    NewLine();
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) Separate();
      RETURN_IF_ERROR(AppendKey(entries[i].first));
      out_ += ": ";
      RETURN_IF_ERROR(Write(dict.entries[entries[i].second.int_value()].value));
    }
    --level_;
    NewLine();
    out_ += '}';
    return absl::OkStatus();
  }

  Runtime& runtime_;
  std::string& out_;
  const bool pretty_;
  std::string indent_;
  int level_ = 0;
};

}  // namespace

absl::Status AppendJson(Runtime& runtime, const Value& value, const Value& indent, std::string& out) {
  return JsonWriter(runtime, indent, out).Write(value);
}

}  // namespace ssg::tmpl

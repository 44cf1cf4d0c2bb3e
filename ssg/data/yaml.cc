// DecodeYaml: libyaml's events to values.
#include <yaml.h>

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/data/decode.h"

namespace ssg {
namespace {

using tmpl::Value;

constexpr size_t kDepthMax = 64;
constexpr size_t kValuesMax = 1'000'000;

class YamlReader {
 public:
  YamlReader(absl::string_view text, tmpl::Arena& arena) : arena_(arena) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
  }
  ~YamlReader() {
    if (have_event_) yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;

  absl::StatusOr<Value> Run() {
    do {
      RETURN_IF_ERROR(Next());
      if (event_.type == YAML_STREAM_END_EVENT) return Value::None();
    } while (event_.type == YAML_STREAM_START_EVENT || event_.type == YAML_DOCUMENT_START_EVENT);
    ASSIGN_OR_RETURN(Value value, Read(0));
    RETURN_IF_ERROR(Next());  // the document's end
    RETURN_IF_ERROR(Next());
    if (event_.type != YAML_STREAM_END_EVENT) return Error("only one YAML document is allowed");
    return value;
  }

 private:
  absl::Status Error(absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(event_.start_mark.line + 1, ":", event_.start_mark.column + 1, ": ", what));
  }

  absl::Status Next() {
    if (have_event_) yaml_event_delete(&event_);
    have_event_ = yaml_parser_parse(&parser_, &event_) != 0;
    if (have_event_) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(parser_.problem_mark.line + 1, ":", parser_.problem_mark.column + 1, ": ",
                     parser_.problem != nullptr ? parser_.problem : "not YAML",
                     parser_.context != nullptr ? absl::StrCat(" ", parser_.context) : ""));
  }

  // The values below `value`, itself included, as aliases repeat them.
  static size_t Weigh(const Value& value) {
    size_t weight = 1;
    if (value.IsDict()) {
      for (uint32_t i = 0; i < value.dict().used; ++i) weight += Weigh(value.dict().entries[i].value);
    } else if (value.kind() == tmpl::Kind::kList) {
      for (const Value& item : value.list()) weight += Weigh(item);
    }
    return weight;
  }

  absl::Status Count(size_t weight) {
    count_ += weight;
    if (count_ > kValuesMax) {
      return absl::ResourceExhaustedError(
          absl::StrCat(event_.start_mark.line + 1, ":1: more than ", kValuesMax, " values"));
    }
    return absl::OkStatus();
  }

  // The value that the current event starts.
  absl::StatusOr<Value> Read(size_t depth) {
    if (depth > kDepthMax) {
      return absl::ResourceExhaustedError(
          absl::StrCat(event_.start_mark.line + 1, ":1: nested deeper than ", kDepthMax, " levels"));
    }
    RETURN_IF_ERROR(Count(1));
    std::string anchor;
    Value value;
    switch (event_.type) {
      case YAML_SCALAR_EVENT:
        if (event_.data.scalar.anchor != nullptr) anchor = reinterpret_cast<char*>(event_.data.scalar.anchor);
        value = Scalar();
        break;
      case YAML_SEQUENCE_START_EVENT: {
        if (event_.data.sequence_start.anchor != nullptr) {
          anchor = reinterpret_cast<char*>(event_.data.sequence_start.anchor);
        }
        tmpl::List* list = tmpl::NewList(arena_);
        for (;;) {
          RETURN_IF_ERROR(Next());
          if (event_.type == YAML_SEQUENCE_END_EVENT) break;
          ASSIGN_OR_RETURN(const Value item, Read(depth + 1));
          tmpl::Append(arena_, *list, item);
        }
        value = Value::Of(list);
        break;
      }
      case YAML_MAPPING_START_EVENT: {
        if (event_.data.mapping_start.anchor != nullptr) {
          anchor = reinterpret_cast<char*>(event_.data.mapping_start.anchor);
        }
        ASSIGN_OR_RETURN(value, ReadMapping(depth));
        break;
      }
      case YAML_ALIAS_EVENT: {
        const auto found = anchors_.find(reinterpret_cast<char*>(event_.data.alias.anchor));
        if (found == anchors_.end()) return Error("unknown alias");
        RETURN_IF_ERROR(Count(found->second.second));
        return found->second.first;
      }
      default:
        return Error("unexpected end");
    }
    if (!anchor.empty()) anchors_[anchor] = {value, Weigh(value)};
    return value;
  }

  absl::StatusOr<Value> ReadMapping(size_t depth) {
    tmpl::Dict* dict = tmpl::NewDict(arena_);
    for (;;) {
      RETURN_IF_ERROR(Next());
      if (event_.type == YAML_MAPPING_END_EVENT) return Value::Of(dict);
      if (event_.type != YAML_SCALAR_EVENT) return Error("a key must be a plain word or a string");
      const absl::string_view key(reinterpret_cast<char*>(event_.data.scalar.value), event_.data.scalar.length);
      const Value name = Value::String(arena_.Copy(key));
      const absl::Status duplicate = Error(absl::StrCat("key \"", name.text(), "\" appears twice"));
      RETURN_IF_ERROR(Next());
      ASSIGN_OR_RETURN(const Value value, Read(depth + 1));
      if (name.text() == "<<" && value.IsDict()) {
        const tmpl::Dict& merged = value.dict();
        for (uint32_t i = 0; i < merged.used; ++i) {
          if (dict->Find(merged.entries[i].key) == nullptr) {
            tmpl::Set(arena_, *dict, merged.entries[i].key, merged.entries[i].value);
          }
        }
        merged_ = true;
        continue;
      }
      if (!merged_ && dict->Find(name.text()) != nullptr) return duplicate;
      tmpl::Set(arena_, *dict, name, value);
    }
  }

  Value Scalar() {
    const absl::string_view text(reinterpret_cast<char*>(event_.data.scalar.value), event_.data.scalar.length);
    if (event_.data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
      if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return Value::None();
      if (text == "true" || text == "True" || text == "TRUE") return Value::Bool(true);
      if (text == "false" || text == "False" || text == "FALSE") return Value::Bool(false);
      const char c = text[0];
      if ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.') {
        int64_t number;
        double real;
        if (text.find_first_not_of("+-0123456789") == absl::string_view::npos && absl::SimpleAtoi(text, &number)) {
          return Value::Int(number);
        }
        if (text.find_first_not_of("+-.0123456789eE") == absl::string_view::npos && absl::SimpleAtod(text, &real)) {
          return Value::Float(real);
        }
      }
    }
    return Value::String(arena_.Copy(text));
  }

  tmpl::Arena& arena_;
  yaml_parser_t parser_;
  yaml_event_t event_{};
  bool have_event_ = false;
  bool merged_ = false;
  size_t count_ = 0;
  absl::flat_hash_map<std::string, std::pair<Value, size_t>> anchors_;
};

}  // namespace

absl::StatusOr<Value> DecodeYaml(absl::string_view text, tmpl::Arena& arena) { return YamlReader(text, arena).Run(); }

}  // namespace ssg

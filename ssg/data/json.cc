// DecodeJson: nlohmann's SAX events to values.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ssg/data/decode.h"

namespace ssg {
namespace {

using tmpl::Value;

constexpr size_t kDepthMax = 64;
constexpr size_t kValuesMax = 1'000'000;

class JsonReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  JsonReader(absl::string_view text, tmpl::Arena& arena) : text_(text), arena_(arena) {}

  bool null() override { return Put(Value::None()); }
  bool boolean(bool value) override { return Put(Value::Bool(value)); }
  bool number_integer(int64_t value) override { return Put(Value::Int(value)); }
  bool number_unsigned(uint64_t value) override {
    if (value > static_cast<uint64_t>(INT64_MAX)) return Put(Value::Float(static_cast<double>(value)));
    return Put(Value::Int(static_cast<int64_t>(value)));
  }
  bool number_float(double value, const std::string&) override { return Put(Value::Float(value)); }
  bool string(std::string& value) override { return Put(Value::String(arena_.Copy(value))); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(Value::Of(tmpl::NewDict(arena_))); }
  bool start_array(size_t) override { return Open(Value::Of(tmpl::NewList(arena_))); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(std::string& name) override {
    keys_.back() = arena_.Copy(name);
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& error) override {
    const size_t at = std::min(position > 0 ? position - 1 : 0, text_.size());
    const absl::string_view before = text_.substr(0, at);
    const size_t newline = before.rfind('\n');
    absl::string_view what = error.what();
    const size_t colon = what.rfind(": ");
    status_ =
        absl::InvalidArgumentError(absl::StrCat(1 + std::count(before.begin(), before.end(), '\n'), ":",
                                                newline == absl::string_view::npos ? at + 1 : at - newline, ": ",
                                                colon == absl::string_view::npos ? what : what.substr(colon + 2)));
    return false;
  }

  absl::StatusOr<Value> Result() const {
    if (!status_.ok()) return status_;
    return root_;
  }

 private:
  bool Put(const Value& value) {
    if (++count_ > kValuesMax) {
      status_ = absl::ResourceExhaustedError(absl::StrCat("1:1: more than ", kValuesMax, " values"));
      return false;
    }
    if (open_.empty()) {
      root_ = value;
    } else if (open_.back().IsDict()) {
      tmpl::Set(arena_, open_.back().dict(), Value::String(keys_.back()), value);
    } else {
      tmpl::Append(arena_, open_.back().list(), value);
    }
    return true;
  }
  bool Open(const Value& value) {
    if (!Put(value)) return false;
    open_.push_back(value);
    keys_.emplace_back();
    if (open_.size() <= kDepthMax) return true;
    status_ = absl::ResourceExhaustedError(absl::StrCat("1:1: nested deeper than ", kDepthMax, " levels"));
    return false;
  }
  bool Close() {
    open_.pop_back();
    keys_.pop_back();
    return true;
  }

  const absl::string_view text_;
  tmpl::Arena& arena_;
  std::vector<Value> open_;
  std::vector<absl::string_view> keys_;  // of each open object, the key last seen
  Value root_ = Value::None();
  size_t count_ = 0;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<Value> DecodeJson(absl::string_view text, tmpl::Arena& arena) {
  JsonReader reader(text, arena);
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  return reader.Result();
}

}  // namespace ssg

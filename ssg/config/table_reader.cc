#include "ssg/config/table_reader.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/command_line.h"

namespace ssg {

using tmpl::Value;

const Value* TableReader::Find(absl::string_view key) {
  known_.emplace_back(key);
  if (!table_.IsDict()) return nullptr;
  const Value* value = table_.dict().Find(key);
  return value == nullptr || value->IsNone() ? nullptr : value;
}

uint32_t TableReader::LineOf(absl::string_view key) const {
  uint32_t line = 0;
  for (absl::string_view text : absl::StrSplit(text_, '\n')) {
    ++line;
    text = absl::StripLeadingAsciiWhitespace(text);
    while (!text.empty() && absl::StrContains("[\"'-", text[0])) text.remove_prefix(1);
    text = absl::StripLeadingAsciiWhitespace(text);
    if (absl::StartsWith(text, key) &&
        (text.size() == key.size() || absl::StrContains(" =:\"']\t.", text[key.size()]))) {
      return line;
    }
  }
  return 0;
}

void TableReader::WrongType(absl::string_view key, absl::string_view wanted) {
  diagnostics_.Error("config", file_, LineOf(key), absl::StrCat(prefix_, key, " must be ", wanted));
}

void TableReader::Read(absl::string_view key, std::string* out) {
  if (!name_key_.empty() && key == name_key_) *out = name_;
  const Value* value = Find(key);
  if (value == nullptr) return;
  if (value->IsString()) {
    *out = std::string(value->text());
  } else {
    WrongType(key, "a string");
  }
}

void TableReader::Read(absl::string_view key, std::string* out, const std::vector<std::string>& choices) {
  std::string word = *out;
  Read(key, &word);
  if (std::find(choices.begin(), choices.end(), word) != choices.end()) {
    *out = word;
  } else {
    WrongType(key, absl::StrCat("one of ", absl::StrJoin(choices, ", ")));
  }
}

void TableReader::Read(absl::string_view key, bool* out) {
  const Value* value = Find(key);
  if (value == nullptr) return;
  if (value->IsBool()) {
    *out = value->bool_value();
  } else {
    WrongType(key, "true or false");
  }
}

void TableReader::Read(absl::string_view key, int64_t* out, int64_t min, int64_t max) {
  const Value* value = Find(key);
  if (value == nullptr) return;
  if (value->IsInt() && value->int_value() >= min && value->int_value() <= max) {
    *out = value->int_value();
  } else {
    WrongType(key, absl::StrCat("a number from ", min, " to ", max));
  }
}

void TableReader::Read(absl::string_view key, std::vector<std::string>* out) {
  const Value* value = Find(key);
  if (value == nullptr) return;
  std::vector<std::string> words;
  bool ok = value->kind() == tmpl::Kind::kList;
  if (ok) {
    for (const Value& item : value->list()) {
      ok = ok && item.IsString();
      if (ok) words.emplace_back(item.text());
    }
  }
  if (ok) {
    *out = std::move(words);
  } else {
    WrongType(key, "a list of strings");
  }
}

void TableReader::Read(absl::string_view key, std::vector<int64_t>* out, int64_t min, int64_t max) {
  const Value* value = Find(key);
  if (value == nullptr) return;
  std::vector<int64_t> numbers;
  bool ok = value->kind() == tmpl::Kind::kList;
  if (ok) {
    for (const Value& item : value->list()) {
      ok = ok && item.IsInt() && item.int_value() >= min && item.int_value() <= max;
      if (ok) numbers.push_back(item.int_value());
    }
  }
  if (ok) {
    *out = std::move(numbers);
  } else {
    WrongType(key, absl::StrCat("a list of numbers from ", min, " to ", max));
  }
}

TableReader TableReader::Table(absl::string_view key) {
  const Value* value = Find(key);
  if (value != nullptr && !value->IsDict()) {
    WrongType(key, "a table");
    value = nullptr;
  }
  return TableReader(value == nullptr ? Value::None() : *value, absl::StrCat(prefix_, key, "."), file_, text_,
                     diagnostics_);
}

bool TableReader::ReadTables(absl::string_view key, absl::string_view name_key, std::vector<TableReader>* out) {
  const Value* value = Find(key);
  if (value == nullptr) return false;
  const auto add = [&](const Value& row, absl::string_view name) {
    TableReader reader(row, absl::StrCat(prefix_, key, "."), file_, text_, diagnostics_);
    if (!name.empty()) {
      reader.name_key_ = std::string(name_key);
      reader.name_ = std::string(name);
    }
    out->push_back(std::move(reader));
  };
  if (value->kind() == tmpl::Kind::kList) {
    for (const Value& row : value->list()) {
      if (row.IsDict()) {
        add(row, "");
      } else if (row.IsString()) {
        add(Value::None(), row.text());
      } else {
        WrongType(key, "a list of tables");
      }
    }
  } else if (value->IsDict()) {
    for (uint32_t i = 0; i < value->dict().used; ++i) {
      const auto& entry = value->dict().entries[i];
      if (entry.value.IsDict() || entry.value.IsNone()) {
        add(entry.value, entry.key.text());
      } else {
        WrongType(entry.key.text(), "a table");
      }
    }
  } else {
    WrongType(key, "a list of tables");
  }
  return true;
}

std::vector<std::string> TableReader::Keys() {
  std::vector<std::string> keys;
  if (!table_.IsDict()) return keys;
  for (uint32_t i = 0; i < table_.dict().used; ++i) {
    if (table_.dict().entries[i].key.IsString()) keys.emplace_back(table_.dict().entries[i].key.text());
  }
  known_.insert(known_.end(), keys.begin(), keys.end());
  return keys;
}

void TableReader::Finish() {
  if (!table_.IsDict()) return;
  for (uint32_t i = 0; i < table_.dict().used; ++i) {
    const absl::string_view key = table_.dict().entries[i].key.text();
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string near = base::NearestWord(key, known_);
    diagnostics_.Warning("config", file_, LineOf(key),
                         absl::StrCat("unknown key \"", prefix_, key, "\"",
                                      near.empty() ? "" : absl::StrCat("; did you mean \"", near, "\"?")));
  }
}

}  // namespace ssg

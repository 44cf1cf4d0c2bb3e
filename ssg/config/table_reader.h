// A TableReader takes typed values out of one table of a configuration and
// remembers which keys were asked for, so that the rest can be reported.
//
// A wrong type is an error at the key's line, and leaves the target unchanged.
// Threads: thread-compatible.
#ifndef SSG_CONFIG_TABLE_READER_H_
#define SSG_CONFIG_TABLE_READER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/diagnostics/diagnostics.h"
#include "ssg/template/value.h"

namespace ssg {

class TableReader {
 public:
  // `text` is the file's text, to find lines in; all must outlive the reader.
  TableReader(tmpl::Value table, absl::string_view prefix, absl::string_view file, absl::string_view text,
              Diagnostics& diagnostics)
      : table_(table), prefix_(prefix), file_(file), text_(text), diagnostics_(diagnostics) {}

  void Read(absl::string_view key, std::string* out);
  void Read(absl::string_view key, std::string* out, const std::vector<std::string>& choices);
  void Read(absl::string_view key, bool* out);
  void Read(absl::string_view key, int64_t* out, int64_t min, int64_t max);
  void Read(absl::string_view key, std::vector<std::string>* out);
  void Read(absl::string_view key, std::vector<int64_t>* out, int64_t min, int64_t max);
  void Ignore(absl::string_view key) { known_.emplace_back(key); }
  // The table below `key`; an empty one if absent.
  TableReader Table(absl::string_view key);
  // The tables in the list `key`, or, where `key` is a table of tables, its rows
  // with their key as `name_key`; strings in a list count as {name_key = string}.
  // False if absent.
  bool ReadTables(absl::string_view key, absl::string_view name_key, std::vector<TableReader>* out);
  // All keys, which then count as known.
  std::vector<std::string> Keys();

  // Warns of keys nobody asked for.
  void Finish();

 private:
  const tmpl::Value* Find(absl::string_view key);
  void WrongType(absl::string_view key, absl::string_view wanted);
  uint32_t LineOf(absl::string_view key) const;

  tmpl::Value table_;
  std::string prefix_;
  std::string file_;
  absl::string_view text_;
  Diagnostics& diagnostics_;
  std::vector<std::string> known_;
  std::string name_key_;  // set on rows whose name is their key
  std::string name_;
};

}  // namespace ssg

#endif  // SSG_CONFIG_TABLE_READER_H_

// A Symbol is an interned name: equal names are one Symbol with one small id,
// so that attributes of the page model are found by index, not by hashing.
//
// Names in templates and in host tables are interned once and live for ever.
// A name made at run time (`page[key]`) is looked up, never added, so hostile
// templates cannot grow the table: if unknown it becomes a temporary symbol
// with id 0, valid as long as the text it was made from.
//
// Threads: thread-safe.
#ifndef SSG_TEMPLATE_SYMBOL_H_
#define SSG_TEMPLATE_SYMBOL_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace ssg::tmpl {

uint32_t HashText(absl::string_view text);

class Symbol {
 public:
  Symbol() = default;
  static Symbol Intern(absl::string_view text);
  static Symbol Find(absl::string_view text);

  absl::string_view text() const { return text_; }
  // Dense, from 1; 0 for temporary symbols.
  uint32_t id() const { return id_; }
  uint32_t hash() const { return hash_; }

  friend bool operator==(Symbol a, Symbol b) { return a.id_ != 0 && b.id_ != 0 ? a.id_ == b.id_ : a.text_ == b.text_; }

 private:
  Symbol(absl::string_view text, uint32_t id, uint32_t hash) : text_(text), id_(id), hash_(hash) {}
  absl::string_view text_;
  uint32_t id_ = 0;
  uint32_t hash_ = 0;
};

// Maps the attribute names of one host type to `T`, usually a getter.
//
// Example:
//   const SymbolTable<Getter> kTable({{"title", &Page::Title}, ...});
//   const Getter* getter = kTable.Find(name);
template <typename T>
class SymbolTable {
 public:
  explicit SymbolTable(std::vector<std::pair<absl::string_view, T>> rows) {
    for (auto& [name, value] : rows) {
      const Symbol symbol = Symbol::Intern(name);
      if (index_.size() <= symbol.id()) index_.resize(symbol.id() + 1, 0);
      rows_.emplace_back(symbol.text(), std::move(value));
      index_[symbol.id()] = static_cast<uint16_t>(rows_.size());
    }
  }

  // nullptr when `name` is none of the table's.
  const T* Find(Symbol name) const {
    if (name.id() >= index_.size() || index_[name.id()] == 0) return nullptr;
    return &rows_[index_[name.id()] - 1].second;
  }

  std::vector<absl::string_view> Names() const {
    std::vector<absl::string_view> names;
    for (const auto& row : rows_) names.push_back(row.first);
    return names;
  }

 private:
  std::vector<std::pair<absl::string_view, T>> rows_;
  std::vector<uint16_t> index_;
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_SYMBOL_H_

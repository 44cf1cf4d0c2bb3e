#include "ssg/template/symbol.h"

#include <deque>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "base/mutex.h"

namespace ssg::tmpl {
namespace {

struct Table {
  base::Mutex mutex;
  std::deque<std::string> texts ABSL_GUARDED_BY(mutex);
  absl::flat_hash_map<absl::string_view, uint32_t> ids ABSL_GUARDED_BY(mutex);
};

Table& GlobalTable() {
  static Table* const table = new Table;
  return *table;
}

}  // namespace

uint32_t HashText(absl::string_view text) { return static_cast<uint32_t>(absl::Hash<absl::string_view>()(text)); }

Symbol Symbol::Intern(absl::string_view text) {
  Table& table = GlobalTable();
  base::MutexLock lock(&table.mutex);
  const auto found = table.ids.find(text);
  if (found != table.ids.end()) return Symbol(found->first, found->second, HashText(text));
  table.texts.emplace_back(text);
  const uint32_t id = static_cast<uint32_t>(table.texts.size());
  table.ids.emplace(table.texts.back(), id);
  return Symbol(table.texts.back(), id, HashText(text));
}

Symbol Symbol::Find(absl::string_view text) {
  Table& table = GlobalTable();
  base::ReaderMutexLock lock(&table.mutex);
  const auto found = table.ids.find(text);
  if (found != table.ids.end()) return Symbol(found->first, found->second, HashText(text));
  return Symbol(text, 0, HashText(text));
}

}  // namespace ssg::tmpl

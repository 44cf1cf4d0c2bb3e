// The method tables of each type. Each is made at first use and lives for ever.
//
// Threads: thread-safe.
#ifndef SSG_TEMPLATE_METHOD_TABLES_H_
#define SSG_TEMPLATE_METHOD_TABLES_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/template/object.h"
#include "ssg/template/symbol.h"

namespace ssg::tmpl {

using MethodTable = SymbolTable<const Function*>;

struct MethodRow {
  absl::string_view name;
  absl::string_view signature;  // The value itself comes first.
  NativeFunction body;
};
MethodTable MakeMethodTable(const std::vector<MethodRow>& rows);

const MethodTable& StringMethods();  // methods_string.cc
const MethodTable& ListMethods();    // methods_container.cc
const MethodTable& TupleMethods();
const MethodTable& DictMethods();
const MethodTable& IntMethods();
const MethodTable& FloatMethods();

std::vector<MethodRow> StringSearchMethods();  // methods_string_search.cc

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_METHOD_TABLES_H_

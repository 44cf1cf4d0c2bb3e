#include "ssg/template/methods.h"

#include "ssg/template/method_tables.h"

namespace ssg::tmpl {

const MethodTable* TableFor(const Value& value) {
  switch (value.kind()) {
    case Kind::kString:
      return &StringMethods();
    case Kind::kList:
      return &ListMethods();
    case Kind::kTuple:
      return &TupleMethods();
    case Kind::kDict:
      return &DictMethods();
    case Kind::kInt:
    case Kind::kBool:
      return &IntMethods();
    case Kind::kFloat:
      return &FloatMethods();
    default:
      return nullptr;
  }
}

const Function* FindMethod(const Value& value, Symbol name) {
  const MethodTable* table = TableFor(value);
  if (table == nullptr) return nullptr;
  const Function* const* found = table->Find(name);
  return found == nullptr ? nullptr : *found;
}

std::vector<absl::string_view> MethodNames(const Value& value) {
  const MethodTable* table = TableFor(value);
  return table == nullptr ? std::vector<absl::string_view>() : table->Names();
}

MethodTable MakeMethodTable(const std::vector<MethodRow>& rows) {
  std::vector<std::pair<absl::string_view, const Function*>> functions;
  for (const MethodRow& row : rows) {
    functions.emplace_back(row.name, new Function(row.name, row.signature, row.body));
  }
  return MethodTable(std::move(functions));
}

}  // namespace ssg::tmpl

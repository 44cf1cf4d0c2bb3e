// Objects are values with behaviour: the host's pages, sections and functions,
// and the engine's own macros, loops and namespaces.
//
// Host objects are read lazily: an attribute is computed when a template asks
// for it, through the Runtime, which tells the render's Observer.
// Life:    the host keeps its objects alive during every render that sees them.
// Threads: host objects are read by several renders at once; their methods are
//          const and must be thread-safe.
#ifndef SSG_TEMPLATE_OBJECT_H_
#define SSG_TEMPLATE_OBJECT_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "ssg/template/symbol.h"
#include "ssg/template/value.h"

namespace ssg::tmpl {

class Runtime;

struct NamedValue {
  Symbol name;
  Value value;
};

// The arguments of a call as written.
struct Arguments {
  absl::Span<const Value> positional;
  absl::Span<const NamedValue> named;
};

class Object {
 public:
  virtual ~Object() = default;

  // As error messages name it: "page".
  virtual absl::string_view TypeName() const = 0;
  // A missing value when there is no such attribute.
  virtual absl::StatusOr<Value> Attribute(Symbol name, Runtime& runtime) const;
  // `object[key]`; a missing value when there is none. A str key that is not
  // found here is tried as an attribute next.
  virtual absl::StatusOr<Value> Item(const Value& key, Runtime& runtime) const;
  virtual absl::StatusOr<Value> Call(Runtime& runtime, const Arguments& arguments) const;
  // A list-like value that holds the items; the default fails.
  virtual absl::StatusOr<Value> Iterate(Runtime& runtime) const;
  // len(), if it has one; also decides its truth.
  virtual absl::optional<int64_t> Length() const { return absl::nullopt; }
  virtual std::string ToString() const;
  // True if ToString() is HTML that must not be escaped again.
  virtual bool IsMarkup() const { return false; }
  virtual bool IsCallable() const { return false; }
  virtual bool IsMapping() const { return false; }
  // For "did you mean".
  virtual std::vector<absl::string_view> AttributeNames() const { return {}; }
};

// What a function accepts, from text like "value width first? *args **kwargs":
// names in order, '?' on those that may be left out, and the catch-alls.
class Signature {
 public:
  explicit Signature(absl::string_view text);

  const std::vector<Symbol>& parameters() const { return parameters_; }
  size_t required() const { return required_; }
  bool varargs() const { return varargs_; }
  bool kwargs() const { return kwargs_; }

 private:
  std::vector<Symbol> parameters_;
  size_t required_ = 0;
  bool varargs_ = false;
  bool kwargs_ = false;
};

// Arguments sorted onto the parameters of a Signature.
struct BoundArguments {
  absl::Span<const Value> bound;       // One per parameter; missing if not given.
  absl::Span<const Value> rest;        // *args
  absl::Span<const NamedValue> named;  // **kwargs

  const Value& operator[](size_t index) const { return bound[index]; }
  bool Has(size_t index) const { return !bound[index].IsMissing(); }
};

using NativeFunction = std::function<absl::StatusOr<Value>(Runtime&, const BoundArguments&)>;

// A function written in C++: a global, a filter (its first parameter is the
// filtered value), a test (likewise; returns a bool) or a method of a type.
class Function : public Object {
 public:
  Function(absl::string_view name, absl::string_view signature, NativeFunction body)
      : name_(name), signature_(signature), body_(std::move(body)) {}

  const std::string& name() const { return name_; }
  const Signature& signature() const { return signature_; }

  // Calls with `first` put before the positional arguments unless missing.
  // Fails with InvalidArgument when they do not fit the signature.
  absl::StatusOr<Value> Invoke(Runtime& runtime, const Value& first, const Arguments& arguments) const;

  absl::string_view TypeName() const override { return "function"; }
  absl::StatusOr<Value> Call(Runtime& runtime, const Arguments& arguments) const override;
  std::string ToString() const override;
  bool IsCallable() const override { return true; }

 private:
  const std::string name_;
  const Signature signature_;
  const NativeFunction body_;
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_OBJECT_H_

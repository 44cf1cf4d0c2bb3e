// The Runtime is a render in progress, as functions and host objects see it:
// memory for new values, the operations of the language, and the host's own
// state.
//
// Errors:  every failure is a Status whose message says what was wrong in the
//          template author's words; the interpreter adds where.
//          InvalidArgument     type and value errors
//          FailedPrecondition  an undefined value was used
//          ResourceExhausted   a limit was reached
//          NotFound            a template is missing
// Threads: one render belongs to one thread.
#ifndef SSG_TEMPLATE_RUNTIME_H_
#define SSG_TEMPLATE_RUNTIME_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ssg/template/arena.h"
#include "ssg/template/environment.h"
#include "ssg/template/object.h"
#include "ssg/template/operator.h"
#include "ssg/template/value.h"

namespace ssg::tmpl {

// Is told what a render read, for dependency graphs. Calls come in the order
// of reading, repeats included.
class Observer {
 public:
  virtual ~Observer() = default;
  // A template was used, or looked for in vain.
  virtual void OnTemplate(absl::string_view name, bool found) = 0;
  // A variable was looked up by name; missing ones too.
  virtual void OnVariable(Symbol name) = 0;
  // An attribute of a host object was read; missing ones too.
  virtual void OnAttribute(const Object& object, Symbol name) = 0;
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  Arena& arena() { return arena_; }
  const Environment& environment() const { return environment_; }
  Observer* observer() const { return observer_; }
  // What the host passed to Render(), e.g. the page being rendered.
  template <typename T>
  T* host() const {
    return static_cast<T*>(host_);
  }
  bool autoescape() const { return autoescape_; }

  // Copies.
  Value NewString(absl::string_view text, Tag tag = Tag::kPlain) { return Value::String(arena_.Copy(text), tag); }
  // A str that is safe HTML if this render escapes at this point.
  Value NewHtml(absl::string_view html) { return NewString(html, autoescape_ ? Tag::kMarkup : Tag::kPlain); }
  Value NewListOf(absl::Span<const Value> items, Kind kind = Kind::kList);
  Value UndefinedVariable(absl::string_view name);
  Value UndefinedAttribute(const Value& owner, const Value& name);
  Value UndefinedBecause(absl::string_view hint, absl::string_view name = "");
  // The failure of using `value`, with a name that may have been meant.
  absl::Status UndefinedError(const Value& value);

  // str(); the view lives as long as the value or the arena.
  absl::StatusOr<Value> Str(const Value& value);
  absl::Status AppendStr(const Value& value, std::string& out);
  absl::Status AppendRepr(const Value& value, std::string& out);
  // Markup of str(value), escaped unless it is markup already.
  absl::StatusOr<Value> Escape(const Value& value);

  absl::StatusOr<bool> Truth(const Value& value);
  absl::StatusOr<int64_t> Length(const Value& value);
  absl::StatusOr<bool> Equal(const Value& a, const Value& b);
  // Negative, zero or positive. `op` is for the message: "<".
  absl::StatusOr<int> Compare(const Value& a, const Value& b, absl::string_view op = "<");
  absl::StatusOr<bool> Contains(const Value& container, const Value& item);
  // A list-like value with the items of any iterable, copied only if it must.
  absl::StatusOr<Value> Iterate(const Value& value);

  absl::StatusOr<Value> GetAttribute(const Value& value, Symbol name);
  absl::StatusOr<Value> GetItem(const Value& value, const Value& key);
  // A dotted path of attributes and indexes: "author.names.0".
  absl::StatusOr<Value> GetPath(const Value& value, const Value& path);
  absl::StatusOr<Value> GetSlice(const Value& value, const Value& start, const Value& stop, const Value& step);
  absl::StatusOr<Value> CallValue(const Value& callable, const Arguments& arguments);
  absl::StatusOr<Value> ApplyFilter(absl::string_view name, const Value& value, const Arguments& arguments);
  absl::StatusOr<Value> ApplyTest(absl::string_view name, const Value& value, const Arguments& arguments);

  absl::StatusOr<Value> Arithmetic(Operator op, const Value& a, const Value& b);
  absl::StatusOr<Value> Negate(const Value& value, bool plus);
  // What `op`, one of == != < <= > >= in not in, says.
  absl::StatusOr<bool> Relation(Operator op, const Value& a, const Value& b);

  // Counts work that a template can make unbounded: iterations, items built.
  absl::Status Spend(int64_t steps);
  // Fails once memory or output passed its limit.
  absl::Status CheckLimits();
  // The names that variables have here.
  virtual std::vector<absl::string_view> VariableNames() const { return {}; }

  // Nesting of calls and of values within values.
  class Depth {
   public:
    explicit Depth(Runtime& runtime) : runtime_(runtime) { ++runtime_.depth_; }
    ~Depth() { --runtime_.depth_; }
    absl::Status Check() const;

   private:
    Runtime& runtime_;
  };

 protected:
  Runtime(const Environment& environment, Observer* observer, void* host)
      : environment_(environment), observer_(observer), host_(host), arena_(environment.limits().memory_bytes_max) {}

  const Environment& environment_;
  Observer* const observer_;
  void* const host_;
  Arena arena_;
  bool autoescape_ = false;
  int depth_ = 0;
  int64_t steps_ = 0;
};

// What `value` is called in messages: "list object", "None".
std::string TypeDescription(const Value& value);
absl::string_view TypeName(const Value& value);
// Why using `undefined` fails: "'user' is undefined".
std::string UndefinedMessage(const Undefined& undefined);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_RUNTIME_H_

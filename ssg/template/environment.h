// An Environment is what templates can name besides their variables: filters,
// tests and globals, with the syntax and the limits that apply to all.
//
// Life:    filled first, then used; templates compiled against it keep
//          pointers into it.
// Threads: thread-compatible; const use from several threads is safe.
#ifndef SSG_TEMPLATE_ENVIRONMENT_H_
#define SSG_TEMPLATE_ENVIRONMENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ssg/template/object.h"
#include "ssg/template/value.h"

namespace ssg::tmpl {

// Names, delimiters and defaults are Jinja2's.
struct Syntax {
  std::string block_start = "{%";
  std::string block_end = "%}";
  std::string variable_start = "{{";
  std::string variable_end = "}}";
  std::string comment_start = "{#";
  std::string comment_end = "#}";
  std::string line_statement_prefix;
  std::string line_comment_prefix;
  bool trim_blocks = false;
  bool lstrip_blocks = false;
  bool keep_trailing_newline = false;
  std::string newline_sequence = "\n";

  // InvalidArgument when delimiters are empty or equal.
  absl::Status Validate() const;
};

enum class Autoescape {
  kOff,
  kOn,
  kByExtension,  // On for .html, .htm, .xml, .svg and their .j2/.jinja forms.
};

// A render that needs more fails with a message that names the limit.
struct Limits {
  int call_depth_max = 200;        // Macros, blocks, includes and recursive loops in each other.
  int expression_depth_max = 200;  // Parentheses and operators within one expression.
  int block_depth_max = 100;       // Tags within tags.
  int64_t steps_max = 20'000'000;  // Iterations and items made by filters.
  size_t output_bytes_max = 256 << 20;
  size_t memory_bytes_max = 512 << 20;
  size_t source_bytes_max = 16 << 20;
};

class Environment {
 public:
  struct Options {
    Syntax syntax;
    Autoescape autoescape = Autoescape::kByExtension;
    UndefinedPolicy undefined = UndefinedPolicy::kLenient;
    Limits limits;
  };

  // With all filters, tests and globals of Jinja2.
  explicit Environment(Options options);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // A later one of the same name wins. The signature is Signature's text.
  void AddFilter(absl::string_view name, absl::string_view signature, NativeFunction body);
  void AddTest(absl::string_view name, absl::string_view signature, NativeFunction body);
  void AddFunction(absl::string_view name, absl::string_view signature, NativeFunction body);
  // `value` must outlive the environment's renders.
  void AddGlobal(absl::string_view name, const Value& value);

  // nullptr when unknown.
  const Function* FindFilter(absl::string_view name) const;
  const Function* FindTest(absl::string_view name) const;
  const Dict& globals() const { return *globals_; }

  std::vector<absl::string_view> FilterNames() const;
  std::vector<absl::string_view> TestNames() const;

  const Options& options() const { return options_; }
  const Limits& limits() const { return options_.limits; }
  bool AutoescapeFor(absl::string_view template_name) const;

 private:
  using Functions = absl::flat_hash_map<std::string, const Function*>;

  const Function* Own(absl::string_view name, absl::string_view signature, NativeFunction body);

  const Options options_;
  Arena arena_;
  std::vector<std::unique_ptr<const Function>> functions_;
  Functions filters_;
  Functions tests_;
  Dict* const globals_;
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_ENVIRONMENT_H_

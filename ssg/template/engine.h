// The Engine compiles Jinja2 templates to bytecode once and renders them, on
// any number of threads at a time.
//
// Life:    options and functions first (environment()), then Get/Compile and
//          Render. Compiled templates are shared and immutable; one that was
//          forgotten lives on in the renders that hold it.
// Errors:  InvalidArgument and the codes of runtime.h, with a text such as
//            base.html:3:12: 'pag' is undefined; did you mean 'page'?
//                3 | <h1>{{ pag.title }}</h1>
//                  |            ^
//              extended by page.html:1
//          DiagnosticOf() (diagnostic.h) gives the parts.
//          NotFound: the loader has no such template.
// Threads: thread-safe once configured.
// Source:  the Jinja2 3.1 template designer documentation; docs/templates.md
//          lists the deviations.
//
// Example:
//   Engine engine({}, std::make_unique<MapLoader>(...));
//   engine.environment().AddFunction("get_url", "path", GetUrl);
//   ASSIGN_OR_RETURN(auto page, engine.Get("page.html"));
//   Variables variables;
//   variables.Set("page", Value::Of(&page_object));
//   std::string html;
//   RETURN_IF_ERROR(engine.Render(*page, variables, {}, html));
#ifndef SSG_TEMPLATE_ENGINE_H_
#define SSG_TEMPLATE_ENGINE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "base/mutex.h"
#include "ssg/template/diagnostic.h"
#include "ssg/template/environment.h"
#include "ssg/template/runtime.h"
#include "ssg/template/value.h"

namespace ssg::tmpl {

class Program;

// Where templates come from. Implementations are thread-safe.
class Loader {
 public:
  virtual ~Loader() = default;
  // The source of the template `name`; NotFound when there is none.
  virtual absl::StatusOr<std::string> Load(absl::string_view name) = 0;
  // All names, for "did you mean"; may be empty.
  virtual std::vector<std::string> Names() { return {}; }
};

// Templates in memory.
class MapLoader : public Loader {
 public:
  explicit MapLoader(absl::flat_hash_map<std::string, std::string> sources) : sources_(std::move(sources)) {}
  absl::StatusOr<std::string> Load(absl::string_view name) override;
  std::vector<std::string> Names() override;

 private:
  const absl::flat_hash_map<std::string, std::string> sources_;
};

// A compiled template.
class Template {
 public:
  explicit Template(std::unique_ptr<const Program> program);
  ~Template();
  const std::string& name() const;
  const Program& program() const { return *program_; }
  // The names of templates that it extends, includes or imports by literals.
  std::vector<std::string> References() const;

 private:
  const std::unique_ptr<const Program> program_;
};

// The variables that a render starts with.
class Variables {
 public:
  Variables() : dict_(NewDict(arena_, 8)) {}
  // `name` is copied; what `value` points to must outlive the render.
  void Set(absl::string_view name, const Value& value);
  const Dict& dict() const { return *dict_; }
  // Memory for values made for this render.
  Arena& arena() { return arena_; }

 private:
  Arena arena_;
  Dict* dict_;
};

struct RenderOptions {
  Observer* observer = nullptr;
  void* host = nullptr;  // Runtime::host<T>()
};

class Engine {
 public:
  // REQUIRES: options.syntax is valid.
  explicit Engine(Environment::Options options, std::unique_ptr<Loader> loader = nullptr);
  ~Engine();

  // To be filled before the first template is compiled.
  Environment& environment() { return environment_; }
  const Environment& environment() const { return environment_; }

  // The template `name`, loaded and compiled at most once. Failures are not
  // remembered.
  absl::StatusOr<std::shared_ptr<const Template>> Get(absl::string_view name) const;
  // Compiles `source` without remembering it.
  absl::StatusOr<std::shared_ptr<const Template>> Compile(absl::string_view name, absl::string_view source) const;
  // A changed source is compiled anew at the next Get().
  void Forget(absl::string_view name);
  void ForgetAll();

  // Appends what `program` yields to `out`; on failure `out` is unchanged.
  absl::Status Render(const Template& source, const Variables& variables, const RenderOptions& options,
                      std::string& out) const;

  // The loader's names, for messages.
  std::vector<std::string> TemplateNames() const;

 private:
  Environment environment_;
  const std::unique_ptr<Loader> loader_;
  mutable base::Mutex mutex_;
  mutable absl::flat_hash_map<std::string, std::shared_ptr<const Template>> templates_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_ENGINE_H_

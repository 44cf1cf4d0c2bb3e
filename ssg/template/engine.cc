#include "ssg/template/engine.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/compiler.h"
#include "ssg/template/program.h"
#include "ssg/template/vm.h"

namespace ssg::tmpl {

absl::StatusOr<std::string> MapLoader::Load(absl::string_view name) {
  const auto found = sources_.find(std::string(name));
  if (found == sources_.end()) {
    return absl::NotFoundError(absl::StrCat("the template '", name, "' does not exist"));
  }
  return found->second;
}

std::vector<std::string> MapLoader::Names() {
  std::vector<std::string> names;
  for (const auto& [name, source] : sources_) names.push_back(name);
  return names;
}

Template::Template(std::unique_ptr<const Program> program) : program_(std::move(program)) {}

Template::~Template() = default;

const std::string& Template::name() const { return program_->name; }

std::vector<std::string> Template::References() const { return program_->references; }

void Variables::Set(absl::string_view name, const Value& value) {
  tmpl::Set(arena_, *dict_, Symbol::Intern(name), value);
}

Engine::Engine(Environment::Options options, std::unique_ptr<Loader> loader)
    : environment_(std::move(options)), loader_(std::move(loader)) {}

Engine::~Engine() = default;

absl::StatusOr<std::shared_ptr<const Template>> Engine::Get(absl::string_view name) const {
  const std::string key(name);
  {
    const base::ReaderMutexLock lock(&mutex_);
    const auto found = templates_.find(key);
    if (found != templates_.end()) return found->second;
  }
  if (loader_ == nullptr) {
    return absl::NotFoundError(absl::StrCat("the template '", name, "' does not exist"));
  }
  absl::StatusOr<std::string> source = loader_->Load(name);
  if (!source.ok()) {
    if (!absl::IsNotFound(source.status())) return std::move(source).status();
    const std::vector<std::string> names = loader_->Names();
    const std::string hint = DidYouMean(name, {names.begin(), names.end()});
    return absl::NotFoundError(absl::StrCat(source.status().message(), hint.empty() ? "" : "; ", hint));
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const Template> compiled, Compile(name, *source));
  const base::MutexLock lock(&mutex_);
  return templates_.emplace(key, std::move(compiled)).first->second;
}

absl::StatusOr<std::shared_ptr<const Template>> Engine::Compile(absl::string_view name,
                                                                absl::string_view source) const {
  ASSIGN_OR_RETURN(std::unique_ptr<const Program> program, CompileTemplate(environment_, name, source));
  return std::make_shared<const Template>(std::move(program));
}

void Engine::Forget(absl::string_view name) {
  const base::MutexLock lock(&mutex_);
  templates_.erase(std::string(name));
}

void Engine::ForgetAll() {
  const base::MutexLock lock(&mutex_);
  templates_.clear();
}

absl::Status Engine::Render(const Template& source, const Variables& variables, const RenderOptions& options,
                            std::string& out) const {
  Vm vm(*this, options);
  RETURN_IF_ERROR(vm.Render(source.program(), variables.dict()));
  out.append(vm.text().data(), vm.text().size());
  return absl::OkStatus();
}

std::vector<std::string> Engine::TemplateNames() const {
  return loader_ == nullptr ? std::vector<std::string>() : loader_->Names();
}

}  // namespace ssg::tmpl

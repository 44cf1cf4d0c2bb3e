#include "ssg/template/environment.h"

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "ssg/template/builtins.h"

namespace ssg::tmpl {

absl::Status Syntax::Validate() const {
  for (const std::string* text :
       {&block_start, &block_end, &variable_start, &variable_end, &comment_start, &comment_end}) {
    if (text->empty()) return absl::InvalidArgumentError("template delimiters cannot be empty");
  }
  if (block_start == variable_start || variable_start == comment_start || block_start == comment_start) {
    return absl::InvalidArgumentError("block, variable and comment start strings must be different");
  }
  if (newline_sequence != "\n" && newline_sequence != "\r\n" && newline_sequence != "\r") {
    return absl::InvalidArgumentError("newline_sequence must be a line break");
  }
  return absl::OkStatus();
}

Environment::Environment(Options options) : options_(std::move(options)), globals_(NewDict(arena_, 64)) {
  AddTextFilters(*this);
  AddHtmlFilters(*this);
  AddNumberFilters(*this);
  AddSequenceFilters(*this);
  AddSelectFilters(*this);
  AddTests(*this);
  AddFunctions(*this);
}

const Function* Environment::Own(absl::string_view name, absl::string_view signature, NativeFunction body) {
  functions_.push_back(std::make_unique<const Function>(name, signature, std::move(body)));
  return functions_.back().get();
}

void Environment::AddFilter(absl::string_view name, absl::string_view signature, NativeFunction body) {
  filters_[std::string(name)] = Own(name, signature, std::move(body));
}

void Environment::AddTest(absl::string_view name, absl::string_view signature, NativeFunction body) {
  tests_[std::string(name)] = Own(name, signature, std::move(body));
}

void Environment::AddFunction(absl::string_view name, absl::string_view signature, NativeFunction body) {
  AddGlobal(name, Value::Of(Own(name, signature, std::move(body))));
}

void Environment::AddGlobal(absl::string_view name, const Value& value) {
  Set(arena_, *globals_, Symbol::Intern(name), value);
}

const Function* Environment::FindFilter(absl::string_view name) const {
  const auto found = filters_.find(name);
  return found == filters_.end() ? nullptr : found->second;
}

const Function* Environment::FindTest(absl::string_view name) const {
  const auto found = tests_.find(name);
  return found == tests_.end() ? nullptr : found->second;
}

std::vector<absl::string_view> Environment::FilterNames() const {
  std::vector<absl::string_view> names;
  for (const auto& [name, function] : filters_) names.push_back(name);
  return names;
}

std::vector<absl::string_view> Environment::TestNames() const {
  std::vector<absl::string_view> names;
  for (const auto& [name, function] : tests_) names.push_back(name);
  return names;
}

bool Environment::AutoescapeFor(absl::string_view template_name) const {
  if (options_.autoescape != Autoescape::kByExtension) {
    return options_.autoescape == Autoescape::kOn;
  }
  for (absl::string_view suffix : {".j2", ".jinja", ".jinja2"}) {
    if (absl::ConsumeSuffix(&template_name, suffix)) break;
  }
  for (absl::string_view extension : {".html", ".htm", ".xml", ".xhtml", ".svg"}) {
    if (absl::EndsWithIgnoreCase(template_name, extension)) return true;
  }
  return false;
}

}  // namespace ssg::tmpl

// Compiles any bytes as a template and renders it within small limits.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "ssg/template/engine.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ssg::tmpl;
  static const Engine* const engine = [] {
    Environment::Options options;
    options.limits.steps_max = 20'000;
    options.limits.output_bytes_max = 1 << 20;
    options.limits.memory_bytes_max = 8 << 20;
    return new Engine(options, std::make_unique<MapLoader>(absl::flat_hash_map<std::string, std::string>{
                                   {"a", "{% block b %}{{ x }}{% endblock %}"},
                                   {"m", "{% macro f(a) %}{{ a }}{{ caller() if caller }}{% endmacro %}"}}));
  }();
  const absl::string_view source(reinterpret_cast<const char*>(data), size);
  const auto compiled = engine->Compile("fuzz.html", source);
  if (!compiled.ok()) return 0;
  Variables variables;
  variables.Set("x", Value::Int(3));
  variables.Set("s", Value::String("some text"));
  std::string out;
  engine->Render(**compiled, variables, {}, out).IgnoreError();
  return 0;
}

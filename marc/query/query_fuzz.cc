// Any text as a spec, a predicate and an edit script: no crash, parsed or refused.
#include <cstdint>

#include "marc/codec/record.h"
#include "marc/query/edit.h"
#include "marc/query/predicate.h"
#include "marc/query/spec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  marc::Record record;
  record.AddField("001", "id", marc::Placement::kEnd);
  record.AddField("245",
                  "10\x1F"
                  "aTitle\x1F\x1F"
                  "b",
                  marc::Placement::kEnd);
  const auto spec = marc::Spec::Parse(text);
  if (spec.ok()) spec->Count(record.view());
  const auto predicate = marc::Predicate::Parse(text);
  if (predicate.ok()) predicate->Matches(record.view());
  const auto script = marc::EditScript::Parse(text);
  if (script.ok()) script->Apply(&record);
  return 0;
}

// EditScript changes records: one command a line, "#" begins a comment.
//
// Commands (SPEC E1..E8); each may end in "if PREDICATE":
//   delete SPEC                    fields, or the subfields named
//   set SPEC=VALUE                 the whole, the subfield (added if missing), the
//                                  positions, or the indicator; "set" may be left out
//   set SPEC+=VALUE                one more subfield
//   add TAG VALUE                  a field; "$" begins a subfield, "\" is a blank
//                                  indicator: add 500 "\\$aNote"
//   replace SPEC /REGEX/TEXT/[gi]  in the values; \1 is the first group
//   rename TAG TAG, rename SPEC $c the tag, or the subfields' code
//   sort                           fields by tag
// Errors:  InvalidArgument  the line's number and what is wrong in it
// Threads: immutable; thread-safe.
#ifndef MARC_QUERY_EDIT_H_
#define MARC_QUERY_EDIT_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "marc/codec/record.h"

namespace marc {

class EditScript {
 public:
  static absl::StatusOr<EditScript> Parse(absl::string_view text);
  // Whether anything changed.
  bool Apply(Record* record) const;
  size_t commands_count() const { return commands_.size(); }

  struct Command;

 private:
  std::vector<std::shared_ptr<const Command>> commands_;
};

}  // namespace marc

#endif  // MARC_QUERY_EDIT_H_

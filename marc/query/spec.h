// Spec names parts of a record: fields, subfields, positions.
//
// Grammar (SPEC Q1..Q6):
//   spec      = tag *filter [ subfields ] [ "/" range ] [ "~" regex ]
//   tag       = three characters, X for any; or "LDR" or "leader"
//   filter    = "[ind1=c]" | "[ind2=c]" ("_" is a blank) | "[n]", the nth of its tag
//   subfields = 1*( "$" code ) | "$*"
//   range     = first [ "-" last ] | "ind1" | "ind2"
//   regex     = "/" RE2 "/" [ "i" ] | quoted RE2
// Values: of a control field its data; of subfields their data one by one; of a
//   whole data field its subfields' data joined by blanks. A range cuts each.
// Errors:  InvalidArgument  what is wrong and where in the text
// Threads: immutable; thread-safe.
//
// Example:
//   ASSIGN_OR_RETURN(const Spec spec, Spec::Parse("650[ind2=0]$a$x"));
//   spec.ForEachValue(record, [&](absl::string_view value) { ...; return true; });
#ifndef MARC_QUERY_SPEC_H_
#define MARC_QUERY_SPEC_H_

#include <re2/re2.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "marc/codec/record_view.h"

namespace marc {

class Spec {
 public:
  // The whole of `text`.
  static absl::StatusOr<Spec> Parse(absl::string_view text);
  // A prefix of *text, which is taken off.
  static absl::StatusOr<Spec> ParsePrefix(absl::string_view* text);

  // Calls `take` with each value until it returns false. Returns false then.
  bool ForEachValue(const RecordView& record, absl::FunctionRef<bool(absl::string_view)> take) const;
  bool Exists(const RecordView& record) const;
  size_t Count(const RecordView& record) const;

  // Whether `field`, the `occurrence`th of its tag (from 1), fits tag and filters.
  bool MatchesField(const FieldView& field, uint32_t occurrence) const;
  bool MatchesCode(char code) const { return any_code_ || codes_.find(code) != std::string::npos; }
  // Calls `take` with the index of each field that fits.
  void ForEachField(const RecordView& record, absl::FunctionRef<void(size_t)> take) const;

  bool is_leader() const { return is_leader_; }
  bool has_subfields() const { return any_code_ || !codes_.empty(); }
  bool has_range() const { return has_range_; }
  int indicator() const { return indicator_; }  // 1, 2, or 0 for none
  bool has_regex() const { return regex_ != nullptr; }
  absl::string_view tag() const { return tag_; }
  absl::string_view codes() const { return codes_; }
  // The two indicators asked for, blanks where any would do.
  std::string indicators() const;
  size_t first() const { return first_; }
  size_t last() const { return last_; }

 private:
  bool Give(absl::string_view value, absl::FunctionRef<bool(absl::string_view)> take) const;
  bool GiveField(const FieldView& field, absl::FunctionRef<bool(absl::string_view)> take) const;

  std::string tag_;
  bool is_leader_ = false;
  bool has_wildcard_ = false;
  char indicators_[2] = {0, 0};  // 0: any
  uint32_t occurrence_ = 0;      // 0: any
  std::string codes_;
  bool any_code_ = false;
  bool has_range_ = false;
  int indicator_ = 0;
  size_t first_ = 0;
  size_t last_ = 0;
  std::shared_ptr<const re2::RE2> regex_;
};

// "/text/i" or "\"text\"" at the start of *text, taken off, as a regular expression.
absl::StatusOr<std::shared_ptr<const re2::RE2>> ParseRegexPrefix(absl::string_view* text);
// A quoted string with \" and \\, or a bare word, at the start of *text, taken off.
absl::StatusOr<std::string> ParseStringPrefix(absl::string_view* text);
void SkipBlanks(absl::string_view* text);

}  // namespace marc

#endif  // MARC_QUERY_SPEC_H_

// Checker reports what is wrong with records beyond what reading them showed.
//
// Levels, each with those before it:
//   kNone       nothing
//   kStructure  indicators, delimiters, codes, fields without subfields (F2xx)
//   kEncoding   bytes against leader/09, control characters (E3xx)
//   kMarc21     tags, repeatability, indicator values, subfields, coded
//               positions, required fields, linkage of 880 (S9xx, L008), by
//               leader/06: bibliographic, authority or holdings
// Records are never changed.
// Threads: thread-compatible.
// Source:  SPEC.md F1..F5, C1..C9, S1..S9.
#ifndef MARC_CHECK_CHECKER_H_
#define MARC_CHECK_CHECKER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "marc/charset/marc8.h"
#include "marc/check/schema.h"
#include "marc/codec/parser.h"

namespace marc {

enum class CheckLevel { kNone, kStructure, kEncoding, kMarc21 };

// "none", "structure", "encoding", "marc21".
absl::StatusOr<CheckLevel> ParseCheckLevel(absl::string_view name);

class Checker {
 public:
  // `sink` must outlive the checker.
  Checker(CheckLevel level, ProblemSink* sink) : level_(level), sink_(*sink) {}
  // Returns how many problems were reported.
  size_t Check(const RecordView& record);

 private:
  void CheckStructure();
  void CheckDataField(const FieldView& field);
  void CheckEncoding();
  void CheckMarc21();
  void CheckPositions(const Schema& schema);
  void CheckField(const internal::SchemaField& row, const FieldView& field);
  void CheckIndicator(const char* allowed, const FieldView& field, int number);
  void CheckSubfields(const internal::SchemaField& row, const FieldView& field);
  void CheckRequired(RecordKind kind);
  void CheckLinkage();
  Problem& Note(ProblemCode code, const FieldView* field, absl::string_view position, absl::string_view found,
                absl::string_view expected);

  const CheckLevel level_;
  ProblemSink& sink_;
  const RecordView* record_ = nullptr;
  PendingProblems problems_;
  std::vector<TextIssue> issues_;
  Buffer scratch_;
};

}  // namespace marc

#endif  // MARC_CHECK_CHECKER_H_

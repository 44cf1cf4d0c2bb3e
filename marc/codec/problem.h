// A Problem says what is wrong with a record, where, and what was done about
// it.
//
// Codes are stable: a code keeps its meaning for ever and is never reused.
// The letter names the part: L leader and framing, D directory, F field,
// E encoding, X MARCXML, J JSON, M MRK, T tables, W writing, S MARC 21 content.
// Threads: Problem has no state; a ProblemSink is called by one thread at a
//          time.
// Source:  SPEC.md, "Problems".
#ifndef MARC_CODEC_PROBLEM_H_
#define MARC_CODEC_PROBLEM_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace marc {

enum class Severity : uint8_t { kInfo, kWarning, kError };

enum class ProblemCode : uint16_t {
  kRecordLengthInvalid = 1,
  kRecordLengthWrong = 2,
  kBaseAddressInvalid = 3,
  kBaseAddressOutside = 4,
  kRecordTruncated = 5,
  kRecordTerminatorMissing = 6,
  kLeaderConstantWrong = 7,
  kLeaderValueUndefined = 8,
  kBytesBetweenRecords = 9,
  kRecordTooLong = 10,
  kLeaderByteInvalid = 11,
  kLeaderLengthWrong = 12,
  kLeaderMissing = 13,
  kDirectoryUnterminated = 101,
  kDirectoryLengthOdd = 102,
  kDirectoryEntryInvalid = 103,
  kFieldOutsideRecord = 104,
  kFieldsOverlap = 105,
  kFieldTerminatorMisplaced = 106,
  kTagInvalid = 107,
  kBytesOutsideFields = 108,
  kFieldCountMismatch = 109,
  kIndicatorMissing = 201,
  kIndicatorInvalid = 202,
  kTextBeforeSubfield = 203,
  kSubfieldCodeMissing = 204,
  kSubfieldCodeInvalid = 205,
  kTerminatorInData = 206,
  kDelimiterInControlField = 207,
  kFieldWithoutSubfields = 208,
  kUtf8Invalid = 301,
  kMarc8Undecodable = 302,
  kMarc8EscapeInvalid = 303,
  kNotInMarc8 = 304,
  kMarc8Irreversible = 305,
  kCodingMismatch = 306,
  kCombiningMarkAlone = 307,
  kControlCharacter = 308,
  kCodingUndefined = 309,
  kXmlMalformed = 401,
  kXmlDoctypeRefused = 402,
  kXmlEntityUnknown = 403,
  kXmlElementUnexpected = 404,
  kXmlNoRecord = 405,
  kJsonMalformed = 501,
  kJsonNotMarc = 502,
  kJsonTooDeep = 503,
  kMrkLineInvalid = 601,
  kMrkMnemonicUnknown = 602,
  kTableMalformed = 701,
  kTableRowInvalid = 702,
  kRecordTooLongToWrite = 801,
  kFieldTooLongToWrite = 802,
  kNotRepresentable = 803,
  kFieldSplit = 804,
  kRecordSplit = 805,
  kTagUndefined = 901,
  kFieldNotRepeatable = 902,
  kIndicatorUndefined = 903,
  kSubfieldUndefined = 904,
  kSubfieldNotRepeatable = 905,
  kFixedFieldLength = 906,
  kFixedFieldValue = 907,
  kFieldRequired = 908,
  kLinkageBroken = 909,
};

// "MARC-D103".
std::string CodeText(ProblemCode code);
// "directory_entry_invalid".
absl::string_view CodeName(ProblemCode code);
Severity DefaultSeverity(ProblemCode code);
absl::string_view SeverityName(Severity severity);
// Every code, in order.
std::vector<ProblemCode> AllProblemCodes();

struct Problem {
  ProblemCode code = ProblemCode::kRecordLengthInvalid;
  Severity severity = Severity::kError;
  std::string input;           // the file, as it was named
  uint64_t record = 0;         // from 1, in input order; 0 = not in a record
  uint64_t byte_offset = 0;    // in the input, of what was found
  uint64_t record_offset = 0;  // in the record
  std::string control_number;  // field 001, if it could be read
  std::string tag;
  uint32_t occurrence = 0;  // of the tag in the record, from 1
  std::string position;     // "ind1", "$a", "leader/10"
  std::string found;        // raw bytes
  std::string expected;
  std::string action;  // what was done: kept, repaired..., dropped..., rejected
  std::string near;    // raw bytes around
};

// One line for people: "a.mrc:847 (001 ocm01) 245 ind1 @7217: ...".
std::string DebugString(const Problem& problem);
// One JSON object without a newline. Bytes are in hex, so it is always UTF-8.
std::string ToJson(const Problem& problem);

// A problem with the code's own severity.
Problem MakeProblem(ProblemCode code, absl::string_view expected, absl::string_view action);

class ProblemSink {
 public:
  virtual ~ProblemSink() = default;
  virtual void Report(Problem problem) = 0;
  // `count` more problems of a record that has too many to tell each.
  virtual void ReportMore(ProblemCode code, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) Report(MakeProblem(code, "", ""));
  }
};

// The problems of one record, kept until its 001 and its fate are known.
//
// Bounds:  kMax problems; more are only counted, so that no record makes the
//          memory grow.
// Threads: thread-compatible.
class PendingProblems {
 public:
  static constexpr size_t kMax = 1000;

  // The problem as kept, to add to; valid until the next call.
  Problem& Add(Problem problem);
  bool empty() const { return kept_.empty(); }
  // How many, counted ones included.
  size_t size() const { return size_; }
  bool has_error() const { return has_error_; }
  // Hands all over and forgets them. `rejected`: what errors say was done.
  void ReportTo(absl::string_view control_number, bool rejected, ProblemSink* sink);
  void Clear();

 private:
  std::vector<Problem> kept_;
  std::map<ProblemCode, uint64_t> more_;
  Problem uncounted_;  // what Add() gives back beyond kMax
  size_t size_ = 0;
  bool has_error_ = false;
};

// Keeps all problems.
//
// Threads: thread-compatible.
class ProblemList : public ProblemSink {
 public:
  void Report(Problem problem) override { problems_.push_back(std::move(problem)); }
  const std::vector<Problem>& problems() const { return problems_; }
  std::vector<Problem>& mutable_problems() { return problems_; }
  bool Has(ProblemCode code) const;
  bool HasErrors() const;
  void Clear() { problems_.clear(); }

 private:
  std::vector<Problem> problems_;
};

}  // namespace marc

#endif  // MARC_CODEC_PROBLEM_H_

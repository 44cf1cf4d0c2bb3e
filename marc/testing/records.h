// Records for tests: built by hand, and random but reproducible.
//
// Threads: thread-compatible.
#ifndef MARC_TESTING_RECORDS_H_
#define MARC_TESTING_RECORDS_H_

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "marc/codec/parser.h"
#include "marc/codec/record.h"

namespace marc {
namespace testing {

// A record as text: "LDR <24 bytes>", then one field a line: the tag, a blank,
// and for data fields indicators and subfields with $ for the delimiter. All
// other bytes are taken as they are.
//   "LDR 00000nam a2200000   4500\n001 id1\n245 10$aTitle$bRest"
void FillRecord(absl::string_view text, Record* record);

// The same back, one field a line.
std::string ToText(const RecordView& record);

// ISO 2709 of FillRecord(text).
std::string Iso(absl::string_view text);

// Everything a parser finds in `bytes`, each record as ToText().
struct ReadResult {
  std::vector<std::string> records;
  std::vector<Problem> problems;
  std::vector<std::string> rejected;
  bool Has(ProblemCode code) const;
};
using ParserFactory =
    std::function<std::unique_ptr<RecordParser>(Strictness, RecordSink*)>;
ReadResult ReadAll(absl::string_view bytes, Strictness strictness,
                   const ParserFactory& factory);
ReadResult ReadIso(absl::string_view bytes,
                   Strictness strictness = Strictness::kLenient);

// The seed of a random test: TEST_SEED, else a fixed one; printed.
uint64_t TestSeed();

// A random record. Its text is UTF-8 (leader/09 = a); with `hard` it also has
// markup characters, controls legal in XML, empty subfields and odd tags.
void RandomRecord(std::mt19937_64& random, bool hard, Record* record);

// The folder of open data, "" where it is not at hand.
std::string ConformanceDir();

// The whole file, "" if it cannot be read.
std::string ReadFileOrEmpty(const std::string& path);

}  // namespace testing
}  // namespace marc

#endif  // MARC_TESTING_RECORDS_H_

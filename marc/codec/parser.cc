#include "marc/codec/parser.h"

namespace marc {

Problem ProblemAt(ProblemCode code, const RecordView& record, absl::string_view expected, absl::string_view action) {
  Problem problem = MakeProblem(code, expected, action);
  problem.record = record.ordinal();
  problem.byte_offset = record.byte_offset();
  problem.control_number = std::string(record.control_number());
  return problem;
}

}  // namespace marc

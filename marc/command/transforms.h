// The steps of the commands.
//
// Threads: thread-compatible.
#ifndef MARC_COMMAND_TRANSFORMS_H_
#define MARC_COMMAND_TRANSFORMS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "marc/charset/transcoder.h"
#include "marc/check/checker.h"
#include "marc/formats/presenter.h"
#include "marc/query/edit.h"
#include "marc/stream/pipeline.h"

namespace marc {

// Applies a script to records in UTF-8; one that it does not change passes as
// it is, one that it does goes back to the coding it had.
class EditTransform : public Transform {
 public:
  EditTransform(const EditScript& script, RecordSink* sink);
  Verdict Apply(const RecordView& record, RecordView* out) override;

 private:
  const EditScript script_;
  Transcoder to_utf8_;
  Transcoder to_marc8_;
  Record record_;
};

class CheckTransform : public Transform {
 public:
  CheckTransform(CheckLevel level, RecordSink* sink) : checker_(level, sink) {}
  Verdict Apply(const RecordView& record, RecordView*) override {
    checker_.Check(record);
    return Verdict::kKeep;
  }

 private:
  Checker checker_;
};

// Makes records well-formed: constants of the leader, fields as every format
// can say them, a new directory.
class RepairTransform : public Transform {
 public:
  explicit RepairTransform(RecordSink* sink) : presenter_(Presenter::Controls::kAll, sink) {}
  Verdict Apply(const RecordView& record, RecordView* out) override;

 private:
  Presenter presenter_;
  Record record_;
};

// Numbers over all records, one object a thread, added up at the end.
struct RecordStatistics {
  uint64_t records = 0;
  uint64_t fields = 0;
  uint64_t subfields = 0;
  uint64_t bytes = 0;
  uint64_t size_max = 0;
  uint64_t utf8 = 0;
  uint64_t with_high_bytes = 0;
  std::map<char, uint64_t> types;                // leader/06
  std::map<uint32_t, uint64_t> tags;             // occurrences
  std::map<uint32_t, uint64_t> records_with;     // records that have the tag
  std::map<std::string, uint64_t> subfields_of;  // "245$a"
  void Add(const RecordStatistics& other);
};

class StatisticsTransform : public Transform {
 public:
  explicit StatisticsTransform(RecordStatistics* statistics) : statistics_(*statistics) {}
  Verdict Apply(const RecordView& record, RecordView* out) override;

 private:
  RecordStatistics& statistics_;
};

}  // namespace marc

#endif  // MARC_COMMAND_TRANSFORMS_H_

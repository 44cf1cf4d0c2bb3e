// Serializers for people: records as lines, matching fields, differences.
//
// Threads: thread-compatible.
#ifndef MARC_COMMAND_TEXT_OUTPUT_H_
#define MARC_COMMAND_TEXT_OUTPUT_H_

#include <memory>
#include <string>

#include "marc/charset/transcoder.h"
#include "marc/codec/parser.h"
#include "marc/codec/record.h"
#include "marc/query/edit.h"
#include "marc/query/spec.h"

namespace marc {

// "245 10 $a Title $b rest", one field a line, an empty line behind a record.
class LineSerializer : public Serializer {
 public:
  explicit LineSerializer(bool colours) : colours_(colours) {}
  bool Append(const RecordView& record, Buffer* out) override;

 private:
  const bool colours_;
};

// The fields that the regular expression fits, as
// "<001>: 245 10 $a Title". Records without one are left out.
class GrepSerializer : public Serializer {
 public:
  GrepSerializer(std::shared_ptr<const re2::RE2> regex, bool colours) : regex_(std::move(regex)), colours_(colours) {}
  bool Append(const RecordView& record, Buffer* out) override;

 private:
  const std::shared_ptr<const re2::RE2> regex_;
  const bool colours_;
};

// What an edit script would change, as a difference of lines.
class DiffSerializer : public Serializer {
 public:
  DiffSerializer(const EditScript& script, bool colours) : script_(script), colours_(colours) {}
  bool Append(const RecordView& record, Buffer* out) override;

 private:
  const EditScript script_;
  const bool colours_;
  Record record_;
};

}  // namespace marc

#endif  // MARC_COMMAND_TEXT_OUTPUT_H_

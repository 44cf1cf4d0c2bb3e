#include "marc/command/text_output.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace marc {
namespace {

constexpr absl::string_view kTagColour = "\x1B[36m";
constexpr absl::string_view kCodeColour = "\x1B[33m";
constexpr absl::string_view kOldColour = "\x1B[31m";
constexpr absl::string_view kNewColour = "\x1B[32m";
constexpr absl::string_view kPlain = "\x1B[0m";

// A terminal must not obey what a record says.
void AppendShown(absl::string_view text, std::string* out) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      absl::StrAppendFormat(out, "<%02X>", byte);
    } else {
      *out += c;
    }
  }
}

std::string Coloured(absl::string_view text, absl::string_view colour, bool colours) {
  return colours ? absl::StrCat(colour, text, kPlain) : std::string(text);
}

std::vector<std::string> Lines(const RecordView& record) {
  std::vector<std::string> lines = {absl::StrCat("LDR ", record.leader().bytes())};
  for (const FieldView& field : record.fields()) lines.push_back(FieldLine(field, false));
  return lines;
}

}  // namespace

std::string FieldLine(const FieldView& field, bool colours) {
  std::string line = Coloured(field.tag(), kTagColour, colours) + " ";
  const absl::string_view content = field.content();
  const size_t first = content.find(kSubfieldDelimiter);
  if (field.is_control() || first == absl::string_view::npos) {
    AppendShown(content, &line);
    return line;
  }
  AppendShown(content.substr(0, first), &line);
  SubfieldIterator it(content.substr(first));
  SubfieldView subfield;
  while (it.Next(&subfield)) {
    std::string code = "$";
    AppendShown(absl::string_view(&subfield.code, subfield.code == '\0' ? 0 : 1), &code);
    absl::StrAppend(&line, " ", Coloured(code, kCodeColour, colours), " ");
    AppendShown(subfield.data, &line);
  }
  return line;
}

bool LineSerializer::Append(const RecordView& record, Buffer* out) {
  std::string text = Coloured("LDR", kTagColour, colours_) + " ";
  AppendShown(record.leader().bytes(), &text);
  out->Append(text);
  out->Append('\n');
  for (const FieldView& field : record.fields()) {
    out->Append(FieldLine(field, colours_));
    out->Append('\n');
  }
  out->Append('\n');
  return true;
}

bool GrepSerializer::Append(const RecordView& record, Buffer* out) {
  bool any = false;
  const absl::string_view id = record.control_number();
  for (const FieldView& field : record.fields()) {
    const std::string line = FieldLine(field, false);
    if (re2::RE2::PartialMatch(line, *regex_) == invert_) continue;
    any = true;
    if (!id.empty()) {
      out->Append(id);
      out->Append(": ");
    }
    out->Append(FieldLine(field, colours_));
    out->Append('\n');
  }
  return any;
}

bool DiffSerializer::Append(const RecordView& record, Buffer* out) {
  record_.Assign(record);
  script_.Apply(&record_);
  const std::vector<std::string> before = Lines(record);
  const std::vector<std::string> after = Lines(record_.view());
  if (before == after) return false;
  out->Append(absl::StrCat("@@ record ", record.ordinal(), " (001 ", record.control_number(), ") @@\n"));
  // Lines keep their order but for what was added, removed or changed in
  // place: walk both, and look ahead for the next line they share.
  size_t b = 0;
  for (size_t a = 0; a < before.size() || b < after.size();) {
    if (a < before.size() && b < after.size() && before[a] == after[b]) {
      ++a;
      ++b;
      continue;
    }
    const auto in_after =
        a < before.size() ? std::find(after.begin() + static_cast<ptrdiff_t>(b), after.end(), before[a]) : after.end();
    if (a < before.size() && in_after == after.end()) {
      out->Append(Coloured("- " + before[a++], kOldColour, colours_) + "\n");
    } else {
      out->Append(Coloured("+ " + after[b++], kNewColour, colours_) + "\n");
    }
  }
  return true;
}

}  // namespace marc

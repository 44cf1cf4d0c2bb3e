#include "marc/command/text_output.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"

namespace marc {
namespace {

constexpr absl::string_view kTagColour = "\x1B[36m";
constexpr absl::string_view kCodeColour = "\x1B[33m";
constexpr absl::string_view kOldColour = "\x1B[31m";
constexpr absl::string_view kNewColour = "\x1B[32m";
constexpr absl::string_view kPlain = "\x1B[0m";

void AppendColoured(absl::string_view text, absl::string_view colour, bool colours, Buffer* out) {
  if (colours) out->Append(colour);
  out->Append(text);
  if (colours) out->Append(kPlain);
}

// A terminal must not obey what a record says.
void AppendShown(absl::string_view text, Buffer* out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  const auto hidden = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  while (!text.empty()) {
    size_t shown = 0;
    while (shown < text.size() && !hidden(text[shown])) ++shown;
    out->Append(text.substr(0, shown));
    text.remove_prefix(shown);
    if (text.empty()) return;
    const auto byte = static_cast<unsigned char>(text[0]);
    const char code[] = {'<', kHex[byte >> 4], kHex[byte & 15], '>'};
    out->Append(absl::string_view(code, sizeof(code)));
    text.remove_prefix(1);
  }
}

// One field as a line, without its end; controls are shown as <1F>.
void AppendFieldLine(const FieldView& field, bool colours, Buffer* out) {
  AppendColoured(field.tag(), kTagColour, colours, out);
  out->Append(' ');
  const absl::string_view content = field.content();
  const size_t first = content.find(kSubfieldDelimiter);
  if (field.is_control() || first == absl::string_view::npos) {
    AppendShown(content, out);
    return;
  }
  AppendShown(content.substr(0, first), out);
  SubfieldIterator it(content.substr(first));
  SubfieldView subfield;
  while (it.Next(&subfield)) {
    out->Append(' ');
    if (colours) out->Append(kCodeColour);
    out->Append('$');
    AppendShown(absl::string_view(&subfield.code, subfield.code == '\0' ? 0 : 1), out);
    if (colours) out->Append(kPlain);
    out->Append(' ');
    AppendShown(subfield.data, out);
  }
}

std::vector<std::string> Lines(const RecordView& record) {
  std::vector<std::string> lines = {absl::StrCat("LDR ", record.leader().bytes())};
  for (const FieldView& field : record.fields()) {
    Buffer line;
    AppendFieldLine(field, false, &line);
    lines.emplace_back(line.view());
  }
  return lines;
}

}  // namespace

bool LineSerializer::Append(const RecordView& record, Buffer* out) {
  AppendColoured("LDR", kTagColour, colours_, out);
  out->Append(' ');
  AppendShown(record.leader().bytes(), out);
  out->Append('\n');
  for (const FieldView& field : record.fields()) {
    AppendFieldLine(field, colours_, out);
    out->Append('\n');
  }
  out->Append('\n');
  return true;
}

bool GrepSerializer::Append(const RecordView& record, Buffer* out) {
  bool any = false;
  const absl::string_view id = record.control_number();
  for (const FieldView& field : record.fields()) {
    const size_t start = out->size();
    if (!id.empty()) {
      out->Append(id);
      out->Append(": ");
    }
    // The line as it is matched, then as it is shown.
    const size_t line = out->size();
    AppendFieldLine(field, false, out);
    if (!re2::RE2::PartialMatch(re2::StringPiece(out->data() + line, out->size() - line), *regex_)) {
      out->Truncate(start);
      continue;
    }
    any = true;
    if (colours_) {
      out->Truncate(line);
      AppendFieldLine(field, true, out);
    }
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
      AppendColoured("- " + before[a++], kOldColour, colours_, out);
    } else {
      AppendColoured("+ " + after[b++], kNewColour, colours_, out);
    }
    out->Append('\n');
  }
  return true;
}

}  // namespace marc

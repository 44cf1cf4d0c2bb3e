#include "ssg/template/diagnostic.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

constexpr absl::string_view kPayloadUrl = "ssg/template/diagnostic";
constexpr char kSeparator = '\x1e';  // Record separator; taken out of the fields.

std::string Field(absl::string_view text) {
  std::string field(text);
  std::replace(field.begin(), field.end(), kSeparator, ' ');
  field.push_back(kSeparator);
  return field;
}

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      cost[i][j] =
          std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string Diagnostic::ToString() const {
  std::string text;
  if (!name.empty() || line > 0) absl::StrAppend(&text, name.empty() ? "<template>" : name, ":");
  if (line > 0) absl::StrAppend(&text, line, ":", column, ":");
  absl::StrAppend(&text, text.empty() ? "" : " ", message);
  if (!hint.empty()) absl::StrAppend(&text, "; ", hint);
  if (line > 0 && !excerpt.empty()) {
    const std::string number = absl::StrCat(line);
    const std::string margin(std::max<size_t>(number.size() + 2, 5) - number.size(), ' ');
    absl::StrAppend(&text, "\n", margin, number, " | ", excerpt);
    absl::StrAppend(&text, "\n", margin, std::string(number.size(), ' '), " | ");
    size_t at = 1;
    for (absl::string_view point : SplitCodePoints(excerpt)) {
      if (static_cast<int>(at++) >= column) break;
      text += point == "\t" ? "\t" : " ";
    }
    text += "^";
  }
  for (const Step& step : steps) {
    absl::StrAppend(&text, "\n  ", step.what, " ", step.name, ":", step.line);
  }
  return text;
}

absl::Status ToStatus(const Diagnostic& diagnostic, absl::StatusCode code) {
  absl::Status status(code, diagnostic.ToString());
  std::string payload = absl::StrCat(Field(diagnostic.message), Field(diagnostic.hint), Field(diagnostic.name),
                                     Field(absl::StrCat(diagnostic.line)), Field(absl::StrCat(diagnostic.column)),
                                     Field(diagnostic.excerpt));
  for (const Diagnostic::Step& step : diagnostic.steps) {
    absl::StrAppend(&payload, Field(step.what), Field(step.name), Field(absl::StrCat(step.line)));
  }
  status.SetPayload(kPayloadUrl, absl::Cord(payload));
  return status;
}

absl::optional<Diagnostic> DiagnosticOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return absl::nullopt;
  const std::vector<std::string> fields = absl::StrSplit(std::string(*payload), kSeparator);
  if (fields.size() < 7) return absl::nullopt;
  Diagnostic diagnostic{fields[0], fields[1], fields[2], 0, 0, fields[5], {}};
  if (!absl::SimpleAtoi(fields[3], &diagnostic.line)) return absl::nullopt;
  if (!absl::SimpleAtoi(fields[4], &diagnostic.column)) return absl::nullopt;
  for (size_t i = 6; i + 3 < fields.size(); i += 3) {
    Diagnostic::Step step{fields[i], fields[i + 1], 0};
    if (!absl::SimpleAtoi(fields[i + 2], &step.line)) return absl::nullopt;
    diagnostic.steps.push_back(std::move(step));
  }
  return diagnostic;
}

absl::optional<std::string> Nearest(absl::string_view name, const std::vector<absl::string_view>& names) {
  absl::optional<std::string> nearest;
  size_t distance_min = std::min<size_t>(3, name.size() / 3 + 1) + 1;
  if (name.size() > 100) return nearest;
  for (absl::string_view candidate : names) {
    if (candidate.size() > name.size() + 3 || name.size() > candidate.size() + 3) continue;
    const size_t distance = EditDistance(name, candidate);
    if (distance == 0 || distance >= distance_min || distance >= name.size()) continue;
    distance_min = distance;
    nearest = std::string(candidate);
  }
  return nearest;
}

std::string DidYouMean(absl::string_view name, const std::vector<absl::string_view>& names) {
  const absl::optional<std::string> nearest = Nearest(name, names);
  return nearest.has_value() ? absl::StrCat("did you mean '", *nearest, "'?") : "";
}

void Locate(absl::string_view source, size_t offset, Diagnostic& diagnostic) {
  offset = std::min(offset, source.size());
  const absl::string_view before = source.substr(0, offset);
  diagnostic.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  const size_t newline = before.rfind('\n');
  const size_t begin = newline == absl::string_view::npos ? 0 : newline + 1;
  const size_t end = std::min(source.find('\n', begin), source.size());
  absl::string_view excerpt = source.substr(begin, end - begin);
  diagnostic.column = 1 + static_cast<int>(CodePointCount(source.substr(begin, offset - begin)));
  // A minified line of a megabyte is no excerpt.
  if (excerpt.size() > 200) excerpt = absl::string_view();
  diagnostic.excerpt = std::string(excerpt);
}

}  // namespace ssg::tmpl

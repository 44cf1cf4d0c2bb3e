#include "ssg/diagnostics/diagnostics.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ssg {
namespace {

constexpr size_t kKeptMax = 10'000;

// Takes "N:" off the front of `text`.
bool TakeNumber(absl::string_view* text, uint32_t* number) {
  const size_t colon = text->find(':');
  if (colon == 0 || colon == absl::string_view::npos || colon > 9) return false;
  if (!std::all_of(text->begin(), text->begin() + colon, absl::ascii_isdigit)) return false;
  if (!absl::SimpleAtoi(text->substr(0, colon), number)) return false;
  text->remove_prefix(colon + 1);
  return true;
}

auto Key(const Diagnostic& diagnostic) {
  return std::tie(diagnostic.file, diagnostic.line, diagnostic.column, diagnostic.message);
}

}  // namespace

std::string Diagnostic::ToString() const {
  std::string text = file;
  if (line != 0) absl::StrAppend(&text, ":", line);
  if (line != 0 && column != 0) absl::StrAppend(&text, ":", column);
  if (!text.empty()) text.append(": ");
  absl::StrAppend(&text, severity == Severity::kError ? "error: " : "warning: ", message);
  return text;
}

void Diagnostics::Add(Diagnostic diagnostic) {
  base::MutexLock lock(&mutex_);
  ++(diagnostic.severity == Severity::kError ? errors_ : warnings_);
  if (diagnostics_.size() < kKeptMax) diagnostics_.push_back(std::move(diagnostic));
}

void Diagnostics::Error(absl::string_view rule, absl::string_view file, uint32_t line, absl::string_view message) {
  Add({Severity::kError, std::string(file), line, 0, std::string(message), std::string(rule)});
}

void Diagnostics::Warning(absl::string_view rule, absl::string_view file, uint32_t line, absl::string_view message) {
  Add({Severity::kWarning, std::string(file), line, 0, std::string(message), std::string(rule)});
}

void Diagnostics::AddStatus(absl::string_view rule, absl::string_view file, const absl::Status& status,
                            uint32_t line_offset) {
  Diagnostic diagnostic{Severity::kError, std::string(file), 0, 0, "", std::string(rule)};
  absl::string_view text = status.message();
  if (TakeNumber(&text, &diagnostic.line)) {
    diagnostic.line += line_offset;
    TakeNumber(&text, &diagnostic.column);
  }
  diagnostic.message = std::string(absl::StripLeadingAsciiWhitespace(text));
  Add(std::move(diagnostic));
}

std::vector<Diagnostic> Diagnostics::Sorted() const {
  base::MutexLock lock(&mutex_);
  std::vector<Diagnostic> sorted = diagnostics_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return Key(a) < Key(b); });
  sorted.erase(std::unique(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return Key(a) == Key(b); }),
               sorted.end());
  return sorted;
}

size_t Diagnostics::error_count() const {
  base::MutexLock lock(&mutex_);
  return errors_;
}

size_t Diagnostics::warning_count() const {
  base::MutexLock lock(&mutex_);
  return warnings_;
}

}  // namespace ssg

#include "marc/query/spec.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "marc/codec/record.h"

namespace marc {
namespace {

absl::Status Wrong(absl::string_view expected, absl::string_view at) {
  return absl::InvalidArgumentError(absl::StrCat("expected ", expected, " at '", at.substr(0, 24), "'"));
}

absl::StatusOr<size_t> ParseNumber(absl::string_view* text) {
  size_t value = 0;
  size_t digits = 0;
  while (digits < text->size() && digits < 6 && absl::ascii_isdigit((*text)[digits])) {
    value = value * 10 + static_cast<size_t>((*text)[digits++] - '0');
  }
  if (digits == 0) return Wrong("a number", *text);
  text->remove_prefix(digits);
  return value;
}

}  // namespace

void SkipBlanks(absl::string_view* text) { *text = absl::StripLeadingAsciiWhitespace(*text); }

absl::StatusOr<std::string> ParseStringPrefix(absl::string_view* text) {
  std::string value;
  if (text->empty()) return Wrong("a string", *text);
  const char quote = (*text)[0];
  if (quote != '"' && quote != '\'') {
    size_t size = 0;
    while (size < text->size() &&
           absl::string_view(" \t\n&|)(=!~<>\"'").find((*text)[size]) == absl::string_view::npos) {
      ++size;
    }
    if (size == 0) return Wrong("a string", *text);
    value = std::string(text->substr(0, size));
    text->remove_prefix(size);
    return value;
  }
  for (size_t i = 1; i < text->size(); ++i) {
    const char c = (*text)[i];
    if (c == quote) {
      text->remove_prefix(i + 1);
      return value;
    }
    if (c == '\\' && i + 1 < text->size() && ((*text)[i + 1] == quote || (*text)[i + 1] == '\\')) ++i;
    value += (*text)[i];
  }
  return Wrong("a closing quote", *text);
}

absl::StatusOr<std::shared_ptr<const re2::RE2>> ParseRegexPrefix(absl::string_view* text) {
  std::string pattern;
  re2::RE2::Options options;
  options.set_log_errors(false);
  // Bytes that are no UTF-8 must not stop a search.
  if (absl::StartsWith(*text, "/")) {
    size_t i = 1;
    for (; i < text->size() && (*text)[i] != '/'; ++i) {
      if ((*text)[i] == '\\' && i + 1 < text->size()) {
        if ((*text)[i + 1] != '/') pattern += '\\';
        ++i;
      }
      pattern += (*text)[i];
    }
    if (i == text->size()) return Wrong("'/' at the end of the regular expression", *text);
    text->remove_prefix(i + 1);
    if (absl::ConsumePrefix(text, "i")) options.set_case_sensitive(false);
  } else {
    ASSIGN_OR_RETURN(pattern, ParseStringPrefix(text));
  }
  auto regex = std::make_shared<const re2::RE2>(pattern, options);
  if (!regex->ok()) {
    return absl::InvalidArgumentError(absl::StrCat("bad regular expression '", pattern, "': ", regex->error()));
  }
  return regex;
}

absl::StatusOr<Spec> Spec::Parse(absl::string_view text) {
  absl::string_view rest = text;
  absl::StatusOr<Spec> spec = ParsePrefix(&rest);
  if (spec.ok() && !rest.empty()) return Wrong("the end of the spec", rest);
  return spec;
}

absl::StatusOr<Spec> Spec::ParsePrefix(absl::string_view* text) {
  Spec spec;
  if (absl::ConsumePrefix(text, "leader") || absl::ConsumePrefix(text, "LDR")) {
    spec.tag_ = "LDR";
    spec.is_leader_ = true;
  } else {
    if (text->size() < 3) return Wrong("a tag of three characters", *text);
    spec.tag_ = std::string(text->substr(0, 3));
    for (char& c : spec.tag_) {
      if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.') return Wrong("a tag", *text);
      if (c == 'X' || c == 'x' || c == '.') {
        c = 'X';
        spec.has_wildcard_ = true;
      }
    }
    text->remove_prefix(3);
  }
  while (absl::ConsumePrefix(text, "[")) {
    const bool first = absl::ConsumePrefix(text, "ind1=");
    if (first || absl::ConsumePrefix(text, "ind2=")) {
      if (text->empty()) return Wrong("an indicator", *text);
      const char c = (*text)[0] == '_' || (*text)[0] == '#' || (*text)[0] == '\\' ? ' ' : (*text)[0];
      spec.indicators_[first ? 0 : 1] = c;
      text->remove_prefix(1);
    } else {
      ASSIGN_OR_RETURN(const size_t occurrence, ParseNumber(text));
      if (occurrence == 0) return Wrong("an occurrence from 1", *text);
      spec.occurrence_ = static_cast<uint32_t>(occurrence);
    }
    if (!absl::ConsumePrefix(text, "]")) return Wrong("']'", *text);
  }
  while (absl::ConsumePrefix(text, "$")) {
    if (text->empty()) return Wrong("a subfield code", *text);
    if ((*text)[0] == '*') {
      spec.any_code_ = true;
    } else {
      spec.codes_ += (*text)[0];
    }
    text->remove_prefix(1);
  }
  if (absl::ConsumePrefix(text, "/")) {
    if (absl::ConsumePrefix(text, "ind1")) {
      spec.indicator_ = 1;
    } else if (absl::ConsumePrefix(text, "ind2")) {
      spec.indicator_ = 2;
    } else {
      spec.has_range_ = true;
      ASSIGN_OR_RETURN(spec.first_, ParseNumber(text));
      spec.last_ = spec.first_;
      if (absl::ConsumePrefix(text, "-")) {
        ASSIGN_OR_RETURN(spec.last_, ParseNumber(text));
        if (spec.last_ < spec.first_) return Wrong("a range that ends behind its start", *text);
      }
    }
  }
  if (absl::StartsWith(*text, "~/") || absl::StartsWith(*text, "~\"")) {
    text->remove_prefix(1);
    ASSIGN_OR_RETURN(spec.regex_, ParseRegexPrefix(text));
  }
  return spec;
}

std::string Spec::indicators() const {
  std::string result = "  ";
  for (size_t i = 0; i < 2; ++i) {
    if (indicators_[i] != 0) result[i] = indicators_[i];
  }
  return result;
}

bool Spec::MatchesField(const FieldView& field, uint32_t occurrence) const {
  if (has_wildcard_ ? !TagMatches(tag_, field.tag()) : field.tag() != tag_) return false;
  if (occurrence_ != 0 && occurrence != occurrence_) return false;
  for (int i = 0; i < 2; ++i) {
    if (indicators_[i] == 0) continue;
    if (field.is_control() || field.size < 2 || field.data[i] != indicators_[i]) return false;
  }
  return true;
}

void Spec::ForEachField(const RecordView& record, absl::FunctionRef<void(size_t)> take) const {
  const absl::Span<const FieldView> fields = record.fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    uint32_t occurrence = 1;
    if (occurrence_ != 0) {
      for (size_t k = 0; k < i; ++k) occurrence += fields[k].packed_tag == fields[i].packed_tag;
    }
    if (MatchesField(fields[i], occurrence)) take(i);
  }
}

bool Spec::Give(absl::string_view value, absl::FunctionRef<bool(absl::string_view)> take) const {
  if (has_range_) {
    if (first_ >= value.size()) return true;
    value = value.substr(first_, last_ - first_ + 1);
  }
  if (regex_ != nullptr && !re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *regex_)) return true;
  return take(value);
}

bool Spec::GiveField(const FieldView& field, absl::FunctionRef<bool(absl::string_view)> take) const {
  if (indicator_ != 0) {
    if (field.is_control() || field.size < 2) return true;
    return Give(field.content().substr(static_cast<size_t>(indicator_) - 1, 1), take);
  }
  if (field.is_control()) return has_subfields() || Give(field.content(), take);
  SubfieldIterator subfields = DataFieldView(field).subfields();
  SubfieldView subfield;
  if (has_subfields()) {
    while (subfields.Next(&subfield)) {
      if (MatchesCode(subfield.code) && !Give(subfield.data, take)) return false;
    }
    return true;
  }
  std::string joined;
  bool any = false;
  while (subfields.Next(&subfield)) {
    if (any) joined += ' ';
    any = true;
    joined.append(subfield.data.data(), subfield.data.size());
  }
  // A field with an ordinary tag and no delimiter is all text.
  return Give(any ? absl::string_view(joined) : field.content(), take);
}

bool Spec::ForEachValue(const RecordView& record, absl::FunctionRef<bool(absl::string_view)> take) const {
  if (is_leader_) return Give(record.leader().bytes(), take);
  const absl::Span<const FieldView> fields = record.fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    uint32_t occurrence = 1;
    if (occurrence_ != 0) {
      for (size_t k = 0; k < i; ++k) occurrence += fields[k].packed_tag == fields[i].packed_tag;
    }
    if (MatchesField(fields[i], occurrence) && !GiveField(fields[i], take)) return false;
  }
  return true;
}

bool Spec::Exists(const RecordView& record) const {
  return !ForEachValue(record, [](absl::string_view) { return false; });
}

size_t Spec::Count(const RecordView& record) const {
  size_t count = 0;
  ForEachValue(record, [&](absl::string_view) {
    ++count;
    return true;
  });
  return count;
}

}  // namespace marc

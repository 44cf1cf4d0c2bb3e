#include "fs/mount/testing/exposition.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace fs {
namespace testing {
namespace {

bool IsName(absl::string_view name, bool colons) {
  if (name.empty() || absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) return false;
  for (const char c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_' && !(colons && c == ':')) return false;
  }
  return true;
}

class Reader {
 public:
  explicit Reader(Exposition* out) : out_(*out) {}

  void Read(absl::string_view text) {
    if (!absl::EndsWith(text, "\n")) Problem("the text does not end with a newline");
    for (const absl::string_view line : absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
      ++line_;
      if (line.empty()) continue;
      if (line[0] == '#') {
        Comment(line);
      } else {
        Sample(line);
      }
    }
    for (auto& [name, family] : out_.families) Finish(family);
  }

 private:
  void Problem(absl::string_view what) { out_.problems.push_back(absl::StrCat("line ", line_, ": ", what)); }

  void Comment(absl::string_view line) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 3));
    if (words.size() < 2 || (words[1] != "HELP" && words[1] != "TYPE")) return;  // a plain comment
    if (words.size() < 4 || words[3].empty()) return Problem(absl::StrCat(words[1], " without a text"));
    if (!IsName(words[2], true)) return Problem(absl::StrCat("bad name ", words[2]));
    if (words[2] != current_) {
      if (!seen_.insert(words[2]).second) Problem(absl::StrCat(words[2], " is not in one piece"));
      current_ = words[2];
    }
    ExpositionFamily& family = out_.families[current_];
    family.name = current_;
    if (!family.samples.empty()) Problem(absl::StrCat(words[1], " after the samples of ", current_));
    std::string& field = words[1] == "HELP" ? family.help : family.type;
    if (!field.empty()) Problem(absl::StrCat("a second ", words[1], " of ", current_));
    field = words[3];
  }

  // The name of the family that a sample belongs to.
  std::string FamilyOf(const std::string& name) const {
    const auto current = out_.families.find(current_);
    if (current == out_.families.end() || current->second.type != "histogram") return name;
    for (const char* const suffix : {"_bucket", "_sum", "_count"}) {
      if (name == current_ + suffix) return current_;
    }
    return name;
  }

  void Sample(absl::string_view line) {
    ExpositionSample sample;
    size_t at = line.find_first_of("{ ");
    if (at == absl::string_view::npos) return Problem("a sample without a value");
    sample.name = std::string(line.substr(0, at));
    if (!IsName(sample.name, true)) return Problem(absl::StrCat("bad name ", sample.name));
    if (line[at] == '{' && !Labels(line, &at, &sample)) return;
    if (at >= line.size() || line[at] != ' ') return Problem("no space before the value");
    const absl::string_view value = line.substr(at + 1);
    if (value == "NaN") {
      sample.value = std::numeric_limits<double>::quiet_NaN();
    } else if (value == "+Inf" || value == "-Inf") {
      sample.value = value[0] == '+' ? HUGE_VAL : -HUGE_VAL;
    } else if (value.empty() || value[0] == ' ' || !absl::SimpleAtod(value, &sample.value)) {
      return Problem(absl::StrCat("bad value ", value));
    }
    const std::string family = FamilyOf(sample.name);
    if (family != current_ || out_.families.count(family) == 0 || out_.families[family].type.empty()) {
      return Problem(absl::StrCat(sample.name, " outside its family"));
    }
    std::string identity = sample.name;
    for (const auto& [name, label] : sample.labels) absl::StrAppend(&identity, ",", name, "=", label);
    if (!samples_.insert(identity).second) Problem(absl::StrCat(identity, " comes twice"));
    out_.families[family].samples.push_back(std::move(sample));
  }

  bool Labels(absl::string_view line, size_t* at, ExpositionSample* sample) {
    while (true) {
      ++*at;
      const size_t equals = line.find("=\"", *at);
      if (equals == absl::string_view::npos) return Problem("a label without a value"), false;
      const std::string name(line.substr(*at, equals - *at));
      if (!IsName(name, false) || absl::StartsWith(name, "__")) return Problem(absl::StrCat("bad label ", name)), false;
      std::string value;
      size_t i = equals + 2;
      for (; i < line.size() && line[i] != '"'; ++i) {
        if (line[i] == '\\') {
          ++i;
          if (i >= line.size() || (line[i] != '\\' && line[i] != '"' && line[i] != 'n')) {
            return Problem("bad escape"), false;
          }
          value += line[i] == 'n' ? '\n' : line[i];
        } else {
          value += line[i];
        }
      }
      if (i >= line.size()) return Problem("an open quote"), false;
      if (!sample->labels.emplace(name, value).second) return Problem(absl::StrCat("label ", name, " twice")), false;
      *at = i + 1;
      if (*at < line.size() && line[*at] == '}') return ++*at, true;
      if (*at >= line.size() || line[*at] != ',') return Problem("neither , nor } behind a label"), false;
    }
  }

  void Finish(const ExpositionFamily& family) {
    const std::string& name = family.name;
    const auto problem = [&](absl::string_view what) { out_.problems.push_back(absl::StrCat(name, ": ", what)); };
    if (family.help.empty()) problem("no HELP");
    static const std::set<std::string> types = {"counter", "gauge", "histogram", "summary", "untyped"};
    if (types.count(family.type) == 0) problem("no such type");
    if ((family.type == "counter") != absl::EndsWith(name, "_total")) problem("_total is for counters, all of them");
    const std::vector<std::string> words = absl::StrSplit(name, '_');
    for (const char* const unit : {"milliseconds", "microseconds", "nanoseconds", "kilobytes", "megabytes", "percent"}) {
      if (std::find(words.begin(), words.end(), unit) != words.end()) problem("not a base unit");
    }
    for (const char* const suffix : {"_bucket", "_sum", "_count"}) {
      if (absl::EndsWith(name, suffix)) problem("a reserved suffix");
    }
    if (absl::StrContains(name, ":") || absl::AsciiStrToLower(name) != name) problem("not an exporter's name");
    std::set<std::set<std::string>> label_sets;
    for (const ExpositionSample& sample : family.samples) {
      std::set<std::string> names;
      for (const auto& [label, value] : sample.labels) {
        if (label != "le") names.insert(label);
        if (label == "le" && family.type != "histogram") problem("label le outside a histogram");
        if (label == "quantile" && family.type != "summary") problem("label quantile outside a summary");
      }
      label_sets.insert(names);
      if (family.type == "counter" && !(sample.value >= 0)) problem("a negative counter");
    }
    if (label_sets.size() > 1) problem("samples with different labels");
    if (family.type == "histogram") FinishHistogram(family);
  }

  void FinishHistogram(const ExpositionFamily& family) {
    struct Series {
      double bound = -HUGE_VAL, below = 0, count = -1;
      bool has_infinity = false, has_sum = false;
    };
    std::map<std::map<std::string, std::string>, Series> all;
    const auto problem = [&](absl::string_view what) {
      out_.problems.push_back(absl::StrCat(family.name, ": ", what));
    };
    for (const ExpositionSample& sample : family.samples) {
      std::map<std::string, std::string> labels = sample.labels;
      labels.erase("le");
      Series& series = all[labels];
      if (absl::EndsWith(sample.name, "_sum")) series.has_sum = true;
      if (absl::EndsWith(sample.name, "_count")) series.count = sample.value;
      if (!absl::EndsWith(sample.name, "_bucket")) continue;
      const auto le = sample.labels.find("le");
      double bound = 0;
      if (le == sample.labels.end()) {
        problem("a bucket without le");
        continue;
      }
      if (le->second == "+Inf") {
        bound = HUGE_VAL;
        series.has_infinity = true;
      } else if (!absl::SimpleAtod(le->second, &bound)) {
        problem("bad le");
      }
      if (bound <= series.bound) problem("bounds do not ascend");
      if (sample.value < series.below) problem("counts fall");
      series.bound = bound;
      series.below = sample.value;
    }
    for (const auto& [labels, series] : all) {
      if (!series.has_infinity || series.count != series.below) problem("+Inf is not the count");
      if (!series.has_sum) problem("no sum");
    }
  }

  Exposition& out_;
  int line_ = 0;
  std::string current_;
  std::set<std::string> seen_;
  std::set<std::string> samples_;
};

}  // namespace

Exposition ReadExposition(absl::string_view text) {
  Exposition exposition;
  Reader(&exposition).Read(text);
  return exposition;
}

}  // namespace testing
}  // namespace fs

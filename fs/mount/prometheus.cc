#include "fs/mount/prometheus.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "glog/logging.h"

namespace fs {
namespace {

// Buckets from 2^10 ns (1 us) to 2^34 ns (17 s); what lies beyond only counts in +Inf.
constexpr int kFirstBit = 10;
constexpr int kLastBit = 34;

const char* TypeName(PrometheusText::Type type) {
  switch (type) {
    case PrometheusText::Type::kCounter: return "counter";
    case PrometheusText::Type::kGauge: return "gauge";
    case PrometheusText::Type::kHistogram: return "histogram";
  }
  return "";
}

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return absl::StrFormat("%.17g", value);
}

}  // namespace

void PrometheusText::Family(absl::string_view name, Type type, absl::string_view help) {
  CHECK(families_.insert(std::string(name)).second) << "family " << name << " comes twice";
  family_ = std::string(name);
  type_ = type;
  const std::string text = absl::StrReplaceAll(help, {{"\\", "\\\\"}, {"\n", "\\n"}});
  absl::StrAppend(&text_, "# HELP ", name, " ", text, "\n# TYPE ", name, " ", TypeName(type), "\n");
}

void PrometheusText::Line(absl::string_view name, const PrometheusLabels& labels, absl::string_view value) {
  absl::StrAppend(&text_, name);
  char separator = '{';
  for (const PrometheusLabels* part : {&common_, &labels}) {
    for (const auto& [key, label] : *part) {
      const std::string quoted = absl::StrReplaceAll(label, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
      absl::StrAppend(&text_, std::string(1, separator), key, "=\"", quoted, "\"");
      separator = ',';
    }
  }
  absl::StrAppend(&text_, separator == ',' ? "} " : " ", value, "\n");
}

void PrometheusText::Sample(double value, const PrometheusLabels& labels) {
  CHECK(!family_.empty() && type_ != Type::kHistogram);
  Line(family_, labels, Number(value));
}

void PrometheusText::Single(absl::string_view name, Type type, absl::string_view help, double value) {
  Family(name, type, help);
  Sample(value);
}

void PrometheusText::Histogram(const Latency& latency, const PrometheusLabels& labels) {
  CHECK(type_ == Type::kHistogram);
  uint64_t below = 0;  // what the snapshot counted, bucket by bucket, so that the last equals the count
  int bit = 0;
  PrometheusLabels with_bound = labels;
  with_bound.emplace_back("le", "");
  const std::string bucket = family_ + "_bucket";
  for (int bound = kFirstBit; bound <= kLastBit; ++bound) {
    for (; bit < bound && bit < latency.buckets_size(); ++bit) below += latency.buckets(bit);
    with_bound.back().second = Number(std::ldexp(1e-9, bound));
    Line(bucket, with_bound, absl::StrCat(below));
  }
  for (; bit < latency.buckets_size(); ++bit) below += latency.buckets(bit);
  with_bound.back().second = "+Inf";
  Line(bucket, with_bound, absl::StrCat(below));
  Line(family_ + "_sum", labels, Number(latency.sum_seconds()));
  Line(family_ + "_count", labels, absl::StrCat(below));
}

}  // namespace fs

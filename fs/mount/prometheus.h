// A PrometheusText is written family by family in the text exposition format of Prometheus.
//
// Shape:   Family(...), then its samples; a family has one HELP and one TYPE line and is never
//          opened again. Label values and help texts are escaped.
// Bounds:  what CHECKs is our own misuse: bad names, samples without a family.
// Threads: thread-compatible.
// Source:  prometheus.io, "Exposition formats", text version 0.0.4.
#ifndef FS_MOUNT_PROMETHEUS_H_
#define FS_MOUNT_PROMETHEUS_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "fs/mount/statistics.pb.h"

namespace fs {

using PrometheusLabels = std::vector<std::pair<std::string, std::string>>;

class PrometheusText {
 public:
  enum class Type : uint8_t { kCounter, kGauge, kHistogram };

  // `common` comes first in the labels of every sample.
  explicit PrometheusText(PrometheusLabels common) : common_(std::move(common)) {}

  void Family(absl::string_view name, Type type, absl::string_view help);
  void Sample(double value, const PrometheusLabels& labels = {});
  // Buckets in seconds, the sum and the count. REQUIRES: a family of type kHistogram.
  void Histogram(const Latency& latency, const PrometheusLabels& labels = {});
  // A family with one sample.
  void Single(absl::string_view name, Type type, absl::string_view help, double value);

  const std::string& text() const { return text_; }

 private:
  void Line(absl::string_view name, const PrometheusLabels& labels, absl::string_view value);

  const PrometheusLabels common_;
  std::string text_;
  std::string family_;
  Type type_ = Type::kGauge;
  std::set<std::string> families_;
};

}  // namespace fs

#endif  // FS_MOUNT_PROMETHEUS_H_

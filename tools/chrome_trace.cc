#include "tools/chrome_trace.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"

namespace tools {
namespace {

constexpr size_t kFields = 10;

bool ParseEvent(absl::string_view line, TracedEvent* event) {
  const std::vector<std::string> fields = absl::StrSplit(line, ' ');
  if (fields.size() != kFields || fields[1].empty() || fields[2].empty()) return false;
  event->kind = fields[1];
  event->name = fields[2];
  return absl::SimpleAtoi(fields[0], &event->number) && absl::SimpleAtoi(fields[3], &event->begin_ns) &&
         absl::SimpleAtoi(fields[4], &event->end_ns) && absl::SimpleAtoi(fields[5], &event->inode) &&
         absl::SimpleAtoi(fields[6], &event->pid) && absl::SimpleAtoi(fields[7], &event->bytes) &&
         absl::SimpleAtoi(fields[8], &event->items) && absl::SimpleAtoi(fields[9], &event->error) &&
         event->begin_ns <= event->end_ns;
}

// The processes of the picture.
int RowOf(const std::string& kind) { return kind == "request" ? 1 : kind == "frame" ? 2 : 3; }

}  // namespace

absl::Status TraceCollector::Add(absl::string_view text) {
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    TracedEvent event;
    if (!ParseEvent(line, &event)) return absl::DataLossError(absl::StrCat("no line of a trace: ", line));
    if (event.number <= last_number_) continue;
    if (last_number_ != 0) missed_ += event.number - last_number_ - 1;
    last_number_ = event.number;
    events_.push_back(std::move(event));
  }
  return absl::OkStatus();
}

std::string ChromeTrace(const std::vector<TracedEvent>& events, absl::string_view title) {
  std::vector<const TracedEvent*> sorted;
  for (const TracedEvent& event : events) sorted.push_back(&event);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const TracedEvent* a, const TracedEvent* b) { return a->begin_ns < b->begin_ns; });
  const int64_t origin = sorted.empty() ? 0 : sorted[0]->begin_ns;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  const std::pair<int, const char*> rows[] = {{1, "requests"}, {2, "batch frames"}, {3, "engine"}};
  for (const auto& [row, name] : rows) {
    list.push_back({{"ph", "M"}, {"name", "process_name"}, {"pid", row}, {"tid", 0}, {"args", {{"name", name}}}});
  }
  std::map<int, std::vector<int64_t>> lanes;  // by row: when each is free
  for (const TracedEvent* event : sorted) {
    const int row = RowOf(event->kind);
    std::vector<int64_t>& free_at = lanes[row];
    size_t lane = 0;
    while (lane < free_at.size() && free_at[lane] > event->begin_ns) ++lane;
    if (lane == free_at.size()) free_at.push_back(0);
    free_at[lane] = event->end_ns;
    nlohmann::ordered_json args = {{row == 3 ? "number" : "inode", event->inode}, {"bytes", event->bytes}};
    if (row == 1) args["process"] = event->pid;
    if (row == 1) args["errno"] = event->error;
    if (row != 1) args["items"] = event->items;
    list.push_back({{"ph", "X"},
                    {"name", event->name},
                    {"cat", event->kind},
                    {"ts", static_cast<double>(event->begin_ns - origin) / 1000},
                    {"dur", static_cast<double>(event->end_ns - event->begin_ns) / 1000},
                    {"pid", row},
                    {"tid", lane},
                    {"args", std::move(args)}});
  }
  const nlohmann::ordered_json trace = {
      {"displayTimeUnit", "ns"}, {"otherData", {{"title", std::string(title)}}}, {"traceEvents", std::move(list)}};
  return trace.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace tools

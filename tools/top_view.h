// What `cachectl top` shows: statistics as lines of a terminal of any size.
//
// Shape:   pages: overview, requests, policies, help. Lines are never longer than the width and never
//          more than the height; what does not fit can be scrolled to.
// Keys:    q quit, 1 2 3 or Tab pages, s order of requests, p pause, + - interval, j k scroll, h help
// Threads: thread-compatible.
#ifndef TOOLS_TOP_VIEW_H_
#define TOOLS_TOP_VIEW_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fs/mount/statistics.pb.h"
#include "tools/statistics_delta.h"

namespace tools {

class TopView {
 public:
  enum class Style : uint8_t { kPlain, kTitle, kHead, kWarning };
  struct Line {
    std::string text;
    Style style = Style::kPlain;
  };
  static constexpr int kIntervalMsMin = 100;
  static constexpr int kIntervalMsMax = 60000;

  void Update(fs::Statistics statistics);
  // The mount could not be asked; shown until the next Update().
  void Fail(absl::string_view message) { failure_ = std::string(message); }
  // False: the user wants to leave. `kUp` and `kDown` are arrows.
  static constexpr int kUp = 0x10001;
  static constexpr int kDown = 0x10002;
  bool HandleKey(int key);

  std::vector<Line> Render(int width, int height) const;

  bool is_paused() const { return paused_; }
  absl::Duration interval() const { return absl::Milliseconds(interval_ms_); }

 private:
  enum class Page : uint8_t { kOverview, kRequests, kPolicies, kHelp };
  enum class Order : uint8_t { kRate, kSlowest, kName };

  Line Title(int width) const;
  std::vector<Line> Overview(int width) const;
  std::vector<Line> Requests() const;
  std::vector<Line> Policies() const;
  std::vector<Line> Help() const;

  fs::Statistics now_;
  StatisticsDelta delta_;
  bool has_data_ = false;
  std::string failure_;
  Page page_ = Page::kOverview;
  Order order_ = Order::kRate;
  bool paused_ = false;
  int interval_ms_ = 1000;
  int scroll_ = 0;
};

}  // namespace tools

#endif  // TOOLS_TOP_VIEW_H_

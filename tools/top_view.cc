#include "tools/top_view.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/units.h"

namespace tools {
namespace {

constexpr int kWidthMin = 20;

std::string Size(uint64_t bytes) { return base::HumanSize(bytes); }
std::string Rate(double bytes) { return absl::StrCat(base::HumanSize(static_cast<uint64_t>(bytes)), "/s"); }
std::string Time(double seconds) { return seconds <= 0 ? "-" : base::HumanDuration(absl::Seconds(seconds)); }
std::string Percent(const absl::optional<double>& ratio) {
  return ratio.has_value() ? absl::StrFormat("%.0f%%", *ratio * 100) : "-";
}
double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// "[######......]".
std::string Bar(double share, int width) {
  const int inner = std::max(1, width - 2);
  const int full = std::clamp(static_cast<int>(share * inner + 0.5), 0, inner);
  return absl::StrCat("[", std::string(static_cast<size_t>(full), '#'),
                      std::string(static_cast<size_t>(inner - full), '.'), "]");
}

}  // namespace

void TopView::Update(fs::Statistics statistics) {
  failure_.clear();
  if (has_data_) delta_ = DeltaOf(now_, statistics);
  now_ = std::move(statistics);
  has_data_ = true;
}

bool TopView::HandleKey(int key) {
  const auto show = [this](Page page) {
    page_ = page;
    scroll_ = 0;
  };
  switch (key) {
    case 'q': case 'Q': case 3: return false;
    case '1': show(Page::kOverview); break;
    case '2': show(Page::kRequests); break;
    case '3': show(Page::kPolicies); break;
    case 'h': case '?': show(page_ == Page::kHelp ? Page::kOverview : Page::kHelp); break;
    case '\t':
      show(page_ == Page::kOverview ? Page::kRequests : page_ == Page::kRequests ? Page::kPolicies : Page::kOverview);
      break;
    case 's': order_ = order_ == Order::kRate ? Order::kSlowest : order_ == Order::kSlowest ? Order::kName : Order::kRate; break;
    case 'p': case ' ': paused_ = !paused_; break;
    case '+': interval_ms_ = std::min(kIntervalMsMax, interval_ms_ * 2); break;
    case '-': interval_ms_ = std::max(kIntervalMsMin, interval_ms_ / 2); break;
    case 'j': case kDown: ++scroll_; break;
    case 'k': case kUp: scroll_ = std::max(0, scroll_ - 1); break;
    default: break;
  }
  return true;
}

TopView::Line TopView::Title(int width) const {
  const char* const pages[] = {"overview", "requests", "policies", "help"};
  const std::string right = absl::StrFormat("%s%s  every %s", pages[static_cast<int>(page_)], paused_ ? "  PAUSED" : "",
                                            base::HumanDuration(interval()));
  std::string left = absl::StrCat("cachefs ", absl::Utf8SafeCHexEscape(now_.mount_point()),
                                  now_.read_only() ? " (read-only)" : "", "  up ",
                                  base::HumanDuration(absl::Seconds(now_.uptime_seconds())));
  const int gap = width - static_cast<int>(left.size() + right.size());
  return {absl::StrCat(left, std::string(static_cast<size_t>(std::max(2, gap)), ' '), right), Style::kTitle};
}

std::vector<TopView::Line> TopView::Overview(int width) const {
  const fs::Statistics::Space& space = now_.space();
  const uint64_t used = space.total_bytes() - std::min(space.total_bytes(), space.free_bytes());
  const int bar = std::clamp(width - 44, 12, 40);
  std::vector<Line> lines;
  const auto line = [&lines](const std::string& text, Style style = Style::kPlain) { lines.push_back({text, style}); };
  line(absl::StrFormat("%-10s %s %s of %s, %s files", "space", Bar(Share(used, space.total_bytes()), bar), Size(used),
                       Size(space.total_bytes()), base::HumanCount(space.files())));
  const fs::Statistics::Log& log = now_.log();
  line(absl::StrFormat("%-10s %s %s of %s", "log", Bar(Share(log.used_bytes(), log.size_bytes()), bar),
                       Size(log.used_bytes()), Size(log.size_bytes())));
  const fs::Statistics::Writes& writes = now_.writes();
  line(absl::StrFormat("%-10s %s %s, %s pending", "buffer", Bar(writes.buffer_utilisation(), bar),
                       Size(writes.buffered_bytes()), base::HumanCount(writes.pending_writes())));
  line("");
  line(absl::StrFormat("%-10s %12s %12s %12s %12s", "now", "requests/s", "p99", "hits buffer", "hits blocks"), Style::kHead);
  line(absl::StrFormat("%-10s %12.0f %12s %12s %12s", "", delta_.requests_per_second, Time(delta_.request_p99_seconds),
                       Percent(delta_.buffer_hit_ratio), Percent(delta_.block_hit_ratio)));
  line(absl::StrFormat("%-10s %12s %12s %12s %12s", "", "device read", "written", "to device", "commits/s"), Style::kHead);
  line(absl::StrFormat("%-10s %12s %12s %12s %12.1f", "", Rate(delta_.read_bytes_per_second),
                       Rate(delta_.user_bytes_per_second), Rate(delta_.device_bytes_per_second),
                       delta_.commits_per_second));
  line(absl::StrFormat("%-10s %12s %12s %12s %12s", "since", "amplific.", "evicted", "expired", "read ahead used"), Style::kHead);
  const fs::Statistics::Reads& reads = now_.reads();
  line(absl::StrFormat("%-10s %12.2f %12s %12s %12s", "", writes.write_amplification(),
                       base::HumanCount(now_.evictions().files()), base::HumanCount(now_.evictions().expired_files()),
                       absl::StrFormat("%.0f%%", 100 * Share(reads.read_ahead_used_bytes(), reads.read_ahead_bytes()))));
  line("");
  std::string chunks = "chunks    ";
  for (const char* const type : {"free", "meta", "pack", "extent", "bad"}) {
    const auto found = now_.chunks().find(type);
    if (found != now_.chunks().end()) absl::StrAppend(&chunks, " ", type, " ", base::HumanCount(found->second.count()));
  }
  line(chunks);
  const fs::Statistics::Checkpoint& checkpoint = now_.checkpoint();
  line(absl::StrFormat("checkpoint %s ago, %s of %s pages changed since", Time(checkpoint.age_seconds()),
                       base::HumanCount(checkpoint.dirty_pages()), base::HumanCount(checkpoint.tree_pages())));
  line(absl::StrFormat("batches    %s sessions, %s frames, %s items", base::HumanCount(now_.batches().sessions()),
                       base::HumanCount(now_.batches().frames()), base::HumanCount(now_.batches().items())));
  for (const std::string& note : now_.notes()) line(absl::StrCat("note: ", absl::Utf8SafeCHexEscape(note)), Style::kWarning);
  return lines;
}

std::vector<TopView::Line> TopView::Requests() const {
  const char* const orders[] = {"by rate", "slowest first", "by name"};
  std::vector<Line> lines = {{absl::StrFormat("%-16s %10s %10s %10s %10s %12s  %s", "request", "per s", "p50", "p99", "errors",
                                              "since mount", orders[static_cast<int>(order_)]),
                              Style::kHead}};
  std::vector<std::pair<std::string, OperationDelta>> rows;
  for (const auto& [name, operation] : now_.operations()) {
    const auto found = delta_.operations.find(name);
    rows.emplace_back(name, found == delta_.operations.end() ? OperationDelta() : found->second);
  }
  std::sort(rows.begin(), rows.end(), [this](const auto& a, const auto& b) {
    if (order_ == Order::kRate && a.second.per_second != b.second.per_second) {
      return a.second.per_second > b.second.per_second;
    }
    if (order_ == Order::kSlowest && a.second.p99_seconds != b.second.p99_seconds) {
      return a.second.p99_seconds > b.second.p99_seconds;
    }
    return a.first < b.first;
  });
  for (const auto& row : rows) {
    lines.push_back({absl::StrFormat("%-16s %10.0f %10s %10s %10d %12s", row.first, row.second.per_second,
                                     Time(row.second.p50_seconds), Time(row.second.p99_seconds), row.second.errors,
                                     base::HumanCount(now_.operations().at(row.first).count()))});
  }
  return lines;
}

std::vector<TopView::Line> TopView::Policies() const {
  std::vector<Line> lines = {
      {absl::StrFormat("%-5s %10s %10s %-14s %8s %6s %8s  %s", "kind", "used", "quota", "", "files", "hits", "evicted",
                       "directory"),
       Style::kHead}};
  for (const fs::Statistics::Policy& policy : now_.policies()) {
    const bool limited = policy.quota_bytes() > 0;
    lines.push_back(
        {absl::StrFormat("%-5s %10s %10s %-14s %8s %6s %8s  %s", policy.kind(), Size(policy.bytes()),
                         limited ? Size(policy.quota_bytes()) : "-",
                         limited ? Bar(Share(policy.bytes(), policy.quota_bytes()), 14) : "",
                         base::HumanCount(policy.files()),
                         policy.lookups() == 0 ? "-" : absl::StrFormat("%.0f%%", policy.hit_ratio() * 100),
                         base::HumanCount(policy.evicted_files()), absl::Utf8SafeCHexEscape(policy.directory()))});
  }
  if (now_.policies().empty()) lines.push_back({"no directory has a policy: see cachectl policy set"});
  return lines;
}

std::vector<TopView::Line> TopView::Help() const {
  return {{"1 2 3 Tab   overview, requests, policies"}, {"s           order of the requests: rate, slowest, name"},
          {"p Space     pause"},                        {"+ -         ask less or more often"},
          {"j k arrows  scroll"},                       {"h ?         this help"},
          {"q           quit"}};
}

std::vector<TopView::Line> TopView::Render(int width, int height) const {
  std::vector<Line> lines;
  if (width < 1 || height < 1) return lines;
  lines.push_back(Title(width));
  if (!failure_.empty()) lines.push_back({failure_, Style::kWarning});
  std::vector<Line> body;
  switch (page_) {
    case Page::kOverview: body = Overview(width); break;
    case Page::kRequests: body = Requests(); break;
    case Page::kPolicies: body = Policies(); break;
    case Page::kHelp: body = Help(); break;
  }
  if (!has_data_ && page_ != Page::kHelp) body = {{"waiting for the mount"}};
  const int room = std::max(0, height - static_cast<int>(lines.size()) - 1);
  const int hidden = std::max(0, static_cast<int>(body.size()) - room);
  const int from = std::min(scroll_, hidden);
  for (int i = from; i < std::min(from + room, static_cast<int>(body.size())); ++i) {
    lines.push_back(std::move(body[static_cast<size_t>(i)]));
  }
  if (width >= kWidthMin && height > 1) {
    while (static_cast<int>(lines.size()) < height - 1) lines.push_back({});
    lines.push_back({hidden > from ? "q quit  h help  1 2 3 pages  j more below" : "q quit  h help  1 2 3 pages  s order  p pause",
                     Style::kTitle});
  }
  lines.resize(std::min(lines.size(), static_cast<size_t>(height)));
  for (Line& line : lines) line.text.resize(std::min(line.text.size(), static_cast<size_t>(width)));
  return lines;
}

}  // namespace tools

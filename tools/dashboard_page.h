// The page that `cachectl dashboard` serves: HTML, style and script in one, nothing from elsewhere.
//
// Threads: a constant.
#ifndef TOOLS_DASHBOARD_PAGE_H_
#define TOOLS_DASHBOARD_PAGE_H_

namespace tools {

extern const char kDashboardPage[];

}  // namespace tools

#endif  // TOOLS_DASHBOARD_PAGE_H_

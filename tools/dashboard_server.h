// A DashboardServer serves one page with live charts of a mount, and the numbers behind them.
//
// Shape:   /            the page; without anything from elsewhere
//          /stats.json  what the mount says of itself
//          /metrics     the same for Prometheus
//          /map.svg     what lies where on the device
//          Only GET. A request for another host's name is refused, so that no page of the web can
//          read the numbers by a name that it points here.
// Errors:  Unavailable      the port is taken
//          InvalidArgument  no address
// Threads: Start() and Stop() from one thread; HTTP threads inside.
#ifndef TOOLS_DASHBOARD_SERVER_H_
#define TOOLS_DASHBOARD_SERVER_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/command_line.h"

namespace httplib {
class Server;
}

namespace tools {

struct ListenAddress {
  std::string host;  // a number or "localhost"
  int port = 0;      // 0 = a free one
};

// "127.0.0.1:8080", "[::1]:8080", "localhost:0".
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

class DashboardServer {
 public:
  // `directory` lies on the mount.
  DashboardServer(std::string directory, ListenAddress address);
  ~DashboardServer();
  DashboardServer(const DashboardServer&) = delete;
  DashboardServer& operator=(const DashboardServer&) = delete;

  // Listens and returns; `port()` is known then.
  absl::Status Start();
  void Stop();
  int port() const { return port_; }

 private:
  void SetUpRoutes();

  const std::string directory_;
  const ListenAddress address_;
  int port_ = 0;
  std::unique_ptr<httplib::Server> http_;
  std::thread thread_;
};

base::Command DashboardCommand();

}  // namespace tools

#endif  // TOOLS_DASHBOARD_SERVER_H_

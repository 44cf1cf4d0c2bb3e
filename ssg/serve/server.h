// The development server: serves what was built, rebuilds on every change, and
// tells the browser, which swaps stylesheets, reloads, or shows the errors.
//
// Shape:   pages come from .ssg/serve below the site, so that the real output is
//          never touched; a small script is added to HTML on its way out.
// Errors:  Unavailable  the port is taken
// Threads: Start() and Stop() from one thread; a watcher and HTTP threads inside.
#ifndef SSG_SERVE_SERVER_H_
#define SSG_SERVE_SERVER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "base/os/file.h"
#include "ssg/build/builder.h"
#include "ssg/diagnostics/diagnostics.h"

namespace httplib {
class Server;
}

namespace ssg {

struct ServeOptions {
  BuildOptions build;
  std::string address = "127.0.0.1";
  int port = 1313;  // 0: a free one
  bool reload = true;
  // Told of every build; for messages. May be empty.
  std::function<void(const absl::StatusOr<BuildResult>& result, const Diagnostics& diagnostics, absl::Duration time)>
      built;
};

class DevServer {
 public:
  explicit DevServer(ServeOptions options);
  ~DevServer();
  DevServer(const DevServer&) = delete;
  DevServer& operator=(const DevServer&) = delete;

  // Builds, listens and returns. `port()` is known then.
  absl::Status Start();
  void Stop();
  int port() const { return port_; }

 private:
  // What browsers are told, numbered.
  struct State {
    uint64_t version = 1;
    std::string event = "hello";  // "css", "reload", "error"
    std::string data;
  };

  void Build(bool first) ABSL_LOCKS_EXCLUDED(mutex_);
  void Announce(std::string event, std::string data) ABSL_LOCKS_EXCLUDED(mutex_);
  void WatchLoop();
  void SetUpRoutes();
  absl::StatusOr<std::string> ReadOutput(absl::string_view url_path, std::string* file) const;

  ServeOptions options_;
  std::string output_dir_;
  std::unique_ptr<httplib::Server> http_;
  std::thread http_thread_;
  std::thread watch_thread_;
  base::Fd wake_;
  std::atomic<bool> stopping_{false};
  int port_ = 0;

  base::Mutex mutex_;
  base::CondVar changed_;
  State state_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ssg

#endif  // SSG_SERVE_SERVER_H_

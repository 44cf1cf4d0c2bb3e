#include "tools/dashboard_server.h"

#include <httplib.h>
#include <poll.h>

#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/os/interrupt.h"
#include "base/status_macros.h"
#include "fs/mount/statistics.h"
#include "fs/volume/space_map.h"
#include "tools/dashboard_page.h"
#include "tools/mount_paths.h"
#include "tools/space_map_svg.h"

namespace tools {
namespace {

constexpr size_t kHttpThreads = 4;

bool IsLocalName(absl::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]" || host == "::1";
}

// "host:port" without the port.
absl::string_view HostOf(absl::string_view text) {
  const size_t colon = text.rfind(':');
  const size_t bracket = text.rfind(']');
  if (colon == absl::string_view::npos || (bracket != absl::string_view::npos && bracket > colon)) return text;
  return text.substr(0, colon);
}

void Answer(const absl::StatusOr<std::string>& text, const char* type, httplib::Response* response) {
  if (text.ok()) {
    response->set_content(*text, type);
  } else {
    response->status = 503;
    response->set_content(std::string(text.status().message()) + "\n", "text/plain; charset=utf-8");
  }
}

absl::Status Dashboard(const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(ListenAddress address, ParseListenAddress(arguments.Get("listen")));
  ASSIGN_OR_RETURN(const std::string path, PathOrOnlyMount(arguments.positional()));
  ASSIGN_OR_RETURN(const fs::MountEntry mount, MountOf(path));
  RETURN_IF_ERROR(fs::ReadStatistics(mount.mount_point).status());
  if (!IsLocalName(address.host)) {
    base::PrintWarning(arguments.full_name(),
                       absl::StrCat("whoever can reach ", address.host, " can see names and numbers of this mount"));
  }
  base::TakeInterrupts();
  const std::string host = address.host;
  DashboardServer server(mount.mount_point, std::move(address));
  RETURN_IF_ERROR(server.Start());
  printf("http://%s:%d/ shows %s; Ctrl-C ends it\n", host.c_str(), server.port(), mount.mount_point.c_str());
  fflush(stdout);
  pollfd interrupt = {base::InterruptFd(), POLLIN, 0};
  while (base::Interrupted() == 0) poll(&interrupt, 1, -1);
  server.Stop();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text) {
  ListenAddress address;
  const absl::string_view host = HostOf(text);
  const bool has_port = host.size() < text.size();
  if (host.empty() || !has_port || !absl::SimpleAtoi(text.substr(host.size() + 1), &address.port) || address.port < 0 ||
      address.port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not ADDRESS:PORT, such as 127.0.0.1:8080"));
  }
  address.host = std::string(host);
  return address;
}

DashboardServer::DashboardServer(std::string directory, ListenAddress address)
    : directory_(std::move(directory)), address_(std::move(address)) {}

DashboardServer::~DashboardServer() { Stop(); }

absl::Status DashboardServer::Start() {
  http_ = std::make_unique<httplib::Server>();
  http_->new_task_queue = [] { return new httplib::ThreadPool(kHttpThreads); };
  SetUpRoutes();
  std::string host = address_.host;
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) host = host.substr(1, host.size() - 2);
  port_ = address_.port == 0                                    ? http_->bind_to_any_port(host.c_str())
          : http_->bind_to_port(host.c_str(), address_.port) ? address_.port
                                                                : -1;
  if (port_ < 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address_.host, ":", address_.port,
                                               ": is it this machine's, and free?"));
  }
  thread_ = std::thread([this] { http_->listen_after_bind(); });
  return absl::OkStatus();
}

void DashboardServer::Stop() {
  if (http_ == nullptr) return;
  http_->stop();
  if (thread_.joinable()) thread_.join();
  http_.reset();
}

void DashboardServer::SetUpRoutes() {
  http_->set_default_headers({{"Cache-Control", "no-store"},
                              {"X-Content-Type-Options", "nosniff"},
                              {"Content-Security-Policy",
                               "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
                               "connect-src 'self'; img-src 'self'"}});
  http_->set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    const std::string named = request.get_header_value("Host");
    const absl::string_view host = HostOf(named);
    if (host == address_.host || IsLocalName(host) || !IsLocalName(address_.host)) {
      return httplib::Server::HandlerResponse::Unhandled;
    }
    response.status = 403;
    response.set_content("this host has another name\n", "text/plain; charset=utf-8");
    return httplib::Server::HandlerResponse::Handled;
  });
  http_->Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(kDashboardPage, "text/html; charset=utf-8");
  });
  http_->Get("/stats.json", [this](const httplib::Request&, httplib::Response& response) {
    Answer(fs::ReadControlText(directory_, "stats.json"), "application/json", &response);
  });
  http_->Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    Answer(fs::ReadControlText(directory_, "stats"), "text/plain; version=0.0.4; charset=utf-8", &response);
  });
  http_->Get("/map.svg", [this](const httplib::Request&, httplib::Response& response) {
    const auto picture = [this]() -> absl::StatusOr<std::string> {
      ASSIGN_OR_RETURN(const std::string json, fs::ReadControlText(directory_, "map"));
      ASSIGN_OR_RETURN(const fs::SpaceMap map, fs::ParseSpaceMap(json));
      return SpaceMapSvg(map, directory_);
    };
    Answer(picture(), "image/svg+xml", &response);
  });
}

base::Command DashboardCommand() {
  return {.name = "dashboard",
          .summary = "serve a page with live charts of a mount",
          .arguments = "[MOUNT]",
          .description = "The page needs nothing from elsewhere. /metrics is for Prometheus, /stats.json for programs, "
                         "/map.svg a picture of the device.",
          .flags = {{.name = "listen", .value = "ADDRESS:PORT", .help = "where; port 0 is a free one",
                     .fallback = "127.0.0.1:9753"}},
          .examples = {{"cachectl dashboard --listen 127.0.0.1:9753 /mnt", "then open http://127.0.0.1:9753/"}},
          .run = [](const base::Arguments& arguments) {
            const absl::Status status = Dashboard(arguments);
            if (status.ok()) return 0;
            base::PrintError(arguments.full_name(), status.message());
            return 1;
          }};
}

}  // namespace tools

#include "ssg/serve/server.h"

#include <httplib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/os/watch.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "ssg/data/encode.h"
#include "ssg/diagnostics/diagnostics.h"
#include "ssg/serve/reload_script.h"

namespace ssg {
namespace {

constexpr size_t kHttpThreads = 32;
constexpr uint64_t kFileBytesMax = 1 << 30;
constexpr absl::Duration kKeepAlive = absl::Seconds(10);

const char* MimeOf(absl::string_view path) {
  static constexpr std::pair<absl::string_view, const char*> kTypes[] = {{".html", "text/html; charset=utf-8"},
                                                                         {".css", "text/css; charset=utf-8"},
                                                                         {".js", "text/javascript; charset=utf-8"},
                                                                         {".json", "application/json"},
                                                                         {".xml", "application/xml"},
                                                                         {".svg", "image/svg+xml"},
                                                                         {".png", "image/png"},
                                                                         {".jpg", "image/jpeg"},
                                                                         {".jpeg", "image/jpeg"},
                                                                         {".webp", "image/webp"},
                                                                         {".gif", "image/gif"},
                                                                         {".ico", "image/x-icon"},
                                                                         {".txt", "text/plain; charset=utf-8"},
                                                                         {".woff2", "font/woff2"},
                                                                         {".pdf", "application/pdf"},
                                                                         {".mp4", "video/mp4"}};
  for (const auto& [extension, type] : kTypes) {
    if (absl::EndsWithIgnoreCase(path, extension)) return type;
  }
  return "application/octet-stream";
}

std::string ErrorsJson(const Diagnostics& diagnostics, const absl::Status& status) {
  std::string json = "[";
  const auto add = [&](absl::string_view where, absl::string_view message) {
    if (json.size() > 1) json.push_back(',');
    json.append("{\"where\":");
    AppendJsonString(where, &json);
    json.append(",\"message\":");
    AppendJsonString(message, &json);
    json.push_back('}');
  };
  if (!status.ok()) add("", status.message());
  for (const Diagnostic& one : diagnostics.Sorted()) {
    if (one.severity != Severity::kError) continue;
    add(one.line > 0 ? absl::StrCat(one.file, ":", one.line) : one.file, one.message);
  }
  return json + "]";
}

}  // namespace

DevServer::DevServer(ServeOptions options) : options_(std::move(options)) {
  output_dir_ = absl::StrCat(options_.build.site_dir, "/.ssg/serve");
  options_.build.output_dir = output_dir_[0] == '/' ? output_dir_ : ".ssg/serve";
  options_.build.cache_name = "serve-cache";
  if (options_.build.base_url.empty()) options_.build.base_url = "/";
}

DevServer::~DevServer() { Stop(); }

absl::Status DevServer::Start() {
  wake_ = base::Fd(eventfd(0, EFD_CLOEXEC));
  if (!wake_.valid()) return base::ErrnoStatus(errno, "eventfd");
  http_ = std::make_unique<httplib::Server>();
  http_->new_task_queue = [] { return new httplib::ThreadPool(kHttpThreads); };
  http_->set_keep_alive_max_count(1000);
  SetUpRoutes();
  port_ = options_.port == 0 ? http_->bind_to_any_port(options_.address.c_str())
          : http_->bind_to_port(options_.address.c_str(), options_.port) ? options_.port
                                                                         : -1;
  if (port_ <= 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options_.address, ":", options_.port));
  }
  http_thread_ = std::thread([this] { http_->listen_after_bind(); });
  watch_thread_ = std::thread([this] { WatchLoop(); });
  return absl::OkStatus();
}

void DevServer::Stop() {
  if (stopping_.exchange(true) || http_ == nullptr) return;
  const uint64_t one = 1;
  if (write(wake_.get(), &one, sizeof(one)) < 0) {
    // The watcher still sees stopping_ at its next timeout.
  }
  {
    base::MutexLock lock(&mutex_);
    changed_.SignalAll();
  }
  http_->stop();
  if (http_thread_.joinable()) http_thread_.join();
  if (watch_thread_.joinable()) watch_thread_.join();
}

void DevServer::Announce(std::string event, std::string data) {
  base::MutexLock lock(&mutex_);
  ++state_.version;
  state_.event = std::move(event);
  state_.data = std::move(data);
  changed_.SignalAll();
}

void DevServer::Build(bool first) {
  Diagnostics diagnostics;
  const absl::Time start = absl::Now();
  const absl::StatusOr<BuildResult> result = BuildSite(options_.build, diagnostics);
  if (options_.built) options_.built(result, diagnostics, absl::Now() - start);
  if (!result.ok() || diagnostics.error_count() > 0) {
    Announce("error", ErrorsJson(diagnostics, result.status()));
    return;
  }
  const auto& changed = result->changed_outputs;
  bool was_error = false;
  {
    base::MutexLock lock(&mutex_);
    was_error = state_.event == "error";
  }
  if (changed.empty() && !was_error && !first) return;
  const bool only_css =
      !first && !was_error &&
      std::all_of(changed.begin(), changed.end(), [](const std::string& path) { return absl::EndsWith(path, ".css"); });
  Announce(only_css ? "css" : "reload", "");
}

void DevServer::WatchLoop() {
  const std::string site = options_.build.site_dir;
  const std::string output = absl::StrCat(site, "/public");
  auto watch = base::Watch::Create([site, output](const std::string& directory) {
    return directory == absl::StrCat(site, "/.ssg") || directory == output || absl::EndsWith(directory, "/.git");
  });
  absl::Status status = watch.status();
  if (status.ok()) status = (*watch)->Add(site);
  Build(/*first=*/true);
  if (!status.ok()) {
    Announce("error", ErrorsJson(Diagnostics(), status));
    return;
  }
  while (!stopping_) {
    const auto events = (*watch)->Wait(absl::Seconds(60), absl::Milliseconds(5), wake_.get());
    if (!events.ok()) {
      Announce("error", ErrorsJson(Diagnostics(), events.status()));
      return;
    }
    // A rescan needs nothing more: every build looks at everything.
    if (!stopping_ && (events->rescan || !events->paths.empty())) Build(/*first=*/false);
  }
}

absl::StatusOr<std::string> DevServer::ReadOutput(absl::string_view url_path, std::string* file) const {
  for (const absl::string_view part : absl::StrSplit(url_path, '/')) {
    if (part == "..") return absl::NotFoundError("no such page");
  }
  *file = absl::StrCat(output_dir_, url_path);
  if (absl::EndsWith(*file, "/")) file->append("index.html");
  return base::ReadFile(*file, kFileBytesMax);
}

void DevServer::SetUpRoutes() {
  http_->Get("/.ssg/events", [this](const httplib::Request&, httplib::Response& response) {
    response.set_header("Cache-Control", "no-store");
    auto seen = std::make_shared<uint64_t>(0);
    response.set_chunked_content_provider("text/event-stream", [this, seen](size_t, httplib::DataSink& sink) {
      std::string message = ": still here\n\n";
      {
        base::MutexLock lock(&mutex_);
        if (!stopping_ && *seen == state_.version) changed_.WaitWithTimeout(&mutex_, kKeepAlive);
        if (*seen != state_.version) {
          // A browser that has just connected shows the newest page; it wants errors only.
          const bool newcomer = *seen == 0;
          *seen = state_.version;
          const std::string event = newcomer && state_.event != "error" ? "hello" : state_.event;
          message = absl::StrCat("event: ", event, "\ndata: ", state_.data, "\n\n");
        }
      }
      if (stopping_) {
        sink.done();
        return true;
      }
      return sink.write(message.data(), message.size());
    });
  });
  http_->Get(".*", [this](const httplib::Request& request, httplib::Response& response) {
    response.set_header("Cache-Control", "no-store");
    std::string file;
    auto text = ReadOutput(request.path, &file);
    if (!text.ok() && !absl::EndsWith(request.path, "/")) {
      std::string index;
      if (ReadOutput(absl::StrCat(request.path, "/"), &index).ok()) {
        response.set_redirect(absl::StrCat(request.path, "/").c_str());
        return;
      }
    }
    if (!text.ok()) {
      response.status = 404;
      text = ReadOutput("/404.html", &file);
      if (!text.ok()) text = std::string("<!doctype html><title>Not found</title><p>There is no such page.</p>");
      file = "404.html";
    }
    if (options_.reload && absl::EndsWith(file, ".html")) text->append(kReloadScript);
    response.set_content(*text, MimeOf(file));
  });
}

}  // namespace ssg

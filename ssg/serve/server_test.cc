// The server over real sockets: pages, 404, redirects, events after an edit.
#include "ssg/serve/server.h"

#include <httplib.h>

#include <atomic>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "gtest/gtest.h"
#include "ssg/build/testing/test_site.h"

namespace ssg {
namespace {

// Collects the event stream until told to stop.
class Listener {
 public:
  explicit Listener(int port)
      : client_("127.0.0.1", port), thread_([this] {
          client_.set_read_timeout(30);
          client_.Get("/.ssg/events", [this](const char* data, size_t size) {
            base::MutexLock lock(&mutex_);
            text_.append(data, size);
            changed_.SignalAll();
            return !stopping_;
          });
        }) {}
  ~Listener() {
    stopping_ = true;
    client_.stop();
    thread_.join();
  }

  // Until `what` has come; false after 20 s.
  bool Wait(absl::string_view what) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    base::MutexLock lock(&mutex_);
    while (!absl::StrContains(text_, what)) {
      if (absl::Now() >= deadline) return false;
      changed_.WaitWithTimeout(&mutex_, absl::Milliseconds(200));
    }
    text_.clear();
    return true;
  }

 private:
  httplib::Client client_;
  std::atomic<bool> stopping_{false};
  base::Mutex mutex_;
  base::CondVar changed_;
  std::string text_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

TEST(DevServer, ServesRebuildsAndReportsErrors) {
  TestSite site;
  site.Write("content/docs/a.md", "---\ntitle: A\n---\nFirst text\n");
  base::Mutex mutex;
  base::CondVar built_changed;
  int built = 0;
  ServeOptions options;
  options.build = site.Options();
  options.port = 0;
  options.built = [&](const absl::StatusOr<BuildResult>&, const Diagnostics&, absl::Duration) {
    base::MutexLock lock(&mutex);
    ++built;
    built_changed.SignalAll();
  };
  DevServer server(options);
  ASSERT_TRUE(server.Start().ok());
  {
    base::MutexLock lock(&mutex);
    while (built == 0) built_changed.Wait(&mutex);
  }
  httplib::Client client("127.0.0.1", server.port());
  auto page = client.Get("/docs/a/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_TRUE(absl::StrContains(page->body, "First text"));
  EXPECT_TRUE(absl::StrContains(page->body, "EventSource"));
  EXPECT_EQ(client.Get("/docs/a")->status, 302);
  EXPECT_EQ(client.Get("/nothing/")->status, 404);
  EXPECT_EQ(client.Get("/..%2f..%2fssg.toml")->status, 404);
  EXPECT_FALSE(site.Exists("public"));

  Listener listener(server.port());
  // A write that is seen half done is built twice: reloads come until the page has all of it.
  const auto shows = [&](absl::string_view text) {
    for (int i = 0; i < 10; ++i) {
      if (absl::StrContains(client.Get("/docs/a/")->body, text)) return true;
      if (!listener.Wait("event: reload")) return false;
    }
    return false;
  };
  ASSERT_TRUE(listener.Wait("event: hello"));
  site.Write("content/docs/a.md", "---\ntitle: A\n---\nSecond text\n");
  ASSERT_TRUE(listener.Wait("event: reload"));
  EXPECT_TRUE(shows("Second text"));
  site.Write("content/docs/a.md", "---\ntitle: A\n---\n[x](@/gone.md)\n");
  ASSERT_TRUE(listener.Wait("content/docs/a.md:4"));
  EXPECT_TRUE(absl::StrContains(client.Get("/docs/a/")->body, "Second text"));
  site.Write("content/docs/a.md", "---\ntitle: A\n---\nThird text\n");
  ASSERT_TRUE(listener.Wait("event: reload"));
  EXPECT_TRUE(shows("Third text"));
  server.Stop();
}

}  // namespace
}  // namespace ssg

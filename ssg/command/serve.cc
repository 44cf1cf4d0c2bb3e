// ssg serve.
#include <poll.h>

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/os/interrupt.h"
#include "ssg/command/commands.h"
#include "ssg/serve/server.h"

namespace ssg {

int RunServe(const base::Arguments& arguments) {
  auto build = OptionsFrom(arguments);
  const auto port = arguments.GetInt("port", 0, 65535);
  if (!build.ok() || !port.ok()) {
    base::PrintError("ssg serve", build.ok() ? port.status().message() : build.status().message());
    return 2;
  }
  ServeOptions options;
  options.build = *std::move(build);
  if (!arguments.Has("environment")) options.build.environment = "development";
  options.port = static_cast<int>(*port);
  options.address = arguments.Get("bind");
  options.reload = !arguments.Has("no-reload");
  const bool quiet = arguments.Has("quiet");
  options.built = [quiet](const absl::StatusOr<BuildResult>& result, const Diagnostics& diagnostics,
                          absl::Duration time) {
    PrintDiagnostics(diagnostics, false);
    if (!result.ok()) {
      base::PrintError("ssg serve", result.status().message());
    } else if (!quiet && diagnostics.error_count() == 0) {
      std::printf("Built: %zu of %zu pages rendered, %zu files changed (%.0f ms)\n", result->rendered_count,
                  result->page_count, result->changed_outputs.size(), absl::ToDoubleMilliseconds(time));
      std::fflush(stdout);
    }
  };
  base::TakeInterrupts();
  DevServer server(std::move(options));
  const absl::Status status = server.Start();
  if (!status.ok()) {
    base::PrintError("ssg serve", status.message());
    return kExitErrors;
  }
  std::printf("Serving http://%s:%d/ (Ctrl-C ends)\n", arguments.Get("bind").c_str(), server.port());
  std::fflush(stdout);
  pollfd interrupt = {base::InterruptFd(), POLLIN, 0};
  while (base::Interrupted() == 0) poll(&interrupt, 1, -1);
  server.Stop();
  return kExitOk;
}

}  // namespace ssg

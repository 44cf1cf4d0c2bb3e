// ssg build, ssg check.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "ssg/command/commands.h"
#include "ssg/data/encode.h"

namespace ssg {
namespace {

void PrintSummary(const BuildResult& result, const Diagnostics& diagnostics, absl::Duration total, bool phases) {
  if (result.up_to_date) {
    std::printf("Up to date: %zu pages, %zu files in %s (%.0f ms)\n", result.page_count, result.output_count,
                result.output_dir.c_str(), absl::ToDoubleMilliseconds(total));
  } else {
    std::printf("Built %zu pages (%zu rendered), %zu files in %s: %zu written, %zu removed (%.0f ms)\n",
                result.page_count, result.rendered_count, result.output_count, result.output_dir.c_str(),
                result.written_count, result.removed_count, absl::ToDoubleMilliseconds(total));
  }
  if (diagnostics.warning_count() > 0) std::printf("%zu warnings\n", diagnostics.warning_count());
  if (!phases) return;
  for (const auto& [name, time] : result.phases) {
    std::printf("  %-14s %8.1f ms %3.0f %%\n", name.c_str(), absl::ToDoubleMilliseconds(time),
                100 * absl::FDivDuration(time, total));
  }
}

void PrintSummaryJson(const BuildResult& result, const Diagnostics& diagnostics, absl::Duration total) {
  std::string out = absl::StrCat(
      "{\"pages\":", result.page_count, ",\"rendered\":", result.rendered_count, ",\"bodies\":", result.body_count,
      ",\"outputs\":", result.output_count, ",\"written\":", result.written_count,
      ",\"removed\":", result.removed_count, ",\"up_to_date\":", result.up_to_date ? "true" : "false",
      ",\"warnings\":", diagnostics.warning_count(), ",\"errors\":", diagnostics.error_count(),
      ",\"ms\":", absl::StrFormat("%.3f", absl::ToDoubleMilliseconds(total)), ",\"phases\":{");
  for (size_t i = 0; i < result.phases.size(); ++i) {
    if (i > 0) out.push_back(',');
    AppendJsonString(result.phases[i].first, &out);
    absl::StrAppend(&out, ":", absl::StrFormat("%.3f", absl::ToDoubleMilliseconds(result.phases[i].second)));
  }
  std::printf("%s}}\n", out.c_str());
}

void PrintFindingsJson(const Diagnostics& diagnostics) {
  std::string out = "[";
  for (const Diagnostic& one : diagnostics.Sorted()) {
    out.append(out.size() > 1 ? ",\n " : "\n ");
    absl::StrAppend(&out, "{\"severity\":\"", one.severity == Severity::kError ? "error" : "warning", "\",\"rule\":");
    AppendJsonString(one.rule, &out);
    out.append(",\"file\":");
    AppendJsonString(one.file, &out);
    absl::StrAppend(&out, ",\"line\":", one.line, ",\"column\":", one.column, ",\"message\":");
    AppendJsonString(one.message, &out);
    out.push_back('}');
  }
  std::printf("%s\n]\n", out.c_str());
}

}  // namespace

absl::StatusOr<BuildOptions> OptionsFrom(const base::Arguments& arguments) {
  BuildOptions options;
  options.site_dir = arguments.Get("source");
  if (arguments.Has("environment")) options.environment = arguments.Get("environment");
  options.output_dir = arguments.Get("destination");
  options.base_url = arguments.Get("base-url");
  options.drafts = arguments.Has("drafts");
  options.future = arguments.Has("future");
  options.expired = arguments.Has("expired");
  options.full = arguments.Has("full");
  options.minify_html = arguments.Has("minify");
  if (arguments.Has("jobs")) {
    ASSIGN_OR_RETURN(const int64_t jobs, arguments.GetInt("jobs", 1, 1024));
    options.jobs = static_cast<size_t>(jobs);
  }
  return options;
}

bool PrintDiagnostics(const Diagnostics& diagnostics, bool strict) {
  for (const Diagnostic& one : diagnostics.Sorted()) std::fprintf(stderr, "%s\n", one.ToString().c_str());
  return diagnostics.error_count() > 0 || (strict && diagnostics.warning_count() > 0);
}

int RunBuild(const base::Arguments& arguments) {
  auto options = OptionsFrom(arguments);
  if (!options.ok()) {
    base::PrintError("ssg build", options.status().message());
    return 2;
  }
  options->keep_going = arguments.Has("keep-going");
  options->explain = arguments.Get("explain");
  Diagnostics diagnostics;
  const absl::Time start = absl::Now();
  const auto result = BuildSite(*options, diagnostics);
  const absl::Duration total = absl::Now() - start;
  const bool failed = PrintDiagnostics(diagnostics, arguments.Has("strict"));
  if (!result.ok()) {
    base::PrintError("ssg build", result.status().message());
    return kExitErrors;
  }
  if (!result->explanation.empty()) std::printf("%s", result->explanation.c_str());
  if (arguments.Has("json")) {
    PrintSummaryJson(*result, diagnostics, total);
  } else if (!arguments.Has("quiet") && result->stored) {
    PrintSummary(*result, diagnostics, total, arguments.Has("profile") || arguments.Has("verbose"));
  }
  if (!result->stored) {
    std::fprintf(stderr, "ssg build: %zu errors; nothing was stored\n", diagnostics.error_count());
  }
  return failed ? kExitErrors : kExitOk;
}

int RunCheck(const base::Arguments& arguments) {
  auto options = OptionsFrom(arguments);
  if (!options.ok()) {
    base::PrintError("ssg check", options.status().message());
    return 2;
  }
  options->check_only = true;
  options->full = true;
  Diagnostics diagnostics;
  const auto result = BuildSite(*options, diagnostics);
  bool failed = diagnostics.error_count() > 0 || (arguments.Has("strict") && diagnostics.warning_count() > 0);
  if (arguments.Has("json")) {
    PrintFindingsJson(diagnostics);
  } else {
    PrintDiagnostics(diagnostics, false);
  }
  if (!result.ok()) {
    base::PrintError("ssg check", result.status().message());
    return kExitErrors;
  }
  if (!arguments.Has("json") && !arguments.Has("quiet")) {
    std::printf("Checked %zu pages: %zu errors, %zu warnings\n", result->page_count, diagnostics.error_count(),
                diagnostics.warning_count());
  }
  return failed ? kExitErrors : kExitOk;
}

}  // namespace ssg

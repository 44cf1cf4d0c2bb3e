// What `ssg` can do: one function for each subcommand; each returns an exit code.
//
// Threads: single thread (main).
#ifndef SSG_COMMAND_COMMANDS_H_
#define SSG_COMMAND_COMMANDS_H_

#include "absl/status/statusor.h"
#include "base/command_line.h"
#include "ssg/build/builder.h"
#include "ssg/diagnostics/diagnostics.h"

namespace ssg {

inline constexpr int kExitOk = 0;
inline constexpr int kExitErrors = 1;  // in content, templates or configuration

int RunNewSite(const base::Arguments& arguments);
int RunNewPage(const base::Arguments& arguments);
int RunNewTheme(const base::Arguments& arguments);
int RunBuild(const base::Arguments& arguments);
int RunServe(const base::Arguments& arguments);
int RunCheck(const base::Arguments& arguments);
int RunClean(const base::Arguments& arguments);
int RunList(const base::Arguments& arguments);
int RunConfig(const base::Arguments& arguments);

// The flags that all building commands share.
absl::StatusOr<BuildOptions> OptionsFrom(const base::Arguments& arguments);
// Prints what was found, in order, to stderr; returns whether there are errors
// (or, with --strict, warnings).
bool PrintDiagnostics(const Diagnostics& diagnostics, bool strict);

}  // namespace ssg

#endif  // SSG_COMMAND_COMMANDS_H_

// The files that a command line names: arguments, lists of names, trees, standard input.
//
// Threads: single thread (main).
#ifndef HASHCACHE_COMMAND_INPUTS_H_
#define HASHCACHE_COMMAND_INPUTS_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/command_line.h"
#include "hashcache/command/run.h"

namespace hashcache {

std::vector<base::Flag> InputFlags();

// The names given: arguments and those in --files-from; "-" if there are none.
// Errors: InvalidArgument  both; else the list's errno
absl::StatusOr<std::vector<std::string>> InputNames(const base::Arguments& arguments);

using EachFile = absl::FunctionRef<void(absl::string_view path, FileResult&& result)>;

// Hashes every file that `names` name, in order, trees below directories if
// `recursive`; reports what cannot be read. `hide`: paths that are left out.
absl::Status HashInputs(Run& run, const std::vector<std::string>& names, bool recursive, EachFile each,
                        const std::vector<std::string>& hide = {});

// Hashes standard input to its end.
FileResult HashStandardInput(AlgorithmSet algorithms);

}  // namespace hashcache

#endif  // HASHCACHE_COMMAND_INPUTS_H_

// The texts that are made from a Command's table: help, man page, completions.
// Internal to base/command_line.
//
// Threads: no state.
#ifndef BASE_COMMAND_LINE_TEXT_H_
#define BASE_COMMAND_LINE_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/command_line.h"

namespace base::internal {

std::string FormatHelp(const Command& command, absl::string_view full_name,
                       const std::vector<const Flag*>& inherited);
std::string FormatManPage(const Command& command, const std::vector<Flag>& common, bool admin,
                          absl::string_view version);
std::string BashCompletion(const Command& command, const std::vector<Flag>& common);
std::string ZshCompletion(const Command& command, const std::vector<Flag>& common);
std::string FishCompletion(const Command& command, const std::vector<Flag>& common);

}  // namespace base::internal

#endif  // BASE_COMMAND_LINE_TEXT_H_

// The commands of the program marc.
//
// Threads: single thread (main).
#ifndef MARC_COMMAND_COMMANDS_H_
#define MARC_COMMAND_COMMANDS_H_

#include "base/command_line.h"

namespace marc {

// The whole table: subcommands, flags, man page.
base::Command MarcCommand();

// Commands that write records.
int RunCat(const base::Arguments& arguments);  // also convert, filter, repair, edit
int RunFilter(const base::Arguments& arguments);
int RunEdit(const base::Arguments& arguments);
int RunRepair(const base::Arguments& arguments);
int RunSplit(const base::Arguments& arguments);
int RunSample(const base::Arguments& arguments);
// Commands that write about records.
int RunCheck(const base::Arguments& arguments);
int RunStats(const base::Arguments& arguments);
int RunCount(const base::Arguments& arguments);
int RunPrint(const base::Arguments& arguments);
int RunGrep(const base::Arguments& arguments);
int RunSelect(const base::Arguments& arguments);
int RunBench(const base::Arguments& arguments);

}  // namespace marc

#endif  // MARC_COMMAND_COMMANDS_H_

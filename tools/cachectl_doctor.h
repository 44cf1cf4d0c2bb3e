// cachectl doctor: what this machine allows, what slows it down, what to change and why.
//
// Threads: no state.
#ifndef TOOLS_CACHECTL_DOCTOR_H_
#define TOOLS_CACHECTL_DOCTOR_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/command_line.h"

namespace tools {

enum class Verdict : uint8_t { kGood, kAdvice, kProblem };

// One thing looked at.
struct Finding {
  Verdict verdict;
  std::string what;    // "io_uring", short
  std::string found;   // "available"
  std::string advice;  // what to do and why; empty if all is well
};

std::vector<Finding> Diagnose();

// The median time from a write to a pipe until a thread that slept on it runs, on a
// machine that has gone idle between rounds: what a FUSE request pays at least.
absl::Duration MeasureWake(int rounds);

base::Command DoctorCommand();

}  // namespace tools

#endif  // TOOLS_CACHECTL_DOCTOR_H_

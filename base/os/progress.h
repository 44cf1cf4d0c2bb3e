// Progress of long work: one line on stderr, redrawn, and only on a terminal.
//
// Threads: thread-safe; Add() costs one atomic addition.
//
// Example:
//   base::Progress progress({.label = "hashing", .unit = base::Progress::Unit::kBytes, .total = bytes});
//   progress.Add(n);   // from any thread; the line goes when `progress` goes
#ifndef BASE_OS_PROGRESS_H_
#define BASE_OS_PROGRESS_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"

namespace base {

class Progress {
 public:
  enum class Unit { kItems, kBytes };
  struct Options {
    std::string label;
    Unit unit = Unit::kItems;
    uint64_t total = 0;      // 0 = unknown: no percentage, no ETA
    bool quiet = false;      // never draw
    bool force = false;      // draw even when stderr is no terminal (tests)
    std::string second_unit;  // e.g. "files": what AddSecond() counts; empty = nothing
  };

  explicit Progress(Options options);
  ~Progress();  // erases the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Add(uint64_t amount) { done_.fetch_add(amount, std::memory_order_relaxed); }
  void AddSecond(uint64_t amount) { second_.fetch_add(amount, std::memory_order_relaxed); }
  void SetTotal(uint64_t total) { total_ = total; }

  // The line as it would be drawn now, without control characters.
  std::string Line(int64_t elapsed_ns) const;

 private:
  void Draw() ABSL_LOCKS_EXCLUDED(mutex_);

  const Options options_;
  const int64_t start_ns_;
  std::atomic<uint64_t> done_{0};
  std::atomic<uint64_t> second_{0};
  std::atomic<uint64_t> total_;
  Mutex mutex_;
  CondVar stopped_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread drawer_;  // not started unless the line is drawn
};

}  // namespace base

#endif  // BASE_OS_PROGRESS_H_

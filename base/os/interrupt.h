// Ctrl-C and SIGTERM as a flag that loops look at.
//
// A command that has taken interrupts finishes the unit it is at, leaves its
// output whole, and exits with 128 + the signal. A second Ctrl-C ends at once.
// Threads: thread-safe.
#ifndef BASE_OS_INTERRUPT_H_
#define BASE_OS_INTERRUPT_H_

namespace base {

// From now on SIGINT and SIGTERM set the flag instead of ending the process.
void TakeInterrupts();
// The signal that came, else 0.
int Interrupted();
// Readable once a signal has come, for poll(2).
int InterruptFd();

}  // namespace base

#endif  // BASE_OS_INTERRUPT_H_

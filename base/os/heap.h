// The process's heap, for daemons that live for months.
//
// glibc's malloc gives each thread an arena, raises the size above which a block is a mapping of
// its own with each such block that is freed, and returns no page below a block still in use.
// A load that changes then leaves a daemon with twice the memory that it uses.
//
// Threads: KeepHeapSmall() by main before other threads start; ReturnFreeMemory() thread-safe.
#ifndef BASE_OS_HEAP_H_
#define BASE_OS_HEAP_H_

namespace base {

// Two arenas; blocks of 128 KiB and more are mappings and gone when they are freed.
void KeepHeapSmall();

// Gives every free page back to the system. Takes the allocator's locks for 0.1 s or so for each
// 100 MB given back: for moments in which nobody waits.
void ReturnFreeMemory();

}  // namespace base

#endif  // BASE_OS_HEAP_H_

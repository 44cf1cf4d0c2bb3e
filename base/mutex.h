// Mutex, MutexLock and CondVar: the only locks the project uses.
//
// A facade over absl's that keeps the thread-safety annotations and tells
// ThreadSanitizer about every acquisition. Debian's Abseil is built without
// TSan, so a bare absl::Mutex would be reported as a race on every field it
// guards correctly.
//
// Threads: thread-safe.
#ifndef BASE_MUTEX_H_
#define BASE_MUTEX_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BASE_MUTEX_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define BASE_MUTEX_TSAN 1
#endif

#ifdef BASE_MUTEX_TSAN
#include <sanitizer/tsan_interface.h>
#define BASE_MUTEX_TSAN_CALL_(call) call
#else
#define BASE_MUTEX_TSAN_CALL_(call) static_cast<void>(0)
#endif

namespace base {

class ABSL_LOCKABLE Mutex {
 public:
  Mutex() { BASE_MUTEX_TSAN_CALL_(__tsan_mutex_create(this, 0)); }
  ~Mutex() { BASE_MUTEX_TSAN_CALL_(__tsan_mutex_destroy(this, 0)); }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_pre_lock(this, 0));
    mutex_.Lock();
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_post_lock(this, 0, 0));
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_pre_unlock(this, 0));
    mutex_.Unlock();
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_post_unlock(this, 0));
  }
  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_pre_lock(this, __tsan_mutex_try_lock));
    const bool locked = mutex_.TryLock();
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_post_lock(
        this, locked ? __tsan_mutex_try_lock : __tsan_mutex_try_lock | __tsan_mutex_try_lock_failed, 0));
    return locked;
  }
  void ReaderLock() ABSL_SHARED_LOCK_FUNCTION() {
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_pre_lock(this, __tsan_mutex_read_lock));
    mutex_.ReaderLock();
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_post_lock(this, __tsan_mutex_read_lock, 0));
  }
  void ReaderUnlock() ABSL_UNLOCK_FUNCTION() {
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_pre_unlock(this, __tsan_mutex_read_lock));
    mutex_.ReaderUnlock();
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_post_unlock(this, __tsan_mutex_read_lock));
  }
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() { mutex_.AssertHeld(); }
  void AssertReaderHeld() const ABSL_ASSERT_SHARED_LOCK() { mutex_.AssertReaderHeld(); }

 private:
  friend class CondVar;
  absl::Mutex mutex_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_->Lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

class ABSL_SCOPED_LOCKABLE ReaderMutexLock {
 public:
  explicit ReaderMutexLock(Mutex* mutex) ABSL_SHARED_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_->ReaderLock(); }
  ~ReaderMutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->ReaderUnlock(); }
  ReaderMutexLock(const ReaderMutexLock&) = delete;
  ReaderMutexLock& operator=(const ReaderMutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

// Spurious wake-ups are possible: always wait in a loop over the condition.
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  void Wait(Mutex* mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    BeforeWait(mutex);
    cond_.Wait(&mutex->mutex_);
    AfterWait(mutex);
  }
  // True if `timeout` passed first.
  bool WaitWithTimeout(Mutex* mutex, absl::Duration timeout) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    BeforeWait(mutex);
    const bool expired = cond_.WaitWithTimeout(&mutex->mutex_, timeout);
    AfterWait(mutex);
    return expired;
  }
  void Signal() { cond_.Signal(); }
  void SignalAll() { cond_.SignalAll(); }

 private:
  static void BeforeWait([[maybe_unused]] Mutex* mutex) {
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_pre_unlock(mutex, 0));
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_post_unlock(mutex, 0));
  }
  static void AfterWait([[maybe_unused]] Mutex* mutex) {
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_pre_lock(mutex, 0));
    BASE_MUTEX_TSAN_CALL_(__tsan_mutex_post_lock(mutex, 0, 0));
  }

  absl::CondVar cond_;
};

// Happens once; waiters and later callers see everything before Notify().
class Notification {
 public:
  void Notify() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    notified_ = true;
    cond_.SignalAll();
  }
  bool HasBeenNotified() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return notified_;
  }
  void Wait() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    while (!notified_) cond_.Wait(&mutex_);
  }
  // True if notified before `timeout` passed.
  bool WaitWithTimeout(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::Time deadline = absl::Now() + timeout;
    MutexLock lock(&mutex_);
    while (!notified_) {
      if (cond_.WaitWithTimeout(&mutex_, deadline - absl::Now())) return notified_;
    }
    return true;
  }

 private:
  Mutex mutex_;
  CondVar cond_;
  bool notified_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace base

#endif  // BASE_MUTEX_H_

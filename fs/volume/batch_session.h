// A BatchSession answers the frames of one session: it acts as its opener, below one
// directory.
//
// Shape:   Handle() takes a request frame and gives the reply frame; both at most
//          kFrameBytesMax. Every item is checked against modes, ACLs, groups and
//          sticky directories as if the opener had made the call.
// Bounds:  at most kUploadsMax files are half uploaded at a time.
// Errors:  a frame that cannot be read is answered with a reply that says why
// Threads: thread-compatible; the kernel serialises the writes of one file.
// Source:  docs/batch.md
#ifndef FS_VOLUME_BATCH_SESSION_H_
#define FS_VOLUME_BATCH_SESSION_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fs/format/batch_frame.h"
#include "fs/volume/volume.h"

namespace fs {

// Told of every change, so that what the kernel has cached can be dropped. Called
// without locks, before the reply is given.
//
// Threads: implementations are thread-safe.
class BatchObserver {
 public:
  virtual ~BatchObserver() = default;
  // `name` in `directory` names another inode now, or none; `before` named it (0 = none).
  virtual void EntryChanged(InodeNumber directory, absl::string_view name, InodeNumber before) = 0;
};

class BatchSession {
 public:
  static constexpr size_t kUploadsMax = 64;
  // Of an atomic batch, in as many frames as it takes.
  static constexpr size_t kAtomicItemsMax = 16384;
  static constexpr size_t kAtomicBytesMax = 64 << 20;

  struct Options {
    InodeNumber directory = kRootInode;
    Credentials opener;
    uint64_t fs_id = 0;  // given back in STAT
  };

  // `volume` and `observer` must outlive the session.
  BatchSession(Volume& volume, Options options, BatchObserver& observer)
      : volume_(volume), options_(std::move(options)), observer_(observer) {}
  ~BatchSession();  // forgets uploads
  BatchSession(const BatchSession&) = delete;
  BatchSession& operator=(const BatchSession&) = delete;

  std::string Handle(absl::string_view frame);

  struct Counts {
    uint64_t items = 0;  // answered
    uint64_t lookups = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Place {
    InodeNumber directory = 0;
    std::string name;
  };
  struct RenamePlan {
    Place from;
    Place to;
    Attributes child;
    InodeNumber replaced = 0;
  };
  struct AtomicFrame {
    const batch::Request* request;
    absl::string_view payload;
  };
  struct StagedFrame {
    batch::Request request;
    std::string payload;
  };
  struct AtomicPlan;
  struct Upload {
    InodeNumber inode = 0;
    uint64_t size_bytes = 0;
  };

  void HandleItems(const batch::Request& request, absl::string_view payload, batch::Reply* reply, std::string* out);
  absl::Status StageAtomic(const batch::Request& request, absl::string_view payload, batch::Reply* reply);
  absl::Status HandleAtomic(absl::Span<const AtomicFrame> frames, batch::Reply* reply);
  absl::Status PlanAtomic(absl::Span<const AtomicFrame> frames, AtomicPlan* plan, batch::Reply* reply);
  absl::Status PlanItem(const batch::Request& request, const batch::Item& item, absl::string_view payload,
                        AtomicPlan* plan, batch::Result* result);
  absl::Status PlanStore(const batch::Request& request, const batch::Store& store, absl::string_view payload,
                         AtomicPlan* plan, batch::Result* result);
  absl::Status RunAtomic(const AtomicPlan& plan);
  absl::Status HandleItem(const batch::Request& request, const batch::Item& item, absl::string_view payload,
                          batch::Result* result);

  // The inode of the directory at `path` ("" = the session's own), made if missing.
  absl::StatusOr<InodeNumber> Directory(absl::string_view path, bool make);
  absl::StatusOr<InodeNumber> Step(InodeNumber directory, absl::string_view name, bool make);
  absl::StatusOr<Place> Find(const batch::Request& request, const batch::Path& path, bool make);
  // What lies at `path`; links are not followed.
  absl::StatusOr<Attributes> Look(const batch::Request& request, const batch::Path& path);

  // The item as StoreFiles() takes it, permissions checked; false if it may stay as it is.
  absl::StatusOr<bool> PrepareStore(const batch::Store& store, absl::string_view payload, const Place& place,
                                    FileToStore* file);
  absl::StatusOr<bool> HasContent(InodeNumber inode, absl::string_view data);
  absl::Status StoreOne(const batch::Request& request, const batch::Store& store, absl::string_view payload,
                        batch::Result* result);
  absl::Status TakePart(const batch::Store& store, absl::string_view payload, const Place& place);
  absl::Status MakeDirectoryAt(const batch::Request& request, const batch::MakeDirectory& item, batch::Result* result);
  absl::Status RemoveOne(const batch::Request& request, const batch::Remove& remove, batch::Result* result);
  // What RENAME is about, with all permissions checked.
  absl::StatusOr<RenamePlan> PrepareRename(const batch::Request& request, const batch::Rename& rename);
  absl::Status RenameOne(const batch::Request& request, const batch::Rename& rename);
  absl::Status DigestOne(const batch::Request& request, const batch::Digest& digest, batch::Result* result);

  absl::Status ChangedSinceOne(const batch::ChangedSince& item, batch::Result* result);
  // Whether the opener could find `path` by listing directories.
  bool MayList(absl::string_view path);

  // Answers the LOOKUP items from `first` on, read together; returns how many.
  int LookupRun(const batch::Request& request, int first, size_t room_bytes, batch::Reply* reply, std::string* out);
  absl::StatusOr<Attributes> CheckLookup(const batch::Request& request, const batch::Lookup& lookup);

  Volume& volume_;
  const Options options_;
  BatchObserver& observer_;
  // Of the frame in hand only: others change the tree as well.
  absl::flat_hash_map<std::string, InodeNumber> directories_;
  absl::flat_hash_map<uint64_t, Upload> uploads_;
  std::vector<Place> made_;  // directories that the frame in hand has made
  // Frames of an atomic batch whose last one has not come yet.
  std::vector<StagedFrame> staged_;
  size_t staged_bytes_ = 0;
  size_t staged_items_ = 0;
  Counts counts_;
};

}  // namespace fs

#endif  // FS_VOLUME_BATCH_SESSION_H_

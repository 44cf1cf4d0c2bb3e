// Workloads for the proof: short ones exhaustively (as ACE does), long ones at random.
//
// Shape:   an Op is what a program does; applied to a Volume it is one call or, for kStore,
//          three, each of which may be what a power cut keeps last.
// Threads: no state.
// Source:  "Finding Crash-Consistency Bugs with Bounded Black-Box Crash Testing", OSDI 2018.
#ifndef FS_TESTING_WORKLOAD_H_
#define FS_TESTING_WORKLOAD_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fs/testing/model_tree.h"
#include "fs/volume/volume.h"

namespace fs::testing {

struct Op {
  enum class Kind : uint8_t {
    kCreate = 1,
    kMakeDirectory,
    kWrite,
    kAppend,
    kRename,
    kLink,
    kUnlink,
    kRemoveDirectory,
    kTruncate,
    kStore,  // a new file with `length` bytes, renamed over `path`
    kFsync,  // of `path`; "" = the root directory
    kSync,
    kFlush,  // flush_writes: as kSync, by the API's name
    // In long random runs only:
    kExchange,  // of `path` and `to`
    kPunch,     // `length` bytes at `offset`
    kCopy,      // `length` bytes from the beginning of `path` to `offset` of `to`
    kXattr,     // an extended attribute of `length` bytes
  };
  Kind kind = Kind::kSync;
  std::string path;
  std::string to;       // kRename, kLink, kExchange, kCopy
  uint64_t offset = 0;  // kWrite
  uint64_t length = 0;  // kWrite, kAppend, kStore; kTruncate: the new size

  bool persists() const { return kind == Kind::kFsync || kind == Kind::kSync || kind == Kind::kFlush; }
  std::string DebugString() const;
};
using Workload = std::vector<Op>;

std::string DebugString(absl::Span<const Op> workload);

// The bytes that the op with number `serial` writes: no two ops write the same.
std::string OpBytes(uint64_t serial, uint64_t length);

// The tree that every workload starts from: files "f" and "A/f" and the directory "A".
Workload PreparedTree();

// Every op on the prepared tree that is worth a place in a sequence.
std::vector<Op> OpAlphabet();
// Every sequence of `length` ops, the last of which changes something or persists;
// sequences that end in a change get a power cut without any promise, too. Neighbours begin alike.
uint64_t WorkloadCount(size_t length);
Workload NthWorkload(size_t length, uint64_t n);

// A random op on names of a small set of files and directories.
Op RandomOp(std::mt19937_64& random);
// One in six of the ops that only long runs have; a ModelTree does not know these.
Op RandomOpOfAnyKind(std::mt19937_64& random);

// One call of the volume's.
struct Call {
  std::vector<InodeNumber> touched;  // whose change it is: fsync of one of them promises it
  InodeNumber persisted = 0;         // fsync of this inode; kEverything = a full barrier
  static constexpr InodeNumber kEverything = UINT64_MAX;
};

// Applies `op`; `before` and `after` bracket each call, `after` with its status. An error
// of the tree's (a name is missing or taken, a directory is not empty) ends the op and is
// no failure; the first other error is returned.
absl::Status ApplyOp(Volume& volume, const Op& op, uint64_t serial, absl::FunctionRef<void()> before,
                     absl::FunctionRef<void(const Call&, const absl::Status&)> after);
// The same to a model.
void ApplyOp(ModelTree& model, const Op& op, uint64_t serial);

// Whether `status` is one that a sound volume gives to a wrong request.
bool IsTreeError(const absl::Status& status);

}  // namespace fs::testing

#endif  // FS_TESTING_WORKLOAD_H_

#include "fs/testing/workload.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace fs::testing {
namespace {

using Kind = Op::Kind;

constexpr char kTemporary[] = ".tmp";
const Credentials kCredentials = {.umask = 0022};

struct Place {
  InodeNumber directory = kRootInode;
  std::string name;
};

// Where `path` is or would be. NotFound if its directory is missing.
absl::StatusOr<Place> FindPlace(Volume& volume, absl::string_view path) {
  Place place;
  const std::vector<std::string> names = absl::StrSplit(path, '/');
  for (size_t i = 0; i + 1 < names.size(); ++i) {
    ASSIGN_OR_RETURN(const Attributes found, volume.Lookup(place.directory, names[i], Reference::kNone));
    if (!found.is_directory()) return absl::NotFoundError("no directory");
    place.directory = found.inode;
  }
  place.name = names.back();
  return place;
}

absl::StatusOr<InodeNumber> FindInode(Volume& volume, absl::string_view path) {
  if (path.empty()) return kRootInode;
  ASSIGN_OR_RETURN(const Place place, FindPlace(volume, path));
  ASSIGN_OR_RETURN(const Attributes found, volume.Lookup(place.directory, place.name, Reference::kNone));
  return found.inode;
}

// Applies one op; every call goes through Run().
class Applier {
 public:
  Applier(Volume& volume, uint64_t serial, absl::FunctionRef<void()> before,
          absl::FunctionRef<void(const Call&, const absl::Status&)> after)
      : volume_(volume), serial_(serial), before_(before), after_(after) {}

  absl::Status Apply(const Op& op) {
    switch (op.kind) {
      case Kind::kCreate:
        return Make(op.path, false);
      case Kind::kMakeDirectory:
        return Make(op.path, true);
      case Kind::kWrite:
      case Kind::kAppend:
      case Kind::kTruncate:
        return Change(op);
      case Kind::kRename:
      case Kind::kLink:
        return MoveOrLink(op);
      case Kind::kUnlink:
      case Kind::kRemoveDirectory:
        return Remove(op);
      case Kind::kStore:
        return Store(op);
      case Kind::kExchange:
        return Exchange(op);
      case Kind::kPunch:
      case Kind::kXattr:
        return ChangeOther(op);
      case Kind::kCopy:
        return Copy(op);
      case Kind::kFsync:
        return Fsync(op.path);
      case Kind::kSync:
      case Kind::kFlush:
        return Run({.persisted = Call::kEverything}, [&] { return volume_.Sync(); });
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Run(Call call, absl::FunctionRef<absl::Status()> body) {
    before_();
    const absl::Status status = body();
    after_(call, status);
    return status;
  }

  absl::Status Make(const std::string& path, bool directory) {
    ASSIGN_OR_RETURN(const Place place, FindPlace(volume_, path));
    before_();
    absl::StatusOr<Attributes> made =
        directory ? volume_.MakeDirectory(place.directory, place.name, 0755, kCredentials, Reference::kNone)
                  : volume_.MakeNode(place.directory, place.name, {.mode = 0644}, kCredentials, Reference::kNone);
    Call call;
    call.touched = {place.directory};
    if (made.ok()) call.touched.push_back(made->inode);
    after_(call, made.status());
    return made.status();
  }

  absl::Status Change(const Op& op) {
    ASSIGN_OR_RETURN(const InodeNumber inode, FindInode(volume_, op.path));
    return Run({.touched = {inode}}, [&]() -> absl::Status {
      if (op.kind == Kind::kWrite) return volume_.Write(inode, op.offset, OpBytes(serial_, op.length));
      if (op.kind == Kind::kAppend) return volume_.Append(inode, OpBytes(serial_, op.length)).status();
      AttributeChange change;
      change.fields = AttributeChange::kSize;
      change.size_bytes = op.length;
      return volume_.SetAttributes(inode, change).status();
    });
  }

  absl::Status MoveOrLink(const Op& op) {
    ASSIGN_OR_RETURN(const Place from, FindPlace(volume_, op.path));
    ASSIGN_OR_RETURN(const Place to, FindPlace(volume_, op.to));
    ASSIGN_OR_RETURN(const InodeNumber inode, FindInode(volume_, op.path));
    Call call;
    call.touched = {inode, from.directory, to.directory};
    const absl::StatusOr<InodeNumber> replaced = FindInode(volume_, op.to);
    if (replaced.ok()) call.touched.push_back(*replaced);
    if (op.kind == Kind::kLink) {
      return Run(call, [&] { return volume_.Link(inode, to.directory, to.name, Reference::kNone).status(); });
    }
    RETURN_IF_ERROR(
        Run(call, [&] { return volume_.Rename(from.directory, from.name, to.directory, to.name, {}, kCredentials); }));
    return volume_.RemoveOrphans();
  }

  absl::Status Exchange(const Op& op) {
    ASSIGN_OR_RETURN(const Place from, FindPlace(volume_, op.path));
    ASSIGN_OR_RETURN(const Place to, FindPlace(volume_, op.to));
    ASSIGN_OR_RETURN(const InodeNumber first, FindInode(volume_, op.path));
    ASSIGN_OR_RETURN(const InodeNumber second, FindInode(volume_, op.to));
    RenameOptions options;
    options.flag = RenameFlag::kExchange;
    return Run({.touched = {first, second, from.directory, to.directory}},
               [&] { return volume_.Rename(from.directory, from.name, to.directory, to.name, options, kCredentials); });
  }

  absl::Status ChangeOther(const Op& op) {
    ASSIGN_OR_RETURN(const InodeNumber inode, FindInode(volume_, op.path));
    return Run({.touched = {inode}}, [&]() -> absl::Status {
      return op.kind == Kind::kPunch ? volume_.Fallocate(inode, FallocateMode::kPunchHole, op.offset, op.length)
                                     : volume_.SetXattr(inode, "user.crash", OpBytes(serial_, op.length));
    });
  }

  absl::Status Copy(const Op& op) {
    ASSIGN_OR_RETURN(const InodeNumber from, FindInode(volume_, op.path));
    ASSIGN_OR_RETURN(const InodeNumber to, FindInode(volume_, op.to));
    // Reading moves no time that counts; writing is the target's change.
    return Run({.touched = {to}}, [&] { return volume_.CopyRange(from, 0, to, op.offset, op.length).status(); });
  }

  absl::Status Remove(const Op& op) {
    ASSIGN_OR_RETURN(const Place place, FindPlace(volume_, op.path));
    ASSIGN_OR_RETURN(const InodeNumber inode, FindInode(volume_, op.path));
    RETURN_IF_ERROR(Run({.touched = {inode, place.directory}}, [&] {
      return op.kind == Kind::kUnlink ? volume_.Unlink(place.directory, place.name)
                                      : volume_.RemoveDirectory(place.directory, place.name);
    }));
    return volume_.RemoveOrphans();
  }

  absl::Status Store(const Op& op) {
    RETURN_IF_ERROR(Make(kTemporary, false));
    RETURN_IF_ERROR(Change({.kind = Kind::kWrite, .path = kTemporary, .length = op.length}));
    const absl::Status renamed = MoveOrLink({.kind = Kind::kRename, .path = kTemporary, .to = op.path});
    if (renamed.ok()) return renamed;
    // As a program would, and so that the next store finds its name free.
    RETURN_IF_ERROR(Remove({.kind = Kind::kUnlink, .path = kTemporary}));
    return renamed;
  }

  absl::Status Fsync(const std::string& path) {
    ASSIGN_OR_RETURN(const InodeNumber inode, FindInode(volume_, path));
    return Run({.persisted = inode}, [&] { return volume_.Fsync(inode); });
  }

  Volume& volume_;
  const uint64_t serial_;
  const absl::FunctionRef<void()> before_;
  const absl::FunctionRef<void(const Call&, const absl::Status&)> after_;
};

absl::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kCreate:
      return "create";
    case Kind::kMakeDirectory:
      return "mkdir";
    case Kind::kWrite:
      return "write";
    case Kind::kAppend:
      return "append";
    case Kind::kRename:
      return "rename";
    case Kind::kLink:
      return "link";
    case Kind::kUnlink:
      return "unlink";
    case Kind::kRemoveDirectory:
      return "rmdir";
    case Kind::kTruncate:
      return "truncate";
    case Kind::kStore:
      return "store";
    case Kind::kFsync:
      return "fsync";
    case Kind::kSync:
      return "sync";
    case Kind::kFlush:
      return "flush";
    case Kind::kExchange:
      return "exchange";
    case Kind::kPunch:
      return "punch";
    case Kind::kCopy:
      return "copy";
    case Kind::kXattr:
      return "xattr";
  }
  return "?";
}

}  // namespace

std::string Op::DebugString() const {
  std::string text = absl::StrCat(KindName(kind), "(", path);
  if (!to.empty()) absl::StrAppend(&text, " -> ", to);
  if (offset != 0) absl::StrAppend(&text, " at ", offset);
  if (length != 0) absl::StrAppend(&text, " ", length);
  return text + ")";
}

std::string DebugString(absl::Span<const Op> workload) {
  return absl::StrJoin(workload, "; ", [](std::string* out, const Op& op) { *out += op.DebugString(); });
}

std::string OpBytes(uint64_t serial, uint64_t length) {
  std::string bytes;
  bytes.reserve(length + 16);
  // Every sector of 512 bytes differs from every other one of any op.
  for (uint64_t line = 0; bytes.size() < length; ++line) bytes += absl::StrFormat("<%06d.%06d>", serial, line);
  bytes.resize(length);
  return bytes;
}

Workload PreparedTree() {
  return {{.kind = Kind::kMakeDirectory, .path = "A"},          {.kind = Kind::kCreate, .path = "f"},
          {.kind = Kind::kWrite, .path = "f", .length = 6000},  {.kind = Kind::kCreate, .path = "A/f"},
          {.kind = Kind::kWrite, .path = "A/f", .length = 100}, {.kind = Kind::kSync}};
}

std::vector<Op> OpAlphabet() {
  return {
      {.kind = Kind::kCreate, .path = "g"},
      {.kind = Kind::kCreate, .path = "A/g"},
      {.kind = Kind::kWrite, .path = "f", .length = 200},                     // in place, part of a unit
      {.kind = Kind::kWrite, .path = "f", .offset = 4096, .length = 4096},    // a whole unit, longer
      {.kind = Kind::kWrite, .path = "f", .offset = 20000, .length = 70000},  // past a hole, large
      {.kind = Kind::kWrite, .path = "A/f", .offset = 50, .length = 100},     // inline data
      {.kind = Kind::kWrite, .path = "g", .length = 5000},
      {.kind = Kind::kAppend, .path = "f", .length = 3000},
      {.kind = Kind::kAppend, .path = "A/f", .length = 300},
      {.kind = Kind::kRename, .path = "f", .to = "g"},
      {.kind = Kind::kRename, .path = "A/f", .to = "f"},
      {.kind = Kind::kRename, .path = "f", .to = "A/f"},
      {.kind = Kind::kRename, .path = "A", .to = "B"},
      {.kind = Kind::kLink, .path = "f", .to = "g"},
      {.kind = Kind::kLink, .path = "f", .to = "A/g"},
      {.kind = Kind::kUnlink, .path = "f"},
      {.kind = Kind::kUnlink, .path = "g"},
      {.kind = Kind::kUnlink, .path = "A/f"},
      {.kind = Kind::kRemoveDirectory, .path = "A"},
      {.kind = Kind::kTruncate, .path = "f"},
      {.kind = Kind::kTruncate, .path = "f", .length = 2500},
      {.kind = Kind::kTruncate, .path = "f", .length = 9000},
      {.kind = Kind::kStore, .path = "f", .length = 5000},
      {.kind = Kind::kStore, .path = "A/g", .length = 90},
      {.kind = Kind::kFsync, .path = "f"},
      {.kind = Kind::kFsync, .path = "g"},
      {.kind = Kind::kFsync, .path = "A"},
      {.kind = Kind::kFsync, .path = ""},
      {.kind = Kind::kSync},
      {.kind = Kind::kFlush},
  };
}

uint64_t WorkloadCount(size_t length) {
  uint64_t count = 1;
  for (size_t i = 0; i < length; ++i) count *= OpAlphabet().size();
  return count;
}

Workload NthWorkload(size_t length, uint64_t n) {
  const std::vector<Op> alphabet = OpAlphabet();
  Workload workload;
  for (size_t i = 0; i < length; ++i) {
    workload.push_back(alphabet[n % alphabet.size()]);
    n /= alphabet.size();
  }
  std::reverse(workload.begin(), workload.end());
  return workload;
}

Op RandomOp(std::mt19937_64& random) {
  static constexpr Kind kKinds[] = {Kind::kCreate,          Kind::kCreate,   Kind::kMakeDirectory, Kind::kWrite,
                                    Kind::kWrite,           Kind::kWrite,    Kind::kAppend,        Kind::kAppend,
                                    Kind::kRename,          Kind::kRename,   Kind::kLink,          Kind::kUnlink,
                                    Kind::kRemoveDirectory, Kind::kTruncate, Kind::kStore,         Kind::kStore,
                                    Kind::kFsync,           Kind::kSync,     Kind::kFlush};
  const auto path = [&random] {
    static constexpr const char* kDirectories[] = {"", "", "A/", "B/", "A/C/"};
    static constexpr const char* kNames[] = {"f", "g", "h", "i", "j"};
    return absl::StrCat(kDirectories[random() % 5], kNames[random() % 5]);
  };
  const auto length = [&random]() -> uint64_t {
    switch (random() % 5) {
      case 0:
        return random() % 256;
      case 1:
        return random() % 4096;
      case 2:
        return 4096 * (1 + random() % 4);
      case 3:
        return random() % 40000;
      default:
        return random() % 150000;
    }
  };
  Op op;
  op.kind = kKinds[random() % std::size(kKinds)];
  op.path = path();
  static constexpr const char* kDirectories[] = {"A", "B", "A/C", "B/C"};
  if (op.kind == Kind::kMakeDirectory || op.kind == Kind::kRemoveDirectory) op.path = kDirectories[random() % 4];
  if (op.kind == Kind::kRename || op.kind == Kind::kLink) op.to = path();
  if (op.kind == Kind::kRename && random() % 8 == 0) {
    op.path = kDirectories[random() % 4];
    op.to = kDirectories[random() % 4];
  }
  if (op.kind == Kind::kWrite) op.offset = random() % 3 == 0 ? 0 : length();
  if (op.kind == Kind::kWrite || op.kind == Kind::kAppend || op.kind == Kind::kStore || op.kind == Kind::kTruncate) {
    op.length = length();
  }
  if (op.kind == Kind::kFsync && random() % 4 == 0) op.path = "";
  return op;
}

Op RandomOpOfAnyKind(std::mt19937_64& random) {
  Op op = RandomOp(random);
  if (random() % 6 != 0) return op;
  static constexpr Kind kKinds[] = {Kind::kExchange, Kind::kPunch, Kind::kCopy, Kind::kXattr};
  const Op other = RandomOp(random);
  op.kind = kKinds[random() % std::size(kKinds)];
  if (op.kind == Kind::kExchange || op.kind == Kind::kCopy) op.to = other.path;
  op.offset = random() % 50000;
  op.length = op.kind == Kind::kXattr ? random() % 3000 : 1 + random() % 60000;
  return op;
}

bool IsTreeError(const absl::Status& status) {
  if (absl::IsNotFound(status) || absl::IsAlreadyExists(status)) return true;
  switch (base::ErrnoOf(status)) {
    case EBUSY:
    case EINVAL:
    case EISDIR:
    case ENOTDIR:
    case ENOTEMPTY:
    case EPERM:
      return true;
    default:
      return false;
  }
}

absl::Status ApplyOp(Volume& volume, const Op& op, uint64_t serial, absl::FunctionRef<void()> before,
                     absl::FunctionRef<void(const Call&, const absl::Status&)> after) {
  absl::Status status = Applier(volume, serial, before, after).Apply(op);
  return IsTreeError(status) ? absl::OkStatus() : status;
}

void ApplyOp(ModelTree& model, const Op& op, uint64_t serial) {
  // What the tree refuses, it refuses here as well; the dumps tell if not.
  const auto apply = [&]() -> absl::Status {
    switch (op.kind) {
      case Kind::kCreate:
        return model.Create(op.path);
      case Kind::kMakeDirectory:
        return model.MakeDirectory(op.path);
      case Kind::kWrite:
        return model.Write(op.path, op.offset, OpBytes(serial, op.length));
      case Kind::kAppend:
        return model.Append(op.path, OpBytes(serial, op.length));
      case Kind::kRename:
        return model.Rename(op.path, op.to);
      case Kind::kLink:
        return model.Link(op.path, op.to);
      case Kind::kUnlink:
        return model.Unlink(op.path);
      case Kind::kRemoveDirectory:
        return model.RemoveDirectory(op.path);
      case Kind::kTruncate:
        return model.Truncate(op.path, op.length);
      case Kind::kStore: {
        RETURN_IF_ERROR(model.Create(kTemporary));
        RETURN_IF_ERROR(model.Write(kTemporary, 0, OpBytes(serial, op.length)));
        const absl::Status renamed = model.Rename(kTemporary, op.path);
        return renamed.ok() ? renamed : model.Unlink(kTemporary);
      }
      case Kind::kFsync:
      case Kind::kSync:
      case Kind::kFlush:
        return absl::OkStatus();
      case Kind::kExchange:
      case Kind::kPunch:
      case Kind::kCopy:
      case Kind::kXattr:
        break;
    }
    return absl::UnimplementedError("the model does not know this op");
  };
  apply().IgnoreError();
}

}  // namespace fs::testing

#include "fs/volume/batch_session.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/format/contract_status.h"
#include "fs/volume/batch_status.h"

namespace fs {
namespace {

constexpr size_t kPathBytesMax = 4095;
// fs::Capability bits: atomic batches, digests, changes.
constexpr uint32_t kCapabilities = 1 | 2 | 4 | 8 | 16;
constexpr uint64_t kTtlMsMax = uint64_t{100} * 365 * 24 * 3600 * 1000;
constexpr size_t kChangedPathsMax = 8192;
constexpr size_t kChangedBytesMax = kReplyReserveBytes / 2;
constexpr size_t kPayloadBytesMax = kFrameBytesMax - kFrameHeaderBytes - kReplyReserveBytes;

void FillAttributes(const Attributes& from, uint64_t fs_id, batch::FileAttributes* to) {
  to->set_fs_id(fs_id);
  to->set_inode(from.inode);
  to->set_size_bytes(from.size_bytes);
  to->set_change_version(from.version);
  to->set_mtime_ns(from.modify_time.ToNs());
  to->set_ctime_ns(from.change_time.ToNs());
  to->set_btime_ns(from.birth_time.ToNs());
  to->set_mode(from.mode);
  to->set_uid(from.uid);
  to->set_gid(from.gid);
  to->set_link_count(from.link_count);
}

absl::Status CheckName(absl::string_view name) {
  if (name.empty() || name == "." || name == "..") return Errno(EINVAL, "path has an empty, \".\" or \"..\" component");
  if (name.size() > kNameBytesMax) return Errno(EINVAL, "path has a component longer than 255 bytes");
  if (name == kControlName) return Errno(EPERM, "the name .cachefs is reserved");
  if (name.find('\0') != absl::string_view::npos) return Errno(EINVAL, "path holds a NUL byte");
  return absl::OkStatus();
}

std::string FullPath(const batch::Request& request, const batch::Path& path) {
  if (path.directory() == 0) return path.name();
  return absl::StrCat(request.directories(static_cast<int>(path.directory()) - 1), "/", path.name());
}

// The kinds have the same numbers on the wire.
bool IsDigestKind(batch::DigestKind kind) { return kind >= batch::DIGEST_CRC32C && kind <= batch::DIGEST_SHA256; }
static_assert(static_cast<int>(DigestType::kCrc32c) == batch::DIGEST_CRC32C);
static_assert(static_cast<int>(DigestType::kXxh3) == batch::DIGEST_XXH3);
static_assert(static_cast<int>(DigestType::kBlake3) == batch::DIGEST_BLAKE3);
static_assert(static_cast<int>(DigestType::kSha256) == batch::DIGEST_SHA256);

}  // namespace

BatchSession::~BatchSession() {
  bool orphans = false;
  for (const auto& [number, upload] : uploads_) orphans |= volume_.Forget(upload.inode, 1);
  // What stays behind after an error goes at the next mount.
  if (orphans) volume_.RemoveOrphans().IgnoreError();
}

std::string BatchSession::Handle(absl::string_view bytes) {
  batch::Reply reply;
  std::string payload;
  directories_.clear();
  made_.clear();
  const auto refuse = [&](const absl::Status& status) {
    reply.Clear();
    reply.set_code(static_cast<uint32_t>(status.code()));
    reply.set_message(std::string(status.message()));
    reply.set_version_min(kFrameVersionMin);
    reply.set_version_max(kFrameVersionMax);
    return EncodeFrame(FrameKind::kReply, SequenceOf(bytes), reply, "");
  };
  const absl::StatusOr<FrameView> frame = DecodeFrame(bytes, FrameKind::kRequest);
  if (!frame.ok()) return refuse(frame.status());
  batch::Request request;
  if (absl::Status status = DecodeRequest(*frame, &request); !status.ok()) return refuse(status);
  if (request.items_size() == 0) {
    reply.set_version_min(kFrameVersionMin);
    reply.set_version_max(kFrameVersionMax);
    reply.set_capabilities(kCapabilities);
    return EncodeFrame(FrameKind::kReply, frame->sequence, reply, "");
  }
  if (request.atomic() && (request.more() || !staged_.empty())) {
    if (absl::Status status = StageAtomic(request, frame->payload, &reply); !status.ok()) return refuse(status);
  } else if (request.atomic()) {
    const AtomicFrame whole = {&request, frame->payload};
    if (absl::Status status = HandleAtomic({&whole, 1}, &reply); !status.ok()) return refuse(status);
  } else {
    staged_.clear();  // given up by the client
    HandleItems(request, frame->payload, &reply, &payload);
  }
  counts_.items += static_cast<uint64_t>(reply.results_size());
  if (request.durable()) {
    if (absl::Status status = volume_.Sync(Priority::kSync); !status.ok()) return refuse(status);
  }
  return EncodeFrame(FrameKind::kReply, frame->sequence, reply, payload);
}

void BatchSession::HandleItems(const batch::Request& request, absl::string_view payload, batch::Reply* reply,
                               std::string* out) {
  size_t message_bytes = 0;
  for (int i = 0; i < request.items_size() && message_bytes < kMessageBytesMax;) {
    const batch::Item& item = request.items(i);
    const int before = reply->results_size();
    if (item.has_lookup()) {
      const int answered = LookupRun(request, i, kPayloadBytesMax - out->size(), reply, out);
      if (answered == 0) return;
      counts_.lookups += static_cast<uint64_t>(answered);
      i += answered;
    } else {
      const size_t size = item.has_store() ? item.store().payload_bytes() : 0;
      batch::Result& result = *reply->add_results();
      const absl::Status status = ContractStatus(HandleItem(request, item, payload.substr(0, size), &result));
      if (!status.ok()) SetStatus(status, &result);
      payload.remove_prefix(size);
      ++i;
    }
    for (int at = before; at < reply->results_size(); ++at) message_bytes += reply->results(at).ByteSizeLong() + 4;
  }
}

absl::Status BatchSession::HandleItem(const batch::Request& request, const batch::Item& item, absl::string_view payload,
                                      batch::Result* result) {
  switch (item.operation_case()) {
    case batch::Item::kStore:
      return StoreOne(request, item.store(), payload, result);
    case batch::Item::kMakeDirectory:
      return MakeDirectoryAt(request, item.make_directory(), result);
    case batch::Item::kRemove:
      return RemoveOne(request, item.remove(), result);
    case batch::Item::kRename:
      return RenameOne(request, item.rename());
    case batch::Item::kStat: {
      ASSIGN_OR_RETURN(const Attributes attributes, Look(request, item.stat().path()));
      FillAttributes(attributes, options_.fs_id, result->mutable_attributes());
      return absl::OkStatus();
    }
    case batch::Item::kDigest:
      return DigestOne(request, item.digest(), result);
    case batch::Item::kFlush:
      return volume_.Sync(Priority::kSync);
    case batch::Item::kChangedSince:
      return ChangedSinceOne(item.changed_since(), result);
    case batch::Item::kLookup:  // LookupRun()
    case batch::Item::OPERATION_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("item of an unknown type");
}

absl::StatusOr<InodeNumber> BatchSession::Step(InodeNumber directory, absl::string_view name, bool make) {
  RETURN_IF_ERROR(CheckName(name));
  RETURN_IF_ERROR(volume_.CheckAccess(options_.opener, directory, X_OK));
  absl::StatusOr<Attributes> found = volume_.Lookup(directory, name, Reference::kNone);
  if (make && absl::IsNotFound(found.status())) {
    RETURN_IF_ERROR(volume_.CheckAccess(options_.opener, directory, W_OK | X_OK));
    found = volume_.MakeDirectory(directory, name, 0777, options_.opener, Reference::kNone);
    if (found.ok()) {
      made_.push_back({directory, std::string(name)});
      observer_.EntryChanged(directory, name, 0);
    } else if (base::ErrnoOf(found.status()) == EEXIST) {
      found = volume_.Lookup(directory, name, Reference::kNone);  // somebody was quicker
    }
  }
  RETURN_IF_ERROR(found.status());
  if (found->is_symlink()) return Errno(ELOOP, "a component of the path is a link");
  if (!found->is_directory()) return Errno(ENOTDIR, "a component of the path is no directory");
  return found->inode;
}

absl::StatusOr<InodeNumber> BatchSession::Directory(absl::string_view path, bool make) {
  if (path.empty()) return options_.directory;
  if (path.size() > kPathBytesMax) return Errno(ENAMETOOLONG, "path is longer than 4095 bytes");
  const auto known = directories_.find(path);
  if (known != directories_.end()) return known->second;
  const size_t slash = path.rfind('/');
  const absl::string_view parent = slash == absl::string_view::npos ? "" : path.substr(0, slash);
  if (slash == 0) return Errno(EINVAL, "path is absolute");
  ASSIGN_OR_RETURN(const InodeNumber above, Directory(parent, make));
  ASSIGN_OR_RETURN(const InodeNumber found, Step(above, path.substr(slash + 1), make));
  directories_.emplace(path, found);
  return found;
}

absl::StatusOr<BatchSession::Place> BatchSession::Find(const batch::Request& request, const batch::Path& path,
                                                       bool make) {
  const std::string full = FullPath(request, path);
  const size_t slash = full.rfind('/');
  Place place;
  place.name = full.substr(slash + 1);
  RETURN_IF_ERROR(CheckName(place.name));
  if (slash == 0) return Errno(EINVAL, "path is absolute");
  const absl::string_view parent =
      slash == std::string::npos ? absl::string_view() : absl::string_view(full).substr(0, slash);
  ASSIGN_OR_RETURN(place.directory, Directory(parent, make));
  RETURN_IF_ERROR(volume_.CheckAccess(options_.opener, place.directory, X_OK));
  return place;
}

absl::StatusOr<Attributes> BatchSession::Look(const batch::Request& request, const batch::Path& path) {
  ASSIGN_OR_RETURN(const Place place, Find(request, path, /*make=*/false));
  return volume_.Lookup(place.directory, place.name, Reference::kNone);
}

absl::StatusOr<bool> BatchSession::HasContent(InodeNumber inode, absl::string_view data) {
  std::string bytes(data.size() + 1, '\0');
  ASSIGN_OR_RETURN(const size_t size,
                   volume_.Read(inode, 0, absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size())));
  return absl::string_view(bytes).substr(0, size) == data;
}

absl::StatusOr<bool> BatchSession::PrepareStore(const batch::Store& store, absl::string_view payload,
                                                const Place& place, FileToStore* file) {
  if (store.ttl_ms() > kTtlMsMax) return Errno(EINVAL, "a time to live of more than 100 years");
  const absl::StatusOr<Attributes> existing = volume_.Lookup(place.directory, place.name, Reference::kNone);
  if (existing.ok()) {
    if (existing->is_directory()) return Errno(EISDIR, "is a directory");
    RETURN_IF_ERROR(volume_.CheckRemove(options_.opener, place.directory, existing->inode));
    // Whoever may not read the file must not learn what is in it.
    // One that is kept would not live on.
    if (store.keep_if_equal() && store.ttl_ms() == 0 && store.upload() == 0 && existing->is_regular() &&
        existing->size_bytes == payload.size() && volume_.CheckAccess(options_.opener, existing->inode, R_OK).ok()) {
      ASSIGN_OR_RETURN(const bool same, HasContent(existing->inode, payload));
      if (same) return false;
    }
  } else if (absl::IsNotFound(existing.status())) {
    RETURN_IF_ERROR(volume_.CheckAccess(options_.opener, place.directory, W_OK | X_OK));
  } else {
    return existing.status();
  }
  *file = {.directory = place.directory, .name = place.name, .data = payload, .mode = store.mode() & 07777,
           .ttl_ms = store.ttl_ms()};
  if (store.has_mtime()) file->modify_time = Timestamp::FromNs(store.mtime_ns());
  return true;
}

absl::Status BatchSession::TakePart(const batch::Store& store, absl::string_view payload, const Place& place) {
  Upload& upload = uploads_[store.upload()];
  const auto abandon = [&](const absl::Status& status) {
    if (upload.inode != 0 && volume_.Forget(upload.inode, 1)) volume_.RemoveOrphans().IgnoreError();
    uploads_.erase(store.upload());
    return status;
  };
  if (store.offset() != upload.size_bytes) {
    return abandon(absl::InvalidArgumentError(
        absl::StrCat("part at ", store.offset(), " of an upload of ", upload.size_bytes, " bytes so far")));
  }
  if (upload.inode == 0) {
    if (uploads_.size() > kUploadsMax) return abandon(absl::ResourceExhaustedError("too many uploads at a time"));
    const absl::StatusOr<Attributes> made =
        volume_.MakeTemporary(place.directory, store.mode() & 07777, options_.opener, Reference::kTake);
    if (!made.ok()) return abandon(made.status());
    upload.inode = made->inode;
  }
  const absl::Status written = volume_.Write(upload.inode, upload.size_bytes, payload);
  if (!written.ok()) return abandon(written);
  upload.size_bytes += payload.size();
  return absl::OkStatus();
}

absl::Status BatchSession::StoreOne(const batch::Request& request, const batch::Store& store, absl::string_view payload,
                                    batch::Result* result) {
  ASSIGN_OR_RETURN(const Place place, Find(request, store.path(), /*make=*/true));
  FileToStore file;
  ASSIGN_OR_RETURN(const bool changes, PrepareStore(store, payload, place, &file));
  if (!changes) return absl::OkStatus();
  InodeNumber upload = 0;
  if (store.upload() != 0) {
    RETURN_IF_ERROR(TakePart(store, payload, place));
    if (store.more()) return absl::OkStatus();
    upload = uploads_[store.upload()].inode;
    uploads_.erase(store.upload());
    file.upload = upload;
    file.data = "";
  }
  const absl::StatusOr<std::vector<StoredFile>> stored = volume_.StoreFiles({&file, 1}, options_.opener);
  if (upload != 0 && volume_.Forget(upload, 1)) volume_.RemoveOrphans().IgnoreError();
  RETURN_IF_ERROR(stored.status());
  result->set_changed(true);
  observer_.EntryChanged(place.directory, place.name, stored->front().replaced);
  return absl::OkStatus();
}

absl::Status BatchSession::MakeDirectoryAt(const batch::Request& request, const batch::MakeDirectory& item,
                                           batch::Result* result) {
  ASSIGN_OR_RETURN(const Place place, Find(request, item.path(), /*make=*/true));
  const absl::StatusOr<Attributes> existing = volume_.Lookup(place.directory, place.name, Reference::kNone);
  if (existing.ok()) return existing->is_directory() ? absl::OkStatus() : Errno(ENOTDIR, "is no directory");
  if (!absl::IsNotFound(existing.status())) return existing.status();
  RETURN_IF_ERROR(volume_.CheckAccess(options_.opener, place.directory, W_OK | X_OK));
  RETURN_IF_ERROR(
      volume_.MakeDirectory(place.directory, place.name, item.mode() & 07777, options_.opener, Reference::kNone)
          .status());
  result->set_changed(true);
  observer_.EntryChanged(place.directory, place.name, 0);
  made_.push_back(place);
  return absl::OkStatus();
}

absl::Status BatchSession::RemoveOne(const batch::Request& request, const batch::Remove& remove,
                                     batch::Result* result) {
  const absl::StatusOr<Place> place = Find(request, remove.path(), /*make=*/false);
  if (absl::IsNotFound(place.status())) return absl::OkStatus();  // it did not exist
  RETURN_IF_ERROR(place.status());
  const absl::StatusOr<Attributes> existing = volume_.Lookup(place->directory, place->name, Reference::kNone);
  if (absl::IsNotFound(existing.status())) return absl::OkStatus();
  RETURN_IF_ERROR(existing.status());
  RETURN_IF_ERROR(volume_.CheckRemove(options_.opener, place->directory, existing->inode));
  directories_.clear();
  RETURN_IF_ERROR(existing->is_directory() ? volume_.RemoveDirectory(place->directory, place->name)
                                           : volume_.Unlink(place->directory, place->name));
  result->set_changed(true);
  observer_.EntryChanged(place->directory, place->name, existing->inode);
  return absl::OkStatus();
}

absl::StatusOr<BatchSession::RenamePlan> BatchSession::PrepareRename(const batch::Request& request,
                                                                    const batch::Rename& rename) {
  RenamePlan plan;
  ASSIGN_OR_RETURN(plan.from, Find(request, rename.from(), /*make=*/false));
  ASSIGN_OR_RETURN(plan.child, volume_.Lookup(plan.from.directory, plan.from.name, Reference::kNone));
  RETURN_IF_ERROR(volume_.CheckRemove(options_.opener, plan.from.directory, plan.child.inode));
  ASSIGN_OR_RETURN(plan.to, Find(request, rename.to(), /*make=*/true));
  // A directory that moves gets another "..": it must be writable itself.
  if (plan.child.is_directory() && plan.from.directory != plan.to.directory) {
    RETURN_IF_ERROR(volume_.CheckAccess(options_.opener, plan.child.inode, W_OK));
  }
  const absl::StatusOr<Attributes> target = volume_.Lookup(plan.to.directory, plan.to.name, Reference::kNone);
  if (target.ok()) {
    RETURN_IF_ERROR(volume_.CheckRemove(options_.opener, plan.to.directory, target->inode));
    plan.replaced = target->inode;
  } else if (absl::IsNotFound(target.status())) {
    RETURN_IF_ERROR(volume_.CheckAccess(options_.opener, plan.to.directory, W_OK | X_OK));
  } else {
    return target.status();
  }
  return plan;
}

absl::Status BatchSession::RenameOne(const batch::Request& request, const batch::Rename& rename) {
  ASSIGN_OR_RETURN(const RenamePlan plan, PrepareRename(request, rename));
  const Place& from = plan.from;
  const Place& to = plan.to;
  directories_.clear();
  RETURN_IF_ERROR(volume_.Rename(from.directory, from.name, to.directory, to.name, {}, options_.opener));
  observer_.EntryChanged(from.directory, from.name, plan.child.inode);
  observer_.EntryChanged(to.directory, to.name, plan.replaced);
  return absl::OkStatus();
}

absl::Status BatchSession::DigestOne(const batch::Request& request, const batch::Digest& digest,
                                     batch::Result* result) {
  if (!IsDigestKind(digest.kind())) return absl::InvalidArgumentError("digest of an unknown kind");
  ASSIGN_OR_RETURN(const Attributes file, Look(request, digest.path()));
  if (!file.is_regular()) return Errno(EISDIR, "is no regular file");
  RETURN_IF_ERROR(volume_.CheckAccess(options_.opener, file.inode, R_OK));
  ASSIGN_OR_RETURN(*result->mutable_digest(), volume_.Digest(file.inode, static_cast<DigestType>(digest.kind())));
  return absl::OkStatus();
}

bool BatchSession::MayList(absl::string_view path) {
  const size_t slash = path.rfind('/');
  const absl::StatusOr<InodeNumber> parent =
      Directory(slash == absl::string_view::npos ? "" : path.substr(0, slash), /*make=*/false);
  return parent.ok() && volume_.CheckAccess(options_.opener, *parent, R_OK | X_OK).ok();
}

absl::Status BatchSession::ChangedSinceOne(const batch::ChangedSince& item, batch::Result* result) {
  RETURN_IF_ERROR(volume_.CheckAccess(options_.opener, options_.directory, R_OK | X_OK));
  ASSIGN_OR_RETURN(TreeChanges changes, volume_.ChangedSince(options_.directory, item.token(), kChangedPathsMax));
  batch::Changes& answer = *result->mutable_changes();
  size_t bytes = 0;
  for (const std::string& path : changes.paths) {
    // Names that the opener could not list are not told.
    if (path != "." && options_.opener.uid != 0 && !MayList(path)) continue;
    bytes += path.size() + 8;
    if (bytes > kChangedBytesMax) {
      changes.rescan = true;
      break;
    }
    answer.add_paths(path);
  }
  if (changes.rescan) answer.clear_paths();
  answer.set_token(changes.token);
  answer.set_overflow(changes.rescan);
  return absl::OkStatus();
}

}  // namespace fs

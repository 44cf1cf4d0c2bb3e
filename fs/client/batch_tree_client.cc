#include "fs/client/batch_tree_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "fs/client/tree_path.h"

namespace fs {
namespace {

// A capability of the daemon: `Request.more`.
constexpr uint32_t kAtomicFrames = 16;

// Room that an item's message takes besides its path; generous.
constexpr size_t kItemOverheadBytes = 64;
constexpr size_t kFrameRoomBytes = kFrameBytesMax - kFrameHeaderBytes - 1024;

absl::Status StatusOf(const batch::Result& result, absl::string_view path) {
  if (result.code() == 0) return absl::OkStatus();
  if (result.error_number() != 0) {
    const absl::Status by_errno = TreeStatus(static_cast<int>(result.error_number()), result.message(), path);
    // The daemon's code is the finer one; the payload keeps the errno.
    if (by_errno.code() == static_cast<absl::StatusCode>(result.code())) return by_errno;
  }
  return absl::Status(static_cast<absl::StatusCode>(result.code()), absl::StrCat(result.message(), "; ", path));
}

FileStat StatOf(const batch::FileAttributes& from) {
  return FileStat{
      .fs_id = from.fs_id(),
      .inode = from.inode(),
      .size_bytes = from.size_bytes(),
      .change_version = from.change_version(),
      .mtime_ns = from.mtime_ns(),
      .ctime_ns = from.ctime_ns(),
      .btime_ns = from.btime_ns(),
      .mode = from.mode(),
      .uid = from.uid(),
      .gid = from.gid(),
      .link_count = from.link_count(),
  };
}

batch::DigestKind WireKind(DigestKind kind) {
  switch (kind) {
    case DigestKind::kCrc32c:
      return batch::DIGEST_CRC32C;
    case DigestKind::kXxh3:
      return batch::DIGEST_XXH3;
    case DigestKind::kBlake3:
      return batch::DIGEST_BLAKE3;
    case DigestKind::kSha256:
      return batch::DIGEST_SHA256;
  }
  return batch::DIGEST_UNSPECIFIED;
}

// Collects items until a frame is full. Paths share their directory's text.
class FrameBuilder {
 public:
  // Whether an item with this path and payload still fits.
  bool Fits(absl::string_view path, size_t payload_bytes) const {
    return request_.items_size() < kFrameItemsMax &&
           bytes_ + 2 * path.size() + kItemOverheadBytes + payload_bytes <= kFrameRoomBytes;
  }
  bool empty() const { return request_.items_size() == 0; }

  batch::Item& AddItem(absl::string_view payload) {
    payload_.append(payload.data(), payload.size());
    bytes_ += kItemOverheadBytes + payload.size();
    return *request_.add_items();
  }
  void SetPath(absl::string_view path, batch::Path* out) {
    const size_t slash = path.rfind('/');
    if (slash != absl::string_view::npos) {
      const absl::string_view directory = path.substr(0, slash);
      if (request_.directories_size() == 0 || request_.directories(request_.directories_size() - 1) != directory) {
        request_.add_directories(std::string(directory));
      }
      out->set_directory(static_cast<uint32_t>(request_.directories_size()));
    }
    out->set_name(std::string(path.substr(slash + 1)));
    bytes_ += 2 * path.size();
  }
  void Clear() {
    request_.Clear();
    payload_.clear();
    bytes_ = 0;
  }
  batch::Request& request() { return request_; }
  const std::string& payload() const { return payload_; }

 private:
  batch::Request request_;
  std::string payload_;
  size_t bytes_ = 0;
};

void FillStore(FrameBuilder& frame, const StoreItem& item, absl::string_view payload, batch::Store* store) {
  frame.SetPath(item.path, store->mutable_path());
  store->set_mode(item.mode & 07777);
  if (item.mtime != absl::InfinitePast()) {
    store->set_has_mtime(true);
    store->set_mtime_ns(absl::ToUnixNanos(item.mtime));
  }
  if (item.ttl != absl::InfiniteDuration()) {
    store->set_ttl_ms(static_cast<uint64_t>(std::max<int64_t>(1, absl::ToInt64Milliseconds(item.ttl))));
  }
  store->set_keep_if_equal(item.keep_if_equal);
  store->set_payload_bytes(static_cast<uint32_t>(payload.size()));
}

// One item's answer; the views die with the call that hands it over.
struct Answer {
  const batch::Result& result;
  absl::string_view payload;
};

struct Question {
  std::function<absl::string_view(size_t)> path_of;
  std::function<absl::string_view(size_t)> payload_of = [](size_t) { return absl::string_view(); };
  WriteOptions options;
  bool may_stage = false;  // whether an atomic batch may take several frames
};

// Sends `count` items in as few frames as they need, `fill` making each one.
// `answer` gets each index once and returns false to stop; what is in a frame
// that has been sent is done all the same. `too_large` takes items that fit into no
// frame.
template <typename Session>
absl::Status AskAll(Session& session, size_t count, const Question& question,
                    absl::FunctionRef<void(FrameBuilder& frame, size_t i)> fill,
                    absl::FunctionRef<bool(size_t i, absl::StatusOr<Answer> answer)> answer,
                    absl::FunctionRef<bool(size_t i)> too_large) {
  const WriteOptions& options = question.options;
  FrameBuilder frame;
  std::vector<size_t> in_frame;
  std::vector<size_t> done_with_last;  // accepted in frames before the last of an atomic batch
  bool stopped = false;
  const auto send = [&]() -> absl::Status {
    if (frame.empty()) return absl::OkStatus();
    frame.request().set_atomic(options.atomic);
    frame.request().set_durable(options.durability == Durability::kOnReturn);
    // Of an atomic batch nothing is done, and nothing answered, before its last frame.
    const bool staged = frame.request().more();
    RETURN_IF_ERROR(session.Run(frame, [&](size_t item, const batch::Result& result, absl::string_view payload) {
      if (staged) {
        done_with_last.push_back(in_frame[item]);
        return true;
      }
      if (!stopped) stopped = !answer(in_frame[item], Answer{result, payload});
      return true;
    }));
    frame.Clear();
    in_frame.clear();
    return absl::OkStatus();
  };
  // Before the first frame: one that was staged would wait for its last.
  for (size_t i = 0; options.atomic && i < count; ++i) {
    RETURN_IF_ERROR(ValidateTreePath(question.path_of(i)));
    if (!FrameBuilder().Fits(question.path_of(i), question.payload_of(i).size())) {
      return absl::UnimplementedError("an atomic batch with a file larger than a frame (1 MiB)");
    }
  }
  for (size_t i = 0; i < count && !stopped; ++i) {
    const absl::string_view path = question.path_of(i);
    const size_t payload_bytes = question.payload_of(i).size();
    const absl::Status valid = ValidateTreePath(path);
    if (!valid.ok()) {
      stopped = !answer(i, valid);
      continue;
    }
    if (!frame.Fits(path, payload_bytes)) {
      if (options.atomic) {
        if (!question.may_stage) return absl::UnimplementedError("an atomic batch of more than one frame (1 MiB)");
        frame.request().set_more(true);
      }
      RETURN_IF_ERROR(send());
      if (stopped) break;
      if (!frame.Fits(path, payload_bytes)) {
        stopped = !too_large(i);
        continue;
      }
    }
    in_frame.push_back(i);
    fill(frame, i);
  }
  if (stopped) return absl::OkStatus();
  RETURN_IF_ERROR(send());
  batch::Result done;
  done.set_changed(true);
  for (const size_t i : done_with_last) {
    if (!answer(i, Answer{done, ""})) break;
  }
  return absl::OkStatus();
}

template <typename Session>
absl::Status AskAll(Session& session, size_t count, const Question& question,
                    absl::FunctionRef<void(FrameBuilder& frame, size_t i)> fill,
                    absl::FunctionRef<bool(size_t i, absl::StatusOr<Answer> answer)> answer) {
  return AskAll(session, count, question, fill, answer, [answer](size_t i) {
    return answer(i, absl::InternalError("an item without payload fits into no frame"));
  });
}

}  // namespace

class BatchTreeClient::Session {
 public:
  static absl::StatusOr<std::unique_ptr<Session>> Take(BatchTreeClient* client) {
    ASSIGN_OR_RETURN(std::unique_ptr<BatchChannel> channel, client->Take());
    return std::make_unique<Session>(client, std::move(channel));
  }
  Session(BatchTreeClient* client, std::unique_ptr<BatchChannel> channel)
      : client_(client), channel_(std::move(channel)) {}
  ~Session() {
    // After an error nobody knows what the session still holds.
    if (!failed_) client_->GiveBack(std::move(channel_));
  }

  // Calls `answer` with each result; those that did not fit are asked again.
  // `answer` returns false to stop.
  absl::Status Run(FrameBuilder& frame,
                   absl::FunctionRef<bool(size_t item, const batch::Result& result, absl::string_view payload)> answer) {
    size_t first = 0;
    batch::Request rest = frame.request();
    while (rest.items_size() > 0) {
      batch::Reply reply;
      absl::string_view payload;
      const absl::Status status = channel_->Call(rest, first == 0 ? frame.payload() : "", &reply, &payload);
      failed_ = !status.ok();
      RETURN_IF_ERROR(status);
      for (const batch::Result& result : reply.results()) {
        if (!answer(first++, result, payload.substr(0, result.payload_bytes()))) return absl::OkStatus();
        payload.remove_prefix(result.payload_bytes());
      }
      if (reply.results_size() == 0) {
        failed_ = true;
        return absl::InternalError("the batch session answered none of the items");
      }
      rest.mutable_items()->DeleteSubrange(0, reply.results_size());
    }
    return absl::OkStatus();
  }

 private:
  BatchTreeClient* const client_;
  std::unique_ptr<BatchChannel> channel_;
  bool failed_ = false;
};

absl::StatusOr<std::unique_ptr<BatchTreeClient>> BatchTreeClient::Create(OpenChannel open,
                                                                         std::unique_ptr<TreeClient> posix) {
  ASSIGN_OR_RETURN(std::unique_ptr<BatchChannel> channel, open());
  batch::Reply reply;
  absl::string_view payload;
  RETURN_IF_ERROR(channel->Call(batch::Request(), "", &reply, &payload));
  std::unique_ptr<BatchTreeClient> client(
      new BatchTreeClient(std::move(open), std::move(posix), reply.capabilities()));
  client->GiveBack(std::move(channel));
  return client;
}

absl::StatusOr<std::unique_ptr<BatchChannel>> BatchTreeClient::Take() {
  {
    base::MutexLock lock(&mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<BatchChannel> channel = std::move(idle_.back());
      idle_.pop_back();
      return channel;
    }
  }
  return open_();
}

void BatchTreeClient::GiveBack(std::unique_ptr<BatchChannel> channel) {
  base::MutexLock lock(&mutex_);
  if (idle_.size() < kSessionsIdleMax) idle_.push_back(std::move(channel));
}

absl::StatusOr<bool> BatchTreeClient::Upload(Session& session, const StoreItem& item, WriteOptions options) {
  const size_t part_bytes = kFrameRoomBytes - 2 * item.path.size() - 2 * kItemOverheadBytes;
  absl::StatusOr<bool> outcome = false;
  for (size_t offset = 0; offset < item.data.size() || offset == 0; offset += part_bytes) {
    const absl::string_view part = item.data.substr(offset, part_bytes);
    const bool more = offset + part.size() < item.data.size();
    FrameBuilder frame;
    batch::Store& store = *frame.AddItem(part).mutable_store();
    FillStore(frame, item, part, &store);
    store.set_upload(1);
    store.set_offset(offset);
    store.set_more(more);
    frame.request().set_durable(!more && options.durability == Durability::kOnReturn);
    RETURN_IF_ERROR(session.Run(frame, [&](size_t, const batch::Result& result, absl::string_view) {
      const absl::Status status = StatusOf(result, item.path);
      outcome = status.ok() ? absl::StatusOr<bool>(result.changed()) : status;
      return true;
    }));
    if (!outcome.ok()) return outcome;
  }
  return outcome;
}

absl::Status BatchTreeClient::Store(absl::Span<const StoreItem> items, WriteOptions options, Sink<bool> written) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, Session::Take(this));
  // Whether an equal file was kept is not told of frames before the last.
  const bool keeps = std::any_of(items.begin(), items.end(), [](const StoreItem& item) { return item.keep_if_equal; });
  return AskAll(
      *session, items.size(),
      {.path_of = [&items](size_t i) { return items[i].path; },
       .payload_of = [&items](size_t i) { return items[i].data; },
       .options = options,
       .may_stage = (capabilities_ & kAtomicFrames) != 0 && !keeps},
      [&items](FrameBuilder& frame, size_t i) {
        FillStore(frame, items[i], items[i].data, frame.AddItem(items[i].data).mutable_store());
      },
      [&items, written](size_t i, absl::StatusOr<Answer> answer) {
        const absl::Status status = answer.ok() ? StatusOf(answer->result, items[i].path) : answer.status();
        return status.ok() ? written(i, answer->result.changed()) : written(i, status);
      },
      [&](size_t i) { return written(i, Upload(*session, items[i], options)); });
}

absl::Status BatchTreeClient::Remove(Paths paths, WriteOptions options, Sink<bool> existed) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, Session::Take(this));
  return AskAll(
      *session, paths.size(), {.path_of = [&paths](size_t i) { return paths[i]; }, .options = options},
      [&paths](FrameBuilder& frame, size_t i) {
        frame.SetPath(paths[i], frame.AddItem("").mutable_remove()->mutable_path());
      },
      [&paths, existed](size_t i, absl::StatusOr<Answer> answer) {
        const absl::Status status = answer.ok() ? StatusOf(answer->result, paths[i]) : answer.status();
        return status.ok() ? existed(i, answer->result.changed()) : existed(i, status);
      });
}

absl::Status BatchTreeClient::Rename(absl::string_view from, absl::string_view to) {
  RETURN_IF_ERROR(ValidateTreePath(from));
  RETURN_IF_ERROR(ValidateTreePath(to));
  ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, Session::Take(this));
  FrameBuilder frame;
  batch::Rename& rename = *frame.AddItem("").mutable_rename();
  frame.SetPath(from, rename.mutable_from());
  frame.SetPath(to, rename.mutable_to());
  absl::Status outcome;
  RETURN_IF_ERROR(session->Run(frame, [&](size_t, const batch::Result& result, absl::string_view) {
    outcome = StatusOf(result, absl::StrCat(from, " to ", to));
    return true;
  }));
  return outcome;
}

absl::Status BatchTreeClient::Flush() {
  ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, Session::Take(this));
  FrameBuilder frame;
  frame.AddItem("").mutable_flush();
  absl::Status outcome;
  RETURN_IF_ERROR(session->Run(frame, [&](size_t, const batch::Result& result, absl::string_view) {
    outcome = StatusOf(result, "flush");
    return true;
  }));
  return outcome;
}

absl::Status BatchTreeClient::LookupRest(Session& session, absl::string_view path, const batch::Result& first,
                                         std::string* data) {
  absl::Status outcome;
  while (outcome.ok() && data->size() < first.size_bytes()) {
    FrameBuilder frame;
    batch::Lookup& lookup = *frame.AddItem("").mutable_lookup();
    frame.SetPath(path, lookup.mutable_path());
    lookup.set_bytes_max(first.size_bytes());
    lookup.set_offset(data->size());
    lookup.set_version(first.version());
    const size_t before = data->size();
    RETURN_IF_ERROR(session.Run(frame, [&](size_t, const batch::Result& result, absl::string_view payload) {
      outcome = StatusOf(result, path);
      data->append(payload.data(), payload.size());
      return true;
    }));
    if (outcome.ok() && data->size() == before) outcome = absl::InternalError("the batch session gave no bytes");
  }
  return outcome;
}

absl::Status BatchTreeClient::Lookup(Paths paths, size_t bytes_max, Sink<absl::string_view> found) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, Session::Take(this));
  std::unique_ptr<Session> for_rests;
  return AskAll(
      *session, paths.size(), {.path_of = [&paths](size_t i) { return paths[i]; }},
      [&](FrameBuilder& frame, size_t i) {
        batch::Lookup& lookup = *frame.AddItem("").mutable_lookup();
        frame.SetPath(paths[i], lookup.mutable_path());
        lookup.set_bytes_max(bytes_max);
      },
      [&](size_t i, absl::StatusOr<Answer> answer) {
        const absl::Status status = answer.ok() ? StatusOf(answer->result, paths[i]) : answer.status();
        if (!status.ok()) return found(i, status);
        if (answer->payload.size() >= answer->result.size_bytes()) return found(i, answer->payload);
        // Asked on another session: the payload lies in this one's buffer.
        std::string data(answer->payload);
        if (for_rests == nullptr) {
          absl::StatusOr<std::unique_ptr<Session>> taken = Session::Take(this);
          if (!taken.ok()) return found(i, taken.status());
          for_rests = *std::move(taken);
        }
        const absl::Status rest = LookupRest(*for_rests, paths[i], answer->result, &data);
        return rest.ok() ? found(i, absl::string_view(data)) : found(i, rest);
      });
}

absl::Status BatchTreeClient::Stat(Paths paths, Sink<FileStat> found) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, Session::Take(this));
  return AskAll(
      *session, paths.size(), {.path_of = [&paths](size_t i) { return paths[i]; }},
      [&paths](FrameBuilder& frame, size_t i) {
        frame.SetPath(paths[i], frame.AddItem("").mutable_stat()->mutable_path());
      },
      [&paths, found](size_t i, absl::StatusOr<Answer> answer) {
        const absl::Status status = answer.ok() ? StatusOf(answer->result, paths[i]) : answer.status();
        return status.ok() ? found(i, StatOf(answer->result.attributes())) : found(i, status);
      });
}

absl::Status BatchTreeClient::Digest(Paths paths, DigestKind kind, Sink<absl::string_view> raw) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, Session::Take(this));
  return AskAll(
      *session, paths.size(), {.path_of = [&paths](size_t i) { return paths[i]; }},
      [&paths, kind](FrameBuilder& frame, size_t i) {
        batch::Digest& digest = *frame.AddItem("").mutable_digest();
        frame.SetPath(paths[i], digest.mutable_path());
        digest.set_kind(WireKind(kind));
      },
      [&paths, raw](size_t i, absl::StatusOr<Answer> answer) {
        const absl::Status status = answer.ok() ? StatusOf(answer->result, paths[i]) : answer.status();
        return status.ok() ? raw(i, absl::string_view(answer->result.digest())) : raw(i, status);
      });
}

absl::Status BatchTreeClient::List(absl::string_view dir, bool recursive, Sink<DirEntry> found) {
  return posix_->List(dir, recursive, found);
}

absl::StatusOr<Changes> BatchTreeClient::ChangedSince(absl::string_view token) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, Session::Take(this));
  FrameBuilder frame;
  frame.AddItem("").mutable_changed_since()->set_token(std::string(token));
  absl::Status outcome;
  Changes changes;
  RETURN_IF_ERROR(session->Run(frame, [&](size_t, const batch::Result& result, absl::string_view) {
    outcome = StatusOf(result, "changes");
    changes.paths.assign(result.changes().paths().begin(), result.changes().paths().end());
    changes.token = result.changes().token();
    changes.overflow = result.changes().overflow();
    return true;
  }));
  RETURN_IF_ERROR(outcome);
  return changes;
}

absl::StatusOr<std::unique_ptr<FileWriter>> BatchTreeClient::Create(absl::string_view path) {
  return posix_->Create(path);
}

}  // namespace fs

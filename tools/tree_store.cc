#include "tools/tree_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/command_line.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace tools {
namespace {

void SetTime(int directory, const std::string& name, absl::Time mtime) {
  if (mtime == absl::InfinitePast()) return;
  const timespec times[2] = {{0, UTIME_OMIT}, absl::ToTimespec(mtime)};
  utimensat(directory, name.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

std::string LastName(absl::string_view path) { return std::string(base::BaseName(path)); }

}  // namespace

absl::StatusOr<std::unique_ptr<TreeStore>> TreeStore::Open(const std::string& directory, base::Progress* progress) {
  ASSIGN_OR_RETURN(std::unique_ptr<fs::TreeClient> client, fs::TreeClient::ForPath(directory));
  ASSIGN_OR_RETURN(base::Fd fd, base::OpenFile(directory, O_PATH | O_DIRECTORY));
  return std::unique_ptr<TreeStore>(new TreeStore(std::move(client), std::move(fd), progress));
}

void TreeStore::Add(Entry entry, std::string data) {
  pending_bytes_ += data.size();
  pending_.push_back({std::move(entry), std::move(data)});
  if (pending_bytes_ >= kBatchBytes || pending_.size() >= kBatchItems) Send();
}

void TreeStore::Send() {
  std::vector<fs::StoreItem> items;
  for (const Pending& pending : pending_) {
    items.push_back({.path = pending.entry.path, .data = pending.data, .mode = pending.entry.mode,
                     .mtime = pending.entry.mtime});
  }
  const absl::Status status = client_->Store(items, {}, [&](size_t i, absl::StatusOr<bool> written) {
    Note(written.status(), items[i].path, items[i].data.size());
    return true;
  });
  first_error_.Update(status);
  if (!status.ok()) ++failed_;
  pending_.clear();
  pending_bytes_ = 0;
}

void TreeStore::Note(const absl::Status& status, absl::string_view path, uint64_t size_bytes) {
  if (status.ok()) {
    ++files_;
    bytes_ += size_bytes;
    if (progress_ != nullptr) {
      progress_->Add(size_bytes);
      progress_->AddSecond(1);
    }
    return;
  }
  ++failed_;
  base::PrintError("cachectl", absl::StrCat(absl::CHexEscape(path), ": ", status.message()));
  first_error_.Update(status);
}

void TreeStore::AddStream(const Entry& entry, const std::function<absl::StatusOr<absl::string_view>()>& read) {
  Send();  // what came before on the same path must not come after
  uint64_t size_bytes = 0;
  const auto stream = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::unique_ptr<fs::FileWriter> writer, client_->Create(entry.path));
    for (;;) {
      ASSIGN_OR_RETURN(const absl::string_view data, read());
      if (data.empty()) break;
      RETURN_IF_ERROR(writer->Append(data));
      size_bytes += data.size();
    }
    RETURN_IF_ERROR(writer->Commit(fs::Durability::kBuffered));
    ASSIGN_OR_RETURN(const base::Fd parent, ParentOf(entry.path));
    if (fchmodat(parent.get(), LastName(entry.path).c_str(), entry.mode & 07777, 0) != 0) {
      return base::ErrnoStatus(errno, "change mode");
    }
    SetTime(parent.get(), LastName(entry.path), entry.mtime);
    return absl::OkStatus();
  };
  Note(stream(), entry.path, size_bytes);
}

absl::StatusOr<base::Fd> TreeStore::ParentOf(absl::string_view path) {
  base::Fd at(fcntl(directory_.get(), F_DUPFD_CLOEXEC, 3));
  std::vector<absl::string_view> names = absl::StrSplit(path, '/');
  for (const absl::string_view name : names) {
    if (name.empty() || name == "." || name == "..") return absl::InvalidArgumentError("not a path below the tree");
  }
  names.pop_back();
  for (const absl::string_view name : names) {
    const std::string component(name);
    if (mkdirat(at.get(), component.c_str(), 0777) != 0 && errno != EEXIST) {
      return base::ErrnoStatus(errno, "make directory");
    }
    ASSIGN_OR_RETURN(at, base::OpenFileAt(at.get(), component, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  }
  return at;
}

void TreeStore::AddDirectory(const Entry& entry) {
  const auto make = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const base::Fd parent, ParentOf(entry.path));
    if (mkdirat(parent.get(), LastName(entry.path).c_str(), entry.mode & 07777) != 0 && errno != EEXIST) {
      return base::ErrnoStatus(errno, "make directory");
    }
    return absl::OkStatus();
  };
  Note(make(), entry.path, 0);
}

void TreeStore::AddSymlink(const Entry& entry, const std::string& target) {
  const auto make = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const base::Fd parent, ParentOf(entry.path));
    const std::string name = LastName(entry.path);
    if (symlinkat(target.c_str(), parent.get(), name.c_str()) != 0) {
      if (errno != EEXIST || unlinkat(parent.get(), name.c_str(), 0) != 0 ||
          symlinkat(target.c_str(), parent.get(), name.c_str()) != 0) {
        return base::ErrnoStatus(errno, "make link");
      }
    }
    SetTime(parent.get(), name, entry.mtime);
    return absl::OkStatus();
  };
  Note(make(), entry.path, 0);
}

void TreeStore::AddHardLink(const Entry& entry, const std::string& existing) {
  Send();  // the other name may be in the batch
  const auto make = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const base::Fd from, ParentOf(existing));
    ASSIGN_OR_RETURN(const base::Fd to, ParentOf(entry.path));
    const std::string name = LastName(entry.path);
    unlinkat(to.get(), name.c_str(), 0);
    if (linkat(from.get(), LastName(existing).c_str(), to.get(), name.c_str(), 0) != 0) {
      return base::ErrnoStatus(errno, absl::StrCat("link to ", existing));
    }
    return absl::OkStatus();
  };
  Note(make(), entry.path, 0);
}

absl::Status TreeStore::Finish(bool durable) {
  Send();
  if (durable) first_error_.Update(client_->Flush());
  return first_error_;
}

}  // namespace tools

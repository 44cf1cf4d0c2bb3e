#include "marc/command/output.h"

#include <sys/stat.h>

#include <utility>

#include "absl/strings/match.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/client/tree_client.h"

namespace marc {
namespace {

// A file of a tree. Small writes gather into batches.
class TreeSink : public base::Sink {
 public:
  static absl::StatusOr<std::unique_ptr<base::Sink>> Open(const std::string& path, size_t batch_bytes) {
    auto sink = std::unique_ptr<TreeSink>(new TreeSink(path, batch_bytes));
    ASSIGN_OR_RETURN(sink->tree_, fs::TreeClient::ForPath(base::DirectoryName(path)));
    ASSIGN_OR_RETURN(sink->file_, sink->tree_->Create(base::BaseName(path)));
    return std::unique_ptr<base::Sink>(std::move(sink));
  }

  absl::Status Write(absl::string_view data) override {
    if (batch_.empty() && data.size() >= batch_bytes_) return Located(file_->Append(data));
    if (batch_.size() + data.size() > batch_.capacity()) batch_.reserve(batch_bytes_ + data.size());
    batch_.append(data.data(), data.size());
    return batch_.size() < batch_bytes_ ? absl::OkStatus() : HandOver();
  }

  absl::Status Close() override {
    RETURN_IF_ERROR(HandOver());
    return Located(file_->Commit(fs::Durability::kOnReturn));
  }

 private:
  TreeSink(std::string path, size_t batch_bytes) : path_(std::move(path)), batch_bytes_(batch_bytes) {}

  absl::Status HandOver() {
    if (batch_.empty()) return absl::OkStatus();
    const absl::Status status = file_->Append(batch_);
    batch_.clear();
    return Located(status);
  }
  absl::Status Located(const absl::Status& status) const { return base::Annotate(status, path_); }

  const std::string path_;
  const size_t batch_bytes_;
  std::unique_ptr<fs::TreeClient> tree_;
  std::unique_ptr<fs::FileWriter> file_;  // goes before its tree
  std::string batch_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<base::Sink>> OpenOutput(const std::string& path, size_t batch_bytes) {
  struct stat status;
  const bool other = stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  if (path == "-" || other) return base::OpenSink(path, {});
  absl::StatusOr<std::unique_ptr<base::Sink>> sink = TreeSink::Open(path, batch_bytes);
  if (!sink.ok()) return base::Annotate(sink.status(), path);
  if (absl::EndsWith(path, ".gz")) return base::Compress(*std::move(sink), base::Compression::kGzip);
  if (absl::EndsWith(path, ".zst")) return base::Compress(*std::move(sink), base::Compression::kZstd);
  return sink;
}

}  // namespace marc

#include "ssg/build/source_tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace ssg {
namespace {

// "site/" if `inner` is the directory site in `outer`; "" if it is not below it.
std::string PathBelow(const std::string& outer, const std::string& inner) {
  char* real_outer = realpath(outer.c_str(), nullptr);
  char* real_inner = realpath(inner.c_str(), nullptr);
  std::string below;
  if (real_outer != nullptr && real_inner != nullptr) {
    const std::string prefix = absl::StrCat(real_outer, "/");
    if (absl::StartsWith(real_inner, prefix)) below = absl::StrCat(real_inner + prefix.size(), "/");
  }
  std::free(real_outer);
  std::free(real_inner);
  return below;
}

bool IsHidden(absl::string_view path) { return path[0] == '.' || absl::StrContains(path, "/."); }

}  // namespace

absl::StatusOr<std::unique_ptr<SourceTree>> SourceTree::Open(const std::string& site_dir) {
  std::unique_ptr<SourceTree> tree(new SourceTree(site_dir));
  const absl::StatusOr<uint32_t> root = tree->Root(site_dir);
  if (!root.ok()) return base::Annotate(root.status(), site_dir);
  return tree;
}

absl::StatusOr<uint32_t> SourceTree::Root(const std::string& directory) {
  for (size_t i = 0; i < root_dirs_.size(); ++i) {
    if (root_dirs_[i] == directory) return static_cast<uint32_t>(i);
  }
  ASSIGN_OR_RETURN(std::unique_ptr<fs::TreeClient> client, fs::TreeClient::ForPath(directory));
  root_dirs_.push_back(directory);
  roots_.push_back(std::move(client));
  return static_cast<uint32_t>(roots_.size() - 1);
}

std::string SourceTree::DiskPath(const SourceFile& file) const {
  return absl::StrCat(root_dirs_[file.root], "/", file.tree_path);
}

absl::Status SourceTree::ListRoot(uint32_t root, absl::string_view directory, Diagnostics& diagnostics,
                                  std::vector<SourceFile>* files) {
  const size_t begin = files->size();
  const absl::Status status =
      roots_[root]->List(directory, /*recursive=*/true, [&](size_t, absl::StatusOr<fs::DirEntry> entry) {
        if (!entry.ok()) {
          diagnostics.Error("io", directory, 0, entry.status().message());
          return true;
        }
        if (S_ISDIR(entry->stat.mode) || IsHidden(entry->path)) return true;
        if (!S_ISREG(entry->stat.mode)) {
          diagnostics.Error("io", entry->path, 0,
                            S_ISLNK(entry->stat.mode) ? "is a symbolic link; links are not followed"
                                                      : "is neither a file nor a directory");
          return true;
        }
        if (entry->stat.size_bytes > kFileBytesMax) {
          diagnostics.Error("io", entry->path, 0,
                            absl::StrCat("has ", entry->stat.size_bytes, " bytes; 256 MiB are allowed"));
          return true;
        }
        SourceFile file;
        file.path = entry->path;
        file.tree_path = std::move(entry->path);
        file.root = root;
        file.stat = entry->stat;
        files->push_back(std::move(file));
        return true;
      });
  std::sort(files->begin() + begin, files->end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  if (absl::IsNotFound(status)) return absl::OkStatus();
  return base::Annotate(status, directory);
}

absl::Status SourceTree::List(absl::string_view directory, Diagnostics& diagnostics, std::vector<SourceFile>* files) {
  return ListRoot(0, directory, diagnostics, files);
}

absl::Status SourceTree::ListMounts(const std::vector<Mount>& mounts, Diagnostics& diagnostics,
                                    std::vector<SourceFile>* files) {
  for (uint32_t i = 0; i < mounts.size(); ++i) {
    const Mount& mount = mounts[i];
    const std::string disk =
        absl::StartsWith(mount.source, "/") ? mount.source : absl::StrCat(site_dir_, "/", mount.source);
    struct stat info;
    if (stat(disk.c_str(), &info) != 0) {
      diagnostics.Error("config", "ssg.toml", 0, absl::StrCat("mount \"", mount.source, "\" does not exist"));
      continue;
    }
    const size_t begin = files->size();
    if (S_ISDIR(info.st_mode)) {
      ASSIGN_OR_RETURN(const uint32_t root, Root(disk));
      RETURN_IF_ERROR(ListRoot(root, "", diagnostics, files));
      // A directory around the site holds the site too; that is not content of its own.
      const std::string inside = PathBelow(disk, site_dir_);
      if (!inside.empty()) {
        files->erase(std::remove_if(files->begin() + begin, files->end(),
                                    [&](const SourceFile& file) { return absl::StartsWith(file.tree_path, inside); }),
                     files->end());
      }
      for (size_t k = begin; k < files->size(); ++k) {
        SourceFile& file = (*files)[k];
        file.path = absl::StrCat(mount.source, "/", file.tree_path);
        file.target = absl::StrCat(mount.target, mount.target.empty() ? "" : "/", file.tree_path);
        file.mount = i;
      }
      continue;
    }
    const size_t slash = disk.rfind('/');
    ASSIGN_OR_RETURN(const uint32_t root, Root(disk.substr(0, slash)));
    SourceFile file;
    file.path = mount.source;
    file.tree_path = disk.substr(slash + 1);
    file.target = mount.target;
    file.root = root;
    file.mount = i;
    const absl::string_view name = file.tree_path;
    RETURN_IF_ERROR(roots_[root]->Stat({&name, 1}, [&](size_t, absl::StatusOr<fs::FileStat> found) {
      if (found.ok()) file.stat = *found;
      return true;
    }));
    files->push_back(std::move(file));
  }
  return absl::OkStatus();
}

absl::Status SourceTree::Read(absl::Span<const SourceFile* const> files,
                              absl::FunctionRef<void(size_t, absl::StatusOr<absl::string_view>)> found) {
  for (uint32_t root = 0; root < roots_.size(); ++root) {
    std::vector<absl::string_view> paths;
    std::vector<size_t> indices;
    for (size_t i = 0; i < files.size(); ++i) {
      if (files[i]->root != root) continue;
      paths.push_back(files[i]->tree_path);
      indices.push_back(i);
    }
    if (paths.empty()) continue;
    RETURN_IF_ERROR(
        roots_[root]->Lookup(paths, kFileBytesMax, [&](size_t index, absl::StatusOr<absl::string_view> text) {
          found(indices[index], std::move(text));
          return true;
        }));
  }
  return absl::OkStatus();
}

}  // namespace ssg

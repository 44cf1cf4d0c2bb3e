// A ModelTree is a filesystem as a test imagines it: names, links and bytes in maps.
//
// Errors:  NotFound, AlreadyExists, InvalidArgument, FailedPrecondition, as a Volume gives
// Threads: thread-compatible. Copies are independent.
#ifndef FS_TESTING_MODEL_TREE_H_
#define FS_TESTING_MODEL_TREE_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fs::testing {

class ModelTree {
 public:
  ModelTree() { nodes_[1] = {.mode = 0040755}; }

  // Paths have no leading slash: "a", "dir/a".
  absl::Status Create(const std::string& path);
  absl::Status MakeDirectory(const std::string& path);
  absl::Status Write(const std::string& path, uint64_t offset, absl::string_view bytes);
  absl::Status Append(const std::string& path, absl::string_view bytes);
  absl::Status Truncate(const std::string& path, uint64_t size_bytes);
  absl::Status Link(const std::string& from, const std::string& to);
  absl::Status Rename(const std::string& from, const std::string& to);
  absl::Status Unlink(const std::string& path);
  absl::Status RemoveDirectory(const std::string& path);

  // As DumpTree(volume, DumpDetail::kContent).
  std::string Dump() const;

 private:
  struct Node {
    uint32_t mode = 0100644;
    std::string data;
    std::map<std::string, int> children;  // of a directory

    bool is_directory() const { return (mode & 0170000) == 0040000; }
  };
  struct Place {
    int directory = 0;  // 0 = there is no such directory
    std::string name;
    int node = 0;  // 0 = the name is free
  };

  Place Find(const std::string& path) const;
  absl::Status File(const std::string& path, Node** node);
  absl::Status Make(const std::string& path, uint32_t mode);
  // Whether `node` is `below` or inside it.
  bool Inside(int node, int below) const;
  void Collect(const std::string& path, int node, std::map<std::string, int>* paths) const;

  std::map<int, Node> nodes_;  // 1 = the root; nodes without names stay, unseen
  int next_ = 2;
};

}  // namespace fs::testing

#endif  // FS_TESTING_MODEL_TREE_H_

// VolumeModel: what a POSIX tree is, said as plainly as possible. A value: copies are
// snapshots.
//
// Shape:   calls return the errno that POSIX (and Linux, where they differ) asks for, and
//          change the model if that is 0. Inode numbers are told by the volume.
// Threads: thread-compatible.
#ifndef FS_VOLUME_TESTING_VOLUME_MODEL_H_
#define FS_VOLUME_TESTING_VOLUME_MODEL_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fs/volume/types.h"

namespace fs {

struct ModelNode {
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t links = 0;
  uint32_t device = 0;
  std::string content;  // or the target of a symbolic link
  std::map<std::string, std::string> xattrs;
  std::map<std::string, InodeNumber> entries;
  std::vector<std::string> order;  // the names, in the order of creation
  InodeNumber parent = 0;          // directories
  uint64_t references = 0;
  bool linkable = false;
  // Set by every call that changes the node; cleared by who compares.
  bool touched = true;
  Timestamp change_time;

  bool is_directory() const { return (mode & 0170000) == 0040000; }
  bool is_regular() const { return (mode & 0170000) == 0100000; }
};

class VolumeModel {
 public:
  VolumeModel();

  // Errno of making a name; then Make() with what the volume chose.
  int CheckMake(InodeNumber directory, const std::string& name) const;
  void Make(InodeNumber directory, const std::string& name, InodeNumber number, uint32_t mode,
            const Credentials& credentials, const std::string& target);
  void MakeTemporary(InodeNumber directory, InodeNumber number, uint32_t mode, const Credentials& credentials);
  int Link(InodeNumber inode, InodeNumber directory, const std::string& name);
  int Remove(InodeNumber directory, const std::string& name, bool is_directory);
  int Rename(InodeNumber from_directory, const std::string& from, InodeNumber to_directory, const std::string& to,
             RenameFlag flag);

  int SetMode(InodeNumber inode, uint32_t mode);
  int SetOwner(InodeNumber inode, uint32_t uid, uint32_t gid);
  int Truncate(InodeNumber inode, uint64_t size);
  int Write(InodeNumber inode, uint64_t offset, const std::string& bytes, bool kill_privileges);
  int Zero(InodeNumber inode, uint64_t offset, uint64_t length, bool grows);
  int Extend(InodeNumber inode, uint64_t end, bool keep_size);
  int Copy(InodeNumber from, uint64_t from_offset, InodeNumber to, uint64_t to_offset, uint64_t length,
           uint64_t* copied);
  int SetXattr(InodeNumber inode, const std::string& name, const std::string& value, XattrFlag flag);
  int RemoveXattr(InodeNumber inode, const std::string& name);

  void TakeReference(InodeNumber inode) { ++nodes_.at(inode).references; }
  void Forget(InodeNumber inode);
  // A mount later: nobody holds anything.
  void ForgetAll();

  std::map<InodeNumber, ModelNode>& nodes() { return nodes_; }
  const std::map<InodeNumber, ModelNode>& nodes() const { return nodes_; }

 private:
  ModelNode* Find(InodeNumber inode);
  const ModelNode* Find(InodeNumber inode) const;
  int CheckDirectory(InodeNumber directory) const;
  bool IsAncestor(InodeNumber ancestor, InodeNumber node) const;
  void Attach(InodeNumber directory, const std::string& name, InodeNumber inode);
  void Detach(InodeNumber directory, const std::string& name);
  void LoseLink(InodeNumber inode);
  void DropIfUnheld(InodeNumber inode);
  int FileError(const ModelNode* node) const;
  static void DropPrivileges(ModelNode* node, bool suid);

  std::map<InodeNumber, ModelNode> nodes_;
};

}  // namespace fs

#endif  // FS_VOLUME_TESTING_VOLUME_MODEL_H_

#include "fs/volume/testing/volume_model.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace fs {

VolumeModel::VolumeModel() {
  ModelNode& root = nodes_[kRootInode];
  root.mode = S_IFDIR | 0755;
  root.links = 2;
}

ModelNode* VolumeModel::Find(InodeNumber inode) {
  const auto it = nodes_.find(inode);
  return it == nodes_.end() ? nullptr : &it->second;
}
const ModelNode* VolumeModel::Find(InodeNumber inode) const { return const_cast<VolumeModel*>(this)->Find(inode); }

int VolumeModel::CheckDirectory(InodeNumber directory) const {
  const ModelNode* node = Find(directory);
  if (node == nullptr) return ESTALE;
  if (!node->is_directory()) return ENOTDIR;
  return node->links == 0 ? ENOENT : 0;
}

int VolumeModel::CheckMake(InodeNumber directory, const std::string& name) const {
  if (const int error = CheckDirectory(directory); error != 0) return error;
  return Find(directory)->entries.count(name) == 1 ? EEXIST : 0;
}

void VolumeModel::Attach(InodeNumber directory, const std::string& name, InodeNumber inode) {
  ModelNode& parent = nodes_.at(directory);
  parent.entries[name] = inode;
  parent.order.push_back(name);
  parent.touched = true;
  ModelNode& child = nodes_.at(inode);
  if (!child.is_directory()) return;
  child.parent = directory;
  ++parent.links;
}

void VolumeModel::Detach(InodeNumber directory, const std::string& name) {
  ModelNode& parent = nodes_.at(directory);
  if (nodes_.at(parent.entries.at(name)).is_directory()) --parent.links;
  parent.entries.erase(name);
  parent.order.erase(std::find(parent.order.begin(), parent.order.end(), name));
  parent.touched = true;
}

void VolumeModel::Make(InodeNumber directory, const std::string& name, InodeNumber number, uint32_t mode,
                       const Credentials& credentials, const std::string& target) {
  const ModelNode& parent = nodes_.at(directory);
  ModelNode node;
  node.mode = S_ISLNK(mode) ? mode : mode & ~credentials.umask;
  node.uid = credentials.uid;
  node.gid = credentials.gid;
  if ((parent.mode & S_ISGID) != 0) {
    node.gid = parent.gid;
    if (node.is_directory()) node.mode |= S_ISGID;
  }
  node.links = node.is_directory() ? 2 : 1;
  node.content = target;
  nodes_[number] = node;
  Attach(directory, name, number);
}

void VolumeModel::MakeTemporary(InodeNumber directory, InodeNumber number, uint32_t mode,
                                const Credentials& credentials) {
  const ModelNode& parent = nodes_.at(directory);
  ModelNode node;
  node.mode = S_IFREG | (mode & ~credentials.umask);
  node.uid = credentials.uid;
  node.gid = (parent.mode & S_ISGID) != 0 ? parent.gid : credentials.gid;
  node.linkable = true;
  node.references = 1;
  nodes_[number] = node;
}

int VolumeModel::Link(InodeNumber inode, InodeNumber directory, const std::string& name) {
  if (const int error = CheckMake(directory, name); error != 0) return error;
  ModelNode* node = Find(inode);
  if (node == nullptr) return ESTALE;
  if (node->is_directory()) return EPERM;
  if (node->links == 0 && !node->linkable) return ENOENT;
  ++node->links;
  node->linkable = false;
  node->touched = true;
  Attach(directory, name, inode);
  return 0;
}

void VolumeModel::DropIfUnheld(InodeNumber inode) {
  const ModelNode& node = nodes_.at(inode);
  if (node.links == 0 && node.references == 0) nodes_.erase(inode);
}

void VolumeModel::LoseLink(InodeNumber inode) {
  ModelNode& node = nodes_.at(inode);
  node.links = node.is_directory() ? 0 : node.links - 1;
  node.touched = true;
  DropIfUnheld(inode);
}

int VolumeModel::Remove(InodeNumber directory, const std::string& name, bool is_directory) {
  if (const int error = CheckDirectory(directory); error != 0) return error;
  const auto it = Find(directory)->entries.find(name);
  if (it == Find(directory)->entries.end()) return ENOENT;
  const InodeNumber inode = it->second;
  const ModelNode& node = nodes_.at(inode);
  if (is_directory && !node.is_directory()) return ENOTDIR;
  if (is_directory && !node.entries.empty()) return ENOTEMPTY;
  if (!is_directory && node.is_directory()) return EISDIR;
  Detach(directory, name);
  LoseLink(inode);
  return 0;
}

bool VolumeModel::IsAncestor(InodeNumber ancestor, InodeNumber node) const {
  while (node != 0 && node != ancestor) node = nodes_.at(node).parent;
  return node == ancestor;
}

int VolumeModel::Rename(InodeNumber from_directory, const std::string& from, InodeNumber to_directory,
                        const std::string& to, RenameFlag flag) {
  if (const int error = CheckDirectory(from_directory); error != 0) return error;
  if (const int error = CheckDirectory(to_directory); error != 0) return error;
  ModelNode& from_parent = nodes_.at(from_directory);
  ModelNode& to_parent = nodes_.at(to_directory);
  if (from_parent.entries.count(from) == 0) return ENOENT;
  const InodeNumber child = from_parent.entries.at(from);
  const InodeNumber target = to_parent.entries.count(to) == 1 ? to_parent.entries.at(to) : 0;
  if (flag == RenameFlag::kNoReplace && target != 0) return EEXIST;
  if (flag == RenameFlag::kExchange && target == 0) return ENOENT;
  if (child == target) return 0;
  const bool child_is_directory = nodes_.at(child).is_directory();
  const bool target_is_directory = target != 0 && nodes_.at(target).is_directory();
  if (child_is_directory && IsAncestor(child, to_directory)) return EINVAL;
  if (target_is_directory && from_directory != to_directory && IsAncestor(target, from_directory)) {
    return flag == RenameFlag::kExchange ? EINVAL : ENOTEMPTY;
  }
  if (flag == RenameFlag::kExchange) {
    nodes_.at(child).touched = true;
    nodes_.at(target).touched = true;
    const std::vector<std::string> from_order = from_parent.order, to_order = to_parent.order;
    Detach(from_directory, from);
    Detach(to_directory, to);
    Attach(to_directory, to, child);
    Attach(from_directory, from, target);
    from_parent.order = from_order;
    to_parent.order = to_order;
    return 0;
  }
  if (target != 0) {
    if (child_is_directory && !target_is_directory) return ENOTDIR;
    if (!child_is_directory && target_is_directory) return EISDIR;
    if (!nodes_.at(target).entries.empty()) return ENOTEMPTY;
    Detach(to_directory, to);
    LoseLink(target);
  }
  nodes_.at(child).touched = true;
  const auto place = std::find(from_parent.order.begin(), from_parent.order.end(), from) - from_parent.order.begin();
  Detach(from_directory, from);
  Attach(to_directory, to, child);
  if (from_directory == to_directory) {
    to_parent.order.pop_back();
    to_parent.order.insert(to_parent.order.begin() + place, to);
  }
  return 0;
}

int VolumeModel::FileError(const ModelNode* node) const {
  if (node == nullptr) return ESTALE;
  if (node->is_directory()) return EISDIR;
  return node->is_regular() ? 0 : EINVAL;
}

void VolumeModel::DropPrivileges(ModelNode* node, bool suid) {
  if (node->is_directory()) return;
  if (suid) {
    node->mode &= ~uint32_t{S_ISUID};
    if ((node->mode & S_IXGRP) != 0) node->mode &= ~uint32_t{S_ISGID};
  }
  node->xattrs.erase("security.capability");
}

int VolumeModel::SetMode(InodeNumber inode, uint32_t mode) {
  ModelNode* node = Find(inode);
  if (node == nullptr) return ESTALE;
  node->mode = (node->mode & S_IFMT) | mode;
  node->touched = true;
  return 0;
}

int VolumeModel::SetOwner(InodeNumber inode, uint32_t uid, uint32_t gid) {
  ModelNode* node = Find(inode);
  if (node == nullptr) return ESTALE;
  DropPrivileges(node, true);
  node->uid = uid;
  node->gid = gid;
  node->touched = true;
  return 0;
}

int VolumeModel::Truncate(InodeNumber inode, uint64_t size) {
  ModelNode* node = Find(inode);
  if (const int error = FileError(node); error != 0) return error;
  DropPrivileges(node, false);
  node->content.resize(size, '\0');
  node->touched = true;
  return 0;
}

int VolumeModel::Write(InodeNumber inode, uint64_t offset, const std::string& bytes, bool kill_privileges) {
  ModelNode* node = Find(inode);
  if (const int error = FileError(node); error != 0) return error;
  if (bytes.empty()) return 0;
  DropPrivileges(node, kill_privileges);
  node->content.resize(std::max<uint64_t>(node->content.size(), offset + bytes.size()), '\0');
  node->content.replace(offset, bytes.size(), bytes);
  node->touched = true;
  return 0;
}

int VolumeModel::Zero(InodeNumber inode, uint64_t offset, uint64_t length, bool grows) {
  ModelNode* node = Find(inode);
  if (const int error = FileError(node); error != 0) return error;
  DropPrivileges(node, false);
  if (grows) node->content.resize(std::max<uint64_t>(node->content.size(), offset + length), '\0');
  for (uint64_t i = offset; i < std::min<uint64_t>(node->content.size(), offset + length); ++i) node->content[i] = 0;
  node->touched = true;
  return 0;
}

int VolumeModel::Extend(InodeNumber inode, uint64_t end, bool keep_size) {
  ModelNode* node = Find(inode);
  if (const int error = FileError(node); error != 0) return error;
  DropPrivileges(node, false);
  if (!keep_size) node->content.resize(std::max<uint64_t>(node->content.size(), end), '\0');
  node->touched = true;
  return 0;
}

int VolumeModel::Copy(InodeNumber from, uint64_t from_offset, InodeNumber to, uint64_t to_offset, uint64_t length,
                      uint64_t* copied) {
  const ModelNode* source = Find(from);
  if (const int error = FileError(source); error != 0) return error;
  ModelNode* target = Find(to);
  if (const int error = FileError(target); error != 0) return error;
  *copied =
      from_offset >= source->content.size() ? 0 : std::min<uint64_t>(length, source->content.size() - from_offset);
  if (*copied == 0) return 0;
  if (from == to && from_offset < to_offset + *copied && to_offset < from_offset + *copied) return EINVAL;
  return Write(to, to_offset, source->content.substr(from_offset, *copied), false);
}

int VolumeModel::SetXattr(InodeNumber inode, const std::string& name, const std::string& value, XattrFlag flag) {
  ModelNode* node = Find(inode);
  if (node == nullptr) return ESTALE;
  if (name.rfind("user.", 0) == 0 && !node->is_regular() && !node->is_directory()) return EPERM;
  if (flag == XattrFlag::kCreate && node->xattrs.count(name) == 1) return EEXIST;
  if (flag == XattrFlag::kReplace && node->xattrs.count(name) == 0) return ENODATA;
  node->xattrs[name] = value;
  node->touched = true;
  return 0;
}

int VolumeModel::RemoveXattr(InodeNumber inode, const std::string& name) {
  ModelNode* node = Find(inode);
  if (node == nullptr) return ESTALE;
  if (name.rfind("user.", 0) == 0 && !node->is_regular() && !node->is_directory()) return EPERM;
  if (node->xattrs.erase(name) == 0) return ENODATA;
  node->touched = true;
  return 0;
}

void VolumeModel::Forget(InodeNumber inode) {
  --nodes_.at(inode).references;
  DropIfUnheld(inode);
}

void VolumeModel::ForgetAll() {
  for (auto it = nodes_.begin(); it != nodes_.end();) {
    it->second.references = 0;
    it->second.linkable = false;
    it = it->second.links == 0 ? nodes_.erase(it) : std::next(it);
  }
}

}  // namespace fs

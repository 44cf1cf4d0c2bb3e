#include "fs/testing/model_tree.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "fs/testing/tree_dump.h"

namespace fs::testing {

ModelTree::Place ModelTree::Find(const std::string& path) const {
  Place place;
  int node = 1;
  for (const absl::string_view name : absl::StrSplit(path, '/')) {
    const auto directory = nodes_.find(node);
    if (directory == nodes_.end() || !directory->second.is_directory()) return Place();
    place.directory = node;
    place.name = std::string(name);
    const auto child = directory->second.children.find(place.name);
    place.node = child == directory->second.children.end() ? 0 : child->second;
    node = place.node;
  }
  return place;
}

absl::Status ModelTree::File(const std::string& path, Node** node) {
  const Place place = Find(path);
  if (place.node == 0) return absl::NotFoundError(path);
  *node = &nodes_[place.node];
  if ((*node)->is_directory()) return absl::FailedPreconditionError(path);
  return absl::OkStatus();
}

absl::Status ModelTree::Make(const std::string& path, uint32_t mode) {
  const Place place = Find(path);
  if (place.directory == 0) return absl::NotFoundError(path);
  if (place.node != 0) return absl::AlreadyExistsError(path);
  nodes_[next_].mode = mode;
  nodes_[place.directory].children[place.name] = next_++;
  return absl::OkStatus();
}

absl::Status ModelTree::Create(const std::string& path) { return Make(path, 0100644); }
absl::Status ModelTree::MakeDirectory(const std::string& path) { return Make(path, 0040755); }

absl::Status ModelTree::Write(const std::string& path, uint64_t offset, absl::string_view bytes) {
  Node* node = nullptr;
  RETURN_IF_ERROR(File(path, &node));
  node->data.resize(std::max<size_t>(node->data.size(), offset + bytes.size()), '\0');
  node->data.replace(offset, bytes.size(), bytes.data(), bytes.size());
  return absl::OkStatus();
}

absl::Status ModelTree::Append(const std::string& path, absl::string_view bytes) {
  Node* node = nullptr;
  RETURN_IF_ERROR(File(path, &node));
  node->data.append(bytes.data(), bytes.size());
  return absl::OkStatus();
}

absl::Status ModelTree::Truncate(const std::string& path, uint64_t size_bytes) {
  Node* node = nullptr;
  RETURN_IF_ERROR(File(path, &node));
  node->data.resize(size_bytes, '\0');
  return absl::OkStatus();
}

absl::Status ModelTree::Link(const std::string& from, const std::string& to) {
  Node* node = nullptr;
  RETURN_IF_ERROR(File(from, &node));
  const Place place = Find(to);
  if (place.directory == 0) return absl::NotFoundError(to);
  if (place.node != 0) return absl::AlreadyExistsError(to);
  nodes_[place.directory].children[place.name] = Find(from).node;
  return absl::OkStatus();
}

bool ModelTree::Inside(int node, int below) const {
  if (node == below) return true;
  const auto found = nodes_.find(below);
  if (found == nodes_.end()) return false;
  return std::any_of(found->second.children.begin(), found->second.children.end(),
                     [&](const auto& child) { return Inside(node, child.second); });
}

absl::Status ModelTree::Rename(const std::string& from, const std::string& to) {
  const Place source = Find(from);
  const Place target = Find(to);
  if (source.node == 0) return absl::NotFoundError(from);
  if (target.directory == 0) return absl::NotFoundError(to);
  if (Inside(target.directory, source.node)) return absl::InvalidArgumentError(to);
  if (target.node == source.node) return absl::OkStatus();
  if (target.node != 0) {
    const Node& victim = nodes_[target.node];
    if (victim.is_directory() != nodes_[source.node].is_directory() || !victim.children.empty()) {
      return absl::FailedPreconditionError(to);
    }
  }
  nodes_[source.directory].children.erase(source.name);
  nodes_[target.directory].children[target.name] = source.node;
  return absl::OkStatus();
}

absl::Status ModelTree::Unlink(const std::string& path) {
  Node* node = nullptr;
  RETURN_IF_ERROR(File(path, &node));
  const Place place = Find(path);
  nodes_[place.directory].children.erase(place.name);
  return absl::OkStatus();
}

absl::Status ModelTree::RemoveDirectory(const std::string& path) {
  const Place place = Find(path);
  if (place.node == 0) return absl::NotFoundError(path);
  const Node& node = nodes_[place.node];
  if (!node.is_directory() || !node.children.empty()) return absl::FailedPreconditionError(path);
  nodes_[place.directory].children.erase(place.name);
  return absl::OkStatus();
}

void ModelTree::Collect(const std::string& path, int node, std::map<std::string, int>* paths) const {
  for (const auto& [name, child] : nodes_.at(node).children) {
    const std::string child_path = absl::StrCat(path, "/", name);
    (*paths)[child_path] = child;
    Collect(child_path, child, paths);
  }
}

std::string ModelTree::Dump() const {
  std::map<std::string, int> paths = {{"/", 1}};
  Collect("", 1, &paths);
  std::map<int, uint64_t> links;
  for (const auto& [path, node] : paths) ++links[node];
  std::string text;
  for (const auto& [path, node] : paths) {
    const Node& found = nodes_.at(node);
    text += ContentLine(path, found.mode, links[node], found.data);
  }
  return text;
}

}  // namespace fs::testing

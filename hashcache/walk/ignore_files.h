// Where ignore rules come from during a walk: options, .git/info/exclude, .gitignore and
// .hashcacheignore files, CACHEDIR.TAG.
//
// Threads: no state.
#ifndef HASHCACHE_WALK_IGNORE_FILES_H_
#define HASHCACHE_WALK_IGNORE_FILES_H_

#include <memory>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "hashcache/tree.h"
#include "hashcache/walk/ignore.h"
#include "hashcache/walk/listing.h"

namespace hashcache {

// The rules that hold for all of the tree below the directory `fd`; may be null.
std::shared_ptr<const IgnoreScope> RootScope(const TreeOptions& options, int fd);

// `around` with the rules that the files listed in the directory `fd` add. `prefix`
// is the directory's path below the root: "" or "a/b/".
std::shared_ptr<const IgnoreScope> ScopeOf(const TreeOptions& options, int fd, const std::string& prefix,
                                           const Listing& listing, std::shared_ptr<const IgnoreScope> around);
// Whether `name` is a file that ScopeOf() would read.
bool IsIgnoreFile(const TreeOptions& options, absl::string_view name);

// Drops from `listing` what the walk leaves out. `hidden`: whole paths.
void DropIgnored(const TreeOptions& options, int fd, absl::string_view prefix, const IgnoreScope* scope,
                 const absl::flat_hash_set<std::string>& hidden, Listing* listing);

}  // namespace hashcache

#endif  // HASHCACHE_WALK_IGNORE_FILES_H_

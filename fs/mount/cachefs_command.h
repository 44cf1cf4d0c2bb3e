// The command `cachefs`: mounts a store, in the background unless told otherwise.
//
// Life:    check the words and the mount point -> daemon -> open the store -> mount ->
//          report "usable" -> serve until the mount is gone or a signal comes ->
//          everything durable -> exit.
// Exit:    0 mounted (in the foreground: ended well), 1 could not, 2 wrong words.
// Threads: single thread (main).
#ifndef FS_MOUNT_CACHEFS_COMMAND_H_
#define FS_MOUNT_CACHEFS_COMMAND_H_

#include "base/command_line.h"
#include "fs/mount/store.h"

namespace fs {

// `opener` makes a Store of what the user named.
base::Command CachefsCommand(StoreOpener opener);

// The same as mount(8) calls it: `mount.fuse.cachefs STORE MOUNTPOINT [-sfnv] -o WORDS`.
base::Command MountHelperCommand(StoreOpener opener);

// Runs the one that argv[0] names.
int RunCachefs(StoreOpener opener, int argc, char** argv);

}  // namespace fs

#endif  // FS_MOUNT_CACHEFS_COMMAND_H_

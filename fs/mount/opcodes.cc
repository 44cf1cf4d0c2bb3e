#include "fs/mount/opcodes.h"

#include <linux/fuse.h>

#include <cstddef>

namespace fs {
namespace {

// In the order of their numbers, from 1; "" where a number is not used.
constexpr const char* kOpcodeNames[] = {"",
                                        "LOOKUP",
                                        "FORGET",
                                        "GETATTR",
                                        "SETATTR",
                                        "READLINK",
                                        "SYMLINK",
                                        "",
                                        "MKNOD",
                                        "MKDIR",
                                        "UNLINK",
                                        "RMDIR",
                                        "RENAME",
                                        "LINK",
                                        "OPEN",
                                        "READ",
                                        "WRITE",
                                        "STATFS",
                                        "RELEASE",
                                        "",
                                        "FSYNC",
                                        "SETXATTR",
                                        "GETXATTR",
                                        "LISTXATTR",
                                        "REMOVEXATTR",
                                        "FLUSH",
                                        "INIT",
                                        "OPENDIR",
                                        "READDIR",
                                        "RELEASEDIR",
                                        "FSYNCDIR",
                                        "GETLK",
                                        "SETLK",
                                        "SETLKW",
                                        "ACCESS",
                                        "CREATE",
                                        "INTERRUPT",
                                        "BMAP",
                                        "DESTROY",
                                        "IOCTL",
                                        "POLL",
                                        "NOTIFY_REPLY",
                                        "BATCH_FORGET",
                                        "FALLOCATE",
                                        "READDIRPLUS",
                                        "RENAME2",
                                        "LSEEK",
                                        "COPY_FILE_RANGE",
                                        "SETUPMAPPING",
                                        "REMOVEMAPPING",
                                        "SYNCFS",
                                        "TMPFILE",
                                        "STATX"};

}  // namespace

const char* OpcodeName(uint32_t opcode) {
  static_assert(sizeof kOpcodeNames / sizeof kOpcodeNames[0] == 53);
  static_assert(FUSE_RENAME2 == 45 && FUSE_SYNCFS == 50 && FUSE_TMPFILE == 51 && FUSE_STATFS == 17);
  return opcode < sizeof kOpcodeNames / sizeof kOpcodeNames[0] ? kOpcodeNames[opcode] : "";
}

}  // namespace fs

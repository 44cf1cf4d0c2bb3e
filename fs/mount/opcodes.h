// Names of the kernel's requests.
//
// Threads: no state.
// Source:  linux/fuse.h, enum fuse_opcode.
#ifndef FS_MOUNT_OPCODES_H_
#define FS_MOUNT_OPCODES_H_

#include <cstdint>

namespace fs {

// "LOOKUP" for 1, and so on; "" for numbers without a name.
const char* OpcodeName(uint32_t opcode);

}  // namespace fs

#endif  // FS_MOUNT_OPCODES_H_

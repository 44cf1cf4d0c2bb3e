#include "fs/mount/opcodes.h"

#include <linux/fuse.h>

#include "gtest/gtest.h"

namespace fs {
namespace {

TEST(OpcodesTest, HaveTheKernelsNames) {
  EXPECT_STREQ(OpcodeName(FUSE_LOOKUP), "LOOKUP");
  EXPECT_STREQ(OpcodeName(FUSE_WRITE), "WRITE");
  EXPECT_STREQ(OpcodeName(FUSE_FSYNC), "FSYNC");
  EXPECT_STREQ(OpcodeName(FUSE_CREATE), "CREATE");
  EXPECT_STREQ(OpcodeName(FUSE_READDIRPLUS), "READDIRPLUS");
  EXPECT_STREQ(OpcodeName(FUSE_COPY_FILE_RANGE), "COPY_FILE_RANGE");
  EXPECT_STREQ(OpcodeName(FUSE_TMPFILE), "TMPFILE");
  EXPECT_STREQ(OpcodeName(0), "");
  EXPECT_STREQ(OpcodeName(4096), "");
}

}  // namespace
}  // namespace fs

#include "fs/client/posix_tree_client.h"

#include <sys/stat.h>

#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "fs/client/testing/tree_client_conformance.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

const base::TempDir& Parent() {
  static const base::TempDir parent;
  return parent;
}

std::string MakeDirectory() {
  static int count = 0;
  const std::string path = base::JoinPath(Parent().path(), std::to_string(count++));
  EXPECT_EQ(mkdir(path.c_str(), 0755), 0);
  return path;
}

INSTANTIATE_TEST_SUITE_P(
    Posix, TreeClientConformanceTest,
    ::testing::Values(TreeClientFactory{
        .name = "posix", .make_directory = MakeDirectory, .open = [](const std::string& directory) {
          return TreeClient::ForPath(directory);
        }}));

TEST(PosixTreeClientTest, ErrorsNameThePath) {
  const absl::Status status = TreeClient::ForPath("/no/such/directory").status();
  EXPECT_THAT(status, base::StatusIs(absl::StatusCode::kNotFound, ::testing::HasSubstr("/no/such/directory")));
}

}  // namespace
}  // namespace fs

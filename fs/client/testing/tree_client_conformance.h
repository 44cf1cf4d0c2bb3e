// The one test that every TreeClient passes. A client's own test instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(Posix, TreeClientConformanceTest, ::testing::Values(TreeClientFactory{...}));
//
// Threads: single thread, but for the test that says otherwise.
#ifndef FS_CLIENT_TESTING_TREE_CLIENT_CONFORMANCE_H_
#define FS_CLIENT_TESTING_TREE_CLIENT_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <string>

#include "fs/client/tree_client.h"
#include "gtest/gtest.h"

namespace fs {

struct TreeClientFactory {
  std::string name;
  // An empty directory for one test, on the filesystem that is meant; "" skips.
  std::function<std::string()> make_directory;
  std::function<absl::StatusOr<std::unique_ptr<TreeClient>>(const std::string& directory)> open;
};

class TreeClientConformanceTest : public ::testing::TestWithParam<TreeClientFactory> {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::string root_;
  std::unique_ptr<TreeClient> client_;
};

}  // namespace fs

#endif  // FS_CLIENT_TESTING_TREE_CLIENT_CONFORMANCE_H_

#include "fs/client/batch_tree_client.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::base::StatusIs;

// The daemon's side as a map from path to bytes; what it sees is recorded.
struct Daemon {
  std::map<std::string, std::string> files;
  std::string upload;
  int frames = 0;
  uint32_t capabilities = kAtomicBatch | kDigest;
  std::vector<bool> more_flags;  // of the frames with items
  int items_max = 1000;  // answered in one frame
  size_t payload_max = kFrameBytesMax / 2;
  absl::Status next_error;
};

class FakeChannel final : public BatchChannel {
 public:
  explicit FakeChannel(Daemon* daemon) : daemon_(daemon) {}

  absl::Status Call(const batch::Request& request, absl::string_view payload, batch::Reply* reply,
                    absl::string_view* payload_out) override {
    ++daemon_->frames;
    EXPECT_LE(kFrameHeaderBytes + request.ByteSizeLong() + payload.size(), kFrameBytesMax);
    if (!daemon_->next_error.ok()) return std::exchange(daemon_->next_error, absl::OkStatus());
    answer_.clear();
    reply->set_capabilities(daemon_->capabilities);
    if (request.items_size() > 0) daemon_->more_flags.push_back(request.more());
    for (const batch::Item& item : request.items()) {
      if (reply->results_size() == daemon_->items_max || answer_.size() >= daemon_->payload_max) break;
      batch::Result& result = *reply->add_results();
      if (item.has_store()) {
        Store(request, item.store(), payload.substr(0, item.store().payload_bytes()), &result);
        payload.remove_prefix(item.store().payload_bytes());
      } else if (item.has_lookup()) {
        Lookup(request, item.lookup(), &result);
      }
    }
    *payload_out = answer_;
    return absl::OkStatus();
  }

 private:
  static std::string PathOf(const batch::Request& request, const batch::Path& path) {
    if (path.directory() == 0) return path.name();
    return absl::StrCat(request.directories(static_cast<int>(path.directory()) - 1), "/", path.name());
  }
  void Store(const batch::Request& request, const batch::Store& store, absl::string_view payload,
             batch::Result* result) {
    result->set_changed(true);
    if (store.upload() == 0) {
      daemon_->files[PathOf(request, store.path())] = std::string(payload);
      return;
    }
    EXPECT_EQ(store.offset(), daemon_->upload.size());
    daemon_->upload.append(payload.data(), payload.size());
    if (!store.more()) daemon_->files[PathOf(request, store.path())] = std::exchange(daemon_->upload, "");
  }
  void Lookup(const batch::Request& request, const batch::Lookup& lookup, batch::Result* result) {
    const auto found = daemon_->files.find(PathOf(request, lookup.path()));
    if (found == daemon_->files.end()) {
      result->set_code(static_cast<uint32_t>(absl::StatusCode::kNotFound));
      result->set_message("no such file");
      return;
    }
    const std::string part = found->second.substr(lookup.offset(), daemon_->payload_max);
    result->set_size_bytes(found->second.size());
    result->set_payload_bytes(static_cast<uint32_t>(part.size()));
    answer_ += part;
  }

  Daemon* const daemon_;
  std::string answer_;
};

class BatchTreeClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(tree_client_,
                         BatchTreeClient::Create(
                             [this] { return std::unique_ptr<BatchChannel>(new FakeChannel(&daemon_)); }, nullptr));
    daemon_.frames = 0;
  }

  Daemon daemon_;
  std::unique_ptr<BatchTreeClient> tree_client_;
};

TEST_F(BatchTreeClientTest, CapabilitiesAreTheDaemons) {
  EXPECT_EQ(tree_client_->capabilities(), uint32_t{kAtomicBatch | kDigest});
}

TEST_F(BatchTreeClientTest, CutsBatchesIntoFramesAndAnswersInOrder) {
  std::vector<std::string> paths;
  const std::string data(4096, 'x');
  for (int i = 0; i < 1000; ++i) paths.push_back(absl::StrCat("dir", i / 100, "/file", i));
  std::vector<StoreItem> items;
  for (const std::string& path : paths) items.push_back({.path = path, .data = data});
  std::vector<size_t> answered;
  ASSERT_OK(tree_client_->Store(items, {}, [&answered](size_t i, absl::StatusOr<bool> written) {
    EXPECT_THAT(written, base::IsOkAndHolds(true));
    answered.push_back(i);
    return true;
  }));
  EXPECT_EQ(answered.size(), 1000u);
  EXPECT_EQ(daemon_.files.size(), 1000u);
  EXPECT_EQ(daemon_.files.at("dir9/file950"), data);
  EXPECT_LE(daemon_.frames, 6);
}

TEST_F(BatchTreeClientTest, AsksAgainForWhatDidNotFit) {
  daemon_.items_max = 3;
  std::vector<std::string> names;
  for (int i = 0; i < 10; ++i) {
    names.push_back(absl::StrCat("f", i));
    daemon_.files[names.back()] = absl::StrCat("data", i);
  }
  daemon_.files.erase("f4");
  const std::vector<absl::string_view> paths(names.begin(), names.end());
  std::map<size_t, std::string> found;
  ASSERT_OK(tree_client_->Lookup(paths, 100, [&found](size_t i, absl::StatusOr<absl::string_view> data) {
    found[i] = data.ok() ? std::string(*data) : std::string(data.status().message());
    return true;
  }));
  EXPECT_EQ(found.size(), 10u);
  EXPECT_EQ(found[9], "data9");
  EXPECT_THAT(found[4], ::testing::HasSubstr("f4"));
}

TEST_F(BatchTreeClientTest, LargeFilesGoAndComeInParts) {
  std::string data;
  for (int i = 0; i < 700000; ++i) data += absl::StrCat(i % 10000);
  const StoreItem item = {.path = "a/large", .data = data};
  ASSERT_OK(tree_client_->Store({&item, 1}, {}, [](size_t, absl::StatusOr<bool> written) {
    EXPECT_THAT(written, base::IsOkAndHolds(true));
    return true;
  }));
  EXPECT_EQ(daemon_.files["a/large"], data);
  const absl::string_view path = "a/large";
  ASSERT_OK(tree_client_->Lookup({&path, 1}, data.size(), [&data](size_t, absl::StatusOr<absl::string_view> found) {
    EXPECT_TRUE(found.ok() && *found == data);
    return true;
  }));
}

TEST_F(BatchTreeClientTest, SessionErrorsAreTheOuterStatus) {
  daemon_.next_error = absl::UnavailableError("gone");
  const StoreItem item = {.path = "f", .data = "x"};
  EXPECT_THAT(tree_client_->Store({&item, 1}, {}, [](size_t, absl::StatusOr<bool>) { return true; }),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(tree_client_->Store({&item, 1}, {}, [](size_t, absl::StatusOr<bool>) { return true; }));
}

TEST_F(BatchTreeClientTest, AnAtomicBatchOfManyFramesIsAnsweredWithTheLast) {
  daemon_.capabilities |= 16;
  SetUp();  // as it asks for them when it is made
  const std::string half(kFrameBytesMax * 2 / 3, 'x');
  const std::vector<StoreItem> items = {{.path = "a", .data = half}, {.path = "b", .data = half}, {.path = "c", .data = half}};
  std::set<size_t> answered;
  ASSERT_OK(tree_client_->Store(items, {.atomic = true}, [&](size_t i, absl::StatusOr<bool> written) {
    EXPECT_TRUE(written.ok() && *written);
    EXPECT_EQ(daemon_.more_flags, (std::vector<bool>{true, true, false})) << "not before the last frame";
    return answered.insert(i).second;
  }));
  EXPECT_EQ(answered, (std::set<size_t>{0, 1, 2}));
}

TEST_F(BatchTreeClientTest, AtomicBatchesAreOneFrameOrRefused) {
  const std::string half(kFrameBytesMax * 2 / 3, 'x');
  const std::vector<StoreItem> items = {{.path = "a", .data = half}, {.path = "b", .data = half}};
  EXPECT_THAT(tree_client_->Store(items, {.atomic = true}, [](size_t, absl::StatusOr<bool>) { return true; }),
              StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_TRUE(daemon_.files.empty());
}

}  // namespace
}  // namespace fs

// The control directory and batch sessions on a real mount.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "fs/client/testing/tree_client_conformance.h"
#include "fs/client/tree_client.h"
#include "fs/format/batch_frame.h"
#include "fs/mount/testing/shared_mount.h"

namespace fs {
namespace {

using testing::ErrnoOf;

// The conformance suite brings its own fixture: one mount for all of it.
std::string MakeConformanceDirectory() {
  static testing::TestMount* const mount = [] {
    if (!testing::HaveFuse()) return static_cast<testing::TestMount*>(nullptr);
    auto* started = new testing::TestMount;
    EXPECT_OK(started->Start());
    std::atexit([] { testing::RunShell("umount -l '" + mount->mount_point() + "'"); });
    return started;
  }();
  if (mount == nullptr) return "";
  static int count = 0;
  const std::string path = mount->Path(std::to_string(count++));
  EXPECT_EQ(mkdir(path.c_str(), 0755), 0);
  return path;
}

INSTANTIATE_TEST_SUITE_P(Batch, TreeClientConformanceTest,
                         ::testing::Values(TreeClientFactory{
                             .name = "batch",
                             .make_directory = MakeConformanceDirectory,
                             .open = [](const std::string& directory) { return TreeClient::ForPath(directory); }}));

class BatchMountTest : public testing::SharedMountTest {
 protected:
  base::Fd OpenSession(const std::string& name, int* error = nullptr) {
    base::Fd fd(open(At(".cachefs/batch/" + name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_DIRECT | O_CLOEXEC, 0600));
    if (error != nullptr) *error = fd.valid() ? 0 : errno;
    return fd;
  }
  static std::string StoreFrame(const std::string& path, const std::string& data) {
    batch::Request request;
    batch::Store& store = *request.add_items()->mutable_store();
    store.mutable_path()->set_name(path);
    store.set_mode(0644);
    store.set_payload_bytes(static_cast<uint32_t>(data.size()));
    return EncodeFrame(FrameKind::kRequest, 1, request, data);
  }
};

TEST_F(BatchMountTest, ClientUsesBatches) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<TreeClient> client, TreeClient::ForPath(directory_));
  EXPECT_NE(client->capabilities() & kAtomicBatch, 0u);
  ASSERT_OK_AND_ASSIGN(const auto before, mount_->RequestCounts());
  std::vector<std::string> names;
  for (int i = 0; i < 200; ++i) names.push_back("d/f" + std::to_string(i));
  const std::string data(1024, 'x');
  std::vector<StoreItem> items;
  for (const std::string& name : names) items.push_back({.path = name, .data = data});
  ASSERT_OK(client->Store(items, {}, [](size_t, absl::StatusOr<bool> written) { return written.ok(); }));
  ASSERT_OK_AND_ASSIGN(const auto after, mount_->RequestCounts());
  const auto counted = [](const std::map<std::string, uint64_t>& counts, const char* name) {
    const auto found = counts.find(name);
    return found == counts.end() ? 0 : found->second;
  };
  EXPECT_EQ(counted(after, "WRITE") - counted(before, "WRITE"), 1u) << "one frame for 200 files";
  EXPECT_EQ(testing::ReadAll(At("d/f199")), data);
}

TEST_F(BatchMountTest, ControlDirectoryIsReachableButNeverListed) {
  EXPECT_TRUE(absl::StartsWith(testing::ReadAll(At(".cachefs/version")), "cachefs "));
  EXPECT_TRUE(absl::StrContains(testing::ReadAll(At(".cachefs/stats")), "# TYPE "));
  EXPECT_TRUE(absl::StartsWith(testing::ReadAll(At(".cachefs/stats.json")), "{"));
  // Each reading is a new one.
  const std::string first = testing::ReadAll(At(".cachefs/stats"));
  StatOf(directory_);
  rmdir(At("none").c_str());
  EXPECT_NE(testing::ReadAll(At(".cachefs/stats")), first);
  DIR* const stream = opendir(directory_.c_str());
  ASSERT_NE(stream, nullptr);
  while (const dirent* entry = readdir(stream)) EXPECT_STRNE(entry->d_name, ".cachefs");
  closedir(stream);
  std::string listed;
  EXPECT_EQ(testing::RunShell("ls -a '" + At(".cachefs") + "'", &listed), 0);
  EXPECT_EQ(listed, ".\n..\nbatch\nevents\nmap\nstats\nstats.json\nversion\n");
}

TEST_F(BatchMountTest, TheNameIsReserved) {
  ASSERT_TRUE(testing::WriteAll(At("f"), "x"));
  EXPECT_NE(ErrnoOf(mkdir(At(".cachefs").c_str(), 0755)), 0);
  EXPECT_NE(ErrnoOf(rename(At("f").c_str(), At(".cachefs").c_str())), 0);
  EXPECT_NE(ErrnoOf(unlink(At(".cachefs").c_str())), 0);
  EXPECT_NE(ErrnoOf(rmdir(At(".cachefs").c_str())), 0);
  EXPECT_NE(ErrnoOf(open(At(".cachefs/new").c_str(), O_CREAT | O_WRONLY, 0644)), 0);
  EXPECT_EQ(ErrnoOf(rmdir(At("f").c_str())), ENOTDIR);
  // A directory that holds nothing else can still be removed.
  ASSERT_EQ(mkdir(At("d").c_str(), 0755), 0);
  StatOf(At("d/.cachefs/batch"));
  EXPECT_EQ(ErrnoOf(rmdir(At("d").c_str())), 0);
}

TEST_F(BatchMountTest, NothingStaleIsRead) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<TreeClient> client, TreeClient::ForPath(directory_));
  const auto store = [&](const std::string& path, const std::string& data) {
    const StoreItem item = {.path = path, .data = data};
    ASSERT_OK(client->Store({&item, 1}, {}, [](size_t, absl::StatusOr<bool> written) {
      EXPECT_OK(written);
      return true;
    }));
  };
  // A negative entry, attributes of the directory, pages and attributes of the file: all cached.
  EXPECT_EQ(ErrnoOf(access(At("f").c_str(), F_OK)), ENOENT);
  const struct stat before = StatOf(directory_);
  store("f", "first");
  EXPECT_EQ(testing::ReadAll(At("f")), "first");
  EXPECT_GT(StatOf(directory_).st_mtim.tv_nsec + StatOf(directory_).st_mtim.tv_sec * 1'000'000'000,
            before.st_mtim.tv_nsec + before.st_mtim.tv_sec * 1'000'000'000);
  const ino_t old = StatOf(At("f")).st_ino;
  store("f", "second, longer");
  EXPECT_EQ(testing::ReadAll(At("f")), "second, longer");
  EXPECT_NE(StatOf(At("f")).st_ino, old);
  store("new/dir/f", "x");
  EXPECT_EQ(testing::ReadAll(At("new/dir/f")), "x");
  const absl::string_view path = "f";
  ASSERT_OK(client->Remove({&path, 1}, {}, [](size_t, absl::StatusOr<bool> existed) { return existed.ok(); }));
  EXPECT_EQ(ErrnoOf(access(At("f").c_str(), F_OK)), ENOENT);
  ASSERT_OK(client->Rename("new", "renamed"));
  EXPECT_EQ(ErrnoOf(access(At("new").c_str(), F_OK)), ENOENT);
  EXPECT_EQ(testing::ReadAll(At("renamed/dir/f")), "x");
}

// The names that `stream` still gives, "." and ".." aside.
std::vector<std::string> NamesOf(DIR* stream) {
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream)) {
    if (entry->d_name[0] != '.') names.push_back(entry->d_name);
  }
  return names;
}

std::vector<std::string> NamesIn(const std::string& path) {
  DIR* const stream = opendir(path.c_str());
  EXPECT_NE(stream, nullptr) << path;
  if (stream == nullptr) return {};
  std::vector<std::string> names = NamesOf(stream);
  closedir(stream);
  return names;
}

TEST_F(BatchMountTest, KeptListingsNeverHideWhatBatchesChange) {
  using ::testing::ElementsAre;
  const base::Fd session = OpenSession("listings");
  ASSERT_TRUE(session.valid());
  const auto store = [&](const std::string& name) {
    const std::string frame = StoreFrame(name, "x");
    ASSERT_EQ(pwrite(session.get(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  };
  store("a");
  EXPECT_THAT(NamesIn(directory_), ElementsAre("a"));  // kept from here on
  store("b");
  EXPECT_THAT(NamesIn(directory_), ElementsAre("a", "b"));
  // While readers have the directory open, one of which has read a part of it.
  DIR* const reader = opendir(directory_.c_str());
  DIR* const late = opendir(directory_.c_str());
  ASSERT_TRUE(reader != nullptr && late != nullptr);
  ASSERT_NE(readdir(reader), nullptr);
  store("c");
  EXPECT_THAT(NamesIn(directory_), ElementsAre("a", "b", "c"));
  NamesOf(reader);
  EXPECT_THAT(NamesOf(late), ElementsAre("a", "b", "c")) << "opened before, read after the change";
  rewinddir(reader);
  EXPECT_THAT(NamesOf(reader), ElementsAre("a", "b", "c"));
  closedir(reader);
  store("d");
  EXPECT_THAT(NamesIn(directory_), ElementsAre("a", "b", "c", "d"));
  closedir(late);
  EXPECT_THAT(NamesIn(directory_), ElementsAre("a", "b", "c", "d"));
  ASSERT_EQ(unlink(At("b").c_str()), 0);  // the kernel's own changes
  EXPECT_THAT(NamesIn(directory_), ElementsAre("a", "c", "d"));
}

TEST_F(BatchMountTest, TheRootIsAsFreshAsAnyDirectory) {
  const std::string root = mount_->mount_point();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<TreeClient> client, TreeClient::ForPath(root));
  ASSERT_NE(client->capabilities() & kAtomicBatch, 0u);
  const std::string path = root + "/stored-in-root";
  EXPECT_EQ(ErrnoOf(access(path.c_str(), F_OK)), ENOENT);  // remembered by the kernel
  const struct stat before = StatOf(root);
  const size_t names_before = NamesIn(root).size();
  const StoreItem item = {.path = "stored-in-root", .data = "x"};
  ASSERT_OK(client->Store({&item, 1}, {}, [](size_t, absl::StatusOr<bool> written) { return written.ok(); }));
  EXPECT_EQ(testing::ReadAll(path), "x");
  EXPECT_EQ(NamesIn(root).size(), names_before + 1);
  const struct stat after = StatOf(root);
  EXPECT_TRUE(after.st_mtim.tv_sec > before.st_mtim.tv_sec || after.st_mtim.tv_nsec > before.st_mtim.tv_nsec);
  EXPECT_EQ(unlink(path.c_str()), 0);
}

TEST_F(BatchMountTest, SessionsAreExclusiveAndEndWithTheirFile) {
  base::Fd session = OpenSession("one");
  ASSERT_TRUE(session.valid());
  int error = 0;
  EXPECT_FALSE(OpenSession("one", &error).valid());
  EXPECT_EQ(error, EEXIST);
  session.Reset();
  // Closing ends the session of that name, as soon as the kernel's FORGET has come.
  for (int i = 0; i < 10000 && !session.valid(); ++i) session = OpenSession("one");
  EXPECT_TRUE(session.valid());
}

TEST_F(BatchMountTest, WriterMustBeTheOpener) {
  SKIP_UNLESS_ROOT();
  ASSERT_EQ(chmod(directory_.c_str(), 0777), 0);
  const base::Fd session = OpenSession("mine");
  ASSERT_TRUE(session.valid());
  const std::string frame = StoreFrame("as-root", "x");
  // A program of other rights, with the descriptor handed to it.
  EXPECT_EQ(
      testing::RunAs(12345, 12345, {}, [&] { return ErrnoOf(pwrite(session.get(), frame.data(), frame.size(), 0)); }),
      EPERM);
  EXPECT_EQ(ErrnoOf(access(At("as-root").c_str(), F_OK)), ENOENT);
  EXPECT_EQ(pwrite(session.get(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  EXPECT_EQ(testing::ReadAll(At("as-root")), "x");
}

TEST_F(BatchMountTest, SessionsActAsTheirOpener) {
  SKIP_UNLESS_ROOT();
  ASSERT_EQ(mkdir(At("closed").c_str(), 0700), 0);
  ASSERT_EQ(mkdir(At("group").c_str(), 0770), 0);
  ASSERT_EQ(chown(At("group").c_str(), 0, 5555), 0);
  ASSERT_EQ(chmod(At("group").c_str(), 0770), 0);
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  const auto store = [this](const std::string& path) {
    return [this, path]() -> int {
      absl::StatusOr<std::unique_ptr<TreeClient>> client = TreeClient::ForPath(directory_);
      if (!client.ok()) return 100;
      if (((*client)->capabilities() & kAtomicBatch) == 0) return 101;
      const StoreItem item = {.path = path, .data = "x"};
      int code = 102;
      const absl::Status status = (*client)->Store({&item, 1}, {}, [&code](size_t, absl::StatusOr<bool> written) {
        code = written.ok() ? 0 : absl::IsPermissionDenied(written.status()) ? EACCES : 103;
        return true;
      });
      return status.ok() ? code : 104;
    };
  };
  EXPECT_EQ(testing::RunAs(12345, 12345, {}, store("f")), EACCES);
  EXPECT_EQ(testing::RunAs(12345, 12345, {}, store("closed/f")), EACCES);
  EXPECT_EQ(testing::RunAs(12345, 12345, {}, store("group/f")), EACCES);
  EXPECT_EQ(testing::RunAs(12345, 12345, {5555}, store("group/f")), 0) << "through a supplementary group";
  EXPECT_EQ(StatOf(At("group/f")).st_uid, 12345u);
}

TEST_F(BatchMountTest, HostileFramesHurtNobodyElse) {
  const base::Fd hostile = OpenSession("hostile");
  const base::Fd other = OpenSession("other");
  ASSERT_TRUE(hostile.valid() && other.valid());
  const std::string good = StoreFrame("good", "x");
  for (const std::string& bytes : {std::string("x"), std::string(100000, '\xff'), good.substr(0, good.size() - 1)}) {
    EXPECT_EQ(pwrite(hostile.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    std::string answer(kFrameBytesMax, '\0');
    ASSERT_EQ(pread(hostile.get(), answer.data(), answer.size(), 0), static_cast<ssize_t>(answer.size()));
    ASSERT_OK_AND_ASSIGN(const FrameView frame, DecodeFrame(answer, FrameKind::kReply));
    batch::Reply reply;
    ASSERT_OK(DecodeReply(frame, &reply));
    EXPECT_NE(reply.code(), 0u);
  }
  const std::string huge(3 << 20, 'x');
  EXPECT_NE(pwrite(hostile.get(), huge.data(), huge.size(), 0), static_cast<ssize_t>(huge.size()));
  EXPECT_EQ(pwrite(other.get(), good.data(), good.size(), 0), static_cast<ssize_t>(good.size()));
  EXPECT_EQ(testing::ReadAll(At("good")), "x");
}

}  // namespace
}  // namespace fs

#include "fs/volume/batch_session.h"

#include <sys/stat.h>

#include <cerrno>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "fs/volume/check.h"
#include "fs/volume/testing/volume_fixture.h"

namespace fs {
namespace {

class Recorder final : public BatchObserver {
 public:
  void EntryChanged(InodeNumber directory, absl::string_view name, InodeNumber before) override {
    changes.push_back(absl::StrCat(directory, "/", name, before != 0 ? " replaced" : ""));
  }
  std::vector<std::string> changes;
};

class BatchSessionTest : public VolumeTest {
 protected:
  // A session of `opener` at the root; sends `request` and gives the reply.
  batch::Reply Send(const batch::Request& request, absl::string_view payload = "", std::string* payload_out = nullptr) {
    const std::string bytes = session_.Handle(EncodeFrame(FrameKind::kRequest, 5, request, payload));
    const absl::StatusOr<FrameView> frame = DecodeFrame(bytes, FrameKind::kReply);
    EXPECT_OK(frame.status());
    batch::Reply reply;
    if (!frame.ok()) return reply;
    EXPECT_EQ(frame->sequence, 5u);
    EXPECT_OK(DecodeReply(*frame, &reply));
    if (payload_out != nullptr) *payload_out = std::string(frame->payload);
    return reply;
  }
  static void AddStore(batch::Request* request, absl::string_view path, absl::string_view data, std::string* payload) {
    batch::Store& store = *request->add_items()->mutable_store();
    store.mutable_path()->set_name(std::string(path));
    store.set_mode(0644);
    store.set_payload_bytes(static_cast<uint32_t>(data.size()));
    absl::StrAppend(payload, data);
  }
  batch::Result StoreOne(BatchSession& session, absl::string_view path, absl::string_view data) {
    batch::Request request;
    std::string payload;
    AddStore(&request, path, data, &payload);
    return One(session, request, payload);
  }
  static batch::Result One(BatchSession& session, const batch::Request& request, absl::string_view payload = "") {
    const std::string bytes = session.Handle(EncodeFrame(FrameKind::kRequest, 1, request, payload));
    const absl::StatusOr<FrameView> frame = DecodeFrame(bytes, FrameKind::kReply);
    batch::Reply reply;
    if (!frame.ok() || !DecodeReply(*frame, &reply).ok() || reply.results_size() != 1) {
      ADD_FAILURE() << reply.code() << " " << reply.message();
      return {};
    }
    return reply.results(0);
  }
  std::string LookupOne(absl::string_view path) {
    batch::Request request;
    batch::Lookup& lookup = *request.add_items()->mutable_lookup();
    lookup.mutable_path()->set_name(std::string(path));
    lookup.set_bytes_max(1 << 20);
    std::string payload;
    const batch::Reply reply = Send(request, "", &payload);
    EXPECT_EQ(reply.results_size(), 1);
    return reply.results(0).code() == 0 ? payload : absl::StrCat("errno ", reply.results(0).error_number());
  }

  Recorder recorder_;
  BatchSession session_{*volume_, {.directory = kRootInode, .opener = root_, .fs_id = 77}, recorder_};
};

TEST_F(BatchSessionTest, StoresManyAndLooksThemUpInOrder) {
  batch::Request store;
  std::string payload;
  for (int i = 0; i < 100; ++i) AddStore(&store, absl::StrCat("d", i % 3, "/f", i), absl::StrCat("data", i), &payload);
  const batch::Reply stored = Send(store, payload);
  ASSERT_EQ(stored.results_size(), 100);
  for (const batch::Result& result : stored.results()) EXPECT_TRUE(result.code() == 0 && result.changed());
  EXPECT_EQ(recorder_.changes.size(), 103u) << "files and made directories";

  batch::Request lookup;
  std::string expected;
  for (int i = 99; i >= 0; --i) {
    batch::Lookup& item = *lookup.add_items()->mutable_lookup();
    item.mutable_path()->set_name(absl::StrCat("d", i % 3, "/f", i));
    item.set_bytes_max(100);
    absl::StrAppend(&expected, "data", i);
  }
  std::string found;
  EXPECT_EQ(Send(lookup, "", &found).results_size(), 100);
  EXPECT_EQ(found, expected);
}

TEST_F(BatchSessionTest, FailedLookupsLeaveTheOthersWhole) {
  StoreOne(session_, "a", "alpha");
  StoreOne(session_, "b", "beta");
  batch::Request request;
  for (const char* name : {"a", "none", "b", "d"}) {
    request.add_items()->mutable_lookup()->mutable_path()->set_name(name);
    request.mutable_items(request.items_size() - 1)->mutable_lookup()->set_bytes_max(4);
  }
  std::string payload;
  const batch::Reply reply = Send(request, "", &payload);
  ASSERT_EQ(reply.results_size(), 4);
  EXPECT_EQ(reply.results(0).code(), static_cast<uint32_t>(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(reply.results(1).code(), static_cast<uint32_t>(absl::StatusCode::kNotFound));
  EXPECT_EQ(reply.results(2).code(), 0u);
  EXPECT_EQ(payload, "beta");
}

TEST_F(BatchSessionTest, LargeFilesComeInParts) {
  const InodeNumber file = MakeFile(kRootInode, "large", std::string(3 << 20, 'x'));
  std::string all;
  uint64_t version = 0;
  while (all.size() < 3 << 20) {
    batch::Request request;
    batch::Lookup& lookup = *request.add_items()->mutable_lookup();
    lookup.mutable_path()->set_name("large");
    lookup.set_bytes_max(4 << 20);
    lookup.set_offset(all.size());
    lookup.set_version(version);
    std::string part;
    const batch::Reply reply = Send(request, "", &part);
    ASSERT_EQ(reply.results(0).code(), 0u);
    ASSERT_FALSE(part.empty());
    version = reply.results(0).version();
    all += part;
  }
  EXPECT_EQ(all, std::string(3 << 20, 'x'));
  ASSERT_OK(volume_->Write(file, 0, "changed"));
  batch::Request request;
  batch::Lookup& lookup = *request.add_items()->mutable_lookup();
  lookup.mutable_path()->set_name("large");
  lookup.set_bytes_max(4 << 20);
  lookup.set_offset(1);
  lookup.set_version(version);
  EXPECT_EQ(Send(request).results(0).code(), static_cast<uint32_t>(absl::StatusCode::kAborted));
}

TEST_F(BatchSessionTest, UploadsAppearWithTheLastPart) {
  const auto part = [this](absl::string_view data, uint64_t offset, bool more) {
    batch::Request request;
    std::string payload;
    AddStore(&request, "up", data, &payload);
    batch::Store& store = *request.mutable_items(0)->mutable_store();
    store.set_upload(9);
    store.set_offset(offset);
    store.set_more(more);
    return Send(request, payload).results(0).code();
  };
  EXPECT_EQ(part("one", 0, true), 0u);
  EXPECT_EQ(LookupOne("up"), "errno 0");
  EXPECT_EQ(part("two", 3, false), 0u);
  EXPECT_EQ(LookupOne("up"), "onetwo");
  EXPECT_EQ(part("bad", 1, true), static_cast<uint32_t>(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(LookupOne("up"), "onetwo");
}

TEST_F(BatchSessionTest, HalfUploadsGoWithTheSession) {
  const size_t before = volume_->cached_inode_count();
  {
    BatchSession session(*volume_, {.opener = root_}, recorder_);
    batch::Request request;
    std::string payload;
    AddStore(&request, "up", "half", &payload);
    request.mutable_items(0)->mutable_store()->set_upload(1);
    request.mutable_items(0)->mutable_store()->set_more(true);
    EXPECT_EQ(One(session, request, payload).code(), 0u);
    EXPECT_GT(volume_->cached_inode_count(), before);
  }
  EXPECT_EQ(volume_->cached_inode_count(), before);
}

TEST_F(BatchSessionTest, AtomicFramesAreAllOrNothing) {
  MakeDir(kRootInode, "dir");
  batch::Request request;
  std::string payload;
  AddStore(&request, "a", "x", &payload);
  AddStore(&request, "dir", "x", &payload);
  request.set_atomic(true);
  EXPECT_NE(Send(request, payload).code(), 0u);
  EXPECT_EQ(LookupOne("a"), "errno 0");
  batch::Request good;
  payload.clear();
  AddStore(&good, "a", "first", &payload);
  AddStore(&good, "b", "y", &payload);
  AddStore(&good, "a", "last", &payload);
  good.set_atomic(true);
  const Sequence before = engine_->last_sequence();
  EXPECT_EQ(Send(good, payload).results_size(), 3);
  EXPECT_EQ(engine_->last_sequence(), before + 1);
  EXPECT_EQ(LookupOne("a"), "last");
}

TEST_F(BatchSessionTest, AtomicFramesHoldEveryKindOfChange) {
  MakeFile(kRootInode, "old", "old");
  MakeFile(kRootInode, "gone", "x");
  MakeFile(kRootInode, "target", "x");
  batch::Request request;
  std::string payload;
  request.set_atomic(true);
  request.add_items()->mutable_make_directory()->mutable_path()->set_name("d/empty");
  AddStore(&request, "d/new", "new", &payload);
  request.add_items()->mutable_remove()->mutable_path()->set_name("gone");
  request.add_items()->mutable_remove()->mutable_path()->set_name("never");
  batch::Rename* rename = request.add_items()->mutable_rename();
  rename->mutable_from()->set_name("old");
  rename->mutable_to()->set_name("target");
  const batch::Reply reply = Send(request, payload);
  ASSERT_EQ(reply.code(), 0u) << reply.message();
  ASSERT_EQ(reply.results_size(), 5);
  EXPECT_TRUE(reply.results(0).changed());
  EXPECT_TRUE(reply.results(2).changed());
  EXPECT_FALSE(reply.results(3).changed());
  EXPECT_EQ(LookupOne("d/new"), "new");
  EXPECT_EQ(LookupOne("gone"), "errno 0");
  EXPECT_EQ(LookupOne("old"), "errno 0");
  EXPECT_EQ(LookupOne("target"), "old");
  ASSERT_OK_AND_ASSIGN(const TreeCheckReport report, CheckTree(*engine_));
  EXPECT_EQ(report.problem_count, 0u) << (report.problems.empty() ? "" : report.problems[0].text);
}

TEST_F(BatchSessionTest, AFailedAtomicFrameLeavesNoDirectoryAndNoUpload) {
  MakeFile(kRootInode, "f", "kept");
  const size_t inodes = volume_->cached_inode_count();
  batch::Request part;
  std::string payload;
  AddStore(&part, "up", "half", &payload);
  part.mutable_items(0)->mutable_store()->set_upload(7);
  part.mutable_items(0)->mutable_store()->set_more(true);
  EXPECT_EQ(Send(part, payload).results(0).code(), 0u);
  batch::Request request;
  payload.clear();
  request.set_atomic(true);
  request.add_items()->mutable_make_directory()->mutable_path()->set_name("a/b/c");
  AddStore(&request, "d/e/f", "x", &payload);
  AddStore(&request, "up", "end", &payload);
  request.mutable_items(2)->mutable_store()->set_upload(7);
  request.mutable_items(2)->mutable_store()->set_offset(4);
  request.add_items()->mutable_remove()->mutable_path()->set_name("f");
  batch::Rename* rename = request.add_items()->mutable_rename();
  rename->mutable_from()->set_name("absent");
  rename->mutable_to()->set_name("g/h");
  EXPECT_NE(Send(request, payload).code(), 0u);
  for (const char* const name : {"a", "d", "up", "g"}) EXPECT_EQ(LookupOne(name), "errno 0") << name;
  EXPECT_EQ(LookupOne("f"), "kept");
  EXPECT_EQ(volume_->cached_inode_count(), inodes);
  ASSERT_OK_AND_ASSIGN(const TreeCheckReport report, CheckTree(*engine_));
  EXPECT_EQ(report.problem_count, 0u);
}

TEST_F(BatchSessionTest, AnAtomicBatchMayTakeManyFrames) {
  const std::string half(kFrameBytesMax * 2 / 3, 'x');
  const auto frame = [&](const std::string& name, bool more) {
    batch::Request request;
    std::string payload;
    request.set_atomic(true);
    request.set_more(more);
    AddStore(&request, "d/" + name, half, &payload);
    return Send(request, payload);
  };
  const Sequence before = engine_->last_sequence();
  EXPECT_EQ(frame("a", true).results_size(), 1);
  EXPECT_EQ(frame("b", true).results_size(), 1);
  EXPECT_EQ(engine_->last_sequence(), before) << "nothing is done before the last frame";
  EXPECT_EQ(LookupOne("d/a"), "errno 0") << "a frame of another kind gives the batch up";
  EXPECT_EQ(frame("c", false).results_size(), 1);
  EXPECT_EQ(LookupOne("d/c").size(), half.size());
  EXPECT_EQ(LookupOne("d/a"), "errno 0");
  EXPECT_EQ(frame("a", true).code(), 0u);
  EXPECT_EQ(frame("b", true).code(), 0u);
  const Sequence middle = engine_->last_sequence();
  EXPECT_EQ(frame("c", false).code(), 0u);
  EXPECT_EQ(engine_->last_sequence(), middle + 1);
  for (const char* const name : {"d/a", "d/b", "d/c"}) EXPECT_EQ(LookupOne(name).size(), half.size());
}

TEST_F(BatchSessionTest, AtomicBatchesAreBounded) {
  const std::string large(kFrameBytesMax * 3 / 4, 'x');
  uint32_t code = 0;
  for (size_t bytes = 0; code == 0; bytes += large.size()) {
    ASSERT_LE(bytes, BatchSession::kAtomicBytesMax);
    batch::Request request;
    std::string payload;
    request.set_atomic(true);
    request.set_more(true);
    AddStore(&request, "f", large, &payload);
    code = Send(request, payload).code();
  }
  EXPECT_EQ(code, static_cast<uint32_t>(absl::StatusCode::kResourceExhausted));
  batch::Request directories;
  directories.set_atomic(true);
  batch::Rename* rename = directories.add_items()->mutable_rename();
  MakeDir(kRootInode, "dir");
  rename->mutable_from()->set_name("dir");
  rename->mutable_to()->set_name("dir2");
  EXPECT_EQ(Send(directories, "").code(), static_cast<uint32_t>(absl::StatusCode::kUnimplemented));
}

TEST_F(BatchSessionTest, AFullStoreLeavesNothingOfAnAtomicFrame) {
  const InodeNumber bounded = MakeDir(kRootInode, "bounded");
  ASSERT_OK(volume_->SetXattr(bounded, "user.cachefs.quota", "100K"));
  batch::Request request;
  std::string payload;
  request.set_atomic(true);
  for (int i = 0; i < 20; ++i) AddStore(&request, absl::StrCat("bounded/d", i, "/f"), std::string(10 << 10, 'x'), &payload);
  EXPECT_EQ(Send(request, payload).code(), static_cast<uint32_t>(absl::StatusCode::kResourceExhausted));
  batch::Request list;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(LookupOne(absl::StrCat("bounded/d", i)), "errno 0") << i;
}

TEST_F(BatchSessionTest, StoredFilesLiveAsLongAsTheySay) {
  batch::Request request;
  std::string payload;
  AddStore(&request, "f", "x", &payload);
  request.mutable_items(0)->mutable_store()->set_ttl_ms(5000);
  AddStore(&request, "for-ever", "x", &payload);
  EXPECT_EQ(Send(request, payload).code(), 0u);
  ASSERT_OK_AND_ASSIGN(const Attributes file, Look(kRootInode, "f"));
  EXPECT_EQ(file.expiry_time.ToNs(), clock_.NowNs() + 5'000'000'000) << "from the moment it was stored";
  clock_.Advance(absl::Seconds(4));
  EXPECT_EQ(LookupOne("f"), "x");
  clock_.Advance(absl::Seconds(2));
  EXPECT_EQ(LookupOne("f"), "errno 0");
  EXPECT_EQ(LookupOne("for-ever"), "x");
  request.mutable_items(0)->mutable_store()->set_ttl_ms(UINT64_MAX);
  EXPECT_EQ(Send(request, payload).results(0).error_number(), uint32_t{EINVAL});
}

TEST_F(BatchSessionTest, ActsAsItsOpener) {
  const InodeNumber closed = MakeDir(kRootInode, "closed");
  ASSERT_OK(volume_->SetAttributes(closed, {.fields = AttributeChange::kMode, .mode = 0700}));
  const InodeNumber sticky = MakeDir(kRootInode, "sticky");
  ASSERT_OK(volume_->SetAttributes(sticky, {.fields = AttributeChange::kMode, .mode = 01777}));
  MakeFile(sticky, "roots", "x");
  BatchSession user(*volume_, {.opener = {.uid = 1000, .gid = 1000, .umask = 027}}, recorder_);
  EXPECT_EQ(StoreOne(user, "f", "x").error_number(), uint32_t{EACCES}) << "the root is not the user's";
  EXPECT_EQ(StoreOne(user, "closed/f", "x").error_number(), uint32_t{EACCES});
  EXPECT_EQ(StoreOne(user, "sticky/roots", "x").error_number(), uint32_t{EPERM});
  EXPECT_EQ(StoreOne(user, "sticky/own", "x").code(), 0u);
  ASSERT_OK_AND_ASSIGN(const Attributes own, Look(sticky, "own"));
  EXPECT_EQ(own.uid, 1000u);
  EXPECT_EQ(own.mode, uint32_t{S_IFREG | 0640}) << "the opener's umask";
  batch::Request remove;
  remove.add_items()->mutable_remove()->mutable_path()->set_name("sticky/roots");
  EXPECT_EQ(One(user, remove).error_number(), uint32_t{EPERM});
  batch::Request rename;
  rename.add_items()->mutable_rename()->mutable_from()->set_name("sticky/own");
  rename.mutable_items(0)->mutable_rename()->mutable_to()->set_name("sticky/roots");
  EXPECT_EQ(One(user, rename).error_number(), uint32_t{EPERM});
}

TEST_F(BatchSessionTest, KeepIfEqualTellsNothingToThoseWhoMayNotRead) {
  const InodeNumber open = MakeDir(kRootInode, "open");
  ASSERT_OK(volume_->SetAttributes(open, {.fields = AttributeChange::kMode, .mode = 0777}));
  const InodeNumber secret = MakeFile(open, "secret", "word");
  ASSERT_OK(volume_->SetAttributes(secret, {.fields = AttributeChange::kMode, .mode = 0600}));
  BatchSession user(*volume_, {.opener = {.uid = 1000, .gid = 1000}}, recorder_);
  batch::Request request;
  std::string payload;
  AddStore(&request, "open/secret", "word", &payload);
  request.mutable_items(0)->mutable_store()->set_keep_if_equal(true);
  EXPECT_TRUE(One(user, request, payload).changed());
}

TEST_F(BatchSessionTest, PathsStayBelowTheDirectory) {
  ASSERT_OK(volume_->MakeSymlink(kRootInode, "link", "/", root_, Reference::kNone));
  for (const char* path : {"../x", "a/../x", "/x", "", "a//b", "."}) {
    EXPECT_EQ(StoreOne(session_, path, "x").error_number(), uint32_t{EINVAL}) << path;
  }
  EXPECT_EQ(StoreOne(session_, "link/x", "x").error_number(), uint32_t{ELOOP});
  EXPECT_EQ(StoreOne(session_, std::string(256, 'n'), "x").error_number(), uint32_t{EINVAL});
}

TEST_F(BatchSessionTest, StatGivesAttributesAndLinksAreNotFollowed) {
  ASSERT_OK(volume_->MakeSymlink(kRootInode, "link", "/", root_, Reference::kNone));
  batch::Request request;
  request.add_items()->mutable_stat()->mutable_path()->set_name("link");
  const batch::Result result = One(session_, request);
  EXPECT_TRUE(S_ISLNK(result.attributes().mode()));
  EXPECT_EQ(result.attributes().fs_id(), 77u);
}

TEST_F(BatchSessionTest, DigestsAreThoseOfTheContent) {
  MakeFile(kRootInode, "f", "abc");
  batch::Request request;
  batch::Digest& digest = *request.add_items()->mutable_digest();
  digest.mutable_path()->set_name("f");
  digest.set_kind(batch::DIGEST_SHA256);
  EXPECT_EQ(absl::BytesToHexString(One(session_, request).digest()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  digest.set_kind(batch::DIGEST_UNSPECIFIED);
  EXPECT_EQ(One(session_, request).code(), static_cast<uint32_t>(absl::StatusCode::kInvalidArgument));
}

TEST_F(BatchSessionTest, ChangesTellOnlyNamesThatTheOpenerCouldList) {
  const InodeNumber closed = MakeDir(kRootInode, "closed");
  ASSERT_OK(volume_->SetAttributes(closed, {.fields = AttributeChange::kMode, .mode = 0700}));
  BatchSession user(*volume_, {.opener = {.uid = 1000, .gid = 1000}}, recorder_);
  const auto changes = [](BatchSession& session, const std::string& token) {
    batch::Request request;
    request.add_items()->mutable_changed_since()->set_token(token);
    return One(session, request).changes();
  };
  const std::string roots = changes(session_, "").token();
  const std::string users = changes(user, "").token();
  MakeFile(kRootInode, "open", "x");
  MakeFile(closed, "secret", "x");
  const batch::Changes seen_by_root = changes(session_, roots);
  const batch::Changes seen_by_user = changes(user, users);
  const std::set<std::string> all(seen_by_root.paths().begin(), seen_by_root.paths().end());
  const std::set<std::string> some(seen_by_user.paths().begin(), seen_by_user.paths().end());
  EXPECT_TRUE(seen_by_root.overflow() || (all.contains("open") && all.contains("closed/secret")));
  EXPECT_TRUE(some.contains("open"));
  EXPECT_FALSE(some.contains("closed/secret"));
}

TEST_F(BatchSessionTest, DamagedFramesAreRefusedWithVersions) {
  const std::string bytes = session_.Handle("garbage");
  ASSERT_OK_AND_ASSIGN(const FrameView frame, DecodeFrame(bytes, FrameKind::kReply));
  batch::Reply reply;
  ASSERT_OK(DecodeReply(frame, &reply));
  EXPECT_NE(reply.code(), 0u);
  EXPECT_EQ(reply.version_max(), kFrameVersionMax);
}

TEST_F(BatchSessionTest, DurableFramesWaitForTheDisk) {
  batch::Request request;
  std::string payload;
  AddStore(&request, "f", "x", &payload);
  request.set_durable(true);
  EXPECT_EQ(Send(request, payload).code(), 0u);
  EXPECT_EQ(engine_->durable_sequence(), engine_->last_sequence());
  engine_->FailCommits(absl::UnavailableError("flush failed"));
  EXPECT_NE(Send(request, payload).code(), 0u);
}

}  // namespace
}  // namespace fs

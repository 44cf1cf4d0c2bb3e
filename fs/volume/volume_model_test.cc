// Random operations on a Volume equal those on a plain model, errno by errno, through
// remounts and power cuts; the namespace check finds nothing broken on the way.
#include "fs/volume/testing/volume_model.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fs/cache/raw_engine.h"
#include "fs/disk/testing/mem_device.h"
#include "fs/volume/check.h"
#include "fs/volume/testing/volume_fixture.h"

namespace fs {
namespace {

uint64_t Seed() {
  uint64_t seed = 20221120;
  if (const char* text = std::getenv("TEST_SEED"); text != nullptr) (void)absl::SimpleAtoi(text, &seed);
  return seed;
}

enum class EngineKind { kMem, kRaw };

class VolumeModelTest : public VolumeTest, public ::testing::WithParamInterface<EngineKind> {
 protected:
  VolumeModelTest() {
    name_hash_bits_ = 2;  // so that names collide all the time
    if (GetParam() == EngineKind::kRaw) {
      MkfsOptions mkfs;
      mkfs.seed = 1;
      EXPECT_OK(Mkfs(device_, mkfs));
      OpenRaw();
      EXPECT_OK(Volume::Format(*raw_engine_, clock_, 1, 2));
    }
    Open();
  }

  void OpenRaw() {
    EngineOptions options;
    options.manual = true;  // so that nothing but commits makes anything durable
    absl::StatusOr<std::unique_ptr<RawEngine>> opened = OpenEngine(device_, options);
    ASSERT_OK(opened.status());
    raw_engine_ = *std::move(opened);
  }
  Engine& engine() override { return raw_engine_ != nullptr ? *raw_engine_ : VolumeTest::engine(); }
  void Remount() override {
    if (raw_engine_ == nullptr) return VolumeTest::Remount();
    ASSERT_OK(volume_->Close());
    volume_ = nullptr;
    ASSERT_OK(raw_engine_->Close());
    raw_engine_ = nullptr;
    OpenRaw();
    Open();
  }
  // Of the raw engine exactly what was committed is kept: the rest never left its memory.
  void CutPower(Sequence kept) override {
    if (raw_engine_ == nullptr) return VolumeTest::CutPower(kept);
    volume_ = nullptr;
    raw_engine_ = nullptr;
    OpenRaw();
    Open();
  }

  uint64_t Random(uint64_t bound) { return random_() % bound; }
  std::string RandomName() {
    static const auto* const kNames = new std::vector<std::string>{"a", "b", "c", "d", "e", std::string(255, 'n')};
    return (*kNames)[Random(kNames->size())];
  }
  InodeNumber RandomInode() {
    auto it = model_.nodes().begin();
    std::advance(it, Random(model_.nodes().size()));
    return it->first;
  }
  InodeNumber RandomDirectory() {
    for (int i = 0; i < 10; ++i) {
      const InodeNumber inode = RandomInode();
      if (model_.nodes().at(inode).is_directory()) return inode;
    }
    return Random(2) == 0 ? kRootInode : RandomInode();
  }
  InodeNumber RandomFile() {
    for (int i = 0; i < 10; ++i) {
      const InodeNumber inode = RandomInode();
      if (model_.nodes().at(inode).is_regular()) return inode;
    }
    return RandomInode();
  }
  std::string RandomBytes(size_t size_max) {
    return std::string(Random(size_max), static_cast<char>('a' + Random(26)));
  }
  Credentials RandomCredentials() {
    Credentials credentials;
    credentials.uid = static_cast<uint32_t>(Random(3));
    credentials.gid = static_cast<uint32_t>(Random(3));
    credentials.umask = Random(2) == 0 ? 022 : 0;
    return credentials;
  }

  void StepNames();
  void StepRename();
  void StepAttributes();
  void StepData();
  void StepXattrs();
  void StepReferences();
  void StepMount();
  void CompareTouched();
  void CompareNode(InodeNumber inode, const ModelNode& node);
  void CompareAll();

  testing::MemDevice device_{48 << 20};
  std::unique_ptr<RawEngine> raw_engine_;
  std::mt19937_64 random_{Seed()};
  VolumeModel committed_;
  VolumeModel model_;
  // The model after each call since the last commit, with the engine's sequence then.
  std::deque<std::pair<Sequence, VolumeModel>> history_;
};

void VolumeModelTest::StepNames() {
  const InodeNumber directory = RandomDirectory();
  const std::string name = RandomName();
  const Credentials credentials = RandomCredentials();
  const uint32_t mode = static_cast<uint32_t>(Random(010000));
  absl::StatusOr<Attributes> made = absl::UnknownError("");
  const int expected = model_.CheckMake(directory, name);
  uint32_t type = S_IFREG;
  switch (Random(5)) {
    case 0:
      type = S_IFDIR;
      made = volume_->MakeDirectory(directory, name, mode, credentials, Reference::kNone);
      break;
    case 1:
      type = S_IFLNK;
      made = volume_->MakeSymlink(directory, name, "target", credentials, Reference::kNone);
      break;
    case 2:
      type = S_IFIFO;
      [[fallthrough]];
    default:
      made = volume_->MakeNode(directory, name, {.mode = type | mode}, credentials, Reference::kNone);
  }
  ASSERT_EQ(ErrnoOrZero(made), expected) << "make " << directory << "/" << name;
  if (expected != 0) return;
  model_.Make(directory, name, made->inode, type | (type == S_IFLNK ? 0777 : mode), credentials,
              type == S_IFLNK ? "target" : "");
}

void VolumeModelTest::StepRename() {
  const InodeNumber directory = RandomDirectory(), other = RandomDirectory();
  const std::string name = RandomName(), other_name = RandomName();
  switch (Random(5)) {
    case 0:
      ASSERT_EQ(ErrnoOrZero(volume_->Unlink(directory, name)), model_.Remove(directory, name, false));
      break;
    case 1:
      ASSERT_EQ(ErrnoOrZero(volume_->RemoveDirectory(directory, name)), model_.Remove(directory, name, true));
      break;
    case 2: {
      const InodeNumber inode = RandomInode();
      ASSERT_EQ(ErrnoOrZero(volume_->Link(inode, directory, name, Reference::kNone)),
                model_.Link(inode, directory, name));
      break;
    }
    default: {
      const auto flag = static_cast<RenameFlag>(Random(3));
      ASSERT_EQ(ErrnoOrZero(volume_->Rename(directory, name, other, other_name, {.flag = flag}, root_)),
                model_.Rename(directory, name, other, other_name, flag))
          << directory << "/" << name << " to " << other << "/" << other_name << " flag " << static_cast<int>(flag);
    }
  }
}

void VolumeModelTest::StepAttributes() {
  const InodeNumber inode = RandomInode();
  const auto value = static_cast<uint32_t>(Random(07777 + 1));
  AttributeChange change;
  if (Random(2) == 0) {
    change.fields = AttributeChange::kMode;
    change.mode = value;
    ASSERT_EQ(ErrnoOrZero(volume_->SetAttributes(inode, change)), model_.SetMode(inode, value));
    return;
  }
  change.fields = AttributeChange::kUid | AttributeChange::kGid;
  change.uid = value;
  change.gid = value + 1;
  ASSERT_EQ(ErrnoOrZero(volume_->SetAttributes(inode, change)), model_.SetOwner(inode, value, value + 1));
}

void VolumeModelTest::StepData() {
  const InodeNumber inode = RandomFile(), other = RandomFile();
  const uint64_t offset = Random(20000), length = 1 + Random(20000);
  switch (Random(8)) {
    case 0: {
      AttributeChange change;
      change.fields = AttributeChange::kSize;
      change.size_bytes = offset;
      ASSERT_EQ(ErrnoOrZero(volume_->SetAttributes(inode, change)), model_.Truncate(inode, offset));
      break;
    }
    case 1:
      ASSERT_EQ(ErrnoOrZero(volume_->Fallocate(inode, FallocateMode::kPunchHole, offset, length)),
                model_.Zero(inode, offset, length, false));
      break;
    case 2:
      ASSERT_EQ(ErrnoOrZero(volume_->Fallocate(inode, FallocateMode::kZeroRange, offset, length)),
                model_.Zero(inode, offset, length, true));
      break;
    case 3: {
      const bool keep = Random(2) == 0;
      ASSERT_EQ(ErrnoOrZero(volume_->Fallocate(inode, keep ? FallocateMode::kKeepSize : FallocateMode::kExtend, offset,
                                               length)),
                model_.Extend(inode, offset + length, keep));
      break;
    }
    case 4: {
      uint64_t copied = 0;
      const uint64_t to_offset = Random(20000);
      const absl::StatusOr<uint64_t> result = volume_->CopyRange(inode, offset, other, to_offset, length);
      ASSERT_EQ(ErrnoOrZero(result), model_.Copy(inode, offset, other, to_offset, length, &copied));
      if (result.ok()) {
        ASSERT_EQ(*result, copied);
      }
      break;
    }
    case 5: {
      const std::string bytes = RandomBytes(3000);
      const ModelNode& node = model_.nodes().at(inode);
      const uint64_t end = node.content.size();
      const absl::StatusOr<uint64_t> result = volume_->Append(inode, bytes);
      ASSERT_EQ(ErrnoOrZero(result), model_.Write(inode, end, bytes, false));
      if (result.ok()) {
        ASSERT_EQ(*result, end);
      }
      break;
    }
    default: {
      const std::string bytes = RandomBytes(9000);
      const bool kill = Random(2) == 0;
      ASSERT_EQ(ErrnoOrZero(volume_->Write(inode, offset, bytes, {.kill_privileges = kill})),
                model_.Write(inode, offset, bytes, kill));
    }
  }
}

void VolumeModelTest::StepXattrs() {
  static constexpr const char* kNames[] = {"user.a", "user.b", "trusted.c", "security.capability"};
  const InodeNumber inode = RandomInode();
  const std::string name = kNames[Random(4)];
  if (Random(4) == 0) {
    ASSERT_EQ(ErrnoOrZero(volume_->RemoveXattr(inode, name)), model_.RemoveXattr(inode, name));
    return;
  }
  const auto flag = static_cast<XattrFlag>(Random(3));
  const std::string value = RandomBytes(Random(2) == 0 ? 100 : 2000);
  ASSERT_EQ(ErrnoOrZero(volume_->SetXattr(inode, name, value, {.flag = flag})),
            model_.SetXattr(inode, name, value, flag));
}

void VolumeModelTest::StepReferences() {
  if (Random(4) == 0) {
    const InodeNumber directory = RandomDirectory();
    const absl::StatusOr<Attributes> made = volume_->MakeTemporary(directory, 0600, root_);
    const ModelNode& parent = model_.nodes().at(directory);
    ASSERT_EQ(made.ok(), parent.is_directory() && parent.links > 0) << made.status();
    if (made.ok()) model_.MakeTemporary(directory, made->inode, 0600, root_);
    return;
  }
  const InodeNumber inode = RandomInode();
  if (model_.nodes().at(inode).references > 0 && Random(2) == 0) {
    if (volume_->Forget(inode, 1)) {
      ASSERT_OK(volume_->RemoveOrphans());
    }
    model_.Forget(inode);
    return;
  }
  const InodeNumber directory = RandomDirectory();
  const std::string name = RandomName();
  const absl::StatusOr<Attributes> found = volume_->Lookup(directory, name);
  const ModelNode& parent = model_.nodes().at(directory);
  const auto it = parent.entries.find(name);
  if (it == parent.entries.end()) {
    ASSERT_EQ(ErrnoOrZero(found), parent.is_directory() ? ENOENT : ENOTDIR);
    return;
  }
  ASSERT_OK(found.status());
  ASSERT_EQ(found->inode, it->second);
  model_.TakeReference(found->inode);
}

void VolumeModelTest::StepMount() {
  switch (Random(4)) {
    case 0:
      ASSERT_OK(volume_->Sync());
      history_.clear();
      committed_ = model_;
      return;
    case 1:
      Remount();
      break;
    default: {
      // Any moment since the last commit; what was committed is kept in any case.
      if (history_.empty()) return;
      const size_t kept = Random(history_.size());
      model_ = GetParam() == EngineKind::kMem ? history_[kept].second : committed_;
      CutPower(history_[kept].first);
    }
  }
  history_.clear();
  model_.ForgetAll();
  // What a mount changes by itself is made durable here, so that the next cut keeps it.
  ASSERT_OK(volume_->Sync());
  committed_ = model_;
}

void VolumeModelTest::CompareNode(InodeNumber inode, const ModelNode& node) {
  ASSERT_OK_AND_ASSIGN(const Attributes attributes, volume_->GetAttributes(inode));
  ASSERT_EQ(attributes.mode, node.mode) << inode;
  ASSERT_EQ(attributes.uid, node.uid);
  ASSERT_EQ(attributes.gid, node.gid);
  ASSERT_EQ(attributes.link_count, node.links) << inode;
  std::map<std::string, std::string> xattrs;
  ASSERT_OK_AND_ASSIGN(std::string names, volume_->ListXattrs(inode, true));
  for (absl::string_view rest = names; !rest.empty(); rest.remove_prefix(rest.find('\0') + 1)) {
    const std::string name(rest.substr(0, rest.find('\0')));
    ASSERT_OK_AND_ASSIGN(xattrs[name], volume_->GetXattr(inode, name));
  }
  ASSERT_EQ(xattrs, node.xattrs);
  if (node.is_regular()) {
    ASSERT_TRUE(Content(inode) == node.content) << inode;
  }
  if (S_ISLNK(node.mode)) {
    ASSERT_EQ(*volume_->ReadSymlink(inode), node.content);
  }
  if (!node.is_directory()) return;
  std::vector<std::string> order;
  ASSERT_OK(volume_->ReadDir(inode, {.attributes = true}, [&](const DirectoryEntry& entry) {
    if (entry.cookie <= 2) return true;
    order.emplace_back(entry.name);
    EXPECT_EQ(entry.inode, node.entries.at(order.back()));
    EXPECT_EQ(entry.type, entry.attributes->mode >> 12);
    return true;
  }));
  ASSERT_EQ(order, node.order) << inode;
}

// The change time of what a call changed moved on, that of all else did not.
void VolumeModelTest::CompareTouched() {
  for (auto& [inode, node] : model_.nodes()) {
    ASSERT_OK_AND_ASSIGN(const Attributes attributes, volume_->GetAttributes(inode));
    if (node.touched) {
      ASSERT_GT(attributes.change_time, node.change_time) << inode;
      node.touched = false;
      node.change_time = attributes.change_time;
    } else {
      ASSERT_EQ(attributes.change_time, node.change_time) << inode;
    }
    ASSERT_EQ(attributes.size_bytes, node.is_directory() ? attributes.size_bytes : node.content.size()) << inode;
  }
}

void VolumeModelTest::CompareAll() {
  for (const auto& [inode, node] : model_.nodes()) ASSERT_NO_FATAL_FAILURE(CompareNode(inode, node));
  ASSERT_OK_AND_ASSIGN(const TreeCheckReport report, CheckTree(engine(), {.name_hash_bits = name_hash_bits_}));
  for (const TreeProblem& problem : report.problems) ADD_FAILURE() << problem.rule << ": " << problem.text;
  ASSERT_EQ(report.problem_count, 0u);
  ASSERT_EQ(report.files + report.directories, model_.nodes().size());
  ASSERT_OK_AND_ASSIGN(const VolumeStat stat, volume_->Stat());
  ASSERT_EQ(stat.files, model_.nodes().size());
}

TEST_P(VolumeModelTest, EqualsTheModel) {
  std::cout << "seed=" << Seed() << '\n';
  CompareTouched();
  for (int step = 0; step < (GetParam() == EngineKind::kMem ? 12000 : 5000); ++step) {
    SCOPED_TRACE(absl::StrCat("seed ", Seed(), " step ", step));
    const uint64_t kind = Random(100);
    if (Random(3) == 0) clock_.Advance(absl::Nanoseconds(Random(3)));
    if (kind < 20) {
      StepNames();
    } else if (kind < 50) {
      StepRename();
    } else if (kind < 60) {
      StepAttributes();
    } else if (kind < 80) {
      StepData();
    } else if (kind < 88) {
      StepXattrs();
    } else if (kind < 98) {
      StepReferences();
    } else {
      StepMount();
    }
    if (HasFatalFailure()) return;
    ASSERT_NO_FATAL_FAILURE(CompareTouched());
    history_.emplace_back(engine().last_sequence(), model_);
    if (history_.size() > 64) history_.pop_front();
    if (step % 100 == 0) {
      ASSERT_NO_FATAL_FAILURE(CompareAll());
    }
    // Keep the tree small, so that operations meet.
    if (model_.nodes().size() > 60) {
      const auto& nodes = model_.nodes();
      const InodeNumber directory = RandomDirectory();
      if (!nodes.at(directory).entries.empty()) {
        const std::string name = nodes.at(directory).entries.begin()->first;
        const bool is_directory = nodes.at(nodes.at(directory).entries.at(name)).is_directory();
        const absl::Status status =
            is_directory ? volume_->RemoveDirectory(directory, name) : volume_->Unlink(directory, name);
        ASSERT_EQ(ErrnoOrZero(status), model_.Remove(directory, name, is_directory));
        ASSERT_NO_FATAL_FAILURE(CompareTouched());
      }
    }
  }
  ASSERT_NO_FATAL_FAILURE(CompareAll());
}

INSTANTIATE_TEST_SUITE_P(Engines, VolumeModelTest, ::testing::Values(EngineKind::kMem, EngineKind::kRaw),
                         [](const ::testing::TestParamInfo<EngineKind>& param) {
                           return param.param == EngineKind::kMem ? "Mem" : "Raw";
                         });

}  // namespace
}  // namespace fs

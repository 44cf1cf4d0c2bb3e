// Every golden image of every version, re-read: what is in it, that it may be written
// further, or that it is refused and why.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/os/stream.h"
#include "base/testing/status_matchers.h"
#include "fs/cache/check.h"
#include "fs/disk/testing/mem_device.h"
#include "fs/volume/check.h"
#include "fs/volume/testing/golden_images.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using base::StatusIs;
using testing::DumpText;
using testing::GoldenImage;
using ::testing::HasSubstr;
using testing::ListTree;
using testing::MakeGoldenImages;
using testing::MemDevice;
using testing::OpenedImage;
using testing::OpenGoldenImage;

constexpr char kFolder[] = "testdata/fs/images/";

std::string ReadAll(const std::string& path) {
  absl::StatusOr<std::unique_ptr<base::Source>> source = base::OpenSource(path);
  EXPECT_OK(source.status());
  std::string bytes, part(1 << 20, '\0');
  while (source.ok()) {
    const absl::StatusOr<size_t> size = (*source)->Read(absl::MakeSpan(part.data(), part.size()));
    EXPECT_OK(size.status());
    if (size.value_or(0) == 0) break;
    bytes.append(part, 0, *size);
  }
  return bytes;
}

class ImagesTest : public ::testing::TestWithParam<std::string> {
 protected:
  ImagesTest() {
    const std::string bytes = ReadAll(absl::StrCat(kFolder, GetParam(), ".img.zst"));
    device_ = std::make_unique<MemDevice>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), device_->bytes().begin());
    if (!IsRefused()) text_ = ReadAll(absl::StrCat(kFolder, GetParam(), ".txt"));
  }
  bool Is(absl::string_view name) const { return absl::EndsWith(GetParam(), absl::StrCat("-", name)); }
  bool IsRefused() const { return Is("incompat") || Is("newer"); }

  void ExpectTree(bool cut) {
    const absl::StatusOr<OpenedImage> opened = OpenGoldenImage(*device_, true);
    ASSERT_OK(opened.status());
    EXPECT_THAT(ListTree(*opened->volume), base::IsOkAndHolds(text_));
    ASSERT_OK_AND_ASSIGN(const TreeCheckReport report, CheckTree(*opened->engine));
    for (const TreeProblem& problem : report.problems) ADD_FAILURE() << problem.rule << " " << problem.text;
    EXPECT_EQ(opened->engine->stats().recovery_cut, cut);
  }
  void ExpectSound() {
    ASSERT_OK_AND_ASSIGN(const CheckReport report, CheckVolume(*device_, {}));
    for (const CheckFinding& finding : report.findings) {
      if (!finding.harmless) ADD_FAILURE() << finding.rule << " " << finding.message;
    }
  }

  std::unique_ptr<MemDevice> device_;
  std::string text_;
};

TEST_P(ImagesTest, DumpsAsEver) {
  if (IsRefused()) return;  // nothing can be said about it
  EXPECT_THAT(DumpText(*device_), base::IsOkAndHolds(ReadAll(absl::StrCat(kFolder, GetParam(), ".dump.zst"))));
}

TEST_P(ImagesTest, IsReadAsEverAndNotWritten) {
  const std::vector<uint8_t> before(device_->bytes().begin(), device_->bytes().end());
  if (IsRefused()) {
    const absl::Status status = OpenGoldenImage(*device_, true).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnimplemented, HasSubstr(Is("newer") ? "version" : "features")));
    EXPECT_THAT(CheckVolume(*device_, {}).status(), StatusIs(absl::StatusCode::kUnimplemented));
  } else {
    ExpectSound();
    ExpectTree(Is("torn"));
  }
  EXPECT_TRUE(std::equal(before.begin(), before.end(), device_->bytes().begin()));
}

TEST_P(ImagesTest, IsWrittenFurther) {
  if (IsRefused() || Is("rocompat")) {
    const std::vector<uint8_t> before(device_->bytes().begin(), device_->bytes().end());
    EXPECT_THAT(OpenGoldenImage(*device_, false).status(), StatusIs(absl::StatusCode::kUnimplemented));
    EXPECT_TRUE(std::equal(before.begin(), before.end(), device_->bytes().begin()));
    return;
  }
  std::string changed;
  {
    ASSERT_OK_AND_ASSIGN(OpenedImage opened, OpenGoldenImage(*device_, false));
    EXPECT_THAT(ListTree(*opened.volume), base::IsOkAndHolds(text_));
    const Credentials root;
    for (int i = 0; i < 40; ++i) {
      ASSERT_OK_AND_ASSIGN(const Attributes file,
                           opened.volume->MakeNode(kRootInode, absl::StrCat("added", i), {}, root, Reference::kNone));
      ASSERT_OK(opened.volume->Write(file.inode, 0, std::string(1000 * i, static_cast<char>('a' + i % 26))));
      if (i % 10 == 0) {
        ASSERT_OK(opened.volume->Sync());
      }
    }
    ASSERT_OK_AND_ASSIGN(changed, ListTree(*opened.volume));
    ASSERT_OK(opened.volume->Close());
    ASSERT_OK(opened.engine->Close());
  }
  EXPECT_NE(changed, text_);
  text_ = changed;
  ExpectSound();
  ExpectTree(false);
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const char* name : {"clean", "crashed", "incompat", "marked", "newer", "rocompat", "torn", "usual", "void"}) {
    names.push_back(absl::StrCat("v1-", name));
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, ImagesTest, ::testing::ValuesIn(Names()),
                         [](const ::testing::TestParamInfo<std::string>& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// Whoever changes the format finds images of the new version in its generator, and each
// image has in it what it is there for.
TEST(GoldenImagesTest, AreMadeTheSameEachTime) {
  ASSERT_OK_AND_ASSIGN(const std::vector<GoldenImage> first, MakeGoldenImages());
  ASSERT_OK_AND_ASSIGN(const std::vector<GoldenImage> second, MakeGoldenImages());
  ASSERT_EQ(first.size(), second.size());
  ASSERT_EQ(first.size(), Names().size());
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(absl::StrCat("v1-", first[i].name), Names()[i]);
    EXPECT_TRUE(first[i].bytes == second[i].bytes) << first[i].name;
  }
}

TEST(GoldenImagesTest, HoldEveryRowRecordAndChunk) {
  const std::string clean = ReadAll(absl::StrCat(kFolder, "v1-clean.dump.zst"));
  for (const char* part : {"type=inode ", "type=back-reference ", "type=xattr ", "type=extent ", "type=name ",
                           "type=order ", "type=expiry ", "type=policy ", "type=usage ", "type=counter ", "type=owner ",
                           "inline length=", "packed length=", "device length=", "PACK", "EXT", " open ", "level=1"}) {
    EXPECT_THAT(clean, HasSubstr(part));
  }
  const std::string crashed = ReadAll(absl::StrCat(kFolder, "v1-crashed.dump.zst"));
  for (const char* part : {"put ", "delete ", "forget ", "inline ", "manifest ", "type=orphan ", "log at "}) {
    EXPECT_THAT(crashed, HasSubstr(part));
  }
  EXPECT_THAT(ReadAll(absl::StrCat(kFolder, "v1-torn.dump.zst")), HasSubstr("log: cut at batch"));
  EXPECT_THAT(ReadAll(absl::StrCat(kFolder, "v1-void.dump.zst")), HasSubstr("void={batch"));
}

}  // namespace
}  // namespace fs

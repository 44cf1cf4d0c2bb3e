#include "fs/volume/testing/golden_images.h"

#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/cache/dump.h"
#include "fs/disk/testing/error_device.h"
#include "fs/disk/testing/mem_device.h"
#include "fs/format/crc32c.h"
#include "fs/format/superblock.h"

namespace fs::testing {
namespace {

const Credentials kRoot;

// Images are opened a minute after they were made, for ever: nothing in them has expired.
constexpr int64_t kMadeNs = 1'700'000'000'000'000'000;
constexpr int64_t kOpenedNs = kMadeNs + 60'000'000'000;

// No two units are alike, yet images stay small.
std::string Bytes(size_t size, uint32_t seed) {
  std::string bytes;
  for (size_t unit = 0; bytes.size() < size; ++unit)
    bytes.append(4096 / 16, ' ').append(absl::StrFormat("%016d", seed * 1000 + unit)).append(3824, 'b');
  bytes.resize(size);
  return bytes;
}

// rw- for the owner, r-- for user 1000, r-x for the group under a mask of r-x, --x for others.
std::string AclBytes() {
  return absl::HexStringToBytes(
      "0200000001000600ffffffff02000400e803000004000500ffffffff10000500ffffffff20000100ffffffff");
}

absl::StatusOr<InodeNumber> AddFile(Volume& volume, InodeNumber directory, absl::string_view name,
                                    absl::string_view bytes) {
  ASSIGN_OR_RETURN(const Attributes file, volume.MakeNode(directory, name, {.mode = 0644}, kRoot, Reference::kNone));
  RETURN_IF_ERROR(volume.Write(file.inode, 0, bytes));
  return file.inode;
}

absl::StatusOr<InodeNumber> AddDirectory(Volume& volume, InodeNumber directory, absl::string_view name) {
  ASSIGN_OR_RETURN(const Attributes made, volume.MakeDirectory(directory, name, 0755, kRoot, Reference::kNone));
  return made.inode;
}

// Every kind of extent, holes, and sizes around the borders of units, packs and chunks.
absl::Status FillData(Volume& volume, InodeNumber directory) {
  uint32_t seed = 0;
  for (const size_t size : {0, 1, 256, 257, 3000, 4096, 4097, 50000, 65536, 65537, 200000}) {
    RETURN_IF_ERROR(AddFile(volume, directory, absl::StrCat("bytes-", size), Bytes(size, ++seed)).status());
  }
  ASSIGN_OR_RETURN(const InodeNumber sparse, AddFile(volume, directory, "sparse", "begin"));
  RETURN_IF_ERROR(volume.Write(sparse, 1 << 20, Bytes(5000, 100)));
  RETURN_IF_ERROR(volume.Write(sparse, uint64_t{1} << 40, "far"));
  ASSIGN_OR_RETURN(const InodeNumber punched, AddFile(volume, directory, "punched", Bytes(150000, 101)));
  RETURN_IF_ERROR(volume.Fallocate(punched, FallocateMode::kPunchHole, 30000, 60000));
  ASSIGN_OR_RETURN(const InodeNumber allocated, AddFile(volume, directory, "allocated", "x"));
  RETURN_IF_ERROR(volume.Fallocate(allocated, FallocateMode::kExtend, 0, 12345));
  ASSIGN_OR_RETURN(const InodeNumber appended, AddFile(volume, directory, "appended", ""));
  for (int i = 0; i < 20; ++i) RETURN_IF_ERROR(volume.Append(appended, Bytes(777, 200 + i)).status());
  return absl::OkStatus();
}

absl::Status FillNames(Volume& volume, InodeNumber directory) {
  ASSIGN_OR_RETURN(const InodeNumber file, AddFile(volume, directory, "file", "linked"));
  RETURN_IF_ERROR(volume.Link(file, directory, "hard link", Reference::kNone).status());
  for (const std::string& name : {std::string("new\nline"), std::string("\xc3\xbc\xe2\x82\xac"),
                                  std::string("\xff\xfe"), std::string(255, 'n')}) {
    RETURN_IF_ERROR(AddFile(volume, directory, name, name).status());
  }
  RETURN_IF_ERROR(volume.MakeSymlink(directory, "short", "file", kRoot, Reference::kNone).status());
  RETURN_IF_ERROR(volume.MakeSymlink(directory, "long", std::string(4000, 'l'), kRoot, Reference::kNone).status());
  for (const uint32_t type : {S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK}) {
    const NewNode node = {.mode = type | 0600, .device = type == S_IFCHR || type == S_IFBLK ? 0x10305u : 0u};
    RETURN_IF_ERROR(
        volume.MakeNode(directory, absl::StrFormat("node-%o", type), node, kRoot, Reference::kNone).status());
  }
  ASSIGN_OR_RETURN(const InodeNumber many, AddDirectory(volume, directory, "many"));
  for (int i = 0; i < 120; ++i)
    RETURN_IF_ERROR(AddFile(volume, many, absl::StrCat("entry", i), Bytes(100 + i * 10, i)).status());
  for (int i = 0; i < 120; i += 3) RETURN_IF_ERROR(volume.Unlink(many, absl::StrCat("entry", i)));
  RETURN_IF_ERROR(volume.Rename(many, "entry1", directory, "moved", {}, kRoot));
  return volume.Rename(many, "entry2", many, "entry4", {.flag = RenameFlag::kExchange}, kRoot);
}

absl::Status FillAttributes(Volume& volume, InodeNumber directory) {
  ASSIGN_OR_RETURN(const InodeNumber file, AddFile(volume, directory, "owned", Bytes(5000, 5)));
  AttributeChange change;
  change.fields = AttributeChange::kMode | AttributeChange::kUid | AttributeChange::kGid |
                  AttributeChange::kAccessTime | AttributeChange::kModifyTime;
  change.mode = 0751;
  change.uid = 1000;
  change.gid = 4'000'000'000;
  change.access_time = {-5, 999'999'999};
  change.modify_time = {4'000'000'000, 1};
  RETURN_IF_ERROR(volume.SetAttributes(file, change).status());
  RETURN_IF_ERROR(volume.SetXattr(file, "user.small", "value"));
  RETURN_IF_ERROR(volume.SetXattr(file, "user.empty", ""));
  RETURN_IF_ERROR(volume.SetXattr(file, "user.large", Bytes(5000, 6)));
  RETURN_IF_ERROR(volume.SetXattr(file, "trusted.secret", "hidden"));
  RETURN_IF_ERROR(volume.SetXattr(file, "system.posix_acl_access", AclBytes()));
  RETURN_IF_ERROR(volume.SetXattr(directory, "system.posix_acl_default", AclBytes()));
  RETURN_IF_ERROR(AddFile(volume, directory, "inherits", "acl").status());
  for (const DigestType type : kDigestTypes) RETURN_IF_ERROR(volume.Digest(file, type).status());
  RETURN_IF_ERROR(volume.SubtreeVersion(kRootInode).status());
  return volume.SetXattr(file, "user.after", "the version was looked at");
}

absl::Status FillCaches(Volume& volume, InodeNumber directory) {
  ASSIGN_OR_RETURN(const InodeNumber lru, AddDirectory(volume, directory, "lru"));
  RETURN_IF_ERROR(volume.SetXattr(lru, "user.cachefs.policy", "lru"));
  RETURN_IF_ERROR(volume.SetXattr(lru, "user.cachefs.quota", "1048576"));
  RETURN_IF_ERROR(volume.SetXattr(lru, "user.cachefs.ttl", "3600"));
  RETURN_IF_ERROR(volume.SetXattr(lru, "user.cachefs.digest", "sha256"));
  for (int i = 0; i < 10; ++i)
    RETURN_IF_ERROR(AddFile(volume, lru, absl::StrCat("cached", i), Bytes(9000, 300 + i)).status());
  ASSIGN_OR_RETURN(const InodeNumber fifo, AddDirectory(volume, directory, "fifo"));
  RETURN_IF_ERROR(volume.SetXattr(fifo, "user.cachefs.policy", "fifo"));
  return AddFile(volume, fifo, "one", Bytes(20000, 400)).status();
}

absl::Status FillTree(const OpenedImage& opened) {
  Volume& volume = *opened.volume;
  using Fill = absl::Status (*)(Volume&, InodeNumber);
  for (const auto& [name, fill] : std::map<std::string, Fill>{
           {"attributes", FillAttributes}, {"caches", FillCaches}, {"data", FillData}, {"names", FillNames}}) {
    ASSIGN_OR_RETURN(const InodeNumber directory, AddDirectory(volume, kRootInode, name));
    RETURN_IF_ERROR(fill(volume, directory));
    opened.clock->Advance(absl::Milliseconds(1500));
  }
  return absl::OkStatus();
}

MkfsOptions Geometry(bool tiny, base::Clock* clock) {
  MkfsOptions mkfs;
  mkfs.seed = 20;
  mkfs.label = tiny ? "golden" : "golden, usual geometry";
  mkfs.clock = clock;
  if (!tiny) return mkfs;
  mkfs.chunk_bytes = 64 << 10;
  mkfs.log_bytes = 512 << 10;
  return mkfs;
}

absl::StatusOr<OpenedImage> NewVolume(Device& device, bool tiny) {
  OpenedImage opened;
  opened.clock = std::make_unique<base::ManualClock>(kMadeNs);
  RETURN_IF_ERROR(Mkfs(device, Geometry(tiny, opened.clock.get())));
  EngineOptions options;
  options.manual = true;
  options.clock = opened.clock.get();
  ASSIGN_OR_RETURN(opened.engine, OpenEngine(device, options));
  RETURN_IF_ERROR(Volume::Format(*opened.engine, *opened.clock, 11, 12));
  ASSIGN_OR_RETURN(opened.volume, Volume::Open(*opened.engine, {.clock = opened.clock.get()}));
  return opened;
}

std::string ImageOf(MemDevice& device) {
  return std::string(reinterpret_cast<const char*>(device.bytes().data()), device.bytes().size());
}

constexpr uint64_t kTinyBytes = 12 << 20, kUsualBytes = 64 << 20;

// Closed after use: everything in the tree.
absl::StatusOr<std::string> Clean(bool tiny) {
  MemDevice device(tiny ? kTinyBytes : kUsualBytes);
  ASSIGN_OR_RETURN(OpenedImage opened, NewVolume(device, tiny));
  RETURN_IF_ERROR(FillTree(opened));
  RETURN_IF_ERROR(opened.volume->Sync());
  RETURN_IF_ERROR(opened.volume->Close());
  RETURN_IF_ERROR(opened.engine->Close());
  return ImageOf(device);
}

// What a crash leaves behind a checkpoint: a log to replay with every kind of record, an
// orphan, PACK chunks that are open, and a newest batch that only its manifest proves.
absl::Status Crash(OpenedImage& opened) {
  Volume& volume = *opened.volume;
  RETURN_IF_ERROR(FillTree(opened));
  ASSIGN_OR_RETURN(const Attributes old_orphan, volume.MakeTemporary(kRootInode, 0600, kRoot));
  RETURN_IF_ERROR(volume.Write(old_orphan.inode, 0, "an orphan in the tree"));
  RETURN_IF_ERROR(opened.engine->Checkpoint());
  ASSIGN_OR_RETURN(const InodeNumber later, AddDirectory(volume, kRootInode, "later"));
  ASSIGN_OR_RETURN(const InodeNumber changed, AddFile(volume, later, "changed", Bytes(3000, 500)));
  RETURN_IF_ERROR(volume.Fsync(changed));  // inline in the log
  RETURN_IF_ERROR(volume.Write(changed, 1000, "over it"));
  RETURN_IF_ERROR(volume.Fsync(changed));  // and forgotten there
  ASSIGN_OR_RETURN(const Attributes orphan, volume.MakeTemporary(later, 0600, kRoot));
  RETURN_IF_ERROR(volume.Write(orphan.inode, 0, Bytes(7000, 501)));
  RETURN_IF_ERROR(volume.Fsync(orphan.inode));
  for (int i = 0; i < 12; ++i)
    RETURN_IF_ERROR(AddFile(volume, later, absl::StrCat("packed", i), Bytes(12000, 510 + i)).status());
  RETURN_IF_ERROR(volume.Sync());  // too much to be inline: placed
  RETURN_IF_ERROR(volume.Unlink(later, "packed3"));
  RETURN_IF_ERROR(volume.Sync());
  ASSIGN_OR_RETURN(const InodeNumber large, AddFile(volume, later, "large", Bytes(300000, 530)));
  return volume.Fsync(large);
}

absl::StatusOr<std::string> Crashed() {
  MemDevice device(kTinyBytes);
  ASSIGN_OR_RETURN(OpenedImage opened, NewVolume(device, true));
  RETURN_IF_ERROR(Crash(opened));
  return ImageOf(device);
}

// The same, and idle before: a marker says that the newest batch was durable.
absl::StatusOr<std::string> Marked() {
  MemDevice device(kTinyBytes);
  ASSIGN_OR_RETURN(OpenedImage opened, NewVolume(device, true));
  RETURN_IF_ERROR(Crash(opened));
  while (true) {
    ASSIGN_OR_RETURN(const bool worked, opened.engine->Step());
    if (!worked) return ImageOf(device);
  }
}

// The same, but of the newest batch one block of data did not arrive: it is cut.
absl::StatusOr<std::string> Torn() {
  MemDevice device(kTinyBytes);
  ASSIGN_OR_RETURN(OpenedImage opened, NewVolume(device, true));
  RETURN_IF_ERROR(Crash(opened));
  ASSIGN_OR_RETURN(const InodeNumber torn, AddFile(*opened.volume, kRootInode, "torn", Bytes(100000, 600)));
  const std::string before = ImageOf(device);
  RETURN_IF_ERROR(opened.volume->Fsync(torn));
  std::string after = ImageOf(device);
  const std::string lost = Bytes(100000, 600).substr(0, 4096);
  const size_t at = after.find(lost);
  if (at == std::string::npos) return absl::InternalError("the torn file is not in the image");
  after.replace(at, lost.size(), before, at, lost.size());
  return after;
}

// A write of the log failed, and it went on behind a void range.
absl::StatusOr<std::string> Void() {
  MemDevice device(kTinyBytes);
  ErrorDevice faulty(device);
  ASSIGN_OR_RETURN(OpenedImage opened, NewVolume(faulty, true));
  ASSIGN_OR_RETURN(const InodeNumber before, AddFile(*opened.volume, kRootInode, "before", "the bad block"));
  RETURN_IF_ERROR(opened.volume->Fsync(before));
  ASSIGN_OR_RETURN(const InodeNumber behind, AddFile(*opened.volume, kRootInode, "behind", "the bad block"));
  faulty.Add({DiskFault::Kind::kFail, IoRequest::Kind::kWrite, faulty.count(IoRequest::Kind::kWrite)});
  RETURN_IF_ERROR(opened.volume->Fsync(behind));
  if (opened.engine->superblock().void_bytes == 0) return absl::InternalError("no void range");
  return ImageOf(device);
}

// All superblocks say something else.
absl::StatusOr<std::string> Edited(const std::function<void(Superblock*)>& edit) {
  ASSIGN_OR_RETURN(const std::string clean, Clean(true));
  MemDevice device(clean.size());
  std::copy(clean.begin(), clean.end(), device.bytes().begin());
  for (int copy = 0; copy < kSuperblockCopies; ++copy) {
    const uint64_t address = SuperblockAddress(copy, clean.size());
    const absl::Span<uint8_t> block = device.bytes().subspan(address, kSuperblockBytes);
    ASSIGN_OR_RETURN(Superblock superblock, DecodeSuperblock(block, address));
    edit(&superblock);
    Encode(superblock, address, block);
  }
  return ImageOf(device);
}

// What `bytes` of a file hold, and where its holes are.
absl::StatusOr<std::string> DataText(Volume& volume, const Attributes& file) {
  std::string text;
  uint32_t crc = 0;
  std::string bytes;
  for (uint64_t at = 0; at < file.size_bytes;) {
    const absl::StatusOr<uint64_t> data = volume.Seek(file.inode, at, false);
    if (!data.ok()) break;  // nothing but a hole
    ASSIGN_OR_RETURN(const uint64_t end, volume.Seek(file.inode, *data, true));
    bytes.resize(end - *data);
    ASSIGN_OR_RETURN(
        const size_t size,
        volume.Read(file.inode, *data, absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size())));
    if (size != bytes.size()) return absl::DataLossError("a read came back short");
    absl::StrAppend(&text, " [", *data, ",", end, ")");
    crc = Crc32c(bytes.data(), bytes.size()) ^ (crc << 1 | crc >> 31);
    at = end;
  }
  return absl::StrFormat(" crc=%08x data=%s", crc, text);
}

absl::StatusOr<std::string> FileText(Volume& volume, const Attributes& file) {
  const auto time = [](const Timestamp& t) { return absl::StrFormat("%d.%09d", t.seconds, t.nanoseconds); };
  std::string text =
      absl::StrFormat("mode=%o owner=%d:%d links=%d size=%d mtime=%s ctime=%s", file.mode, file.uid, file.gid,
                      file.link_count, file.size_bytes, time(file.modify_time), time(file.change_time));
  if (file.device != 0) absl::StrAppend(&text, " device=", file.device);
  if (file.policy != 0) absl::StrAppend(&text, " policy=", file.policy);
  if (!file.expiry_time.is_zero()) absl::StrAppend(&text, " expiry=", time(file.expiry_time));
  ASSIGN_OR_RETURN(const std::string names, volume.ListXattrs(file.inode, true));
  for (const absl::string_view name : absl::StrSplit(names, '\0', absl::SkipEmpty())) {
    ASSIGN_OR_RETURN(const std::string value, volume.GetXattr(file.inode, name));
    absl::StrAppend(&text, " ", name, "=",
                    value.size() > 64
                        ? absl::StrFormat("%d bytes, crc %08x", value.size(), Crc32c(value.data(), value.size()))
                        : absl::CEscape(value));
  }
  if (file.is_symlink()) {
    ASSIGN_OR_RETURN(const std::string target, volume.ReadSymlink(file.inode));
    absl::StrAppend(&text, " -> ", target);
  }
  if (!file.is_regular()) return text;
  ASSIGN_OR_RETURN(const std::string data, DataText(volume, file));
  return text + data;
}

absl::Status ListBelow(Volume& volume, InodeNumber directory, const std::string& path, std::string* out) {
  std::map<std::string, InodeNumber> names;
  RETURN_IF_ERROR(volume.ReadDir(directory, {}, [&](const DirectoryEntry& entry) {
    if (entry.name != "." && entry.name != "..") names[std::string(entry.name)] = entry.inode;
    return true;
  }));
  for (const auto& [name, inode] : names) {
    const std::string below = absl::StrCat(path, "/", absl::CEscape(name));
    ASSIGN_OR_RETURN(const Attributes file, volume.GetAttributes(inode));
    const absl::StatusOr<std::string> text = FileText(volume, file);
    RETURN_IF_ERROR(base::Annotate(text.status(), below));
    absl::StrAppend(out, below, " ", *text, "\n");
    if (file.is_directory()) RETURN_IF_ERROR(ListBelow(volume, inode, below, out));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<GoldenImage>> MakeGoldenImages() {
  std::vector<GoldenImage> images;
  const auto add = [&images](const std::string& name, absl::StatusOr<std::string> bytes) {
    if (bytes.ok()) images.push_back({name, *std::move(bytes)});
    return base::Annotate(bytes.status(), name);
  };
  RETURN_IF_ERROR(add("clean", Clean(true)));
  RETURN_IF_ERROR(add("crashed", Crashed()));
  RETURN_IF_ERROR(add("incompat", Edited([](Superblock* s) { s->features_incompat = uint64_t{1} << 40; })));
  RETURN_IF_ERROR(add("marked", Marked()));
  RETURN_IF_ERROR(add("newer", Edited([](Superblock* s) { s->format_version = kFormatVersion + 1; })));
  RETURN_IF_ERROR(add("rocompat", Edited([](Superblock* s) { s->features_ro_compat = uint64_t{1} << 40; })));
  RETURN_IF_ERROR(add("torn", Torn()));
  RETURN_IF_ERROR(add("usual", Clean(false)));
  RETURN_IF_ERROR(add("void", Void()));
  return images;
}

absl::StatusOr<OpenedImage> OpenGoldenImage(Device& device, bool read_only) {
  OpenedImage opened;
  opened.clock = std::make_unique<base::ManualClock>(kOpenedNs);
  EngineOptions options;
  options.manual = true;
  options.read_only = read_only;
  options.clock = opened.clock.get();
  ASSIGN_OR_RETURN(opened.engine, OpenEngine(device, options));
  ASSIGN_OR_RETURN(opened.volume, Volume::Open(*opened.engine, {.clock = opened.clock.get(), .read_only = read_only}));
  return opened;
}

absl::StatusOr<std::string> ListTree(Volume& volume) {
  std::string text;
  RETURN_IF_ERROR(ListBelow(volume, kRootInode, "", &text));
  return text;
}

absl::StatusOr<std::string> DumpText(Device& device) {
  DumpOptions options;
  options.rows = options.records = true;
  std::string text;
  RETURN_IF_ERROR(DumpVolume(device, options, [&text](absl::string_view line) { absl::StrAppend(&text, line, "\n"); }));
  return text;
}

}  // namespace fs::testing

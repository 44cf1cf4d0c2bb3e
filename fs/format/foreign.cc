#include "fs/format/foreign.h"

#include <algorithm>

#include "absl/strings/string_view.h"

namespace fs {
namespace {

struct Signature {
  size_t offset;
  absl::string_view magic;
  const char* name;
};

// The most telling first: a boot sector may lie before any of the others.
const Signature kSignatures[] = {
    {1080, absl::string_view("\x53\xef", 2), "an ext2, ext3 or ext4 filesystem"},
    {0, "XFSB", "an XFS filesystem"},
    {65600, "_BHRfS_M", "a btrfs filesystem"},
    {1024, absl::string_view("\x10\x20\xf5\xf2", 4), "an F2FS filesystem"},
    {4096, absl::string_view("\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", 16),
     "a bcachefs or bcache device"},
    {4120, absl::string_view("\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", 16),
     "a bcachefs or bcache device"},
    {0, absl::string_view("LUKS\xba\xbe", 6), "a LUKS container"},
    {512, "LABELONE", "an LVM physical volume"},
    {24, "LVM2 001", "an LVM physical volume"},
    {536, "LVM2 001", "an LVM physical volume"},
    {4086, "SWAPSPACE2", "swap space"},
    {4086, "SWAP-SPACE", "swap space"},
    {65526, "SWAPSPACE2", "swap space"},
    {4096, absl::string_view("\xfc\x4e\x2b\xa9", 4), "a member of a RAID array"},
    {0, absl::string_view("\xfc\x4e\x2b\xa9", 4), "a member of a RAID array"},
    {65536, "ReIsErFs", "a ReiserFS filesystem"},
    {65588, "ReIsEr2Fs", "a ReiserFS filesystem"},
    {65588, "ReIsEr3Fs", "a ReiserFS filesystem"},
    {32768, "JFS1", "a JFS filesystem"},
    {1030, absl::string_view("\x34\x34", 2), "a NILFS2 filesystem"},
    {0, "hsqs", "a SquashFS image"},
    {1024, absl::string_view("\xe2\xe1\xf5\xe0", 4), "an EROFS image"},
    {32769, "CD001", "an ISO 9660 image"},
    {3, "NTFS    ", "an NTFS filesystem"},
    {3, "EXFAT   ", "an exFAT filesystem"},
    {82, "FAT32   ", "a FAT filesystem"},
    {54, "FAT16   ", "a FAT filesystem"},
    {54, "FAT12   ", "a FAT filesystem"},
    {1024, "H+", "an HFS+ filesystem"},
    {32, "NXSB", "an APFS container"},
    {0, "bluestore block device", "a Ceph BlueStore device"},
    {0, absl::string_view("QFI\xfb", 4), "a qcow2 image"},
    {512, "EFI PART", "a GPT partition table"},
    {4096, "EFI PART", "a GPT partition table"},
    {510, absl::string_view("\x55\xaa", 2), "an MBR partition table or boot sector"},
};

bool Holds(absl::Span<const uint8_t> bytes, size_t offset, absl::string_view magic) {
  return bytes.size() >= offset + magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin() + static_cast<ptrdiff_t>(offset),
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

}  // namespace

std::string FindForeignSignature(absl::Span<const uint8_t> head, absl::Span<const uint8_t> tail) {
  for (const Signature& signature : kSignatures) {
    if (Holds(head, signature.offset, signature.magic)) return signature.name;
  }
  // Written by tools that wipe the head only.
  if (tail.size() >= 512 && Holds(tail, tail.size() - 512, "EFI PART")) return "a GPT partition table (at the end)";
  if (tail.size() >= 4096 && Holds(tail, tail.size() - 4096, "EFI PART")) return "a GPT partition table (at the end)";
  const bool zeros = std::all_of(head.begin(), head.end(), [](uint8_t byte) { return byte == 0; });
  return zeros ? "" : kUnknownData;
}

}  // namespace fs

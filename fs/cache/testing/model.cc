#include "fs/cache/testing/model.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "fs/format/key.h"

namespace fs::testing {
namespace {

void CutZeros(std::string& bytes) {
  while (!bytes.empty() && bytes.back() == '\0') bytes.pop_back();
}

bool IsEnginesOwn(absl::string_view key) {
  return KeyType(key) == RowType::kExtent || KeyType(key) == RowType::kChunk || KeyType(key) == RowType::kOwner;
}

}  // namespace

void Model::Apply(const Mutation& mutation) {
  for (const Mutation::Row& row : mutation.rows()) {
    if (row.deleted) {
      rows_.erase(row.key);
    } else {
      rows_[row.key] = row.value;
    }
  }
  for (const Mutation::Data& data : mutation.data()) {
    std::string& file = files_[data.inode];
    switch (data.kind) {
      case Mutation::Data::Kind::kWrite:
        if (file.size() < data.offset + data.bytes.size()) file.resize(data.offset + data.bytes.size(), '\0');
        std::copy(data.bytes.begin(), data.bytes.end(), file.begin() + static_cast<ptrdiff_t>(data.offset));
        break;
      case Mutation::Data::Kind::kPunch:
        for (uint64_t i = data.offset; i < file.size() && i - data.offset < data.length; ++i) file[i] = '\0';
        break;
      case Mutation::Data::Kind::kDrop:
        file.clear();
        break;
    }
    CutZeros(file);
    if (file.empty()) files_.erase(data.inode);
  }
}

std::string Model::Difference(Engine& engine, const std::vector<InodeNumber>& extra) const {
  std::string difference;
  auto expected = rows_.begin();
  const absl::Status scanned = engine.Scan("", std::string(20, '\xff'), [&](absl::string_view key, absl::string_view value) {
    if (IsEnginesOwn(key)) return true;
    if (expected == rows_.end()) {
      difference = absl::StrFormat("row %s should not be", absl::BytesToHexString(key));
    } else if (key != expected->first) {
      difference = absl::StrFormat("row %s, expected %s", absl::BytesToHexString(key), absl::BytesToHexString(expected->first));
    } else if (value != expected->second) {
      difference = absl::StrFormat("row %s has a wrong value", absl::BytesToHexString(key));
    }
    if (expected != rows_.end()) ++expected;
    return difference.empty();
  });
  if (!scanned.ok()) return std::string(scanned.message());
  if (!difference.empty()) return difference;
  if (expected != rows_.end()) return absl::StrFormat("row %s is missing", absl::BytesToHexString(expected->first));
  std::map<InodeNumber, std::string> files = files_;
  for (const InodeNumber inode : extra) files[inode];
  for (const auto& [inode, bytes] : files) {
    std::string read(bytes.size() + 10000, 'x');
    const absl::Status status =
        engine.ReadData({inode, 0, absl::MakeSpan(reinterpret_cast<uint8_t*>(read.data()), read.size())});
    if (!status.ok()) return absl::StrFormat("inode %d: %s", inode, status.message());
    const std::string want = bytes + std::string(10000, '\0');
    if (read == want) continue;
    const size_t at = std::mismatch(read.begin(), read.end(), want.begin()).first - read.begin();
    return absl::StrFormat("inode %d differs at %d of %d: read %02x, expected %02x", inode, at, bytes.size(),
                           static_cast<uint8_t>(read[at]), static_cast<uint8_t>(want[at]));
  }
  return "";
}

Mutation MutationMaker::Make() {
  Mutation mutation;
  bytes_.clear();
  bytes_.reserve(4);
  const auto pick = [this](uint64_t bound) { return random_() % bound; };
  const InodeNumber inode = 10 + pick(options_.inodes);
  const Placement placement{1 + inode % 2, inode, 0};
  for (uint64_t i = pick(3); i > 0; --i) {
    const std::string key = pick(2) == 0 ? RowKey(inode, RowType::kInode) : RowKey(inode, RowType::kName, pick(20), 0);
    if (pick(4) == 0) {
      mutation.Delete(key);
    } else {
      mutation.Put(key, std::string(pick(200), static_cast<char>('a' + pick(26))));
    }
  }
  const auto offset = [&] {
    const uint64_t raw = pick(4) == 0 ? pick(options_.file_bytes_max) : pick(20000);
    return pick(2) == 0 ? raw / 4096 * 4096 : raw;
  };
  for (uint64_t i = pick(3); i > 0; --i) {
    switch (pick(8)) {
      case 0:
        mutation.Drop(inode);
        break;
      case 1:
        mutation.Punch(inode, offset(), pick(2) == 0 ? UINT64_MAX : 1 + pick(options_.write_bytes_max));
        break;
      default: {
        const uint64_t size = pick(6) == 0 ? pick(options_.write_bytes_max) : pick(3) == 0 ? 4096 : pick(6000);
        std::string text(size + 1, '\0');
        const char seed = static_cast<char>(pick(256));
        for (size_t j = 0; j < text.size(); ++j) text[j] = static_cast<char>(seed + j / 7 + j * j % 13);
        bytes_.push_back(std::move(text));
        mutation.Write(inode, pick(3) == 0 ? 0 : offset(), bytes_.back(), placement);
      }
    }
  }
  if (mutation.rows().empty() && mutation.data().empty()) mutation.Put(RowKey(inode, RowType::kInode), "empty");
  return mutation;
}

std::vector<InodeNumber> MutationMaker::AllInodes() const {
  std::vector<InodeNumber> inodes;
  for (int i = 0; i < options_.inodes; ++i) inodes.push_back(10 + i);
  return inodes;
}

uint64_t TestSeed(uint64_t otherwise) {
  const char* given = std::getenv("TEST_SEED");
  const uint64_t seed = given != nullptr && *given != '\0' ? std::strtoull(given, nullptr, 10) : otherwise;
  std::printf("seed=%lu\n", static_cast<unsigned long>(seed));
  return seed;
}

}  // namespace fs::testing

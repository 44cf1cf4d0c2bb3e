#include "fs/volume/digest.h"

#include <algorithm>
#include <limits>

#include "base/endian.h"
#include "blake3.h"
#include "glog/logging.h"
#include "isa-l/crc.h"
#include "openssl/evp.h"
#include "xxhash.h"

namespace fs {
namespace {

template <typename T>
std::string BigEndian(T value) {
  std::string out(sizeof value, '\0');
  base::StoreBig<T>(out.data(), value);
  return out;
}

uint32_t UpdateCrc32c(uint32_t crc, absl::Span<const uint8_t> data) {
  while (!data.empty()) {
    const size_t size = std::min<size_t>(data.size(), std::numeric_limits<int>::max());
    // ISA-L takes a pointer to non-const but only reads.
    crc = crc32_iscsi(const_cast<uint8_t*>(data.data()), static_cast<int>(size), crc);
    data.remove_prefix(size);
  }
  return crc;
}

}  // namespace

struct Digester::State {
  const DigestType type;
  uint32_t crc = ~0u;
  XXH3_state_t* xxh3 = nullptr;
  EVP_MD_CTX* sha256 = nullptr;
  blake3_hasher blake3;

  explicit State(DigestType type_in) : type(type_in) {
    if (type == DigestType::kXxh3) {
      xxh3 = XXH3_createState();
      CHECK_EQ(XXH3_64bits_reset(xxh3), XXH_OK);
    }
    if (type == DigestType::kBlake3) blake3_hasher_init(&blake3);
    if (type == DigestType::kSha256) {
      sha256 = EVP_MD_CTX_new();
      CHECK_EQ(EVP_DigestInit_ex(sha256, EVP_sha256(), nullptr), 1) << "OpenSSL has no SHA-256";
    }
  }
  ~State() {
    XXH3_freeState(xxh3);
    EVP_MD_CTX_free(sha256);
  }
};

absl::string_view DigestName(DigestType type) {
  switch (type) {
    case DigestType::kCrc32c:
      return "crc32c";
    case DigestType::kXxh3:
      return "xxh3";
    case DigestType::kBlake3:
      return "blake3";
    case DigestType::kSha256:
      return "sha256";
  }
  return "unknown";
}

absl::optional<DigestType> DigestTypeOf(absl::string_view name) {
  for (const DigestType type : kDigestTypes) {
    if (name == DigestName(type)) return type;
  }
  return absl::nullopt;
}

Digester::Digester(DigestType type) : state_(std::make_unique<State>(type)) {}
Digester::~Digester() = default;

void Digester::Update(absl::Span<const uint8_t> data) {
  switch (state_->type) {
    case DigestType::kCrc32c:
      state_->crc = UpdateCrc32c(state_->crc, data);
      return;
    case DigestType::kXxh3:
      XXH3_64bits_update(state_->xxh3, data.data(), data.size());
      return;
    case DigestType::kBlake3:
      blake3_hasher_update(&state_->blake3, data.data(), data.size());
      return;
    case DigestType::kSha256:
      CHECK_EQ(EVP_DigestUpdate(state_->sha256, data.data(), data.size()), 1);
      return;
  }
}

std::string EncodeCrc32cDigest(uint32_t crc) { return BigEndian<uint32_t>(crc); }

std::string Digester::Finish() {
  if (state_->type == DigestType::kCrc32c) return EncodeCrc32cDigest(~state_->crc);
  if (state_->type == DigestType::kXxh3) return BigEndian<uint64_t>(XXH3_64bits_digest(state_->xxh3));
  uint8_t bytes[32];
  if (state_->type == DigestType::kBlake3) {
    blake3_hasher_finalize(&state_->blake3, bytes, sizeof bytes);
  } else {
    CHECK_EQ(EVP_DigestFinal_ex(state_->sha256, bytes, nullptr), 1);
  }
  return std::string(bytes, bytes + sizeof bytes);
}

absl::string_view FindDigest(absl::string_view kept, DigestType type) {
  while (kept.size() >= 2) {
    const size_t size = static_cast<uint8_t>(kept[1]);
    if (kept.size() < 2 + size) break;
    if (kept[0] == static_cast<char>(type)) return kept.substr(2, size);
    kept.remove_prefix(2 + size);
  }
  return "";
}

void AddDigest(std::string* kept, DigestType type, absl::string_view raw) {
  kept->push_back(static_cast<char>(type));
  kept->push_back(static_cast<char>(raw.size()));
  kept->append(raw.data(), raw.size());
}

}  // namespace fs

#include "fs/volume/name_hash.h"

#include <bit>

#include "base/endian.h"

namespace fs {
namespace {

struct SipState {
  uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void Absorb(uint64_t word) {
    v3 ^= word;
    Round();
    Round();
    v0 ^= word;
  }
};

}  // namespace

uint64_t NameHash::operator()(absl::string_view name) const {
  SipState state{key_low_ ^ 0x736f6d6570736575, key_high_ ^ 0x646f72616e646f6d, key_low_ ^ 0x6c7967656e657261,
                 key_high_ ^ 0x7465646279746573};
  const uint64_t size = name.size();
  for (; name.size() >= 8; name.remove_prefix(8)) state.Absorb(base::LoadLittle<uint64_t>(name.data()));
  uint64_t last = size << 56;
  for (size_t i = 0; i < name.size(); ++i) last |= uint64_t{static_cast<uint8_t>(name[i])} << (8 * i);
  state.Absorb(last);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.Round();
  return (state.v0 ^ state.v1 ^ state.v2 ^ state.v3) & mask_;
}

}  // namespace fs

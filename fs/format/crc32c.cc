#include "fs/format/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <array>
#include <limits>

namespace fs {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // reflected

// a * b modulo the polynomial, both reflected.
constexpr uint32_t Multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = uint32_t{1} << 31; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = (b & 1) ? (b >> 1) ^ kPolynomial : b >> 1;
  }
  return product;
}

// x^(8 * 2^i): what one step over 2^i zero bytes multiplies by.
constexpr std::array<uint32_t, 64> MakePowers() {
  std::array<uint32_t, 64> powers{};
  uint32_t power = uint32_t{1} << (31 - 8);  // x^8
  for (uint32_t& entry : powers) {
    entry = power;
    power = Multiply(power, power);
  }
  return powers;
}

constexpr std::array<uint32_t, 64> kPowers = MakePowers();

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, const void* data, size_t size) {
  // ISA-L takes the length as int and does neither complement.
  auto* bytes = static_cast<unsigned char*>(const_cast<void*>(data));
  uint32_t state = ~crc;
  while (size > 0) {
    const size_t step = std::min<size_t>(size, size_t{1} << 30);
    state = crc32_iscsi(bytes, static_cast<int>(step), state);
    bytes += step;
    size -= step;
  }
  return ~state;
}

uint32_t CombineCrc32c(uint32_t first, uint32_t second, uint64_t second_size) {
  for (int i = 0; second_size != 0; ++i, second_size >>= 1) {
    if (second_size & 1) first = Multiply(kPowers[i], first);
  }
  return first ^ second;
}

}  // namespace fs

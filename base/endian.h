// Loads and stores of fixed-width integers at any address.
//
// Little-endian is the order of the disk format; big-endian that of sorted keys.
// Threads: no state.
#ifndef BASE_ENDIAN_H_
#define BASE_ENDIAN_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace base {
namespace internal {

template <typename T>
constexpr T ByteSwap(T value) {
  static_assert(std::is_unsigned_v<T>);
  if constexpr (sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
}

template <typename T, std::endian kOrder>
T Load(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return std::endian::native == kOrder ? value : ByteSwap(value);
}

template <typename T, std::endian kOrder>
void Store(void* to, T value) {
  if constexpr (std::endian::native != kOrder) value = ByteSwap(value);
  std::memcpy(to, &value, sizeof value);
}

}  // namespace internal

template <typename T>
T LoadLittle(const void* from) {
  return internal::Load<T, std::endian::little>(from);
}
template <typename T>
void StoreLittle(void* to, T value) {
  internal::Store<T, std::endian::little>(to, value);
}
template <typename T>
T LoadBig(const void* from) {
  return internal::Load<T, std::endian::big>(from);
}
template <typename T>
void StoreBig(void* to, T value) {
  internal::Store<T, std::endian::big>(to, value);
}

}  // namespace base

#endif  // BASE_ENDIAN_H_

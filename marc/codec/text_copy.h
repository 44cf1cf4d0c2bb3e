// Copies text up to the first byte that a text format must treat apart.
//
// Padding: reads and writes whole vectors: kPaddingBytes past both ends must be
//          readable and writable.
// Threads: no state; thread-safe.
#ifndef MARC_CODEC_TEXT_COPY_H_
#define MARC_CODEC_TEXT_COPY_H_

#include <cstddef>

namespace marc {

// Which bytes end a copy, besides all below 20.
enum class TextKind {
  kXmlOut,  // < > &
  kXmlIn,   // < &
  kJson,    // " and backslash
  kMrkOut,  // $ { } and backslash
  kMrkIn,   // $ { and backslash
};

// Copies bytes of [from, from + size) to `to` until one that ends the copy.
// Returns how many were copied; bytes of `to` behind those are spoilt.
template <TextKind kind>
size_t CopyPlain(const char* from, size_t size, char* to);

extern template size_t CopyPlain<TextKind::kXmlOut>(const char*, size_t, char*);
extern template size_t CopyPlain<TextKind::kXmlIn>(const char*, size_t, char*);
extern template size_t CopyPlain<TextKind::kJson>(const char*, size_t, char*);
extern template size_t CopyPlain<TextKind::kMrkOut>(const char*, size_t, char*);
extern template size_t CopyPlain<TextKind::kMrkIn>(const char*, size_t, char*);

namespace internal {
template <TextKind kind>
size_t CopyPlainPortable(const char* from, size_t size, char* to);
}  // namespace internal

}  // namespace marc

#endif  // MARC_CODEC_TEXT_COPY_H_

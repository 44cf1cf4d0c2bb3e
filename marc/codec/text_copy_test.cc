#include "marc/codec/text_copy.h"

#include <random>
#include <string>

#include "gtest/gtest.h"

namespace marc {
namespace {

template <TextKind kind>
void ExpectFormsAgree(const char* alphabet) {
  std::mt19937_64 random(11);
  const std::string specials = alphabet;
  for (int round = 0; round < 3000; ++round) {
    const size_t size = random() % 120;
    std::string text(size + 64, 'x');
    for (size_t i = 0; i < size; ++i) {
      if (random() % 30 == 0) text[i] = specials[random() % specials.size()];
    }
    std::string fast(size + 64, '\0');
    std::string portable(size + 64, '\0');
    const size_t a = CopyPlain<kind>(text.data(), size, fast.data());
    const size_t b = internal::CopyPlainPortable<kind>(text.data(), size, portable.data());
    ASSERT_EQ(a, b) << round;
    EXPECT_EQ(fast.substr(0, a), portable.substr(0, a));
    EXPECT_EQ(fast.substr(0, a), text.substr(0, a));
  }
}

TEST(CopyPlainTest, FastAndPortableFormsAgree) {
  ExpectFormsAgree<TextKind::kXmlOut>("<>&\n\x01\x1F\x7F\xC3");
  ExpectFormsAgree<TextKind::kXmlIn>("<>&\n\x01\x1F\x7F\xC3");
  ExpectFormsAgree<TextKind::kJson>("\"\\/\n\x01\x1F\x7F\xC3");
  ExpectFormsAgree<TextKind::kMrkOut>("${}\\\n\x1F\xC3");
  ExpectFormsAgree<TextKind::kMrkIn>("${}\\\n\x1F\xC3");
}

}  // namespace
}  // namespace marc

// A Wildcard is one path pattern as gitignore(5) has them.
//
// Shape:   '?' and '*' match anything but '/', '[...]' one character but '/'; "**/" at the start or
//          after '/' matches any directories or none, "/**" at the end everything inside; '\' takes
//          the next character as it is.
// Speed:   all ways to match are followed at once: time is pattern times text at worst.
// Threads: thread-safe once made.
// Source:  gitignore(5), fnmatch(3) with FNM_PATHNAME.
#ifndef HASHCACHE_WALK_WILDCARD_H_
#define HASHCACHE_WALK_WILDCARD_H_

#include <bitset>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hashcache {

class Wildcard {
 public:
  explicit Wildcard(absl::string_view pattern);
  bool Matches(absl::string_view text) const;

 private:
  enum class Kind { kLiteral, kAny, kClass, kStar, kDirectories, kRest, kNever };
  struct Token {
    Kind kind;
    char literal = 0;
    size_t set = 0;
  };
  size_t ParseClass(absl::string_view pattern, size_t at);
  // Adds the state `at` and those reached from it without a character.
  void Enter(size_t at, std::vector<bool>* states) const;

  std::vector<Token> tokens_;
  std::vector<std::bitset<256>> sets_;
  std::string literal_;  // the text itself if the pattern has no special character
  bool is_literal_ = false;
};

}  // namespace hashcache

#endif  // HASHCACHE_WALK_WILDCARD_H_

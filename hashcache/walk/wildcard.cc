#include "hashcache/walk/wildcard.h"

#include <cctype>

#include "absl/strings/match.h"

namespace hashcache {
namespace {

struct NamedClass {
  absl::string_view name;
  int (*test)(int);
};
constexpr NamedClass kNamedClasses[] = {
    {"alnum", std::isalnum}, {"alpha", std::isalpha}, {"blank", std::isblank}, {"cntrl", std::iscntrl},
    {"digit", std::isdigit}, {"graph", std::isgraph}, {"lower", std::islower}, {"print", std::isprint},
    {"punct", std::ispunct}, {"space", std::isspace}, {"upper", std::isupper}, {"xdigit", std::isxdigit},
};

}  // namespace

Wildcard::Wildcard(absl::string_view pattern) {
  is_literal_ = pattern.find_first_of("\\*?[") == absl::string_view::npos;
  if (is_literal_) {
    literal_ = std::string(pattern);
    return;
  }
  for (size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    if (c == '\\') {
      // A backslash at the end matches nothing, as in git.
      if (at + 1 == pattern.size()) {
        tokens_.push_back({Kind::kNever});
      } else {
        tokens_.push_back({Kind::kLiteral, pattern[at + 1]});
      }
      at += 2;
    } else if (c == '?') {
      tokens_.push_back({Kind::kAny});
      ++at;
    } else if (c == '[') {
      at = ParseClass(pattern, at);
    } else if (c == '*') {
      size_t end = at;
      while (end < pattern.size() && pattern[end] == '*') ++end;
      const bool after_slash = at == 0 || pattern[at - 1] == '/';
      const bool before_slash = end < pattern.size() && pattern[end] == '/';
      if (end - at == 2 && after_slash && before_slash) {
        tokens_.push_back({Kind::kDirectories});
        ++end;
      } else if (end - at == 2 && after_slash && end == pattern.size()) {
        tokens_.push_back({Kind::kRest});
      } else {
        tokens_.push_back({Kind::kStar});
      }
      at = end;
    } else {
      tokens_.push_back({Kind::kLiteral, c});
      ++at;
    }
  }
}

// Returns the position after the class that begins at `at`.
size_t Wildcard::ParseClass(absl::string_view pattern, size_t at) {
  std::bitset<256> set;
  size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  const size_t first = i;
  for (; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    if (absl::StartsWith(pattern.substr(i), "[:")) {
      const size_t close = pattern.find(":]", i + 2);
      if (close != absl::string_view::npos) {
        for (const NamedClass& named : kNamedClasses) {
          if (pattern.substr(i + 2, close - i - 2) != named.name) continue;
          for (int c = 0; c < 128; ++c) {
            if (named.test(c) != 0) set.set(static_cast<size_t>(c));
          }
        }
        i = close + 1;
        continue;
      }
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const auto low = static_cast<unsigned char>(pattern[i]);
    auto high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      i += 2;
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      high = static_cast<unsigned char>(pattern[i]);
    }
    for (unsigned c = low; c <= high; ++c) set.set(c);
  }
  if (i >= pattern.size()) {
    // Never closed: matches nothing, as in git.
    tokens_.push_back({Kind::kNever});
    return pattern.size();
  }
  if (negated) set.flip();
  set.reset('/');
  tokens_.push_back({Kind::kClass, 0, sets_.size()});
  sets_.push_back(set);
  return i + 1;
}

void Wildcard::Enter(size_t at, std::vector<bool>* states) const {
  for (;; ++at) {
    (*states)[at] = true;
    const bool may_be_empty =
        at < tokens_.size() && (tokens_[at].kind == Kind::kStar || tokens_[at].kind == Kind::kDirectories);
    if (!may_be_empty) return;
  }
}

bool Wildcard::Matches(absl::string_view text) const {
  if (is_literal_) return text == literal_;
  std::vector<bool> now(tokens_.size() + 1);
  std::vector<bool> next(tokens_.size() + 1);
  Enter(0, &now);
  for (const char c : text) {
    std::fill(next.begin(), next.end(), false);
    bool alive = false;
    for (size_t at = 0; at < tokens_.size(); ++at) {
      if (!now[at]) continue;
      const Token& token = tokens_[at];
      bool taken = true;
      switch (token.kind) {
        case Kind::kLiteral:
          taken = c == token.literal;
          if (taken) Enter(at + 1, &next);
          break;
        case Kind::kAny:
          taken = c != '/';
          if (taken) Enter(at + 1, &next);
          break;
        case Kind::kClass:
          taken = sets_[token.set].test(static_cast<unsigned char>(c));
          if (taken) Enter(at + 1, &next);
          break;
        case Kind::kStar:
          taken = c != '/';
          if (taken) Enter(at, &next);
          break;
        case Kind::kDirectories:
          next[at] = true;  // not Enter: what follows begins only behind a '/'
          if (c == '/') Enter(at + 1, &next);
          break;
        case Kind::kRest:
          next[at] = next[at + 1] = true;
          break;
        case Kind::kNever:
          taken = false;
          break;
      }
      alive = alive || taken;
    }
    if (!alive) return false;
    now.swap(next);
  }
  return now[tokens_.size()];
}

}  // namespace hashcache

#include "hashcache/result.h"

namespace hashcache {

absl::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kHit:
      return "hit";
    case Outcome::kProvider:
      return "provider";
    case Outcome::kHashed:
      return "hashed";
    case Outcome::kUnstable:
      return "unstable";
    case Outcome::kBusy:
      return "busy";
    case Outcome::kError:
      return "error";
  }
  return "error";
}

absl::string_view TrustClassName(TrustClass trust) {
  switch (trust) {
    case TrustClass::kNone:
      return "none";
    case TrustClass::kLeased:
      return "leased";
    case TrustClass::kUnproven:
      return "unproven";
    case TrustClass::kNetwork:
      return "network";
    case TrustClass::kVerity:
      return "verity";
    case TrustClass::kProvider:
      return "provider";
  }
  return "none";
}

}  // namespace hashcache

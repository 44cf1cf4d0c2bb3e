// A model of the engine's contract: rows in a map, file data in strings, and random
// mutations applied to both.
//
// Threads: thread-compatible.
#ifndef FS_CACHE_TESTING_MODEL_H_
#define FS_CACHE_TESTING_MODEL_H_

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "fs/cache/engine.h"

namespace fs::testing {

class Model {
 public:
  // What `mutation` does, done to the model.
  void Apply(const Mutation& mutation);

  const std::map<std::string, std::string>& rows() const { return rows_; }
  const std::map<InodeNumber, std::string>& files() const { return files_; }

  // Empty if the engine holds exactly this; else what differs first. `extra` inodes are
  // checked to be empty unless the model has them.
  std::string Difference(Engine& engine, const std::vector<InodeNumber>& extra) const;

 private:
  std::map<std::string, std::string> rows_;
  std::map<InodeNumber, std::string> files_;  // trailing zeros cut
};

// Makes mutations like a filesystem's: rows of inodes, writes, appends, punches, drops.
struct RandomMutationOptions {
  int inodes = 8;
  int file_bytes_max = 300 << 10;
  int write_bytes_max = 100 << 10;
};

// Owns the bytes that its mutations borrow until the next call.
class MutationMaker {
 public:
  MutationMaker(uint64_t seed, const RandomMutationOptions& options) : random_(seed), options_(options) {}
  Mutation Make();
  std::mt19937_64& random() { return random_; }
  std::vector<InodeNumber> AllInodes() const;

 private:
  std::mt19937_64 random_;
  const RandomMutationOptions options_;
  std::vector<std::string> bytes_;
};

uint64_t TestSeed(uint64_t otherwise);

}  // namespace fs::testing

#endif  // FS_CACHE_TESTING_MODEL_H_

// The main() of a fuzz target built without libFuzzer: runs every file named on
// the command line (directories too), then a few thousand mutations of them.
//
// Flags: none. FUZZ_RUNS sets the number of mutations, TEST_SEED the seed.
#include <dirent.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/os/file.h"
#include "base/units.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void Collect(const std::string& path, std::vector<std::string>* inputs) {
  if (DIR* const stream = opendir(path.c_str())) {
    while (const dirent* entry = readdir(stream)) {
      if (entry->d_name[0] != '.') Collect(base::JoinPath(path, entry->d_name), inputs);
    }
    closedir(stream);
    return;
  }
  absl::StatusOr<std::string> data = base::ReadFile(path, 64 * base::kMiB);
  if (!data.ok()) {
    std::fprintf(stderr, "%s\n", data.status().ToString().c_str());
    std::exit(1);
  }
  inputs->push_back(*std::move(data));
}

void Run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::string Mutate(const std::vector<std::string>& inputs, std::mt19937_64* random) {
  static constexpr unsigned char kInteresting[] = {0, 1, 0x0a, 0x1d, 0x1e, 0x1f, '"', '<', '{', 0x7f, 0x80, 0xfe, 0xff};
  std::string input = inputs[(*random)() % inputs.size()];
  for (uint64_t edits = 1 + (*random)() % 8; edits > 0; --edits) {
    const size_t at = input.empty() ? 0 : (*random)() % input.size();
    switch ((*random)() % 6) {
      case 0:
        if (!input.empty()) input[at] = static_cast<char>(input[at] ^ (1 << ((*random)() % 8)));
        break;
      case 1:
        if (!input.empty()) input[at] = static_cast<char>(kInteresting[(*random)() % sizeof kInteresting]);
        break;
      case 2:
        input.insert(at, 1 + (*random)() % 16, static_cast<char>((*random)()));
        break;
      case 3:
        input.erase(at, 1 + (*random)() % 64);
        break;
      case 4:
        input.resize(at);
        break;
      default: {
        const std::string& other = inputs[(*random)() % inputs.size()];
        if (!other.empty()) input.insert(at, other, (*random)() % other.size(), (*random)() % 4096);
      }
    }
    if (input.size() > base::kMiB) input.resize(base::kMiB);
  }
  return input;
}

uint64_t FromEnvironment(const char* name, uint64_t fallback) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::strtoull(value, nullptr, 10) : fallback;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> inputs = {""};
  for (int i = 1; i < argc; ++i) Collect(argv[i], &inputs);
  for (const std::string& input : inputs) Run(input);
  const uint64_t seed = FromEnvironment("TEST_SEED", 1);
  const uint64_t runs = FromEnvironment("FUZZ_RUNS", 3000);
  std::printf("seed=%llu inputs=%zu\n", static_cast<unsigned long long>(seed), inputs.size());
  std::mt19937_64 random(seed);
  for (uint64_t i = 0; i < runs; ++i) Run(Mutate(inputs, &random));
  std::printf("%llu mutations run\n", static_cast<unsigned long long>(runs));
  return 0;
}

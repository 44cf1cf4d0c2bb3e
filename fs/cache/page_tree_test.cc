#include "fs/cache/page_tree.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::base::StatusIs;
using ::testing::HasSubstr;

constexpr uint64_t kVolume = 77;

uint64_t TestSeed() {
  const char* given = std::getenv("TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20261120;
}

// Pages written by checkpoints, by address.
using Store = std::map<uint64_t, std::vector<uint8_t>>;

struct Root {
  PageRef ref;
  int height = 0;
};

// Writes a frozen tree, calling `between` before each page.
Root Write(PageTree& tree, PageTree::Frozen& frozen, uint32_t page_bytes, uint64_t generation, Store* store,
           absl::FunctionRef<void()> between) {
  uint64_t next = store->empty() ? page_bytes : store->rbegin()->first + page_bytes;
  for (size_t i = 0; i < frozen.frames.size(); ++i) {
    between();
    std::vector<uint8_t> page(page_bytes);
    tree.Encode(frozen, i, kVolume, generation, next, absl::MakeSpan(page));
    (*store)[next] = std::move(page);
    next += page_bytes;
    tree.Thaw(frozen, i, i + 1);
  }
  return {tree.RootRef(frozen), frozen.height};
}

absl::Status Load(PageTree& tree, const Root& root, const Store& store) {
  return tree.Load(root.ref, root.height, kVolume, [&](absl::Span<PageTree::PageRead> reads) {
    for (PageTree::PageRead& read : reads) {
      const auto it = store.find(read.ref.address);
      if (it == store.end()) {
        read.status = absl::DataLossError("no such page");
      } else {
        std::memcpy(read.out.data(), it->second.data(), read.out.size());
      }
    }
  });
}

using Model = std::map<std::string, std::string>;

void ExpectEqual(const PageTree& tree, const Model& model) {
  auto it = model.begin();
  size_t rows = 0;
  tree.Scan("", std::string(600, '\xff'), [&](absl::string_view key, absl::string_view value) {
    EXPECT_TRUE(it != model.end() && key == it->first && value == it->second) << "row " << rows;
    if (it != model.end()) ++it;
    ++rows;
    return !::testing::Test::HasFailure();
  });
  EXPECT_EQ(rows, model.size());
}

// Keys as the engine's: a few long common beginnings, some short ones.
std::string RandomKey(std::mt19937_64& random) {
  switch (random() % 4) {
    case 0:
      return absl::StrFormat("%c", static_cast<char>(random() % 250));
    case 1:
      return std::string("\0\0\0\0\0\0", 6) + absl::StrFormat("%c%c%04d", static_cast<char>(random() % 3), 4, random() % 300);
    case 2:
      return std::string(300, 'k') + absl::StrFormat("%d", random() % 400);
    default:
      return absl::StrFormat("middle/%d/%d", random() % 20, random() % 50);
  }
}

TEST(PageTreeTest, EqualsAMapUnderRandomChangesWithCheckpointsAndReloads) {
  const uint64_t seed = TestSeed();
  std::printf("seed=%lu\n", static_cast<unsigned long>(seed));
  std::mt19937_64 random(seed);
  for (const uint32_t page_bytes : {4096u, 16384u}) {
    auto tree = std::make_unique<PageTree>(page_bytes);
    Model model;
    Store store;
    uint64_t generation = 0;
    const auto change = [&](int shrink) {
      const std::string key = RandomKey(random);
      if (static_cast<int>(random() % 10) < shrink) {
        EXPECT_EQ(tree->Delete(key), model.erase(key) == 1);
      } else {
        const std::string value(random() % (random() % 8 == 0 ? RowBytesMax(page_bytes) - key.size() : 60), static_cast<char>('a' + random() % 26));
        tree->Put(key, value);
        model[key] = value;
      }
    };
    for (int round = 0; round < 60; ++round) {
      const int shrink = round % 6 == 5 ? 10 : round % 3 == 2 ? 8 : 3;
      for (int i = 0; i < 300; ++i) change(shrink);
      ExpectEqual(*tree, model);
      const std::string probe = RandomKey(random);
      absl::string_view value;
      std::string found;
      const auto above = model.upper_bound(probe);
      ASSERT_EQ(tree->Floor(probe, &found, &value), above != model.begin());
      if (above != model.begin()) {
        EXPECT_EQ(found, std::prev(above)->first);
        EXPECT_EQ(value, std::prev(above)->second);
      }
      if (round % 4 == 3) {
        // A checkpoint with writers at work: it holds what was there when it froze.
        const Model frozen_model = model;
        const Store before = store;
        PageTree::Frozen frozen = tree->Freeze();
        const Root root = Write(*tree, frozen, page_bytes, ++generation, &store, [&] { change(5); });
        PageTree loaded(page_bytes);
        ASSERT_OK(Load(loaded, root, store));
        ExpectEqual(loaded, frozen_model);
        EXPECT_EQ(loaded.page_count(), frozen.pages);
        if (round % 8 == 7) {
          tree->Abandon(frozen);
          store = before;
        } else {
          for (const PageRef& ref : tree->Finish(frozen)) EXPECT_EQ(store.erase(ref.address), 1u);
        }
        ExpectEqual(*tree, model);
      }
      if (HasFailure()) return;
      if (round % 20 == 19) {
        PageTree::Frozen frozen = tree->Freeze();
        const Root root = Write(*tree, frozen, page_bytes, ++generation, &store, [] {});
        for (const PageRef& ref : tree->Finish(frozen)) store.erase(ref.address);
        tree = std::make_unique<PageTree>(page_bytes);
        ASSERT_OK(Load(*tree, root, store));
        // Nothing leaks: every page in the store is one of the tree's.
        size_t pages = 0;
        tree->VisitPages([&](const PageRef& ref) { pages += store.count(ref.address); });
        EXPECT_EQ(pages, store.size());
        EXPECT_EQ(pages, tree->page_count());
      }
    }
    for (auto it = model.begin(); it != model.end(); it = model.erase(it)) EXPECT_TRUE(tree->Delete(it->first));
    ExpectEqual(*tree, {});
    EXPECT_EQ(tree->page_count(), 1u);
  }
}

TEST(PageTreeTest, KeysInOrderFillTheirPages) {
  PageTree tree(16384);
  for (int i = 0; i < 20000; ++i) tree.Put(absl::StrFormat("%08d", i), std::string(80, 'v'));
  // 20000 * (80 + 10 + few) bytes.
  EXPECT_LE(tree.page_count(), 130u);
}

TEST(PageTreeTest, ACheckpointWritesOnlyWhatChanged) {
  PageTree tree(4096);
  Store store;
  for (int i = 0; i < 5000; ++i) tree.Put(absl::StrFormat("%08d", i), std::string(80, 'v'));
  PageTree::Frozen frozen = tree.Freeze();
  Write(tree, frozen, 4096, 1, &store, [] {});
  tree.Finish(frozen);
  tree.Put("00002500", "changed");
  frozen = tree.Freeze();
  EXPECT_EQ(frozen.frames.size(), static_cast<size_t>(tree.height()));
  const Root root = Write(tree, frozen, 4096, 2, &store, [] {});
  EXPECT_EQ(tree.Finish(frozen).size(), static_cast<size_t>(tree.height()));
  PageTree loaded(4096);
  ASSERT_OK(Load(loaded, root, store));
  absl::string_view value;
  EXPECT_TRUE(loaded.Get("00002500", &value));
  EXPECT_EQ(value, "changed");
}

TEST(PageTreeTest, LostMisplacedAndRottenPagesAreFound) {
  PageTree tree(4096);
  Store store;
  for (int i = 0; i < 2000; ++i) tree.Put(absl::StrFormat("%08d", i), std::string(80, 'v'));
  PageTree::Frozen frozen = tree.Freeze();
  const Root root = Write(tree, frozen, 4096, 1, &store, [] {});
  tree.Finish(frozen);
  for (const auto& [address, page] : store) {
    Store damaged = store;
    damaged[address][100 + address / 4096 % 3000] ^= 4;
    PageTree rotten(4096);
    EXPECT_THAT(Load(rotten, root, damaged), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(absl::StrFormat("%d", address))));
    damaged = store;
    damaged[address] = store.begin()->first == address ? store.rbegin()->second : store.begin()->second;
    PageTree misplaced(4096);
    EXPECT_THAT(Load(misplaced, root, damaged), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("misplaced")));
  }
}

}  // namespace
}  // namespace fs

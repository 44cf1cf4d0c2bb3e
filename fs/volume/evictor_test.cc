#include "fs/volume/evictor.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <list>
#include <random>
#include <set>
#include <unordered_map>

#include "gtest/gtest.h"

namespace fs {
namespace {

constexpr uint32_t kPolicy = 1;

TEST(EvictorTest, FirstInFirstOut) {
  Evictor evictor;
  for (InodeNumber inode = 1; inode <= 3; ++inode) evictor.Use(kPolicy, true, {inode, 10, inode});
  evictor.Use(kPolicy, true, {1, 10, 0});
  for (InodeNumber inode = 1; inode <= 3; ++inode) EXPECT_EQ(evictor.Next(kPolicy)->inode, inode);
  EXPECT_FALSE(evictor.Next(kPolicy).has_value());
}

TEST(EvictorTest, UsedFilesOutliveAScan) {
  Evictor evictor;
  for (InodeNumber inode = 1; inode <= 100; ++inode) evictor.Use(kPolicy, false, {inode, 1, inode});
  for (InodeNumber inode = 1; inode <= 10; ++inode) evictor.Use(kPolicy, false, {inode, 1, 0});
  std::set<InodeNumber> victims;
  for (InodeNumber scan = 1000; scan < 2000; ++scan) {
    evictor.Use(kPolicy, false, {scan, 1, scan});
    victims.insert(evictor.Next(kPolicy)->inode);
  }
  for (InodeNumber inode = 1; inode <= 10; ++inode) EXPECT_EQ(victims.count(inode), 0u) << inode;
}

TEST(EvictorTest, WhatIsErasedIsNoVictim) {
  Evictor evictor;
  for (InodeNumber inode = 1; inode <= 3; ++inode) evictor.Use(kPolicy, false, {inode, 1, inode});
  evictor.Erase(kPolicy, 1);
  EXPECT_EQ(evictor.Next(kPolicy)->inode, 2u);
  EXPECT_EQ(evictor.size(kPolicy), 1u);
  evictor.ErasePolicy(kPolicy);
  EXPECT_FALSE(evictor.Next(kPolicy).has_value());
}

TEST(EvictorTest, WhatWasThereBeforeGoesFirst) {
  Evictor evictor;
  evictor.Use(kPolicy, true, {10, 1, 10});
  EXPECT_TRUE(evictor.NeedsLoad(kPolicy));
  evictor.Load(kPolicy, true, {{1, 1, 0}, {2, 1, 0}, {10, 1, 0}});
  EXPECT_FALSE(evictor.NeedsLoad(kPolicy));
  std::vector<InodeNumber> order;
  while (const auto victim = evictor.Next(kPolicy)) order.push_back(victim->inode);
  EXPECT_EQ(order, (std::vector<InodeNumber>{1, 2, 10}));
}

// --- hit ratios on traces, against a plain LRU and a plain S3-FIFO of the paper's form

using Trace = std::vector<uint64_t>;

double LruHits(const Trace& trace, size_t capacity) {
  std::list<uint64_t> order;
  std::unordered_map<uint64_t, std::list<uint64_t>::iterator> at;
  size_t hits = 0;
  for (const uint64_t key : trace) {
    if (const auto it = at.find(key); it != at.end()) {
      ++hits;
      order.splice(order.begin(), order, it->second);
      continue;
    }
    if (order.size() == capacity) {
      at.erase(order.back());
      order.pop_back();
    }
    order.push_front(key);
    at[key] = order.begin();
  }
  return static_cast<double>(hits) / static_cast<double>(trace.size());
}

// Algorithm 1 of the paper, with the small queue at a tenth.
double PaperHits(const Trace& trace, size_t capacity) {
  struct Object {
    int uses = 0;
    bool is_main = false;
  };
  std::unordered_map<uint64_t, Object> objects;
  std::list<uint64_t> small, main, ghost;
  std::unordered_map<uint64_t, std::list<uint64_t>::iterator> ghosts;
  size_t hits = 0;
  const auto evict_main = [&] {
    while (!main.empty()) {
      const uint64_t key = main.front();
      main.pop_front();
      if (objects[key].uses > 0) {
        --objects[key].uses;
        main.push_back(key);
      } else {
        objects.erase(key);
        return;
      }
    }
  };
  const auto evict_small = [&] {
    while (!small.empty()) {
      const uint64_t key = small.front();
      small.pop_front();
      if (objects[key].uses > 1) {
        objects[key] = {0, true};
        main.push_back(key);
      } else {
        objects.erase(key);
        ghost.push_back(key);
        ghosts[key] = std::prev(ghost.end());
        if (ghost.size() > capacity) {
          ghosts.erase(ghost.front());
          ghost.pop_front();
        }
        return;
      }
    }
  };
  for (const uint64_t key : trace) {
    if (const auto it = objects.find(key); it != objects.end()) {
      ++hits;
      it->second.uses = std::min(3, it->second.uses + 1);
      continue;
    }
    while (objects.size() >= capacity) {
      if (small.size() >= capacity / 10) {
        evict_small();
      } else {
        evict_main();
      }
    }
    const auto seen = ghosts.find(key);
    objects[key].is_main = seen != ghosts.end();
    if (seen != ghosts.end()) {
      ghost.erase(seen->second);
      ghosts.erase(seen);
      main.push_back(key);
    } else {
      small.push_back(key);
    }
  }
  return static_cast<double>(hits) / static_cast<double>(trace.size());
}

// As the volume does it: a miss makes a file with a new inode number under the key's name.
double EvictorHits(const Trace& trace, size_t capacity) {
  Evictor evictor;
  std::unordered_map<uint64_t, InodeNumber> inodes;
  std::unordered_map<InodeNumber, uint64_t> keys;
  InodeNumber next = 1;
  size_t hits = 0;
  for (const uint64_t key : trace) {
    if (const auto it = inodes.find(key); it != inodes.end()) {
      ++hits;
      evictor.Use(kPolicy, false, {it->second, 1, 0});
      continue;
    }
    while (inodes.size() >= capacity) {
      const InodeNumber victim = evictor.Next(kPolicy)->inode;
      inodes.erase(keys.at(victim));
      keys.erase(victim);
    }
    inodes[key] = next;
    keys[next] = key;
    evictor.Use(kPolicy, false, {next++, 1, key + 1});
  }
  return static_cast<double>(hits) / static_cast<double>(trace.size());
}

class ZipfKeys {
 public:
  ZipfKeys(size_t count, double alpha) {
    double sum = 0;
    for (size_t i = 1; i <= count; ++i) sums_.push_back(sum += 1.0 / std::pow(static_cast<double>(i), alpha));
  }
  uint64_t operator()(std::mt19937_64& random) {
    const double at = std::uniform_real_distribution<double>(0, sums_.back())(random);
    return static_cast<uint64_t>(std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

void ExpectGoodHitRatio(const Trace& trace, size_t capacity) {
  const double ours = EvictorHits(trace, capacity);
  const double lru = LruHits(trace, capacity);
  const double paper = PaperHits(trace, capacity);
  ::testing::Test::RecordProperty("hits_evictor", std::to_string(ours));
  ::testing::Test::RecordProperty("hits_lru", std::to_string(lru));
  ::testing::Test::RecordProperty("hits_s3fifo", std::to_string(paper));
  EXPECT_GT(ours, lru);
  EXPECT_GT(ours, 0.95 * paper);
}

TEST(EvictorTraceTest, Zipf) {
  std::mt19937_64 random(7);
  ZipfKeys zipf(20000, 1.0);
  Trace trace(200000);
  for (uint64_t& key : trace) key = zipf(random);
  ExpectGoodHitRatio(trace, 2000);
}

TEST(EvictorTraceTest, ZipfPollutedByScans) {
  std::mt19937_64 random(8);
  ZipfKeys zipf(20000, 0.9);
  Trace trace;
  uint64_t scan = 1'000'000;
  while (trace.size() < 200000) {
    for (int i = 0; i < 5000; ++i) trace.push_back(zipf(random));
    for (int i = 0; i < 3000; ++i) trace.push_back(scan++);
  }
  ExpectGoodHitRatio(trace, 2000);
}

}  // namespace
}  // namespace fs

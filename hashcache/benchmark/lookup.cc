// LMDB is loaded at run time: it is a peer to measure, not a library to depend on.
#include "hashcache/benchmark/lookup.h"

#include <dlfcn.h>

#include <cstdio>
#include <memory>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "hashcache/store/store.h"

namespace hashcache {
namespace {

using base::Contender;
using base::Measurement;

constexpr size_t kLookups = 1'000'000;

// lmdb.h, as far as it is used here.
struct MdbValue {
  size_t size;
  void* data;
};
constexpr unsigned kMdbIntegerKey = 0x08, kMdbCreate = 0x40000, kMdbReadOnly = 0x20000, kMdbNoSync = 0x10000;

struct Lmdb {
  int (*env_create)(void**);
  int (*env_set_mapsize)(void*, size_t);
  int (*env_open)(void*, const char*, unsigned, unsigned);
  int (*txn_begin)(void*, void*, unsigned, void**);
  int (*dbi_open)(void*, const char*, unsigned, unsigned*);
  int (*put)(void*, unsigned, MdbValue*, MdbValue*, unsigned);
  int (*get)(void*, unsigned, MdbValue*, MdbValue*);
  int (*txn_commit)(void*);

  static std::unique_ptr<Lmdb> Load() {
    void* const library = dlopen("liblmdb.so.0", RTLD_NOW);
    if (library == nullptr) return nullptr;
    auto lmdb = std::make_unique<Lmdb>();
    const auto find = [library](const char* name, auto* function) {
      *reinterpret_cast<void**>(function) = dlsym(library, name);
      return *function != nullptr;
    };
    const bool all = find("mdb_env_create", &lmdb->env_create) && find("mdb_env_set_mapsize", &lmdb->env_set_mapsize) &&
                     find("mdb_env_open", &lmdb->env_open) && find("mdb_txn_begin", &lmdb->txn_begin) &&
                     find("mdb_dbi_open", &lmdb->dbi_open) && find("mdb_put", &lmdb->put) &&
                     find("mdb_get", &lmdb->get) && find("mdb_txn_commit", &lmdb->txn_commit);
    return all ? std::move(lmdb) : nullptr;
  }
};

Record RecordOf(uint64_t inode) {
  Record record;
  record.fingerprint = {.inode = inode, .size_bytes = inode * 7, .mtime_ns = 1, .ctime_ns = 2};
  record.trust = TrustClass::kLeased;
  record.seen_day = 65535;
  uint8_t digest[32] = {};
  base::StoreLittle<uint64_t>(digest, inode);
  record.digests.Set(Algorithm::kBlake3, digest);
  return record;
}

std::vector<uint64_t> Inodes(size_t count, bool shuffled) {
  std::mt19937_64 random(1);
  std::vector<uint64_t> inodes(kLookups);
  for (size_t i = 0; i < inodes.size(); ++i) inodes[i] = 1000 + (shuffled ? random() % count : i % count);
  return inodes;
}

// Filled at the first use.
struct Filled {
  std::unique_ptr<Store> store;
  std::unique_ptr<Lmdb> lmdb;
  void* environment = nullptr;
};

absl::Status Fill(size_t count, Filled* filled) {
  if (filled->store == nullptr) {
    ASSIGN_OR_RETURN(filled->store, Store::Open({.directory = "lookup-store", .filesystem_id = "bench"}));
    for (size_t i = 0; i < count; ++i) filled->store->Put(RecordOf(1000 + i));
    RETURN_IF_ERROR(filled->store->Compact());
  }
  if (filled->lmdb == nullptr || filled->environment != nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(base::MakeDirectories("lookup-lmdb"));
  const Lmdb& lmdb = *filled->lmdb;
  void* transaction = nullptr;
  unsigned table = 0;
  int error = lmdb.env_create(&filled->environment);
  error |= lmdb.env_set_mapsize(filled->environment, size_t{1} << 30);
  error |= lmdb.env_open(filled->environment, "lookup-lmdb", kMdbNoSync, 0600);
  error |= lmdb.txn_begin(filled->environment, nullptr, 0, &transaction);
  error |= lmdb.dbi_open(transaction, nullptr, kMdbIntegerKey | kMdbCreate, &table);
  uint8_t bytes[kRecordSize];
  for (size_t i = 0; i < count && error == 0; ++i) {
    uint64_t inode = 1000 + i;
    EncodeRecord(RecordOf(inode), bytes);
    MdbValue key = {sizeof inode, &inode};
    MdbValue value = {sizeof bytes, bytes};
    error = lmdb.put(transaction, table, &key, &value, 0);
  }
  error |= lmdb.txn_commit(transaction);
  return error == 0 ? absl::OkStatus() : absl::InternalError(absl::StrCat("lmdb error ", error));
}

}  // namespace

void AddLookupRows(base::Bench& bench, size_t count) {
  const auto filled = std::make_shared<Filled>();
  filled->lmdb = Lmdb::Load();
  if (filled->lmdb == nullptr) std::fprintf(stderr, "liblmdb.so.0 is not installed: its rows are left out\n");
  for (const bool shuffled : {false, true}) {
    const auto inodes = std::make_shared<std::vector<uint64_t>>(Inodes(count, shuffled));
    const auto prepare = [filled, count] { return Fill(count, filled.get()); };
    const Contender ours = {.name = "hashcache",
                            .run = [filled, inodes]() -> absl::StatusOr<Measurement> {
                              uint64_t sum = 0;
                              ASSIGN_OR_RETURN(Measurement measurement, base::Measure([&] {
                                                 for (const uint64_t inode : *inodes)
                                                   sum += filled->store->Find(inode)->fingerprint.size_bytes;
                                                 return absl::OkStatus();
                                               }));
                              measurement.units = static_cast<double>(inodes->size());
                              measurement.output_digest = absl::StrCat(sum);
                              return measurement;
                            },
                            .prepare = prepare};
    const Contender lmdb = {
        .name = "lmdb",
        .run = [filled, inodes]() -> absl::StatusOr<Measurement> {
          uint64_t sum = 0;
          const Lmdb& functions = *filled->lmdb;
          void* transaction = nullptr;
          unsigned table = 0;
          functions.txn_begin(filled->environment, nullptr, kMdbReadOnly, &transaction);
          functions.dbi_open(transaction, nullptr, kMdbIntegerKey, &table);
          ASSIGN_OR_RETURN(Measurement measurement, base::Measure([&] {
                             for (uint64_t inode : *inodes) {
                               MdbValue key = {sizeof inode, &inode};
                               MdbValue value = {};
                               if (functions.get(transaction, table, &key, &value) != 0)
                                 return absl::InternalError("lmdb lost a key");
                               // As checked and decoded as ours is.
                               sum += DecodeRecord(static_cast<const uint8_t*>(value.data))->fingerprint.size_bytes;
                             }
                             return absl::OkStatus();
                           }));
          functions.txn_commit(transaction);
          measurement.units = static_cast<double>(inodes->size());
          measurement.output_digest = absl::StrCat(sum);
          return measurement;
        },
        .prepare = prepare};
    std::vector<Contender> contenders;
    if (filled->lmdb != nullptr) contenders.push_back(lmdb);
    contenders.push_back(ours);
    bench.Add({.name = absl::StrCat("lookup among ", count, shuffled ? " entries, random" : " entries, in order"),
               .unit = "lookup",
               .gate = filled->lmdb != nullptr ? 3.0 : 0},
              std::move(contenders));
  }
}

}  // namespace hashcache

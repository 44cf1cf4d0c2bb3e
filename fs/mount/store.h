// A Store is one raw disk opened as a Volume: device, engine and volume in one.
//
// Life:    an opener gives it -> used -> Close(), after which everything is durable.
// Errors:  of an opener, each with what to do:
//          NotFound            no such device or file, or no cachefs volume in it
//          FailedPrecondition  in use by another mount, another filesystem's, read-only
//          Unimplemented       made by a newer version
//          DataLoss            damaged
// Threads: thread-compatible.
#ifndef FS_MOUNT_STORE_H_
#define FS_MOUNT_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fs/cache/engine.h"
#include "fs/cache/raw_engine.h"
#include "fs/disk/device.h"
#include "fs/volume/volume.h"

namespace fs {

struct StoreOptions {
  std::string path;
  bool read_only = false;
  uint64_t size_bytes = 0;  // with `create`: of the image
  bool create = false;      // make an image file that is not there yet
  bool force = false;       // format what holds no cachefs volume
  bool hands_over = false;  // a block device, which the kernel is going to hold for the mount
  std::string io;           // how the device is driven: "auto", "uring", "threads"
  std::function<void(const EngineWork&)> on_work;  // EngineOptions::on_work; may be null
};

// Members end in the reverse of this order.
struct Store {
  std::unique_ptr<Device> device;  // null if the engine needs none
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Volume> volume;
  // What was found and coped with, e.g. "superblock copy 1 was damaged and is repaired".
  std::vector<std::string> notes;
  // `engine` as what tells its figures; may be null.
  RawEngine* raw_engine = nullptr;
  // With StoreOptions::hands_over: lets the kernel take its hold of the device, before mounting.
  std::function<void()> hand_over;

  // Everything is durable and the device let go after OK.
  absl::Status Close();
};

using StoreOpener = std::function<absl::StatusOr<Store>(const StoreOptions& options)>;

// Where the volume of this user lies unless told otherwise.
std::string DefaultStorePath();
// 8 GiB, or a quarter of what is free where `path` is to be.
absl::StatusOr<uint64_t> DefaultStoreBytes(const std::string& path);

}  // namespace fs

#endif  // FS_MOUNT_STORE_H_

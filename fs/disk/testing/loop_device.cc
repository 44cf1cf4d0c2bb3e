#include "fs/disk/testing/loop_device.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace fs::testing {

absl::StatusOr<LoopDevice> LoopDevice::Attach(const std::string& path) {
  ASSIGN_OR_RETURN(const base::Fd control, base::OpenFile("/dev/loop-control", O_RDWR));
  ASSIGN_OR_RETURN(const base::Fd file, base::OpenFile(path, O_RDWR | O_DIRECT));
  // Others take free devices too: try the next one when this is gone.
  for (int attempt = 0; attempt < 100; ++attempt) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return base::ErrnoStatus(errno, "asking for a free loop device");
    const std::string name = absl::StrCat("/dev/loop", number);
    absl::StatusOr<base::Fd> fd = base::OpenFile(name, O_RDWR);
    if (!fd.ok()) return fd.status();
    loop_config config = {};
    config.fd = static_cast<uint32_t>(file.get());
    config.info.lo_flags = LO_FLAGS_DIRECT_IO;
    if (::ioctl(fd->get(), LOOP_CONFIGURE, &config) == 0) return LoopDevice(*std::move(fd), name);
    if (errno != EBUSY) return base::ErrnoStatus(errno, absl::StrCat("configuring ", name));
  }
  return absl::UnavailableError("no free loop device");
}

LoopDevice::~LoopDevice() {
  // Goes when its last user closes it.
  if (fd_.valid()) static_cast<void>(::ioctl(fd_.get(), LOOP_CLR_FD, 0));
}

}  // namespace fs::testing

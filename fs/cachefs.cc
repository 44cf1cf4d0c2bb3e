// cachefs: see cachefs_command.h.
#include "fs/mount/cachefs_command.h"
#include "fs/mount/raw_store.h"

int main(int argc, char** argv) { return fs::RunCachefs(fs::OpenRawStore, argc, argv); }

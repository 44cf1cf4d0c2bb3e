// cachectl: makes, checks, measures and serves volumes and mounts of cachefs.
#include "base/command_line.h"
#include "base/os/file.h"
#include "tools/cachectl_doctor.h"
#include "tools/cachectl_mount.h"
#include "tools/cachectl_policy.h"
#include "tools/cachectl_store.h"
#include "tools/cachectl_top.h"
#include "tools/cachectl_watch.h"
#include "tools/dashboard_server.h"
#include "tools/tree_commands.h"

namespace {

base::Command CachectlCommand() {
  base::Command command = {.name = "cachectl", .summary = "make, check and look at cachefs volumes and mounts"};
  for (base::Command& subcommand : tools::StoreCommands()) command.subcommands.push_back(std::move(subcommand));
  for (base::Command& subcommand : tools::MountCommands()) command.subcommands.push_back(std::move(subcommand));
  for (base::Command& subcommand : tools::WatchCommands()) command.subcommands.push_back(std::move(subcommand));
  command.subcommands.push_back(tools::TopCommand());
  command.subcommands.push_back(tools::DashboardCommand());
  command.subcommands.push_back(tools::PolicyCommand());
  command.subcommands.push_back(tools::DoctorCommand());
  for (base::Command& subcommand : tools::TreeCommands()) command.subcommands.push_back(std::move(subcommand));
  return command;
}

}  // namespace

int main(int argc, char** argv) {
  const absl::string_view name = argc > 0 ? base::BaseName(argv[0]) : "";
  if (name == "mkfs.cachefs") return base::RunCommand(tools::MkfsHelperCommand(), argc, argv);
  if (name == "fsck.cachefs") return base::RunCommand(tools::FsckHelperCommand(), argc, argv);
  return base::RunCommand(CachectlCommand(), argc, argv);
}

// The program marc.
#include "base/command_line.h"
#include "marc/command/commands.h"

int main(int argc, char** argv) {
  const base::Command command = marc::MarcCommand();
  return base::RunCommand(command, argc, argv);
}

// A SpaceMap as a picture: one square for each chunk in the order of the device, coloured by what it
// holds, filled as far as it is full, framed by how often it was read; a bar for each directory.
//
// Shape:   SVG 1.1 without scripts; a title on each square says all of it. Devices of more than
//          kSquaresMax chunks share squares, which then show what most of their bytes are.
// Threads: no state.
#ifndef TOOLS_SPACE_MAP_SVG_H_
#define TOOLS_SPACE_MAP_SVG_H_

#include <string>

#include "absl/strings/string_view.h"
#include "fs/volume/space_map.h"

namespace tools {

constexpr size_t kSquaresMax = 20000;

std::string SpaceMapSvg(const fs::SpaceMap& map, absl::string_view title);

}  // namespace tools

#endif  // TOOLS_SPACE_MAP_SVG_H_

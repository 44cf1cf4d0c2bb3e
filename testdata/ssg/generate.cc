// generate N DIR: writes a site of N pages for ssg and for Hugo.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "testdata/ssg/site_generator.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: generate N DIR\n");
    return 2;
  }
  ssg::GeneratedSite site;
  site.page_count = std::strtoul(argv[1], nullptr, 10);
  const std::string directory = argv[2];
  for (const absl::Status& status :
       {ssg::GenerateContent(site, directory), ssg::GenerateSsgTheme(directory), ssg::GenerateHugoTheme(directory)}) {
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
      return 1;
    }
  }
  return 0;
}

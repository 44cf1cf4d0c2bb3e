// Writes a C++ source that holds files as string literals, for theme/builtin.h.
//
// Usage: embed PREFIX FILE... > out.cc; PREFIX is cut off the paths.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::string prefix = argv[1];
  std::printf(
      "#include \"ssg/theme/builtin.h\"\n\nnamespace ssg {\n\nconst std::vector<BuiltinFile>& BuiltinTheme() {\n"
      "  static const auto& files = *new std::vector<BuiltinFile>{\n");
  for (int i = 2; i < argc; ++i) {
    std::string path = argv[i];
    const size_t at = path.find(prefix);
    if (at == std::string::npos) return 1;
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) return 1;
    // Pieces stay below the length that compilers promise for one literal.
    std::printf("      {\"%s\",\n", path.substr(at + prefix.size()).c_str());
    const std::string bytes = text.str();
    for (size_t k = 0; k < bytes.size() || k == 0; k += 4000) {
      std::printf("R\"~ssg~(%s)~ssg~\"\n", bytes.substr(k, 4000).c_str());
    }
    std::printf("      },\n");
  }
  std::printf("  };\n  return files;\n}\n\n}  // namespace ssg\n");
  return 0;
}

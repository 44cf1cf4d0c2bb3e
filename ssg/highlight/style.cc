// Colours for the token classes. Every text colour has a contrast of at least 4.5:1 on its background.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "ssg/highlight/highlight.h"

namespace ssg::highlight {
namespace {

// Classes that share a colour, and in each style that colour.
enum Role {
  kComment,
  kKeyword,
  kType,
  kString,
  kNumber,
  kFunction,
  kName,
  kTag,
  kAttribute,
  kOperator,
  kInserted,
  kDeleted,
  kHeading,
  kRoleCount
};

constexpr const char* kClasses[kRoleCount] = {
    "c c1 ch cm cp1 cs gc",
    "k kc kd kn kp kr ow cp cpf",
    "kt nc ne nb bp no",
    "s s1 s2 sa sb sc sd sh sr ss sx l dl",
    "m mb mf mh mi mo il ld",
    "nf fm nd",
    "nv vi vg vc vm si se",
    "nt",
    "na nl",
    "o",
    "gi",
    "gd",
    "gh gu gp",
};

struct Style {
  const char* name;
  const char* background;
  const char* text;
  const char* marked;
  const char* number;
  const char* colours[kRoleCount];
};

constexpr Style kStyles[] = {
    {"github",
     "#ffffff",
     "#1f2328",
     "#fff8c5",
     "#656d76",
     {"#57606a", "#cf222e", "#953800", "#0a3069", "#0550ae", "#6639ba", "#953800", "#116329", "#0550ae", "#24292f",
      "#116329", "#82071e", "#0550ae"}},
    {"friendly",
     "#f7f7f7",
     "#222222",
     "#fff3b0",
     "#666666",
     {"#507080", "#00632b", "#902000", "#2f5f9e", "#2a6f4a", "#05347e", "#8a4fb5", "#052f6a", "#2f5f9e", "#555555",
      "#006d00", "#9a0000", "#000080"}},
    {"solarized-light",
     "#fdf6e3",
     "#3b4d52",
     "#eee8d5",
     "#5c6b70",
     {"#5c6b70", "#4f6000", "#8a5a00", "#14665f", "#a12a6b", "#1c5f97", "#a5400f", "#1c5f97", "#4f5b9c", "#4b5b61",
      "#4f6000", "#b02320", "#a5400f"}},
    {"github-dark",
     "#0d1117",
     "#e6edf3",
     "#2d333b",
     "#8b949e",
     {"#8b949e", "#ff7b72", "#ffa657", "#a5d6ff", "#79c0ff", "#d2a8ff", "#ffa657", "#7ee787", "#79c0ff", "#c9d1d9",
      "#7ee787", "#ffa198", "#79c0ff"}},
    {"monokai",
     "#272822",
     "#f8f8f2",
     "#49483e",
     "#a59f85",
     {"#a59f85", "#66d9ef", "#a6e22e", "#e6db74", "#ae81ff", "#a6e22e", "#fd971f", "#ff6d9e", "#a6e22e", "#ff8fb2",
      "#a6e22e", "#ff8fb2", "#e6db74"}},
    {"nord",
     "#2e3440",
     "#d8dee9",
     "#3b4252",
     "#a3adbf",
     {"#a3adbf", "#88c0d0", "#8fbcbb", "#a3be8c", "#c8a6c2", "#88c0d0", "#d8dee9", "#81c1e0", "#8fbcbb", "#9fc3e0",
      "#a3be8c", "#e0a0a7", "#88c0d0"}},
};

}  // namespace

std::vector<absl::string_view> Styles() {
  std::vector<absl::string_view> names;
  for (const Style& style : kStyles) names.push_back(style.name);
  return names;
}

std::string StyleCss(absl::string_view name, absl::string_view scope) {
  const Style* style = std::find_if(std::begin(kStyles), std::end(kStyles),
                                    [&](const Style& candidate) { return candidate.name == name; });
  if (style == std::end(kStyles)) return "";
  const std::string root = absl::StrCat(scope, scope.empty() ? "" : " ", ".highlight");
  std::string css = absl::StrCat(root, "{background:", style->background, ";color:", style->text, "}\n");
  absl::StrAppend(&css, root, " .hll{display:inline-block;min-width:100%;background:", style->marked, "}\n");
  absl::StrAppend(&css, root, " .ln{display:inline-block;min-width:2.5em;padding-right:1em;text-align:right;",
                  "user-select:none;color:", style->number, "}\n");
  for (int role = 0; role < kRoleCount; ++role) {
    absl::string_view classes = kClasses[role];
    bool first = true;
    while (!classes.empty()) {
      const size_t end = std::min(classes.find(' '), classes.size());
      absl::StrAppend(&css, first ? "" : ",", root, " .", classes.substr(0, end));
      classes.remove_prefix(std::min(end + 1, classes.size()));
      first = false;
    }
    absl::StrAppend(&css, "{color:", style->colours[role], "}\n");
  }
  absl::StrAppend(&css, root, " .ge{font-style:italic}\n", root, " .gs{font-weight:bold}\n");
  return css;
}

}  // namespace ssg::highlight

// ssg: content to site.
#include "base/command_line.h"
#include "ssg/command/commands.h"

namespace ssg {
namespace {

using base::Command;
using base::Flag;

const std::vector<Flag>& BuildFlags() {
  static const auto& flags = *new std::vector<Flag>{
      {.name = "destination",
       .letter = 'd',
       .value = "DIR",
       .help = "where to build to; the configuration's output_dir otherwise"},
      {.name = "base-url", .letter = 'b', .value = "URL", .help = "overrides the configuration's base_url"},
      {.name = "drafts", .letter = 'D', .help = "with drafts"},
      {.name = "future", .letter = 'F', .help = "with pages whose date lies in the future"},
      {.name = "expired", .letter = 'E', .help = "with pages that have expired"},
      {.name = "jobs", .letter = 'j', .value = "N", .help = "threads; one for each CPU otherwise"},
      {.name = "minify", .help = "minify HTML, whatever the configuration says"},
      {.name = "full", .help = "build everything, whatever is cached"},
  };
  return flags;
}

std::vector<Flag> With(std::vector<Flag> more) {
  std::vector<Flag> flags = BuildFlags();
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

Command NewCommand() {
  return {.name = "new",
          .summary = "start a site, a page or a theme",
          .subcommands = {
              {.name = "site",
               .summary = "start a site in a new or empty directory",
               .arguments = "DIR",
               .flags = {{.name = "template",
                          .value = "KIND",
                          .help = "what to start with",
                          .fallback = "blog",
                          .choices = {"blog", "docs"}}},
               .run = RunNewSite},
              {.name = "page", .summary = "start a page in content/", .arguments = "PATH", .run = RunNewPage},
              {.name = "theme",
               .summary = "copy the built-in theme to themes/NAME to change it",
               .arguments = "NAME",
               .run = RunNewTheme},
          }};
}

Command SsgCommand() {
  Command command;
  command.name = "ssg";
  command.summary = "build a web site from Markdown, templates and data";
  command.description =
      "A site is a directory with ssg.toml, content/, and, if wanted, templates/, static/, assets/, data/ and themes/. "
      "Building it again does only what changes since the last build make necessary, and gives the same bytes as "
      "building "
      "it from nothing.";
  command.flags = {
      {.name = "source", .letter = 's', .value = "DIR", .help = "the site's directory", .fallback = "."},
      {.name = "environment",
       .letter = 'e',
       .value = "NAME",
       .help = "which of config/NAME to lay over config/_default"},
      {.name = "quiet", .letter = 'q', .help = "say nothing but errors"},
      {.name = "verbose", .letter = 'v', .help = "say more"},
  };
  command.subcommands = {
      NewCommand(),
      {.name = "build",
       .summary = "build the site",
       .flags = With({{.name = "strict", .help = "warnings are errors"},
                      {.name = "keep-going", .help = "store what can be built in spite of errors"},
                      {.name = "explain", .value = "PATH", .help = "say why an output or page was or was not rendered"},
                      {.name = "profile", .help = "show the time of every phase"},
                      {.name = "json", .help = "print the summary as JSON"}}),
       .run = RunBuild},
      {.name = "serve",
       .summary = "build, serve on a local port, and rebuild on every change",
       .flags = With({{.name = "port",
                       .letter = 'p',
                       .value = "PORT",
                       .help = "the port; 0 takes a free one",
                       .fallback = "1313"},
                      {.name = "bind", .value = "ADDRESS", .help = "the address to listen on", .fallback = "127.0.0.1"},
                      {.name = "no-reload", .help = "do not reload pages in the browser"}}),
       .run = RunServe},
      {.name = "check",
       .summary = "report broken links and anchors, duplicate URLs, bad front matter and more",
       .flags = With(
           {{.name = "strict", .help = "warnings are errors"}, {.name = "json", .help = "print findings as JSON"}}),
       .run = RunCheck},
      {.name = "clean",
       .summary = "remove what was built",
       .flags = {{.name = "cache", .help = "the build cache only"}},
       .run = RunClean},
      {.name = "list",
       .summary = "list content",
       .arguments = "[all|drafts|future|expired]",
       .flags = {{.name = "json", .help = "as JSON"}},
       .run = RunList},
      {.name = "config",
       .summary = "print the configuration as it is understood",
       .flags = {{.name = "json", .help = "as JSON (the default)"}},
       .run = RunConfig},
  };
  command.examples = {
      {"ssg new site my-site", "start a site"},
      {"ssg serve -s my-site -D", "see it, drafts too, at http://localhost:1313"},
      {"ssg build -s my-site", "build it to my-site/public"},
      {"ssg check -s my-site", "look for broken links"},
  };
  command.exit_codes = {
      {0, "all is well"}, {1, "errors in content, templates or configuration"}, {2, "a wrong command line"}};
  return command;
}

}  // namespace
}  // namespace ssg

int main(int argc, char** argv) {
  const base::Command command = ssg::SsgCommand();
  return base::RunCommand(command, argc, argv);
}

#include "tools/cachectl_top.h"

#include <curses.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/os/interrupt.h"
#include "base/status_macros.h"
#include "fs/mount/statistics.h"
#include "tools/mount_paths.h"
#include "tools/top_view.h"

namespace tools {
namespace {

// Owns the terminal; gives it back as it was.
class Screen {
 public:
  static absl::StatusOr<std::unique_ptr<Screen>> Open() {
    if (isatty(STDOUT_FILENO) == 0 || isatty(STDIN_FILENO) == 0) {
      return absl::FailedPreconditionError("top wants a terminal; cachectl stats --watch writes lines anywhere");
    }
    setlocale(LC_ALL, "");
    SCREEN* const screen = newterm(nullptr, stdout, stdin);
    if (screen == nullptr) return absl::FailedPreconditionError("the terminal named by TERM is not known");
    return std::unique_ptr<Screen>(new Screen(screen));
  }
  ~Screen() {
    endwin();
    delscreen(screen_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void Show(const TopView& view) {
    int height = 0, width = 0;
    getmaxyx(stdscr, height, width);
    erase();
    int row = 0;
    for (const TopView::Line& line : view.Render(width, height)) {
      const attr_t style = line.style == TopView::Style::kTitle     ? A_REVERSE
                           : line.style == TopView::Style::kHead    ? A_BOLD
                           : line.style == TopView::Style::kWarning ? A_BOLD | A_UNDERLINE
                                                                    : A_NORMAL;
      std::string text = line.text;
      if (line.style == TopView::Style::kTitle) text.resize(static_cast<size_t>(width), ' ');
      attrset(static_cast<int>(style));
      mvaddnstr(row++, 0, text.c_str(), static_cast<int>(text.size()));
    }
    refresh();
  }

  // ERR if none came in time; resizes come as KEY_RESIZE.
  int Key(absl::Duration wait) {
    timeout(static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(wait), 0, 60000)));
    const int key = getch();
    return key == KEY_UP ? TopView::kUp : key == KEY_DOWN ? TopView::kDown : key;
  }

 private:
  explicit Screen(SCREEN* screen) : screen_(screen) {
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    set_escdelay(25);
  }

  SCREEN* const screen_;
};

absl::Status Top(const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string path, PathOrOnlyMount(arguments.positional()));
  ASSIGN_OR_RETURN(const fs::MountEntry mount, MountOf(path));
  ASSIGN_OR_RETURN(const std::unique_ptr<Screen> screen, Screen::Open());
  base::TakeInterrupts();
  TopView view;
  absl::Time next = absl::InfinitePast();
  while (base::Interrupted() == 0) {
    if (!view.is_paused() && absl::Now() >= next) {
      absl::StatusOr<fs::Statistics> statistics = fs::ReadStatistics(mount.mount_point);
      if (statistics.ok()) {
        view.Update(*std::move(statistics));
      } else {
        view.Fail(statistics.status().message());
      }
      next = absl::Now() + view.interval();
    }
    screen->Show(view);
    const int key = screen->Key(view.is_paused() ? absl::Seconds(1) : next - absl::Now());
    if (key != ERR && key != KEY_RESIZE && !view.HandleKey(key)) break;
    next = std::min(next, absl::Now() + view.interval());
  }
  return absl::OkStatus();
}

}  // namespace

base::Command TopCommand() {
  return {.name = "top",
          .summary = "watch a mount live on the terminal",
          .arguments = "[MOUNT]",
          .description = "Pages: overview, requests, policies. Keys: q quit, 1 2 3 or Tab pages, s order of the "
                         "requests, p pause, + and - interval, j and k scroll, h help. Works from 80x24 on.",
          .examples = {{"cachectl top /mnt", "what it does now"}},
          .run = [](const base::Arguments& arguments) {
            const absl::Status status = Top(arguments);
            if (status.ok()) return 0;
            base::PrintError(arguments.full_name(), status.message());
            return 1;
          }};
}

}  // namespace tools

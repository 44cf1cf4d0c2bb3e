// The program itself, run as people run it: output compared byte by byte with the
// installed sha256sum, b3sum and xxhsum, exit codes, bad input.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/bench/bench.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hashcache {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Ran {
  int code = -1;
  std::string out, err;
};

class CommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char here[PATH_MAX];
    ASSERT_NE(getcwd(here, sizeof here), nullptr);
    program_ = absl::StrCat(here, "/hashcache/hashcache");
    ASSERT_EQ(access(program_.c_str(), X_OK), 0) << program_;
  }
  // Runs `command` in the test's directory; HC stands for the program.
  Ran Shell(const std::string& command) {
    const std::string script = absl::StrCat("cd ", directory_.path(), " && export XDG_CACHE_HOME=", cache_.path(),
                                            " && { ", absl::StrReplaceAll(command, {{"HC", program_}}), "; } >",
                                            cache_.path(), "/out 2>", cache_.path(), "/err");
    const int status =
        std::system(absl::StrCat("bash -c '", absl::StrReplaceAll(script, {{"'", "'\\''"}}), "'").c_str());
    Ran ran;
    ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    ran.out = *base::ReadFile(cache_.path() + "/out", 1 << 28);
    ran.err = *base::ReadFile(cache_.path() + "/err", 1 << 28);
    return ran;
  }
  void Write(absl::string_view name, absl::string_view content) {
    const std::string path = absl::StrCat(directory_.path(), "/", name);
    ASSERT_OK(base::MakeDirectories(std::string(base::DirectoryName(path))));
    ASSERT_OK(base::ReplaceFile(path, content, {}));
  }
  void WriteHostileNames() {
    for (const char* const name : {"plain", "with space", "back\\slash", "new\nline", "\xff\xfe", "caf\xc3\xa9",
                                   "*star", "-dash", "quote\"'", "a) = b", "tab\there"}) {
      Write(absl::StrCat("t/", name), name);
    }
  }

  base::TempDir directory_;
  base::TempDir cache_;
  std::string program_;
};

TEST_F(CommandTest, EqualsSha256sum) {
  if (!base::HaveProgram("sha256sum")) GTEST_SKIP() << "sha256sum is not installed";
  WriteHostileNames();
  Write("t/carriage\rreturn", "cr");
  Write("empty", "");
  for (const char* const flags : {"", "--tag", "-z", "-b", "-t"}) {
    const Ran theirs = Shell(absl::StrCat("sha256sum ", flags, " t/* empty nofile -- "));
    const Ran ours = Shell(absl::StrCat("HC sum -a sha256 ", flags, " t/* empty nofile -- "));
    EXPECT_EQ(ours.out, theirs.out) << flags;
    EXPECT_EQ(ours.code, 2);
    EXPECT_THAT(ours.err, HasSubstr("nofile"));
  }
  EXPECT_EQ(Shell("printf abc | HC sum -a sha256").out, Shell("printf abc | sha256sum").out);
  EXPECT_EQ(Shell("printf abc | HC sum -a sha256 -").out, Shell("printf abc | sha256sum -").out);
}

TEST_F(CommandTest, EqualsB3sum) {
  if (!base::HaveProgram("b3sum")) GTEST_SKIP() << "b3sum is not installed";
  WriteHostileNames();
  unlink((directory_.path() + "/t/\xff\xfe").c_str());  // b3sum replaces what is not UTF-8
  Write("large", std::string(3'000'001, 'x'));
  EXPECT_EQ(Shell("HC sum t/* large").out, Shell("b3sum t/* large").out);
  EXPECT_EQ(Shell("HC sum --no-names t/* large").out, Shell("b3sum --no-names t/* large").out);
  EXPECT_EQ(Shell("HC sum < large").out, Shell("b3sum < large").out);
  EXPECT_EQ(Shell("b3sum t/* > m && HC check -q m").code, 0);
  EXPECT_EQ(Shell("HC sum t/* > m && b3sum --quiet -c m").code, 0);
}

TEST_F(CommandTest, EqualsXxhsum) {
  if (!base::HaveProgram("xxhsum")) GTEST_SKIP() << "xxhsum is not installed";
  for (int i = 0; i < 300; i += 7)
    Write(absl::StrCat("t/", i), std::string(static_cast<size_t>(i * i), static_cast<char>(i)));
  EXPECT_EQ(Shell("HC sum -a xxh3-128 t/*").out, Shell("xxhsum -H2 t/*").out);
  EXPECT_EQ(Shell("HC sum -a xxh3-128 --tag t/*").out, Shell("xxhsum -H2 --tag t/*").out);
  EXPECT_EQ(Shell("HC sum -a xxh3-64 t/*").out, Shell("xxhsum -H3 t/*").out);
  EXPECT_EQ(Shell("HC sum -a xxh3-128 < t/42").out, Shell("xxhsum -H2 < t/42").out);
  EXPECT_EQ(Shell("xxhsum -H2 t/* > m && HC check -q m").code, 0);
  EXPECT_EQ(Shell("xxhsum -H3 t/* > m && HC check -q m").code, 0);
}

TEST_F(CommandTest, ChecksAsSha256sumDoes) {
  if (!base::HaveProgram("sha256sum")) GTEST_SKIP() << "sha256sum is not installed";
  WriteHostileNames();
  ASSERT_EQ(Shell("sha256sum t/* > SHA256SUMS; sha256sum t/* > changed; echo junk >> SHA256SUMS.junk").code, 0);
  struct Case {
    const char* prepare;
    const char* flags;
    int code;
  };
  for (const Case& c : {Case{"true", "", 0}, Case{"true", "--status", 0}, Case{"echo x > t/plain", "", 1},
                        Case{"true", "--quiet", 1}, Case{"rm t/plain", "", 1}, Case{"true", "--ignore-missing", 0},
                        Case{"echo junk >> SHA256SUMS", "--ignore-missing", 0},
                        Case{"true", "--ignore-missing --strict", 1}, Case{"true", "--ignore-missing --warn", 0}}) {
    ASSERT_EQ(Shell(c.prepare).code, 0);
    const Ran theirs = Shell(absl::StrCat("sha256sum -c ", c.flags, " SHA256SUMS"));
    const Ran ours = Shell(absl::StrCat("HC check ", c.flags, " SHA256SUMS"));
    EXPECT_EQ(theirs.code, c.code) << c.prepare << c.flags;
    EXPECT_EQ(ours.code, c.code) << c.prepare << c.flags << ours.out << ours.err;
    if (absl::StrContains(c.flags, "--status")) {
      EXPECT_EQ(ours.out, "");
    } else if (c.code == 0) {
      EXPECT_EQ(ours.out, theirs.out);
    }
  }
  EXPECT_EQ(Shell("echo nothing here > m; HC check m").code, Shell("sha256sum -c m").code + 1) << "unreadable";
}

TEST_F(CommandTest, EveryFormatBothWays) {
  WriteHostileNames();
  for (const char* const flags :
       {"", "--tag", "-z", "--json", "--jsonl", "-a sha256,crc32c,xxh3-64 --jsonl", "-a crc32c", "-a sha256,blake3"}) {
    const Ran made = Shell(absl::StrCat("HC sum -r ", flags, " t > m"));
    EXPECT_EQ(made.code, 0) << flags;
    const Ran good = Shell("HC check m");
    EXPECT_EQ(good.code, 0) << flags << good.out << good.err;
    EXPECT_THAT(good.err, HasSubstr("11 ok"));
    Write("t/plain", flags);
    const Ran bad = Shell("HC check m");
    EXPECT_EQ(bad.code, 1) << flags;
    EXPECT_THAT(bad.out, HasSubstr("t/plain: FAILED (changed)"));
    Write("t/plain", "plain");
  }
}

TEST_F(CommandTest, ChangedMissingNewAndUpdate) {
  Write("t/a", "a");
  Write("t/b", "b");
  Write("t/c", "c");
  ASSERT_EQ(Shell("HC sum -r --jsonl t > m").code, 0);
  Write("t/a", "A");
  Write("t/new", "n");
  unlink((directory_.path() + "/t/b").c_str());
  const Ran check = Shell("HC check m");
  EXPECT_EQ(check.code, 1);
  EXPECT_EQ(check.out, "t/a: FAILED (changed)\nt/b: FAILED (missing)\nt/c: OK\nt/new: NEW\n");
  EXPECT_EQ(check.err, "hashcache: 1 ok, 1 changed, 1 missing, 1 new\n");
  EXPECT_EQ(Shell("HC diff m t").out, "changed a\nremoved b\nadded new\n");
  EXPECT_EQ(Shell("HC update m").code, 0);
  EXPECT_EQ(Shell("HC check m").code, 0);
  EXPECT_EQ(Shell("HC diff m t").code, 0);
  // Plain manifests stay plain, and keep the order they have.
  ASSERT_EQ(Shell("HC sum -a sha256 t/new t/a > SHA256SUMS").code, 0);
  Write("t/a", "B");
  EXPECT_EQ(Shell("HC update SHA256SUMS && sha256sum --quiet -c SHA256SUMS").code, 0);
  EXPECT_THAT(Shell("cut -c 65- SHA256SUMS").out, "  t/new\n  t/a\n");
}

TEST_F(CommandTest, DamagedManifestsAreLeftAlone) {
  Write("t/a", "a");
  ASSERT_EQ(Shell("HC sum -r --jsonl t > m; head -c 150 m > cut; cp cut kept").code, 0);
  EXPECT_EQ(Shell("HC update cut").code, 2);
  EXPECT_EQ(Shell("cmp cut kept").code, 0);
  EXPECT_EQ(Shell("HC check cut").code, 2);
}

// 64 digits are BLAKE3 or SHA-256, and nothing in a plain manifest says which.
TEST_F(CommandTest, FilesTellWhatSixtyFourDigitsAre) {
  for (const char* const name : {"a", "b", "c"}) Write(absl::StrCat("t/", name), name);
  ASSERT_EQ(Shell("cd t && HC sum -a sha256 a b c > ../sums && HC sum a b c > ../others").code, 0);
  for (const char* const flags : {"", "--no-cache"}) {
    // The first file is gone and the second changed: the third tells.
    ASSERT_EQ(Shell("rm -f t/a; echo x > t/b").code, 0);
    const Ran ran = Shell(absl::StrCat("HC check --root=t ", flags, " sums"));
    EXPECT_EQ(ran.out, "a: FAILED (missing)\nb: FAILED (changed)\nc: OK\n");
    EXPECT_THAT(ran.err, HasSubstr("sums: its digests are SHA-256, as the files show"));
    EXPECT_EQ(Shell(absl::StrCat("HC check --status --root=t ", flags, " sums")).err, "");
    const Ran other = Shell(absl::StrCat("HC check --root=t ", flags, " others"));
    EXPECT_EQ(other.out, ran.out);
    EXPECT_THAT(other.err, Not(HasSubstr("SHA-256")));
    EXPECT_EQ(Shell(absl::StrCat("HC diff ", flags, " sums t")).out, "removed a\nchanged b\n");
  }
  // An update in the wrong algorithm would destroy the manifest.
  ASSERT_EQ(Shell("cp sums kept; cd t; HC update ../sums").code, 0);
  EXPECT_EQ(Shell("cd t; sha256sum --quiet -c ../sums").code, 0);
  ASSERT_EQ(Shell("cp kept sums; echo y > t/c; cd t; HC update ../sums").code, 2);
  EXPECT_EQ(Shell("cmp sums kept").code, 0);
  EXPECT_THAT(Shell("cd t; HC check ../sums").err, HasSubstr("give -a blake3 or -a sha256; taken for BLAKE3"));
  EXPECT_EQ(Shell("cd t; HC update -a sha256 ../sums && sha256sum --quiet -c ../sums").code, 0);
}

TEST_F(CommandTest, MessagesNameTheFileOnOneLine) {
  Write("t/a", "a");
  EXPECT_EQ(Shell("HC sum t").err, "hashcache: error: t: is a directory, not a regular file\n");
  EXPECT_EQ(Shell("HC sum $\"new\nline\"").err, "hashcache: error: new\\nline: stat: No such file or directory\n");
  EXPECT_EQ(Shell("HC sum $\"\x1b[1m\"").err, "hashcache: error: \\x1b[1m: stat: No such file or directory\n");
  EXPECT_THAT(Shell("HC check nofile").err, HasSubstr("error: open nofile: No such file or directory\n"));
  EXPECT_THAT(Shell("HC cache").err, HasSubstr("Usage: hashcache cache COMMAND"));
  // Names ended by NUL, without being told.
  const Ran nul = Shell("printf \"t/a\\0t/a\\0\" | HC sum --files-from=-");
  EXPECT_EQ(nul.code, 3);
  EXPECT_THAT(nul.err, HasSubstr("give --null (-0)"));
}

TEST_F(CommandTest, FollowedLinksThatLeadNowhereAreErrors) {
  Write("t/a", "a");
  ASSERT_EQ(Shell("ln -s nowhere t/l").code, 0);
  EXPECT_EQ(Shell("HC sum -r t").code, 0);
  const Ran ran = Shell("HC sum -r -L t");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("t/l: a link that leads nowhere"));
  EXPECT_THAT(ran.out, HasSubstr("  t/a\n"));
}

TEST_F(CommandTest, PlainManifestsOfATreeCompareWithIt) {
  Write("t/a", "a");
  Write("t/d/b", "b");
  for (const char* const flags : {"", "-a sha256", "--tag", "-z", "--json"}) {
    ASSERT_EQ(Shell(absl::StrCat("HC sum -r ", flags, " t > m; (cd t; HC sum ", flags, " a d/b) > n")).code, 0);
    for (const char* const sides : {"m t", "t m", "n t", "m n"}) {
      const Ran same = Shell(absl::StrCat("HC diff ", sides));
      // Without the tree nothing tells that names in `m` begin with it.
      if (absl::string_view(sides) == "m n" && absl::string_view(flags) != "--json") continue;
      EXPECT_EQ(same.code, 0) << flags << sides << same.out << same.err;
    }
  }
}

TEST_F(CommandTest, PathsThatLeaveTheRootAreRefused) {
  Write("t/a", "a");
  Write("secret", "s");
  ASSERT_EQ(Shell("HC sum secret t/a | sed s,secret,../secret,\\;s,t/a,a, > m").code, 0);
  const Ran ran = Shell("HC check --root=t m");
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "a: OK\n");
  EXPECT_THAT(ran.err, HasSubstr("leads outside --root"));
}

TEST_F(CommandTest, TheSameOutputForAnyNumberOfThreads) {
  for (int i = 0; i < 500; ++i) Write(absl::StrCat("t/d", i % 23, "/f", i), absl::StrCat(i));
  const Ran one = Shell("HC sum -r -j1 --no-cache t");
  EXPECT_EQ(std::vector<std::string>(absl::StrSplit(one.out, '\n')).size(), 501u);
  for (const char* const flags : {"-j2", "-j7 --no-cache", "-j64", ""}) {
    EXPECT_EQ(Shell(absl::StrCat("HC sum -r ", flags, " t")).out, one.out) << flags;
  }
  EXPECT_EQ(Shell("CACHEFS_NO_IO_URING=1 HC sum -r --no-cache t").out, one.out);
  EXPECT_EQ(Shell("find t -type f | LC_ALL=C sort | HC sum --files-from=-").out, one.out);
  EXPECT_EQ(Shell("find t -type f -print0 | LC_ALL=C sort -z | HC sum --files-from=- -0").out, one.out);
}

TEST_F(CommandTest, TreesDupsStatusAndCache) {
  Write("t/a", "same content");
  Write("t/d/b", "same content");
  Write("t/c", "other content");
  ASSERT_EQ(Shell("ln t/a t/hard; ln -s a t/soft; mkfifo t/fifo").code, 0);
  const Ran tree = Shell("HC tree t");
  EXPECT_EQ(tree.code, 0);
  EXPECT_EQ(Shell("cp -a t u && rm u/fifo && mkfifo u/fifo && HC tree u").out.substr(0, 64), tree.out.substr(0, 64));
  EXPECT_NE(Shell("chmod +x u/c && HC tree u").out.substr(0, 64), tree.out.substr(0, 64));
  EXPECT_EQ(Shell("HC dups t").out, "t/a\nt/d/b\n\n");
  EXPECT_EQ(Shell("HC sum -r t").out, Shell("HC sum t/a t/c t/d/b t/hard").out);
  EXPECT_EQ(Shell("HC status t").code, 0);
  EXPECT_EQ(Shell("sleep 0.03; HC status t").code, 0);
  Write("t/c", "changed");
  const Ran status = Shell("HC status t");
  EXPECT_EQ(status.code, 1);
  EXPECT_EQ(status.out, "changed t/c\n");
  EXPECT_EQ(Shell("HC cache verify").code, 0);
  EXPECT_EQ(Shell("HC cache gc --all && HC cache stats").code, 0);
}

TEST_F(CommandTest, ExitCodesAndUsage) {
  Write("a", "a");
  EXPECT_EQ(Shell("HC sum a").code, 0);
  EXPECT_EQ(Shell("HC sum nofile").code, 2);
  EXPECT_EQ(Shell("HC sum .").code, 2);
  for (const char* const wrong : {"--nope", "-a md5 a", "--tag -z a", "-j x a", "--audit=2 a", "-L -P -r ."}) {
    EXPECT_EQ(Shell(absl::StrCat("HC sum ", wrong)).code, 3) << wrong;
  }
  EXPECT_EQ(Shell("HC nonsense").code, 3);
  EXPECT_EQ(Shell("HC tree -a crc32c .").code, 3);
  EXPECT_EQ(Shell("HC diff a").code, 3);
  EXPECT_EQ(Shell("HC sum a > /dev/full").code, 5);
  for (const char* const command : {"sum", "check", "update", "tree", "diff", "dups", "status", "cache", "bench"}) {
    const Ran help = Shell(absl::StrCat("HC ", command, " --help"));
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, HasSubstr(command));
  }
  EXPECT_THAT(Shell("HC --man").out, HasSubstr("TREE ENCODING"));
  for (const char* const shell : {"bash", "zsh", "fish"}) {
    EXPECT_THAT(Shell(absl::StrCat("HC --completion=", shell)).out, HasSubstr("hashcache"));
  }
}

TEST_F(CommandTest, SpecialFilesNeverHang) {
  ASSERT_EQ(Shell("mkfifo fifo").code, 0);
  const Ran ran = Shell("timeout 10 HC sum fifo /dev/zero /dev/null /proc/self/status /proc/kmsg");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.out, HasSubstr("/proc/self/status"));
  EXPECT_THAT(ran.err, HasSubstr("fifo: is a named pipe"));
  EXPECT_THAT(ran.err, HasSubstr("/dev/zero: is a device"));
}

TEST_F(CommandTest, AnUnwritableCacheIsOneLine) {
  Write("a", "a");
  const Ran ran = Shell("HC sum --cache-dir=/proc/none a a a");
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(std::vector<std::string>(absl::StrSplit(ran.out, '\n')).size(), 4u);
  EXPECT_THAT(ran.err, HasSubstr("cache"));
  EXPECT_EQ(std::vector<std::string>(absl::StrSplit(ran.err, '\n')).size(), 2u) << ran.err;
}

TEST_F(CommandTest, InterruptKeepsWhatWasHashed) {
  Write("a", "a");
  const Ran ran = Shell("(cat a; sleep 3) | timeout --preserve-status -s INT 0.5 HC sum a -");
  EXPECT_EQ(ran.code, 130) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("  a\n"));
  EXPECT_THAT(ran.out, Not(HasSubstr("  -\n")));
  EXPECT_THAT(ran.err, HasSubstr("interrupted"));
}

TEST_F(CommandTest, IgnoreRules) {
  for (const char* const name : {"t/a.o", "t/b.c", "t/.git/x", "t/cache/CACHEDIR.TAG", "t/cache/big", "t/skip/me"})
    Write(name, name);
  Write("t/cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
  Write("t/.gitignore", "*.o\n");
  Write("t/.hashcacheignore", "skip/\n");
  const auto names = [this](const std::string& flags) {
    return Shell(absl::StrCat("HC sum -r --no-names --jsonl ", flags, " t | grep -o \"t/[^\\\"]*\" | tr \"\\n\" \" \""))
        .out;
  };
  EXPECT_EQ(names(""), "t/.git/x t/.gitignore t/.hashcacheignore t/a.o t/b.c t/cache/CACHEDIR.TAG t/cache/big ");
  EXPECT_EQ(names("--gitignore --exclude-caches"), "t/.gitignore t/.hashcacheignore t/b.c t/cache/CACHEDIR.TAG ");
  EXPECT_EQ(names("--no-ignore --ignore=/cache --ignore=\".*\""), "t/a.o t/b.c t/skip/me ");
}

}  // namespace
}  // namespace hashcache

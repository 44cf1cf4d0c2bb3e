// Programs that people run, on a real mount: they must work unchanged.
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "fs/mount/testing/shared_mount.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

class ProgramsMountTest : public SharedMountTest {
 protected:
  // Skips unless all of `programs` are installed.
  static bool Have(const std::string& programs) { return RunShell("command -v " + programs + " >/dev/null") == 0; }
  void Run(const std::string& script) {
    std::string output;
    EXPECT_EQ(RunShell(absl::StrCat("cd ", directory_, "\n", script), &output), 0) << output;
  }
};
#define SKIP_WITHOUT(programs) \
  if (!Have(programs)) GTEST_SKIP() << "not installed: " << (programs)

TEST_F(ProgramsMountTest, Git) {
  SKIP_WITHOUT("git");
  Run(R"sh(
    export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
    git init -q -b main one && cd one
    for i in $(seq 150); do mkdir -p d$((i % 7)); seq $i > d$((i % 7))/f$i; done
    git add -A && git commit -qm first
    for i in $(seq 50); do echo more >> d$((i % 7))/f$i; done
    git commit -qam second
    git status --porcelain | (! grep .)
    cd .. && git clone -q one two
    cd two && git -c gc.auto=0 checkout -q HEAD~1 && git checkout -q main
    git gc -q --prune=now && git fsck --strict 2>&1 | (! grep -E 'error|missing|corrupt')
    git worktree add -q ../three HEAD~1
    diff -r ../one/d1 d1
  )sh");
}

TEST_F(ProgramsMountTest, SqliteInWalMode) {
  SKIP_WITHOUT("sqlite3");
  Run(R"sh(
    sqlite3 t.db "PRAGMA journal_mode=WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, b BLOB);" | grep -q wal
    writer() { for i in $(seq 40); do
      sqlite3 -cmd '.timeout 20000' t.db "INSERT INTO t(v, b) VALUES('w$1-$i', randomblob(3000));"; done; }
    writer 1 & first=$!; writer 2 & second=$!; wait $first; wait $second
    test "$(sqlite3 t.db 'SELECT count(*) FROM t')" = 80
    test "$(sqlite3 t.db 'PRAGMA integrity_check')" = ok
    sqlite3 t.db 'DELETE FROM t WHERE id % 2; PRAGMA wal_checkpoint(TRUNCATE); VACUUM;' >/dev/null
    test "$(sqlite3 t.db 'PRAGMA integrity_check')" = ok
    sqlite3 r.db "PRAGMA journal_mode=DELETE; CREATE TABLE t(v); INSERT INTO t VALUES(1);" >/dev/null
    test "$(sqlite3 r.db 'PRAGMA integrity_check; SELECT v FROM t')" = "$(printf 'ok\n1')"
  )sh");
}

// A tree with every kind of thing that archivers carry.
constexpr char kMakeTree[] = R"sh(
  mkdir -p src/a/b 'src/with space' && cd src
  head -c 100000 /dev/urandom > a/random; seq 5000 > a/b/text; : > empty
  truncate -s 10M sparse && printf x | dd of=sparse bs=1 seek=5000000 conv=notrunc status=none
  ln a/random hard; ln -s a/b/text soft; ln -s /nowhere dangling; mkfifo fifo
  chmod 0751 a; chmod 0600 a/b/text; chmod 04755 empty
  touch -d '1999-12-31 23:59:59.123456789' a/b/text; touch -h -d '2001-02-03 04:05:06.5' soft
  setfattr -n user.colour -v blue a/random
  setfacl -m u:12345:rw a/b/text; setfacl -d -m g:54321:rx 'with space'
  if [ $(id -u) = 0 ]; then chown 12345:54321 a/random; mknod null c 1 3; setfattr -n trusted.t -v 1 a; fi
  touch -d '2002-03-04 05:06:07.25' a 'with space' a/b .; cd ..
)sh";

TEST_F(ProgramsMountTest, TarThereAndBack) {
  SKIP_WITHOUT("tar setfacl setfattr");
  Run(absl::StrCat(kMakeTree, R"sh(
    options='--acls --xattrs --xattrs-include=* --sparse --numeric-owner --format=posix'
    tar c $options -f t.tar src && mkdir out && tar xp $options -C out -f t.tar
    tar d $options -C out -f t.tar
    test "$(stat -c %y out/src/a/b/text)" = "$(stat -c %y src/a/b/text)"
    test $(stat -c %b out/src/sparse) -le 64
  )sh"));
}

TEST_F(ProgramsMountTest, RsyncThereAndBackWithoutADifference) {
  SKIP_WITHOUT("rsync setfacl setfattr");
  Run(absl::StrCat(kMakeTree, R"sh(
    away=$(mktemp -d) && trap 'rm -rf $away' EXIT
    rsync -aHAXS src/ $away/there/ && rsync -aHAXS $away/there/ back/
    rsync -aHAXn --checksum --delete --itemize-changes src/ back/ | tee $away/changes
    test ! -s $away/changes
    test $(stat -c %h back/hard) = 2
  )sh"));
}

TEST_F(ProgramsMountTest, ACompilerAndAnArchiver) {
  SKIP_WITHOUT("gcc ar make");
  Run(R"sh(
    for i in $(seq 12); do echo "int f$i(void) { return $i; }" > f$i.c; done
    { echo 'int f1(void), f12(void); int main(void) { return f1() + f12() - 13; }'; } > main.c
    printf 'OBJ=$(patsubst %%.c,%%.o,$(wildcard f*.c))\nall: prog\nlibf.a: $(OBJ)\n\tar rcs $@ $^\nprog: main.o libf.a\n\t$(CC) -o $@ $^\n' > Makefile
    make -s -j2 && ./prog
    make -q
    touch f3.c && ! make -q && make -s && ./prog
  )sh");
}

TEST_F(ProgramsMountTest, FindCpMvAndRm) {
  Run(R"sh(
    mkdir t && for d in $(seq 20); do mkdir t/$d; for f in $(seq 20); do echo $d/$f > t/$d/$f; done; done
    cp -a t u && diff -r t u
    test $(find u -type f | wc -l) = 400
    mv u v && mv v/1 v/2/one && test $(find v -type f | wc -l) = 400
    rm -rf v t && test -z "$(ls -A)"
  )sh");
}

TEST_F(ProgramsMountTest, FioVerifiesWhatItWrote) {
  SKIP_WITHOUT("fio");
  Run(R"sh(
    fio --name=v --filename=f --size=24M --rw=randwrite --bsrange=512-64k --verify=crc32c --do_verify=1 \
        --verify_fatal=1 --ioengine=psync --fsync=200 --randseed=7 --output=log >/dev/null 2>log2 || { cat log log2; exit 1; }
    fio --name=d --filename=g --size=16M --rw=randrw --bs=4k --direct=1 --verify=crc32c --verify_fatal=1 \
        --ioengine=libaio --iodepth=16 --output=log >/dev/null 2>log2 || { cat log log2; exit 1; }
  )sh");
}

}  // namespace
}  // namespace fs::testing

#!/usr/bin/env python3
"""The largest of everything: what extremes.sh needs. Each verb works in DIRECTORY.

  extremes.py create-many DIRECTORY COUNT   a directory of that many entries
  extremes.py check-many DIRECTORY COUNT    all there, each listed once
  extremes.py thin-many DIRECTORY COUNT     removes while listing; cookies stay what they were
  extremes.py make DIRECTORY                names, paths, links, sparse files, xattrs, times
  extremes.py check DIRECTORY               what `make` made, after a remount
"""
import ctypes
import errno
import os
import random
import sys

KEEP = 100  # of COUNT entries each hundredth outlives thin-many


class Dirent(ctypes.Structure):
    _fields_ = [("inode", ctypes.c_uint64), ("offset", ctypes.c_int64), ("length", ctypes.c_uint16),
                ("kind", ctypes.c_uint8), ("name", ctypes.c_char * 256)]


libc = ctypes.CDLL(None, use_errno=True)

libc.opendir.restype = ctypes.c_void_p
libc.readdir.argtypes = libc.closedir.argtypes = [ctypes.c_void_p]
libc.readdir.restype = ctypes.POINTER(Dirent)
libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]


class Listing:
    """readdir(3) with its cookies, which Python does not show."""

    def __init__(self, path, cookie=None):
        self.stream = libc.opendir(os.fsencode(path))
        if not self.stream:
            raise OSError(ctypes.get_errno(), "opendir")
        if cookie is not None:
            libc.seekdir(self.stream, cookie)

    def __iter__(self):
        while True:
            ctypes.set_errno(0)
            entry = libc.readdir(self.stream)
            if not entry:
                if ctypes.get_errno():
                    raise OSError(ctypes.get_errno(), "readdir")
                libc.closedir(self.stream)
                return
            name = ctypes.string_at(ctypes.addressof(entry.contents) + Dirent.name.offset)
            if name not in (b".", b".."):
                yield name, entry.contents.offset


def expect(condition, *what):
    if not condition:
        raise SystemExit("extremes: " + " ".join(str(word) for word in what))


def expect_errno(number, action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        expect(error.errno == number, action.__name__, "gave", error, "not", errno.errorcode[number])
        return
    expect(False, action.__name__, "succeeded; wanted", errno.errorcode[number])


def name_of(index):
    return f"entry-{index:07d}"


def create_many(directory, count):
    path = os.path.join(directory, "many")
    os.mkdir(path)
    for index in range(count):
        os.close(os.open(os.path.join(path, name_of(index)), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    expect_errno(errno.EEXIST, os.mkdir, os.path.join(path, name_of(count // 2)))
    expect_errno(errno.ENOTEMPTY, os.rmdir, path)


def check_many(directory, count):
    path = os.path.join(directory, "many")
    seen, cookies = set(), set()
    for name, cookie in Listing(path):
        seen.add(name)
        cookies.add(cookie)
    expect(len(seen) == len(cookies) == count, "listed", len(seen), "names and", len(cookies), "cookies of", count)
    rng = random.Random(count)
    for _ in range(20000):
        os.stat(os.path.join(path, name_of(rng.randrange(count))))
    expect_errno(errno.ENOENT, os.stat, os.path.join(path, name_of(count)))


def thin_many(directory, count):
    """Removes all but each KEEP-th while several listings are under way."""
    path = os.path.join(directory, "many")
    cookies = dict(Listing(path))
    order = list(cookies)
    doomed = [name for name in order if int(name[6:]) % KEEP]
    random.Random(1).shuffle(doomed)
    slow, seen = iter(Listing(path)), []
    step = max(1, len(doomed) // 1000)
    resume_at = {}
    for number, name in enumerate(doomed):
        os.unlink(os.path.join(os.fsencode(path), name))
        if number % step == 0:
            seen += [found for found, _ in (next(slow, (None, 0)) for _ in range(len(order) // 1500)) if found]
        if number % (step * 100) == 0:
            resume_at[name] = cookies[name]  # a cookie whose own entry is gone
    seen += [name for name, _ in slow]
    expect(len(seen) == len(set(seen)), "a name was listed twice while others were removed")
    kept = [name for name in order if int(name[6:]) % KEEP == 0]
    expect(set(kept) <= set(seen), "a name was not listed while others were removed")
    now = dict(Listing(path))
    expect(now == {name: cookies[name] for name in kept}, "cookies changed, or names are wrong")
    position = {name: index for index, name in enumerate(order)}
    for name, cookie in resume_at.items():
        rest = [found for found, _ in Listing(path, cookie)]
        wanted = [found for found in kept if position[found] > position[name]]
        expect(rest == wanted, "after the cookie of", name, len(rest), "names, not", len(wanted))
    print(len(kept), "kept,", len(resume_at), "cookies of removed entries resumed")


LINKS = 65000  # of one file, as on ext4
LONG = bytes((i % 255) + 1 if (i % 255) + 1 != ord("/") else ord("-") for i in range(255))
TIMES = {"epoch": 0, "before": -2**31 * 10**9 + 1, "y2038": 2**31 * 10**9 + 123456789, "y2446": 15032385535 * 10**9}


def make_names(directory):
    root = os.path.join(os.fsencode(directory), b"names")
    os.mkdir(root)
    with open(os.path.join(root, LONG), "wb") as file:
        file.write(b"long")
    expect_errno(errno.ENAMETOOLONG, os.mkdir, os.path.join(root, b"n" * 256))
    os.symlink(b"t" * 4095, os.path.join(root, b"link"))
    expect_errno(errno.ENAMETOOLONG, os.symlink, b"t" * 4096, os.path.join(root, b"longer"))
    os.symlink(b"link", os.path.join(root, b"chain-0"))
    for index in range(1, 50):
        os.symlink(b"chain-%d" % (index - 1), os.path.join(root, b"chain-%d" % index))
    os.symlink(LONG, os.path.join(root, b"hop-0"))
    for index in range(1, 41):
        os.symlink(b"hop-%d" % (index - 1), os.path.join(root, b"hop-%d" % index))
    os.chdir(root)
    for _ in range(1000):  # 256 kB of path, reached step by step
        os.mkdir(b"d" * 255)
        os.chdir(b"d" * 255)
    with open(b"bottom", "wb") as file:
        file.write(b"deep")
    os.chdir("/")
    os.mkdir(os.path.join(root, b"linked"))
    for index in range(LINKS - 1):
        os.link(os.path.join(root, LONG), os.path.join(root, b"linked", b"%d" % index))
    expect_errno(errno.EMLINK, os.link, os.path.join(root, LONG), os.path.join(root, b"linked", b"more"))
    os.mkdir(os.path.join(root, b"directories"))
    for index in range(70000):
        os.mkdir(os.path.join(root, b"directories", b"%d" % index))


def check_names(directory):
    root = os.path.join(os.fsencode(directory), b"names")
    expect(LONG in os.listdir(root), "the name of 255 bytes is not listed")
    with open(os.path.join(root, LONG), "rb") as file:
        expect(file.read() == b"long", "the file with the long name")
    expect(os.readlink(os.path.join(root, b"link")) == b"t" * 4095, "the target of 4095 bytes")
    expect_errno(errno.ELOOP, os.stat, os.path.join(root, b"chain-49"))
    expect(os.stat(os.path.join(root, b"hop-39")).st_size == 4, "40 links in a row")
    expect_errno(errno.ELOOP, os.stat, os.path.join(root, b"hop-40"))
    os.chdir(root)
    for _ in range(1000):
        os.chdir(b"d" * 255)
    with open(b"bottom", "rb") as file:
        expect(file.read() == b"deep", "the file 1000 directories down")
    os.chdir("/")
    expect(os.stat(os.path.join(root, LONG)).st_nlink == LINKS, LINKS, "links")
    expect(os.stat(os.path.join(root, b"linked", b"64998")).st_ino == os.stat(os.path.join(root, LONG)).st_ino, "link")
    expect(os.stat(os.path.join(root, b"directories")).st_nlink in (1, 70002), "links of 70000 directories")
    expect(len(os.listdir(os.path.join(root, b"directories"))) == 70000, "70000 directories")


TIB = 1 << 40
FAR = 1 << 62  # no file is larger


def make_sparse(directory):
    path = os.path.join(directory, "sparse")
    with open(path, "wb", buffering=0) as file:
        file.truncate(TIB)
        for offset in (0, TIB // 3, TIB // 2, TIB - 5):
            os.pwrite(file.fileno(), b"here!", offset)
        os.fsync(file.fileno())
    with open(os.path.join(directory, "far"), "wb", buffering=0) as file:
        os.pwrite(file.fileno(), b"far", FAR - 3)
        expect_errno(errno.EFBIG, os.pwrite, file.fileno(), b"x", FAR)
        expect_errno(errno.EFBIG, os.pwrite, file.fileno(), b"x", 2**63 - 2)
        expect_errno(errno.EFBIG, os.ftruncate, file.fileno(), FAR + 1)
    copy = os.path.join(directory, "sparse-copy")
    expect(os.system(f"cp --sparse=auto '{path}' '{copy}'") == 0, "cp of the sparse file")


def data_ranges(file):
    ranges, end = [], 0
    while True:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
        except OSError as error:
            expect(error.errno == errno.ENXIO, "SEEK_DATA", error)
            return ranges
        end = os.lseek(file, start, os.SEEK_HOLE)
        ranges.append((start, end))


def check_sparse(directory):
    with open(os.path.join(directory, "far"), "rb", buffering=0) as file:
        expect(os.pread(file.fileno(), 10, FAR - 3) == b"far" and os.fstat(file.fileno()).st_size == FAR, "at 4 EiB")
    for name in ("sparse", "sparse-copy"):
        with open(os.path.join(directory, name), "rb+", buffering=0) as file:
            info = os.fstat(file.fileno())
            expect(info.st_size == TIB, name, "has", info.st_size, "bytes")
            expect(info.st_blocks * 512 <= 4 << 20, name, "takes", info.st_blocks, "blocks")
            ranges = data_ranges(file.fileno())
            expect(4 <= len(ranges) and sum(end - start for start, end in ranges) <= 4 << 20, name, ranges)
            for offset in (0, TIB // 3, TIB // 2, TIB - 5):
                expect(os.pread(file.fileno(), 5, offset) == b"here!", name, "at", offset)
                expect(any(start <= offset < end for start, end in ranges), "no data at", offset)
            expect(os.pread(file.fileno(), 1 << 20, TIB // 4) == bytes(1 << 20), name, "has no hole at a quarter")
            expect(os.pread(file.fileno(), 100, TIB - 3) == b"re!", name, "at its end")
            expect(os.pread(file.fileno(), 100, TIB) == b"", name, "past its end")


def make_attributes(directory):
    path = os.path.join(directory, "attributes")
    os.mkdir(path)
    for name, when in TIMES.items():
        file = os.path.join(path, name)
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
        os.utime(file, ns=(when, when))
    many = os.path.join(path, "many-xattrs")
    os.close(os.open(many, os.O_CREAT | os.O_WRONLY, 0o600))
    for index in range(250):
        os.setxattr(many, "user." + f"{index:04d}" * 62, b"%d" % index)
    large = os.path.join(path, "large-xattr")
    os.close(os.open(large, os.O_CREAT | os.O_WRONLY, 0o600))
    os.setxattr(large, "user.large", bytes(range(256)) * 256)
    expect_errno(errno.E2BIG, os.setxattr, large, "user.larger", bytes(65537))


def check_attributes(directory):
    path = os.path.join(directory, "attributes")
    for name, when in TIMES.items():
        expect(os.stat(os.path.join(path, name)).st_mtime_ns == when, "the time", name)
    many = os.path.join(path, "many-xattrs")
    expect(len(os.listxattr(many)) == 250, "250 xattrs")
    expect(os.getxattr(many, "user." + "0123" * 62) == b"123", "the xattr of number 123")
    expect(os.getxattr(os.path.join(path, "large-xattr"), "user.large") == bytes(range(256)) * 256, "64 KiB of xattr")


def make(directory):
    make_names(directory)
    make_sparse(directory)
    make_attributes(directory)
    check(directory)


def check(directory):
    check_names(directory)
    check_sparse(directory)
    check_attributes(directory)


def main(words):
    verbs = {"make": make, "check": check}
    counting = {"create-many": create_many, "check-many": check_many, "thin-many": thin_many}
    if len(words) == 2 and words[0] in verbs:
        verbs[words[0]](words[1])
    elif len(words) == 3 and words[0] in counting:
        counting[words[0]](words[1], int(words[2]))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

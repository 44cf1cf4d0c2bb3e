#!/usr/bin/env python3
"""Trees written down and compared: what tree.sh needs.

  tree.py manifest ROOT TOP...           one line of JSON for each path below ROOT/TOP, by path
  tree.py compare BEFORE AFTER [--rest]  says what differs; with --rest AFTER lacks files
  tree.py thin ROOT FRACTION SEED        removes that fraction of all that is no directory
  tree.py fill ROOT PERCENT SEED         writes files until df says that much is used
"""
import hashlib
import json
import os
import random
import stat
import sys


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()


def describe(path):
    """All that a copy must carry; None for what rsync leaves alone (sockets)."""
    info = os.lstat(path)
    kind = stat.S_IFMT(info.st_mode)
    line = {"mode": info.st_mode, "owner": [info.st_uid, info.st_gid], "mtime": info.st_mtime_ns}
    line["xattrs"] = {name: os.getxattr(path, name, follow_symlinks=False).hex()
                      for name in sorted(os.listxattr(path, follow_symlinks=False))}
    if kind == stat.S_IFREG:
        line["size"], line["sha256"] = info.st_size, digest(path)
    elif kind == stat.S_IFLNK:
        line["target"] = os.fsdecode(os.readlink(os.fsencode(path)))
    elif kind in (stat.S_IFBLK, stat.S_IFCHR):
        line["device"] = info.st_rdev
    return line, (info.st_dev, info.st_ino), kind == stat.S_IFDIR


def walk(root, tops):
    """Paths relative to `root`, every directory before what is in it."""
    pending = list(reversed(tops))
    while pending:
        name = pending.pop()
        yield name
        path = os.path.join(root, name)
        if os.path.isdir(path) and not os.path.islink(path):
            pending.extend(os.path.join(name, child) for child in sorted(os.listdir(path), reverse=True))


def manifest(root, tops):
    first_of, files, size = {}, 0, 0
    for name in walk(root, tops):
        line, inode, is_directory = describe(os.path.join(root, name))
        if not is_directory:
            line["same_as"] = first_of.setdefault(inode, name)  # hard links show as one group
            files += 1
            size += line.get("size", 0) if line["same_as"] == name else 0
        print(json.dumps([name, line]))
    print(files, size, file=sys.stderr)


def load(path):
    with open(path, encoding="utf-8") as file:
        return dict(json.loads(line) for line in file)


def groups(lines, names):
    """Hard links as sets of names, whichever name came first."""
    found = {}
    for name in names:
        if "same_as" in lines[name]:
            found.setdefault(lines[name]["same_as"], set()).add(name)
    return {frozenset(group) for group in found.values()}


def compare(before, after, rest):
    a, b = load(before), load(after)
    differences = [f"only after: {name}" for name in b if name not in a]
    if not rest:
        differences += [f"only before: {name}" for name in a if name not in b]
    both = [name for name in a if name in b]
    for name in both:
        is_directory = stat.S_ISDIR(a[name]["mode"])
        for key in sorted(a[name].keys() | b[name].keys()):
            if key == "same_as" or (rest and is_directory and key == "mtime"):
                continue
            if a[name].get(key) != b[name].get(key):
                differences.append(f"{key}: {name}: {a[name].get(key)} became {b[name].get(key)}")
    if groups(a, both) != groups(b, both):
        differences.append("the hard links differ")
    print("\n".join(differences[:20]))
    print(f"{len(both)} paths compared, {len(differences)} differences")
    return 1 if differences or not both else 0


def thin(root, fraction, seed):
    files = []
    for directory, _, names in os.walk(root):
        for name in names:
            files.append(os.path.join(directory, name))
        for name in os.listdir(directory):  # links to directories are no directories
            if os.path.islink(os.path.join(directory, name)) and name not in names:
                files.append(os.path.join(directory, name))
    files.sort()
    chosen = random.Random(seed).sample(files, int(len(files) * fraction))
    for path in chosen:
        os.unlink(path)
    print(len(chosen))


def fill(root, percent, seed):
    rng = random.Random(seed)
    os.makedirs(root, exist_ok=True)
    written = count = 0
    while True:
        info = os.statvfs(root)
        used = info.f_blocks - info.f_bfree
        if 100 * used >= percent * (used + info.f_bavail):
            break
        for _ in range(20):
            data = rng.randbytes(int(2 ** rng.uniform(6, 22)))
            with open(os.path.join(root, f"{seed}-{count}"), "wb", buffering=0) as file:
                file.write(data)
            count += 1
            written += len(data)
    print(count, written)


def main(words):
    verbs = {
        "manifest": lambda w: manifest(w[0], w[1:]),
        "compare": lambda w: compare(w[0], w[1], "--rest" in w),
        "thin": lambda w: thin(w[0], float(w[1]), int(w[2])),
        "fill": lambda w: fill(w[0], float(w[1]), int(w[2])),
    }
    if len(words) < 3 or words[0] not in verbs:
        print(__doc__, file=sys.stderr)
        return 2
    return verbs[words[0]](words[1:]) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

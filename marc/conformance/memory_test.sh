#!/usr/bin/env bash
# No verb takes more than 64 MiB at -j1, whatever the input: large files in every
# format, and the inputs that would make a careless reader grow without end. Counted
# is the largest resident size of the process, as the kernel knows it.
set -u
marc=$PWD/marc/command/marc
corpus=$PWD/testdata/marc/make_corpus.py
cd "$TEST_TMPDIR" || exit 1
exec python3 - "$marc" "$corpus" <<'P'
import os
import subprocess
import sys

MARC, CORPUS = sys.argv[1:]
LIMIT_MIB = 64
LEADER = b"00000nam a2200000   4500"


def write(name, *pieces):
    with open(name, "wb") as file:
        for piece in pieces:
            file.write(piece)


def run(arguments):
    """Exit code and peak RSS in MiB."""
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        os.execv(MARC, [MARC] + arguments + ["-j1"])
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024


failures = 0
runs = 0
largest = 0


def expect(codes, *arguments):
    global failures, runs, largest
    code, rss = run(list(arguments))
    runs += 1
    largest = max(largest, rss)
    if code not in codes or rss > LIMIT_MIB:
        failures += 1
        print("FAILED: exit %d, %.1f MiB: marc %s" % (code, rss, " ".join(arguments)))


# Larger than the limit several times, in every format.
with open("part.mrc", "wb") as out:
    subprocess.run([sys.executable, CORPUS, "--records", "20000"], stdout=out, check=True)
part = open("part.mrc", "rb").read()
write("large.mrc", *[part] * 8)
for name, to in (("large.xml", "marcxml"), ("large.json", "json"), ("large.ndjson", "ndjson"), ("large.mrk", "mrk")):
    expect([0], "convert", "large.mrc", "--to", to, "-o", name)
    expect([0], "convert", name, "--to", "marc", "-o", "back.mrc")
    if open("back.mrc", "rb").read(1 << 20) != part[:1 << 20] or os.path.getsize("back.mrc") != 8 * len(part):
        failures += 1
        print("FAILED: %s does not come back" % name)
    os.remove(name)
expect([0], "cat", "large.mrc", "--map")
expect([0], "convert", "large.mrc", "-o", "large.mrc.gz")
expect([0], "cat", "large.mrc.gz")
expect([0, 1], "check", "large.mrc", "--report", "report.ndjson")
expect([0], "stats", "large.mrc")
expect([0], "count", "large.mrc")
expect([0], "print", "large.mrc")
expect([0], "grep", "york", "large.mrc")
expect([0], "filter", "245$a ~ /jazz/", "large.mrc")
expect([0], "select", "001,245$a,650$a", "large.mrc")
expect([0], "edit", "-e", "delete 9XX", "large.mrc")
expect([0], "edit", "-e", "delete 9XX", "--dry-run", "large.mrc")
expect([0], "repair", "large.mrc")
expect([0], "sample", "-n", "1000", "large.mrc")
expect([0], "split", "--records", "20000", "-o", "part-{}.mrc", "large.mrc")
expect([0], "split", "--bytes", "30M", "-o", "part-{}.mrc", "large.mrc")
# 200 outputs at a time.
expect([0], "split", "--by", "001/10-11", "-o", "by-{}.mrc", "large.mrc", "--where", "001/9 < 2")

# Nothing that ends a record.
junk = os.urandom(1 << 20)
write("random.mrc", *[junk] * 100)
write("endless.mrc", LEADER, *[b"y" * (1 << 20)] * 100)
write("zeros.mrc", *[b"\0" * (1 << 20)] * 100)
write("ends.mrc", *[b"\x1d" * (1 << 20)] * 40)
write("fields.mrc", LEADER[:12] + b"00037" + LEADER[17:], b"001000100000\x1e", *[b"\x1e" * (1 << 20)] * 40)
write("line.mrk", b"=LDR  ", LEADER, b"\n=500  \\\\$a", *[b"y" * (1 << 20)] * 100)
write("deep.json", *[b'[{"a":' * (1 << 17)] * 100)
write("deep.xml", b"<collection><record>", *[b'<datafield tag="1">' * (1 << 16)] * 60)
write("many.json", b'[{"leader":"' + LEADER + b'","fields":[', *[b'{"001":"1"},' * (1 << 16)] * 100, b'{"001":"1"}]}]')
# One record of nearly 16 MiB, and such as grow when they are written.
many = 15 * 1024
write("big.xml", b'<collection xmlns="http://www.loc.gov/MARC21/slim"><record><leader>' + LEADER + b"</leader>",
      *[b'<datafield tag="500" ind1=" " ind2=" "><subfield code="a">' + b"x" * 1000 + b"</subfield></datafield>"] * many,
      b"</record></collection>")
write("big.json", b'{"leader":"' + LEADER + b'","fields":[{"001":"1"}',
      *[b',{"500":{"ind1":" ","ind2":" ","subfields":[{"a":"' + b"x" * 990 + b'"}]}}'] * many, b"]}")
write("big.mrk", b"=LDR  ", LEADER, b"\n", *[b"=500  \\\\$a" + b"x" * 1000 + b"\n"] * many)
write("markup.mrk", b"=LDR  ", LEADER, b"\n=500  \\\\$a", b"&" * (15 << 20), b"\n")
write("codes.mrk", b"=LDR  ", LEADER, b"\n=500  \\\\", b"$ax" * (5 << 20), b"\n")
write("braces.mrk", b"=LDR  ", LEADER, b"\n=500  \\\\$a", b"{ " * (4 << 20), b"\n")
hard = [name for name in os.listdir(".") if name.split(".")[0] in (
    "random", "endless", "zeros", "ends", "fields", "line", "deep", "many", "big", "markup", "codes", "braces")]
for name in sorted(hard):
    for to in ("marc", "marcxml", "ndjson", "mrk"):
        expect([0, 1], "convert", name, "--to", to, "--salvage", "-q")
    for verb in (["check"], ["print"], ["select", "500$a"], ["count"], ["repair"]):
        expect([0, 1], *verb, name, "-q")
print("%d runs, the largest %.1f MiB of %d, %d failures" % (runs, largest, LIMIT_MIB, failures))
sys.exit(failures != 0)
P

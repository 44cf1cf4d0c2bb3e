#!/usr/bin/env python3
"""Writes a benchmark corpus of ISO 2709 records, the same bytes for the same arguments.

Usage: make_corpus.py --coding utf8|marc8|tiny --records N > corpus.mrc

Shaped like the real records measured: mean about 1.2 KB, 20 fields, 36 subfields, 99th
percentile about 3.5 KB; of MARC-8 records 43 % hold text beyond ASCII, in 3 % of all subfields.
"tiny" are the reference's records of 264 bytes and six fields. All text is invented.
"""
import argparse
import random
import sys

WORDS = ("history of the art and music in world new york press university london letters life a study jazz "
         "blues theory practice introduction collected works volume edition social science nature water light "
         "children education policy report annual conference proceedings journal review notes guide to for "
         "library catalogue manuscript records papers family essays poems plays stories novel century").split()
NAMES = "Davis Smith Garcia Muller Tanaka Ivanova Dubois Rossi Novak Jensen Silva Khan Weber Brown".split()
ACCENTED = {"utf8": ["caf\u00e9", "\u00fcber", "se\u00f1or", "na\u00efve", "\u6f22\u5b57", "\u041c\u043e\u0441\u043a\u0432\u0430", "\u05e9\u05dc\u05d5\u05dd", "\u010desk\u00fd"],
            "marc8": [b"caf\xe2e", b"\xe8uber", b"se\xe4nor", b"na\xe8ive", b"\x1b$1!04K7o\x1b(B", b"\x1b(NmOSKWA\x1b(B", b"\xe9cesk\xe2y"]}
SHAPE = [  # tag, indicators, subfield codes, words a subfield, chance
    ("010", b"  ", "a", 1, .6), ("020", b"  ", "a", 1, .7), ("035", b"  ", "a", 1, .9), ("040", b"  ", "acd", 1, 1),
    ("043", b"  ", "a", 1, .4), ("050", b"00", "ab", 1, .7), ("082", b"00", "a2", 1, .5), ("100", b"1 ", "ad", 3, .8),
    ("240", b"10", "al", 4, .1), ("245", b"10", "abc", 9, 1), ("246", b"30", "a", 5, .3), ("260", b"  ", "abc", 3, 1),
    ("300", b"  ", "abc", 3, 1), ("336", b"  ", "ab2", 1, .6), ("337", b"  ", "ab2", 1, .6), ("440", b" 0", "av", 4, .3),
    ("500", b"  ", "a", 12, .8), ("504", b"  ", "a", 8, .6), ("505", b"0 ", "a", 45, .2), ("520", b"  ", "a", 50, .2),
    ("650", b" 0", "axz", 2, 1), ("650", b" 0", "ax", 2, .7), ("650", b" 7", "a2", 2, .5), ("651", b" 0", "ax", 2, .4),
    ("700", b"1 ", "ad", 3, .7), ("710", b"2 ", "ab", 5, .4), ("856", b"41", "uz", 2, .3), ("910", b"  ", "ab", 1, .5),
    ("991", b"  ", "abcd", 1, .4)]


def text(rng, words, coding, special):
    if words > 40 and rng.random() < .06:
        words *= 6  # the long tail: tables of contents
    parts = [rng.choice(WORDS) if rng.random() < .85 else rng.choice(NAMES) for _ in range(max(1, round(rng.gauss(words, words / 3))))]
    result = " ".join(parts).encode()
    if special:
        word = rng.choice(ACCENTED[coding])
        result += b" " + (word if isinstance(word, bytes) else word.encode())
    return result


def record(rng, coding, number):
    fields = [(b"001", b"%012d" % number), (b"003", b"XYZ"), (b"005", b"20240101120000.0"),
              (b"008", b"850101s1985    nyu           000 0 eng d")]
    special = coding == "utf8" and rng.random() < .5 or coding == "marc8" and rng.random() < .43
    chance = .076
    if coding == "tiny":
        fields = fields[:1] + fields[3:]
        fields += [(b"100", b"1 \x1fa" + rng.choice(NAMES).encode() + b", Ann,"), (b"245", b"10\x1fa" + text(rng, 8, "utf8", False) + b" /\x1fcby Ann."),
                   (b"260", b"  \x1faNew York :\x1fbPress,\x1fc1985."), (b"650", b" 0\x1fa" + text(rng, 2, "utf8", False))]
    else:
        some = False
        for tag, indicators, codes, words, odds in SHAPE:
            if rng.random() > odds:
                continue
            content = indicators
            for code in codes:
                here = special and (rng.random() < chance or (tag == "245" and code == "c" and not some))
                some = some or here
                content += b"\x1f" + code.encode() + text(rng, words, coding, here)
            fields.append((tag.encode(), content[:9990]))
    directory, data = b"", b""
    for tag, content in fields:
        directory += b"%3s%04d%05d" % (tag, len(content) + 1, len(data))
        data += content + b"\x1e"
    base = 24 + len(directory) + 1
    scheme = b" " if coding == "marc8" else b"a"
    leader = b"%05dcam %s22%05d a 4500" % (base + len(data) + 1, scheme, base)
    return leader + directory + b"\x1e" + data + b"\x1d"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--coding", choices=["utf8", "marc8", "tiny"], default="utf8")
    parser.add_argument("--records", type=int, default=100000)
    arguments = parser.parse_args()
    rng = random.Random(20101)
    # Large pieces: a file written in small ones lies in as many pages of the cache.
    out = open(sys.stdout.fileno(), "wb", buffering=1 << 20, closefd=False)
    for number in range(arguments.records):
        out.write(record(rng, arguments.coding, number))
    out.flush()


main()

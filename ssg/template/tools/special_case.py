#!/usr/bin/env python3
"""Writes special_case.inc: the letters whose upper or title case is longer than one letter.

The facts are the Unicode Character Database's (SpecialCasing.txt), read through Python's str methods.
Usage: python3 special_case.py > ../special_case.inc
"""
import sys


def literal(text):
    return '"' + "".join("\\%03o" % byte for byte in text.encode()) + '"'


print("// Made by tools/special_case.py from the Unicode Character Database; do not edit.")
for code in range(sys.maxunicode + 1):
    letter = chr(code)
    if 0xD800 <= code < 0xE000:
        continue
    upper, title = letter.upper(), letter.title()
    if len(upper) > 1 or len(title) > 1:
        print("{0x%04X, %s, %s}," % (code, literal(upper), literal(title)))

#!/usr/bin/env python3
"""Writes entities.inc: the named entities of HTML 4 and their code points, by name.

The facts are the HTML 4.01 specification's (section 24), read through Python's html.entities.
Usage: python3 entities.py > ../entities.inc
"""
from html.entities import name2codepoint

print("// Made by tools/entities.py from HTML 4.01, section 24; do not edit.")
for name, code in sorted(list(name2codepoint.items()) + [("apos", 39)]):
    print('{"%s", 0x%X},' % (name, code))

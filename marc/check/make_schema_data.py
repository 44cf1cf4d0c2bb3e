#!/usr/bin/env python3
"""Derives schema_data.cc, the tables of the MARC 21 check, from Avram descriptions.

Usage: make_schema_data.py marc.json authority-schema.avram.json holdings_facts.txt > schema_data.cc

Input:  the Avram descriptions of MARC 21 bibliographic and authority data that come with QA
        catalogue (https://github.com/pkiraly/qa-catalogue, avram-schemas), and for holdings the
        list beside this script, from the Library of Congress' concise format.
Output: facts only: tags, repeatability, indicator values, subfield codes, and the values of coded
        positions where each is one character. Labels and URLs stay behind.
"""
import json
import sys


def quote(text):
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def indicator(value):
    """Allowed values as a string; no description means undefined, that is blank."""
    if not isinstance(value, dict):
        return " "
    codes = "".join(sorted(value.get("codes") or {}))
    return codes or "*"


def expand(key):
    if len(key) == 3 and key[1] == "-":
        return [chr(c) for c in range(ord(key[0]), ord(key[2]) + 1)]
    return [key]


def fields(description):
    """The rows. The indicators of 880 are those of the field it is linked to."""
    for tag, field in sorted(description.items()):
        if len(tag) != 3 or tag == "LDR":
            continue
        once, many = set(), set()
        ranges = any(len(key) > 1 for key in field.get("subfields") or {})
        for key, subfield in (field.get("subfields") or {}).items():
            for code in expand(key):
                (many if ranges or subfield.get("repeatable") else once).add(code)
        inds = [indicator(field.get("indicator%d" % i)) if tag != "880" else "*" for i in (1, 2)]
        yield (tag, bool(field.get("repeatable")), inds[0], inds[1],
               "".join(sorted(once)), "".join(sorted(many)))


def positions(tag, description, kind):
    for position in description.values():
        codes = list(position.get("codes") or {}) + list(position.get("flags") or {})
        if not codes or any(len(code) != 1 for code in codes) or position["start"] in (20, 21, 22, 23) and tag == "LDR":
            continue
        yield (tag, kind, position["start"], position["end"], "".join(sorted(codes)))


def all_positions(description):
    yield from positions("LDR", description["LDR"]["positions"], "All Materials")
    field = description["008"]
    if "positions" in field:
        yield from positions("008", field["positions"], "All Materials")
    for kind, content in (field.get("types") or {}).items():
        yield from positions("008", content["positions"], kind)


def holdings(path, bibliographic):
    """The list beside this script, and what holdings share with bibliographic data."""
    shared = {row[0]: row for row in bibliographic}
    own = {}
    for line in open(path):
        if line.startswith("#") or not line.strip():
            continue
        parts = line.split()
        if parts[1] == "as":
            own[parts[0]] = (parts[0],) + shared[parts[2]][1:]
            continue
        tag, repeatable, ind1, ind2, once, many = parts
        value = lambda text: "" if text == "-" else "".join(sorted(set(text.replace("#", " "))))
        own[tag] = (tag, repeatable == "R", value(ind1) or " ", value(ind2) or " ", value(once), value(many))
    both = set(own) & set(shared)
    if both:
        sys.exit("holdings_facts.txt repeats %s, which the description has" % ", ".join(sorted(both)))
    for tag, row in shared.items():
        if tag[0] in "0358":
            own[tag] = row
    return sorted(own.values())


def emit(name, rows):
    print("const SchemaField %s[] = {" % name)
    for tag, repeatable, ind1, ind2, once, many in rows:
        print("    {%s, %s, %s, %s, %s, %s}," % (quote(tag), str(repeatable).lower(), quote(ind1), quote(ind2), quote(once), quote(many)))
    print("};\nconst size_t %sCount = sizeof(%s) / sizeof(%s[0]);\n" % (name, name, name))


def emit_positions(name, rows):
    print("const SchemaPosition %s[] = {" % name)
    for tag, kind, start, end, codes in rows:
        print("    {%s, %s, %d, %d, %s}," % (quote(tag), quote(kind), start, end, quote(codes)))
    print("};\nconst size_t %sCount = sizeof(%s) / sizeof(%s[0]);\n" % (name, name, name))


def main():
    bibliographic = json.load(open(sys.argv[1]))["fields"]
    authority = json.load(open(sys.argv[2]))["fields"]
    print("// Made by make_schema_data.py; do not edit.")
    print("// tidy: long-file: it is data, one row for each field of MARC 21.")
    print("// clang-format off")
    print('#include "marc/check/schema_data.h"\n')
    print("namespace marc {\nnamespace internal {\n")
    rows = list(fields(bibliographic))
    emit("kBibliographicFields", rows)
    emit("kAuthorityFields", fields(authority))
    emit("kHoldingsFields", holdings(sys.argv[3], rows))
    emit_positions("kBibliographicPositions", all_positions(bibliographic))
    emit_positions("kAuthorityPositions", all_positions(authority))
    print("}  // namespace internal\n}  // namespace marc")


main()

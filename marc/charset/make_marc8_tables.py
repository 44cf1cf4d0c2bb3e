#!/usr/bin/env python3
"""Derives marc8_tables_data.cc from the Library of Congress MARC-8 code tables.

Usage: make_marc8_tables.py codetables.xml > marc8_tables_data.cc

Input:  codetables.xml of the Library of Congress ("MARC-8 to Unicode XML mapping file",
        https://www.loc.gov/marc/specifications/codetables.xml, a work of the US government),
        the copy shipped with indexdata/yaz: 12 sets, 16,398 codes.
Output: facts only: code, Unicode code point, combining or not. Names and glyphs stay behind.
Rules:  the <ucs> column wins; an empty one (the second halves EC and FB of double-width marks)
        becomes 0; of the <alt> column only the four combining half marks (FE20..FE23) are used,
        and only from Unicode to MARC-8.
Extra:  six EACC codes that the tables lack but that other decoders (pymarc, MARC::Charset) agree
        on and that are met in records; they are only read, never written.
"""
import sys
import xml.etree.ElementTree as ET


EXTRA_EACC = {
    0x21203D: 0x2026, 0x212040: 0x201C, 0x7F2014: 0x2014, 0x7F2019: 0x2019, 0x7F2020: 0x201D, 0x7F2122: 0x2122,
}


def rows(path):
    for charset in ET.parse(path).getroot().iter("characterSet"):
        final = int(charset.get("ISOcode"), 16)
        for code in charset.iter("code"):
            ucs = (code.findtext("ucs") or "").strip()
            combining = (code.findtext("isCombining") or "").strip() == "true"
            yield final, int(code.findtext("marc"), 16), int(ucs, 16) if ucs else 0, combining


def emit(name, kind, items, columns):
    print("const %s %s[] = {" % (kind, name))
    for i in range(0, len(items), columns):
        print("    " + " ".join(items[i : i + columns]))
    print("};")
    print("const size_t %sCount = sizeof(%s) / sizeof(%s[0]);\n" % (name, name, name))


def main():
    single, multiple = [], []
    for final, marc, ucs, combining in sorted(rows(sys.argv[1])):
        if final == 0x31:
            multiple.append("{0x%06X, 0x%04X}," % (marc, ucs))
        else:
            single.append("{0x%02X, 0x%02X, 0x%04X, %d}," % (final, marc, ucs, combining))
    print("// Made by make_marc8_tables.py from the Library of Congress code tables; do not edit.")
    print("// tidy: long-file: it is data, one entry for each MARC-8 code.")
    print("// clang-format off")
    print('#include "marc/charset/marc8_tables_data.h"\n')
    print("namespace marc {\nnamespace internal {\n")
    emit("kSingleByteCodes", "SingleByteCode", single, 5)
    emit("kEaccCodes", "EaccCode", multiple, 6)
    extra = ["{0x%06X, 0x%04X}," % pair for pair in sorted(EXTRA_EACC.items())]
    emit("kExtraEaccCodes", "EaccCode", extra, 6)
    print("}  // namespace internal\n}  // namespace marc")


main()

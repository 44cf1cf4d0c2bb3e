#!/usr/bin/env python3
"""Writes the hostile samples of testdata/marc/hostile: small records, each broken in one way.

Usage: make_hostile.py DIRECTORY. The output depends on nothing but this file.
"""
import os
import sys


def iso(fields, leader="00000nam a2200000   4500"):
    directory, data = b"", b""
    for tag, content in fields:
        body = content if isinstance(content, bytes) else content.encode()
        body += b"\x1e"
        directory += b"%3s%04d%05d" % (tag.encode(), len(body), len(data))
        data += body
    base = 24 + len(directory) + 1
    total = base + len(data) + 1
    head = b"%05d" % total + leader[5:12].encode() + b"%05d" % base + leader[17:].encode()
    return head + directory + b"\x1e" + data + b"\x1d"


GOOD = iso([("001", "id1"), ("008", " " * 40), ("245", "10\x1faTitle\x1fbRest"), ("650", " 0\x1faJazz")])


def put(at, text, record=GOOD):
    return record[:at] + text + record[at + len(text):]


SAMPLES = {
    "good.mrc": GOOD + GOOD,
    "empty.mrc": b"",
    "binary.mrc": bytes((i * 7919 + i // 3) % 256 for i in range(3000)),
    "length_lies_short.mrc": put(0, b"00040") + GOOD,
    "length_lies_long.mrc": put(0, b"99999") + GOOD,
    "length_no_digits.mrc": put(0, b"abcde") + GOOD,
    "length_too_small.mrc": put(0, b"00003") + GOOD,
    "base_outside.mrc": put(12, b"99999") + GOOD,
    "base_no_digits.mrc": put(12, b"x0y0z") + GOOD,
    "base_too_small.mrc": put(12, b"00010") + GOOD,
    "directory_outside.mrc": put(24 + 12 + 7, b"90000") + GOOD,
    "directory_overlap.mrc": put(24 + 12 + 7, b"00000") + GOOD,
    "directory_no_digits.mrc": put(24 + 12 + 3, b"ABCD") + GOOD,
    "directory_zero_length.mrc": put(24 + 12 + 3, b"0000") + GOOD,
    "tag_bytes.mrc": put(24, b"\xff\x1f\x00") + GOOD,
    "no_record_terminator.mrc": GOOD[:-1] + GOOD,
    "truncated.mrc": GOOD + GOOD[:-17],
    "truncated_leader.mrc": GOOD + GOOD[:20],
    "only_terminators.mrc": b"\x1d\x1e\x1f" * 300,
    "terminator_in_data.mrc": iso([("001", "id"), ("245", b"10\x1faTi\x1etle"), ("500", b"  \x1faN\x1dote")]) + GOOD,
    "short_fields.mrc": iso([("001", ""), ("245", ""), ("246", "1"), ("247", "10"), ("248", "10\x1f"), ("249", "10x\x1fay")]),
    "bad_utf8.mrc": iso([("001", "id"), ("245", b"10\x1faTi\xc3\x28tle\xff\xe6\xbc")]),
    "mixed_coding.mrc": iso([("001", "id"), ("245", b"10\x1faCaf\xc3\xa9 Caf\xe2e")], "00000nam  2200000   4500"),
    "marc8_escapes.mrc": iso([("245", b"10\x1fa\x1b$1!00\x1b\x1b(\x1b$\x1b,Zx\xe1\x1b)")], "00000nam  2200000   4500"),
    "leader_constants.mrc": put(10, b"99") + put(20, b"0000"),
    "leader_bytes.mrc": put(5, b"\xff\x00\x1e\x1f\x1d"),
    "junk_between.mrc": b"\r\n\x00\x1a  " + GOOD + b"%%%%" + GOOD,
    "many_fields.mrc": iso([("500", "  \x1fa%d" % i) for i in range(2000)]),
    "good.xml": b'<?xml version="1.0"?><collection xmlns="http://www.loc.gov/MARC21/slim"><record><leader>00000nam a2200000   4500</leader><controlfield tag="001">id</controlfield><datafield tag="245" ind1="1" ind2="0"><subfield code="a">T &amp; &#x41;<![CDATA[<b>]]></subfield></datafield></record></collection>',
    "doctype.xml": b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><collection><record><leader>00000nam a2200000   4500</leader><controlfield tag="001">&b;</controlfield></record></collection>',
    "external.xml": b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><record><leader>&x;</leader></record>',
    "entity.xml": b"<record><leader>00000nam a2200000   4500</leader><controlfield tag='001'>&nbsp;&#0;&#x110000;&#xD800;</controlfield></record>",
    "torn.xml": b"<collection><record><leader>00000nam a2200000   4500</leader><datafield tag='245' ind1='1' ind2='0'><subfield code='a'>Ti",
    "crossed.xml": b"<collection><record><datafield tag='245'><subfield></datafield></subfield></record><record/></collection>",
    "deep.xml": b"<record>" + b"<x>" * 4000,
    "attributes.xml": b"<record a=1 b='><' c><leader x=\"&lt;\">short</leader><controlfield tag=\"\">x</controlfield><datafield tag='2455' ind1='ab' ind2=''><subfield code=''>x</subfield><subfield code='ab'>y</subfield></datafield></record>",
    "utf16.xml": '<?xml version="1.0" encoding="UTF-16"?><record/>'.encode("utf-16"),
    "good.json": b'{"leader":"00000nam a2200000   4500","fields":[{"001":"id"},{"245":{"ind1":"1","ind2":"0","subfields":[{"a":"T\\u0041\\ud834\\udd1e"}]}}]}',
    "deep.json": b"[" * 5000,
    "deep_object.json": b'{"a":' * 5000,
    "torn.json": b'[{"leader":"00000nam a2200000   4500","fields":[{"001":"i',
    "shape.json": b'{"fields":{"001":1},"leader":[]}{"leader":"x","fields":[{"245":{"subfields":{"a":1}}},{"24":"x"},{"245":null}]}',
    "escapes.json": b'{"leader":"00000nam a2200000   4500","fields":[{"001":"\\u001e\\u001f\\ud800\\x"},{"\\u0030\\u0030\\u0033":"z"}]}',
    "leader_last.json": b'{"fields":[{"001":"id"}],"leader":"00000nam a2200000   4500"}',
    "good.mrk": b"=LDR  00000nam\\a2200000\\\\\\4500\n=001  id\n=245  10$aTitle{dollar}$bRest\n\n=LDR  00000nam\\a2200000\\\\\\4500\n=001  id2\n",
    "odd.mrk": b"=LDR  short\n=24  x\nno tag\n=245  1\n=245  10text$\n=246  10${}$a{zzz}{FF}{\n\n\n=001  before leader\n",
}


def main():
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    for name, data in SAMPLES.items():
        with open(os.path.join(directory, name), "wb") as file:
            file.write(data)


main()

#!/usr/bin/env bash
# The command as people use it, with the other programs that are installed as
# judges: xmllint, python3, yaz-marcdump, MARC::Record. marc4j is in marc4j_test.sh.
set -u
marc=$PWD/marc/command/marc
hostile=$PWD/testdata/marc/hostile
corpus=$PWD/testdata/marc/make_corpus.py
cd "$TEST_TMPDIR" || exit 1
failures=0
skipped=0
fail() { echo "FAILED: $*"; failures=$((failures + 1)); }
expect_code() { # CODE COMMAND...
  local want=$1; shift
  timeout 60 "$@" >out.txt 2>err.txt </dev/null
  local code=$?
  [ $code -eq "$want" ] || fail "exit $code instead of $want: $*: $(tail -1 err.txt)"
}
have() { command -v "$1" >/dev/null || { echo "skipped: $1 is not installed"; skipped=$((skipped + 1)); return 1; }; }

python3 "$corpus" --coding utf8 --records 300 >utf8.mrc || exit 1
python3 "$corpus" --coding marc8 --records 300 >marc8.mrc

# Round trips, any number of threads.
for format in marcxml json ndjson mrk; do
  for jobs in 1 3; do
    expect_code 0 "$marc" convert utf8.mrc --to $format -j $jobs -o a.$format
    expect_code 0 "$marc" convert a.$format --to marc -o back.mrc
    cmp -s utf8.mrc back.mrc || fail "$format -j$jobs does not come back"
  done
done
expect_code 0 "$marc" convert utf8.mrc --to marcxml -o a.xml.gz
expect_code 0 "$marc" convert a.xml.gz -o a.mrc.zst
expect_code 0 "$marc" cat a.mrc.zst -o b.mrc
cmp -s utf8.mrc b.mrc || fail "gzip and zstd"
expect_code 0 "$marc" convert marc8.mrc --coding marc8:utf8 -o m.mrc
expect_code 0 "$marc" convert m.mrc --coding utf8:marc8 -o m8.mrc
cmp -s marc8.mrc m8.mrc || fail "MARC-8 does not come back"

# Exit codes and messages.
expect_code 2 "$marc" cat no-such-file
expect_code 3 "$marc" cat --frobnicate
expect_code 3 "$marc" filter '((' utf8.mrc
expect_code 3 "$marc" split utf8.mrc
expect_code 3 "$marc" bench
expect_code 3 "$marc" edit -e 'frobnicate 245' utf8.mrc
grep -q "expected delete, set, add" err.txt || fail "an unknown edit command: $(cat err.txt)"
expect_code 1 "$marc" check "$hostile/length_lies_short.mrc"
expect_code 1 "$marc" cat --strict "$hostile/directory_outside.mrc"
expect_code 0 "$marc" cat "$hostile/empty.mrc"
"$marc" cat utf8.mrc >/dev/full 2>err.txt
[ $? -eq 2 ] || fail "a full disk is not exit 2"
expect_code 2 "$marc" cat utf8.mrc -o /no/such/dir/x.mrc
expect_code 0 sh -c "$marc cat utf8.mrc | head -c 10"

# An output file is the old one or the new one.
echo old >kept.mrc
expect_code 2 "$marc" cat utf8.mrc no-such-file -o kept.mrc
[ "$(cat kept.mrc)" = old ] || fail "a failed run replaced the output"
python3 "$corpus" --coding utf8 --records 4000 >large.mrc
for delay in 0.01 0.02 0.04; do
  "$marc" convert large.mrc large.mrc large.mrc --to marcxml -o kept.mrc 2>/dev/null & pid=$!
  sleep $delay; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
  [ "$(head -c 3 kept.mrc)" = old ] || xmllint --noout kept.mrc 2>/dev/null || fail "kill -9 left half a file"
done

# Commands.
[ "$("$marc" count utf8.mrc)" = 300 ] || fail count
[ "$("$marc" count utf8.mrc --offset 10 --limit 5)" = 5 ] || fail "count with offset and limit"
"$marc" filter '008/35-37 == "eng" && count(650) >= 1' utf8.mrc | "$marc" count >count.txt || fail filter
"$marc" split --records 100 -o 'part-{}.mrc' utf8.mrc || fail split
cat part-0001.mrc part-0002.mrc part-0003.mrc | cmp -s - utf8.mrc || fail "split parts make the whole"
"$marc" select '001,245$a' utf8.mrc --limit 2 | head -1 | grep -q "001.245" || fail select
"$marc" edit -e 'delete 650' --dry-run utf8.mrc | grep -q '^- 650' || fail "edit --dry-run"
"$marc" edit -e 'delete 650' utf8.mrc | "$marc" count --where 'exists(650)' | grep -qx 0 || fail edit
[ "$("$marc" sample -n 7 utf8.mrc | "$marc" count)" = 7 ] || fail sample
printf 'id,title\n1,One\n2,"Two, too"\n' >t.csv
printf 'id -> 001\ntitle -> 245[ind1=1][ind2=0]$a\n' >t.map
expect_code 0 "$marc" convert t.csv --from csv --mapping t.map --to marc -o t.mrc
[ "$("$marc" select '001,245$a' --no-header --format csv t.mrc)" = "$(printf '1,One\n2,"Two, too"')" ] || fail "CSV in and out"

# Records too long for ISO 2709: reported, split, or MARCXML only.
python3 - <<'P'
field = '{"500":{"ind1":" ","ind2":" ","subfields":[{"a":"%s"}]}}'
small = '{"leader":"00000nam a2200000   4500","fields":[{"001":"small"},%s]}' % (field % "x")
large = '{"leader":"00000nam a2200000   4500","fields":[{"001":"large"},%s]}' % ",".join([field % ("y" * 5000)] * 30)
open("long.ndjson", "w").write(small + "\n" + large + "\n" + small + "\n")
P
expect_code 1 "$marc" convert long.ndjson --to marc -o l.mrc
[ "$("$marc" count l.mrc)" = 2 ] || fail "oversize: error"
expect_code 1 "$marc" convert long.ndjson --to marc --oversize split -o l.mrc
[ "$("$marc" count l.mrc --where '001 == "large"')" = 2 ] || fail "oversize: split"
for jobs in 1 3; do
  expect_code 1 "$marc" convert long.ndjson --to marc --oversize xml --oversize-output l.xml -j $jobs -o l.mrc
  [ "$("$marc" count l.mrc)" = 2 ] && [ "$("$marc" select 001 --no-header l.xml)" = large ] || fail "oversize: xml"
  [ "$("$marc" convert l.xml --to ndjson)" = "$(sed -n 2p long.ndjson)" ] || fail "oversize: the record in MARCXML"
done
expect_code 3 "$marc" convert long.ndjson --to marc --oversize xml
expect_code 3 "$marc" convert long.ndjson --to marc --oversize-output l.xml

"$marc" --man | grep -q 'COOKBOOK\|EXAMPLES' || fail "man page"

# Hostile input: right and wrong format named, never a crash, output well-formed.
mkdir -p hostile-out
for file in "$hostile"/*; do
  name=$(basename "$file")
  case $name in *.xml) wrong=marc ;; *.mrc) wrong=mrk ;; *) wrong=marcxml ;; esac
  for from in auto $wrong; do
    for to in marcxml json; do
      timeout 60 "$marc" convert "$file" --from $from --salvage -j1 --to $to -q -o "hostile-out/$name.$from.$to" 2>err.txt
      code=$?
      [ $code -le 2 ] || fail "$name from $from to $to: exit $code"
    done
  done
done
if have xmllint; then xmllint --noout hostile-out/*.marcxml || fail "output that is not XML"; fi
if have python3; then
  python3 -c 'import json, sys
for name in sys.argv[1:]: json.load(open(name, encoding="utf-8"))' hostile-out/*.json || fail "output that is not JSON"
fi

# Other programs read what we write, and the same records.
if have yaz-marcdump; then
  "$marc" cat --rebuild utf8.mrc >r.mrc
  [ "$(yaz-marcdump -o marc r.mrc | cksum)" = "$(cksum <utf8.mrc)" ] || fail "yaz reads other records"
  yaz-marcdump -f marc8 -t utf8 -l 9=97 -o marc marc8.mrc | cmp -s - m.mrc || fail "yaz decodes MARC-8 otherwise"
  [ "$(yaz-marcdump -o marcxml utf8.mrc | "$marc" convert --to marc | cksum)" = "$(cksum <utf8.mrc)" ] || fail "yaz's MARCXML"
fi
if have perl && perl -MMARC::Batch -e 1 2>/dev/null; then
  count=$(perl -MMARC::Batch -e '$b = MARC::Batch->new("USMARC", "r.mrc"); $n++ while $b->next; print $n' 2>/dev/null)
  [ "$count" = 300 ] || fail "MARC::Record reads $count of 300"
  if perl -MMARC::Charset -e 1 2>/dev/null; then
    perl -MMARC::Batch -MMARC::Charset=marc8_to_utf8 -e 'binmode STDOUT, ":utf8"; MARC::Charset->assume_unicode(0);
      $b = MARC::Batch->new("USMARC", "marc8.mrc"); while ($r = $b->next) { print marc8_to_utf8($r->subfield("245", "a")), "\n" }' >perl.txt 2>/dev/null
    "$marc" select '245$a' --no-header m.mrc >ours.txt
    python3 - <<'P' || fail "MARC::Charset decodes otherwise"
import sys, unicodedata
read = lambda name: [unicodedata.normalize("NFC", line) for line in open(name, encoding="utf-8")]
sys.exit(read("perl.txt") != read("ours.txt"))
P
  fi
fi
echo "$failures failures, $skipped skipped"
[ $failures -eq 0 ]

#!/usr/bin/env bash
# The committed tables are what their generators make of the data they came from.
set -u
data=${CACHEFS_CONFORMANCE_DIR:-}/marc
if [ ! -r "$data/codetables.xml" ]; then
  echo "skipped: the open data is not here (CACHEFS_CONFORMANCE_DIR)"
  exit 0
fi
python3 marc/charset/make_marc8_tables.py "$data/codetables.xml" | cmp - marc/charset/marc8_tables_data.cc || exit 1
python3 marc/check/make_schema_data.py "$data/schema/marc.json" "$data/schema/authority-schema.avram.json" \
  marc/check/holdings_facts.txt | cmp - marc/check/schema_data.cc || exit 1
echo "2 tables made again from their data, the same"

#!/usr/bin/env python3
"""Counts test cases below bazel-testlogs and prints the skipped ones with their reasons.

usage: test_summary.py TESTLOGS BAZEL_STATUS

Ends with "N passed, N failed, N skipped"; exits 1 if anything failed, if Bazel
itself did, or if a test of the mount was skipped although /dev/fuse is there.
"""
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree


def results(testlogs):
    """Yields (target, path of test.xml) of the newest `bazel test`."""
    for directory, _, files in os.walk(os.path.realpath(testlogs)):
        if "test.xml" in files:
            target = os.path.relpath(directory, os.path.realpath(testlogs))
            if "shard_" in target:
                target = os.path.dirname(target)
            yield target, os.path.join(directory, "test.xml")


def known_targets():
    """Tests that exist now: logs of removed ones stay around."""
    query = subprocess.run(["bazel", "query", "--noshow_progress", "tests(//...)"], capture_output=True, text=True)
    return {line.lstrip("/").replace(":", "/").lstrip("/") for line in query.stdout.split()}


def main():
    testlogs, bazel_status = sys.argv[1], int(sys.argv[2])
    known = known_targets()
    passed = failed = skipped = 0
    broken_promises = []
    for target, path in sorted(results(testlogs)):
        if known and target not in known:
            continue
        try:
            root = ElementTree.parse(path).getroot()
        except (ElementTree.ParseError, OSError) as error:
            print(f"failed: //{target}: unreadable result: {error}")
            failed += 1
            continue
        for case in root.iter("testcase"):
            name = f"//{target} {case.get('classname', '')}.{case.get('name', '')}"
            reason = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
                print(f"failed: {name}")
            elif case.get("result") == "suppressed" or case.get("status") == "notrun":
                continue
            elif case.get("result") == "skipped" or reason is not None:
                skipped += 1
                message = (reason.get("message") if reason is not None else "") or ""
                print(f"skipped: {name}: {' '.join(message.split()) or 'no reason given'}")
                if "mount" in target and os.path.exists("/dev/fuse"):
                    broken_promises.append(name)
            else:
                passed += 1
    for name in broken_promises:
        print(f"failed: {name} was skipped although /dev/fuse is here")
        failed += 1
    if bazel_status not in (0, 3):
        print(f"failed: bazel ended with {bazel_status}")
        failed += 1
    elif bazel_status == 3 and failed == 0:
        print("failed: bazel reports a failed test that left no result")
        failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())

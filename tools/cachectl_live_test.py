#!/usr/bin/env python3
"""cachectl on a live mount: policy, events, stats --watch, map, trace, top on a terminal, and the
dashboard in a browser. CACHEFS and CACHECTL name the programs."""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest
import urllib.error
import urllib.request
import xml.etree.ElementTree

CACHEFS = os.path.realpath(os.environ["CACHEFS"])
CACHECTL = os.path.realpath(os.environ["CACHECTL"])


def run(*words, code=0):
    done = subprocess.run([CACHECTL, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout if code == 0 else done.stderr


class Worker(threading.Thread):
    """Writes, reads and syncs until it is stopped, so that there is something to see."""

    def __init__(self, directory):
        super().__init__()
        self.directory = directory
        self.stopping = threading.Event()
        self.start()

    def run(self):
        i = 0
        while not self.stopping.wait(0.002):
            path = os.path.join(self.directory, f"w{i % 50}")
            with open(path, "wb") as file:
                file.write(b"w" * 20000)
                if i % 10 == 0:
                    os.fsync(file.fileno())
            with open(path, "rb") as file:
                file.read()
            i += 1

    def stop(self):
        self.stopping.set()
        self.join()


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, words, width=80, height=24):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
            os.execv(words[0], words)
        self.text = ""
        self.resize(width, height)

    def resize(self, width, height):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def wait_for(self, pattern, seconds=15):
        """Reads on until what came since the last match has the pattern."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            if time.monotonic() > end:
                raise AssertionError(f"no {pattern!r} in {self.text[-3000:]!r}")
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    raise AssertionError(f"ended before {pattern!r}: {self.text[-3000:]!r}") from None
        match = re.search(pattern, self.text)
        self.text = self.text[match.end():]

    def end(self):
        end = time.monotonic() + 15
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError("did not end")


class CachectlLiveTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp()
        cls.mount = os.path.join(cls.work, "mnt")
        cls.store = os.path.join(cls.work, "store.img")
        os.mkdir(cls.mount)
        subprocess.run([CACHEFS, "--size", "256M", cls.store, cls.mount], check=True, stdout=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        subprocess.run([CACHECTL, "umount", cls.mount], check=True)
        # The same picture from the store at rest.
        picture = os.path.join(cls.work, "rest.svg")
        run("map", "-o", picture, cls.store)
        xml.etree.ElementTree.parse(picture)
        run("fsck", "--quiet", cls.store)
        shutil.rmtree(cls.work)

    def setUp(self):
        self.directory = os.path.join(self.mount, self.id().split(".")[-1])
        os.mkdir(self.directory)

    def path(self, name):
        return os.path.join(self.work, name)

    def test_policy_and_events(self):
        cache = os.path.join(self.directory, "cache")
        os.mkdir(cache)
        run("policy", "set", cache, "policy=lru", "quota=1M", "ttl=1h")
        self.assertRegex(run("policy", "get", cache), r"quota +1\.0 MiB +set here")
        below = os.path.join(cache, "below")
        os.mkdir(below)
        self.assertRegex(run("policy", "get", below), r"policy +lru +inherited")
        self.assertIn("quota=1048576\n", run("policy", "get", "--raw", cache))
        for i in range(40):
            with open(os.path.join(cache, f"f{i}"), "wb") as file:
                file.write(b"x" * 65536)
        usage = run("policy", "usage", self.mount)
        self.assertRegex(usage, r"lru .*1\.0 MiB.*/test_policy_and_events/cache")
        self.assertRegex(run("events", self.mount), r"evicted +/test_policy_and_events/cache/f\d+ +64\.0 KiB")
        for line in run("events", "--json", self.mount).splitlines():
            json.loads(line)
        # Smaller than what is there: the cache gives way at once.
        run("policy", "set", cache, "quota=256K")
        left = sum(os.path.getsize(os.path.join(cache, name)) for name in os.listdir(cache) if name.startswith("f"))
        self.assertLessEqual(left, 256 << 10)
        run("policy", "set", cache, "quota=", "ttl=")
        self.assertRegex(run("policy", "get", cache), r"quota +none +by default")

    def test_policy_says_what_is_wrong(self):
        for words, message in [
            (["policy=often"], "keep, lru or fifo"),
            (["quota=much"], "such as 10G"),
            (["ttl=-1s"], "such as 7d"),
            (["quotas=1G"], "did you mean quota"),
            ([], "want FIELD=VALUE"),
        ]:
            self.assertIn(message, run("policy", "set", self.directory, *words, code=1))
        self.assertIn("not on a cachefs mount", run("policy", "get", "/proc", code=1))
        with open(os.path.join(self.directory, "f"), "w"):
            pass
        self.assertIn("is no directory", run("policy", "set", os.path.join(self.directory, "f"), "quota=1G", code=1))
        # The first is sound, but nothing is set if one is not.
        run("policy", "set", self.directory, "policy=lru", "quota=x", code=1)
        self.assertRegex(run("policy", "get", self.directory), r"policy +keep +by default")

    def test_stats_watch(self):
        worker = Worker(self.directory)
        try:
            lines = run("stats", "--watch", "300ms", "--count", "3", self.mount).splitlines()
        finally:
            worker.stop()
        self.assertEqual(len(lines), 4)
        self.assertIn("requests", lines[0])
        self.assertGreater(int(re.match(r" *(\d+)/s", lines[2]).group(1)), 10)
        self.assertIn("p99.9", run("stats", self.mount))

    def test_map(self):
        with open(os.path.join(self.directory, "large"), "wb") as file:
            file.write(b"x" * (8 << 20))
            os.fsync(file.fileno())
        run("map", "-o", self.path("map.svg"), self.mount)
        svg = xml.etree.ElementTree.parse(self.path("map.svg")).getroot()
        titles = [title.text for title in svg.iter("{http://www.w3.org/2000/svg}title")]
        self.assertGreater(len(titles), 100)
        self.assertTrue(any("/test_map" in title for title in titles), titles[:20])
        chunks = json.loads(run("map", "--json", "-o", "-", self.mount))["chunks"]
        self.assertEqual(len(chunks), len(titles))

    def test_trace(self):
        worker = Worker(self.directory)
        try:
            run("trace", "-o", self.path("trace.json"), "--for", "1s", self.mount)
        finally:
            worker.stop()
        with open(self.path("trace.json"), encoding="utf-8") as file:
            events = [event for event in json.load(file)["traceEvents"] if event["ph"] == "X"]
        names = {event["name"] for event in events}
        self.assertLessEqual({"WRITE", "FSYNC", "commit"}, names)
        ends = {}
        for event in events:
            self.assertGreaterEqual(event["ts"], 0)
            lane = (event["pid"], event["tid"])
            self.assertGreaterEqual(event["ts"] + 1e-3, ends.get(lane, 0), "lanes do not overlap")
            ends[lane] = event["ts"] + event["dur"]

    def test_top(self):
        worker = Worker(self.directory)
        top = Terminal([CACHECTL, "top", self.mount])
        try:
            top.wait_for(r"overview")
            top.wait_for(r"requests/s")
            top.press("2")
            top.wait_for(r"since mount")
            top.wait_for(r"FSYNC")
            top.resize(40, 10)
            top.press("3")
            top.wait_for(r"directory|kind")
            top.resize(120, 40)
            top.press("h")
            top.wait_for(r"pause")
            top.press("q")
            self.assertEqual(top.end(), 0)
        finally:
            worker.stop()
        self.assertIn("wants a terminal", run("top", self.mount, code=1))

    def serve(self):
        server = subprocess.Popen(
            [CACHECTL, "dashboard", "--listen", "127.0.0.1:0", self.mount], stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        return re.search(r"http://[^ ]*", server.stdout.readline()).group(0)

    def test_dashboard_serves_numbers(self):
        url = self.serve()
        with urllib.request.urlopen(url + "stats.json", timeout=10) as answer:
            self.assertEqual(json.load(answer)["mount_point"], self.mount)
        with urllib.request.urlopen(url + "metrics", timeout=10) as answer:
            self.assertIn("# TYPE cachefs_request_seconds histogram", answer.read().decode())
        with urllib.request.urlopen(url + "map.svg", timeout=10) as answer:
            xml.etree.ElementTree.fromstring(answer.read())
        with self.assertRaises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(url + "etc/passwd", timeout=10)
        missing.exception.close()
        self.assertEqual(missing.exception.code, 404)
        with self.assertRaises(urllib.error.HTTPError) as foreign:
            urllib.request.urlopen(urllib.request.Request(url, headers={"Host": "evil.example"}), timeout=10)
        foreign.exception.close()
        self.assertEqual(foreign.exception.code, 403)

    @unittest.skipUnless(shutil.which("chromium"), "no chromium on this machine")
    def test_dashboard_draws_in_a_browser(self):
        url = self.serve()
        worker = Worker(self.directory)
        try:
            page = subprocess.run(
                ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--user-data-dir=" + self.path("chromium"), "--virtual-time-budget=8000", "--dump-dom", url],
                capture_output=True, text=True, timeout=240).stdout
        finally:
            worker.stop()
        samples = int(re.search(r'data-samples="(\d+)"', page).group(1))
        self.assertGreaterEqual(samples, 2)
        self.assertEqual(len(re.findall(r'<polyline[^>]* points="[\d.]+,[\d.]+ ', page)), 8, "every line is drawn")
        self.assertRegex(page, r"<td>WRITE</td>")
        self.assertIn(self.mount, page)
        self.assertRegex(page, r'id="failure" role="alert"></span>')


if __name__ == "__main__":
    if not os.path.exists("/dev/fuse"):
        print("skipped: no /dev/fuse on this machine")
        sys.exit(0)
    unittest.main()

#!/usr/bin/env bash
# Runs the benchmark with the programs built beside it: bench [ARGUMENTS].
set -euo pipefail
room=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
[ -x "$room/bench/bench" ] || room=$(cd "$(dirname "$0")" && pwd)
exec "$room/bench/bench" --ssg "$room/command/ssg" --bound "$room/bench/bound" "$@"

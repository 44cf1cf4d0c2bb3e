#!/usr/bin/env bash
# Runs the benchmark with the programs built beside it: bench [ARGUMENTS].
set -euo pipefail
room=$(cd "$(dirname "$0")" && pwd)
exec "$room/benchmark/site_bench" --ssg "$room/command/ssg" --bound "$room/benchmark/bound" "$@"

#!/usr/bin/env bash
# Runs the tests that are too long for every change: those whose name begins
# with PREFIX, which skip unless the environment variable VARIABLE gives them a
# number (of seeds, of kills). It fails when there was none to run, so that a
# renamed test is noticed.
#
# usage: scripts/long.sh PREFIX VARIABLE NUMBER
set -euo pipefail
prefix=$1 variable=$2 number=$3

cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
mapfile -t packages < <(grep -rl --include='*_test.go' -E "^func ${prefix}[A-Z0-9_]" cmd internal test | xargs -r -n1 dirname | sort -u | sed 's,^,./,')
if [ "${#packages[@]}" -eq 0 ]; then
    echo "long: no test begins with $prefix" >&2
    exit 1
fi
status=0
env "$variable=$number" go test -count=1 -v -timeout 2h -run "^$prefix" "${packages[@]}" 2>&1 | tee "$log" || status=$?
passed=$(grep -c -E '^--- PASS' "$log" || true)
skipped=$(grep -c -E '^--- SKIP' "$log" || true)
failed=$(grep -c -E '^--- FAIL' "$log" || true)
if [ "$skipped" -gt 0 ]; then
    echo "long: $skipped skipped although $variable=$number" >&2
fi
echo "$passed passed, $failed failed"
[ "$status" -eq 0 ] && [ "$passed" -gt 0 ] && [ "$skipped" -eq 0 ]

#!/usr/bin/env bash
# Runs every test, goes on after a failure, and ends with the line
# "N passed, N failed". What counts as one: a Go package, a folder of stories, a
# client library run against the built server.
#
# usage: scripts/test.sh BINARY
#
# Packages whose path matches SLOW, an extended regular expression, run without
# the race detector, because they replay so much that it would take minutes.
set -euo pipefail
binary=$1
: "${SLOW:=^$}"

cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0

# packages NAME GO-TEST-FLAGS... reads package paths and tests them. go test
# prints one line a package: "ok", "?" (no tests) or "FAIL".
packages() {
    local name=$1 list
    shift
    mapfile -t list
    [ "${#list[@]}" -gt 0 ] || return 0
    echo "test: ${#list[@]} packages, $name"
    local status=0 good bad
    # Packages without tests say nothing worth a line.
    go test "$@" "${list[@]}" 2>&1 | tee "$log" | { grep --line-buffered -v -E '^\?|\[no test files\]' || true; } || status=$?
    good=$(grep -c -E '^ok[[:space:]]' "$log" || true)
    bad=$(grep -c -E '^FAIL[[:space:]]+[^[:space:]]' "$log" || true)
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1 # it did not come as far as naming a package
    fi
    passed=$((passed + good)) failed=$((failed + bad))
}

# step NAME COMMAND... runs one thing that is not a Go package.
step() {
    local name=$1
    shift
    echo "test: $name"
    if "$@"; then passed=$((passed + 1)); else
        echo "FAIL $name"
        failed=$((failed + 1))
    fi
}

everything=$(go list ./...)
packages "with the race detector" -race -timeout 10m < <(grep -v -E "$SLOW" <<<"$everything")
packages "without, for they replay a whole year or run a browser" -timeout 10m < <(grep -E "$SLOW" <<<"$everything" || true)

step "stories of the example shop" "$binary" test examples/shop
step "stories of the example mails" "$binary" test examples/mail
step "stories of the first shop" "$binary" test examples/first-shop/shop
for client in segment rudder; do
    step "SDK conformance: $client" node "test/sdk/$client.mjs" "$binary"
done

# fresh builds the web UI anew and compares: what is checked in is what is served.
fresh() {
    local before
    before=$(mktemp -d)
    cp -r ui/dist ui/src/schema.ts "$before"
    (cd ui && npm run --silent build >/dev/null) && diff -r ui/dist "$before/dist" && diff ui/src/schema.ts "$before/schema.ts"
    local same=$?
    rm -r "$before"
    [ "$same" -eq 0 ] || echo "  the web UI that is checked in is not what its sources make: run make ui"
    return "$same"
}
step "the web UI is what its sources make" fresh
step "the web UI: types and lint" npm --prefix ui run --silent check
step "the web UI: logic" npm --prefix ui run --silent test
step "the web UI, page by page in a browser" node test/ui/ui.mjs "$binary"
for story in segments journeys campaigns data visit; do
    step "the web UI: the story of $story" node "test/ui/$story.mjs" "$binary"
done

# afternoon runs the first shop and then looks for what the guide shows of it: each
# line of output in docs/first-hour.md, but for what is another each time. What the
# shop says is in the way of what others say, and of use only when it fails.
afternoon() {
    local said shown wrong=0 line
    said=$(mktemp)
    if ! examples/first-shop/afternoon.sh "$binary" >"$said" 2>&1; then
        tail -n 40 "$said"
        rm "$said"
        return 1
    fi
    shown=$(sed -E 's/^ +//; s/ +/ /g' "$said")
    echo "  $(grep -c '^  ok' "$said") figures are right"
    rm "$said"
    while read -r line; do
        if ! grep -qF -- "$line" <<<"$shown"; then
            echo "  docs/first-hour.md shows what nobody says: $line"
            wrong=1
        fi
    done < <(awk '/^```/ { open = !open; shown = open && $0 == "```"; next } shown' docs/first-hour.md |
        grep -v -E '^\$|…|20[0-9]{2}-[0-9]{2}-[0-9]{2} |[0-9] [A-Z][a-z]+ 20[0-9]{2}|T[0-9:.]+Z|_domainkey|127\.0\.0\.1' | sed -E 's/^ +//; s/ +/ /g')
    return "$wrong"
}
step "a shop's first afternoon has the figures of docs/first-hour.md" afternoon

year=$(mktemp -d)
trap 'rm -rf "$log" "$year"' EXIT
step "the demo's year has the published figures" node test/demo.mjs "$binary" "$year"
step "a marketer's day and a support agent's, on that year" node test/ui/day.mjs "$binary" "$year"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

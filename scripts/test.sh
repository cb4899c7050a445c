#!/usr/bin/env bash
# Runs every test, goes on after a failure, and ends with the line
# "N passed, N failed". What counts as one: a Go package, a folder of stories, a
# client library run against the built server.
#
# usage: scripts/test.sh BINARY
#
# Much of it waits: for a browser, a server, an interval that must pass. So three
# lanes run side by side, each in its own order; a step has a port and a folder of
# its own, and is printed whole when it has ended, with the seconds it took.
#
# Packages whose path matches RACE, an extended regular expression, run under the race
# detector; the others without, those that match SLOW first.
set -euo pipefail
binary=$1
: "${RACE:=^$}" "${SLOW:=^$}"

cd "$(dirname "$0")/.."
work=$(mktemp -d)
RAPPORT_BINARY=$(realpath "$binary") # for the Go packages that run it
export RAPPORT_BINARY
results=$work/results # a line for each: ok or FAIL, and what
touch "$results"

# Everything that is started below has this in its environment, and is found by it,
# wherever it has gone: browsers and servers leave the process group.
export RAPPORT_TEST=$work
leftover() {
    local at
    for at in /proc/[0-9]*; do
        [ "${at#/proc/}" != $$ ] || continue
        if tr '\0' '\n' <"$at/environ" | grep -qxF "RAPPORT_TEST=$work"; then echo "${at#/proc/}"; fi
    done 2>/dev/null
    return 0
}

# finish ends what still runs, says of each step how far it had come if the run was
# broken off, and leaves nothing behind.
finish() {
    local status=$? at left
    trap - EXIT TERM INT HUP
    for at in "$work"/running.*; do
        [ -f "$at" ] || continue
        echo "test: broken off: $(cat "$at")"
        tail -n 20 "$work/said.${at##*.}" 2>/dev/null || true
    done
    for at in TERM TERM KILL KILL; do
        mapfile -t left < <(leftover)
        [ "${#left[@]}" -gt 0 ] || break
        kill -"$at" "${left[@]}" 2>/dev/null || true
        sleep 0.5
    done
    rm -rf "$work" || true
    exit "$status"
}
trap finish EXIT
trap 'exit 143' TERM INT HUP

# say prints a text whole, whoever else prints at the same time.
say() {
    {
        flock 9
        printf '%s\n' "$1"
    } 9>>"$work/lock"
}

# since prints the whole seconds that have gone since a moment.
since() { echo "$((${EPOCHREALTIME%[.,]*} - ${1%[.,]*})) s"; }

# step NAME COMMAND... runs one thing that is not a Go package.
step() {
    local name=$1 began=$EPOCHREALTIME id=$BASHPID good=ok text
    shift
    echo "$name" >"$work/running.$id"
    if ! "$@" >"$work/said.$id" 2>&1; then good=FAIL; fi
    text="test: $name ($(since "$began"))"
    if [ -s "$work/said.$id" ]; then text+=$'\n'$(cat "$work/said.$id"); fi
    if [ "$good" = FAIL ]; then text+=$'\n'"FAIL $name"; fi
    rm "$work/running.$id"
    say "$text"
    echo "$good $name" >>"$results"
}

# packages NAME GO-TEST-FLAGS... reads package paths and tests them. go test says
# what is to be said of a package and ends it with one line: "ok", "?" (no tests) or
# "FAIL". Packages without tests say nothing worth a line.
packages() {
    local name=$1 began=$EPOCHREALTIME id=$BASHPID list line block='' state package status=0 before
    shift
    mapfile -t list
    [ "${#list[@]}" -gt 0 ] || return 0
    echo "${#list[@]} packages, $name" >"$work/running.$id"
    say "test: ${#list[@]} packages, $name"
    before=$(grep -c '^FAIL' "$results" || true)
    # make lint vets all that go test would, and more.
    go test -vet=off "$@" "${list[@]}" 2>&1 | {
        while IFS= read -r line || [ -n "$line" ]; do
            block+=$line
            case $line in
                '?'[[:space:]]* | *'[no test files]') block='' && continue ;;
                ok[[:space:]]* | FAIL[[:space:]]*)
                    read -r state package _ <<<"$line"
                    echo "$state $package" >>"$results"
                    ;;
                *) block+=$'\n' && continue ;;
            esac
            say "$block"
            block=''
        done
        [ -z "$block" ] || [ "$block" = $'FAIL\n' ] || say "$block"
    } || status=$?
    if [ "$status" -ne 0 ] && [ "$before" -eq "$(grep -c '^FAIL' "$results" || true)" ]; then
        echo "FAIL packages $name" >>"$results" # it did not come as far as naming a package
    fi
    rm "$work/running.$id"
    say "test: ${#list[@]} packages, $name ($(since "$began"))"
}

# fresh builds the web UI anew, beside what is checked in and served, and compares.
# Its types are checked below.
fresh() {
    local anew=$work/ui
    (cd ui && npm exec -- openapi-typescript ../docs/openapi.json -o "$anew/schema.ts" &&
        npm exec -- vite build --outDir "$anew/dist" --logLevel error) >"$anew.log" 2>&1 || cat "$anew.log"
    diff -r ui/dist "$anew/dist" && diff ui/src/schema.ts "$anew/schema.ts" && return
    echo "  the web UI that is checked in is not what its sources make: run make ui"
    return 1
}

# afternoon runs the first shop and then looks for what the guide shows of it: each
# line of output in docs/first-hour.md, but for what is another each time. What the
# shop says is in the way of what others say, and of use only when it fails.
afternoon() {
    local said=$work/afternoon shown wrong=0 line
    if ! examples/first-shop/afternoon.sh "$binary" >"$said" 2>&1; then
        tail -n 40 "$said"
        return 1
    fi
    shown=$(sed -E 's/^ +//; s/ +/ /g' "$said")
    echo "  $(grep -c '^  ok' "$said") figures are right"
    while read -r line; do
        if ! grep -qF -- "$line" <<<"$shown"; then
            echo "  docs/first-hour.md shows what nobody says: $line"
            wrong=1
        fi
    done < <(awk '/^```/ { open = !open; shown = open && $0 == "```"; next } shown' docs/first-hour.md |
        grep -v -E '^\$|…|20[0-9]{2}-[0-9]{2}-[0-9]{2} |[0-9] [A-Z][a-z]+ 20[0-9]{2}|T[0-9:.]+Z|_domainkey|127\.0\.0\.1' | sed -E 's/^ +//; s/ +/ /g')
    return "$wrong"
}

everything=$(go list ./...)
engine() {
    packages "with the race detector" -race -timeout 15m < <(grep -E "$RACE" <<<"$everything" || true)
    # Those that replay from the end of the alphabet, where the longest are: none is left
    # alone at the end.
    packages "without" -timeout 15m < <(grep -E "$SLOW" <<<"$everything" | tac; grep -v -E "$RACE|$SLOW" <<<"$everything" || true)
}
pages() {
    step "the web UI, page by page in a browser" node test/ui/ui.mjs "$binary"
    for story in segments journeys campaigns data visit; do
        step "the web UI: the story of $story" node "test/ui/$story.mjs" "$binary"
    done
}
shops() {
    step "stories of the example shop" "$binary" test examples/shop
    step "stories of the example mails" "$binary" test examples/mail
    step "stories of the first shop" "$binary" test examples/first-shop/shop
    for client in segment rudder; do
        step "SDK conformance: $client" node "test/sdk/$client.mjs" "$binary"
    done
    step "the web UI: types and lint" npm --prefix ui run --silent check
    step "the web UI: logic" npm --prefix ui run --silent test
    step "the web UI is what its sources make" fresh
    step "a shop's first afternoon has the figures of docs/first-hour.md" afternoon
    step "the demo's year has the published figures" node test/demo.mjs "$binary" "$work/year"
    step "a marketer's day and a support agent's, on that year" node test/ui/day.mjs "$binary" "$work/year"
}

# A lane that ends early has not told all its results, and is one.
lanes=()
for lane in engine pages shops; do
    "$lane" &
    lanes+=($!)
done
for i in "${!lanes[@]}"; do
    wait "${lanes[$i]}" || echo "FAIL lane $((i + 1)) of ${#lanes[@]}, which broke off" >>"$results"
done

passed=$(grep -c '^ok' "$results" || true)
failed=$(grep -c '^FAIL' "$results" || true)
grep '^FAIL' "$results" || true # once more, below all that the others said
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

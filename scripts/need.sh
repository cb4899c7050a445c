#!/usr/bin/env bash
# Installs what the tests need and the machine lacks, on Debian and its
# relatives; elsewhere it says what to install. It says what it is about to do
# before it does it.
#
# usage: scripts/need.sh
set -euo pipefail

missing=()
need() { # COMMAND PACKAGE WHY
    if ! command -v "$1" >/dev/null 2>&1; then
        echo "need: $1 is not here ($3)"
        missing+=("$2")
    fi
}
need gcc "gcc libc6-dev" "SQLite is C code"
need g++ g++ "DuckDB is C++, and is linked with its library"
need strace strace "the tests make fsync and write fail with it"
sbin() { # COMMAND PACKAGE WHY: of a server, which not everybody's PATH shows
    [ -x "/usr/sbin/$1" ] || need "$1" "$2" "$3"
}
sbin dnsmasq dnsmasq-base "the tests of sending domains and the first shop ask it"
sbin postfix postfix "the tests let it take our mail and return a bounce"
sbin opendkim opendkim "the tests let it check our signatures"
if ! /usr/bin/python3 -c "import dkim, authheaders" >/dev/null 2>&1; then
    echo "need: python3-dkim and python3-authheaders are not here (the tests let them judge signatures and DMARC)"
    missing+=(python3 python3-dkim python3-authheaders)
fi
need curl curl "the first shop's afternoon speaks HTTP with it"
need node nodejs "the tests run the client libraries that shops use"
need npm npm "it fetches those libraries"
need chromium chromium "the tests look at mails as readers do"
need zbarimg zbar-tools "they read barcodes and QR codes from what they see"

if [ "${#missing[@]}" -gt 0 ]; then
    read -r -a packages <<<"${missing[*]}"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "need: please install: ${packages[*]}" >&2
        exit 1
    fi
    root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "need: please run as root: apt-get install ${packages[*]}" >&2
            exit 1
        fi
        root=(sudo)
    fi
    echo "need: installing with apt-get: ${packages[*]}"
    # A stale package list is no reason to stop: the install says what is missing.
    "${root[@]}" apt-get update -q || echo "need: apt-get update did not succeed; going on with the lists that are here"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}"
fi

# The client libraries use fetch, which Node has from 18 on.
oldest=18
version=$(node --version)
major=${version#v}
major=${major%%.*}
if [ "$major" -lt "$oldest" ]; then
    echo "need: node is $version and must be $oldest or newer: install a newer one, or one from nodejs.org" >&2
    exit 1
fi

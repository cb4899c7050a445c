#!/usr/bin/env bash
# Builds what is handed out: dist/rapport_VERSION_linux_ARCH.tar.gz with the
# checksums beside it. The amd64 binary links everything, the C library too, so it
# runs on any Linux of that kind. The arm64 binary takes the C library of the
# machine, and nothing else of it: linked with DuckDB, its table of addresses is
# larger than the one that a static C library of arm64 can reach (docs/decisions/0095).
# SQLite is C code and DuckDB C++, so another kind of processor needs a cross
# compiler; without one that build is left out, and said so. The same commit gives
# the same bytes.
#
# usage: [DIST_STRICT=1] scripts/dist.sh VERSION    strict: both kinds or none
set -euo pipefail
version=$1

cd "$(dirname "$0")/.."
rm -rf dist
mkdir -p dist
# The same sources give the same bytes: no path, no time, no user.
epoch=$(git log -1 --format=%ct 2>/dev/null || echo 0)

# needs lists what a binary takes of the machine: shared libraries, in a line.
needs() { readelf -d "$1" | sed -n 's/.*Shared library: \[\(.*\)\]/\1/p' | sort | paste -sd' '; }

prove() { # ARCH BINARY: it needs of the machine what it may, and it runs
    local may=""
    if [ "$1" = arm64 ]; then may="libc.so.6 libm.so.6"; fi
    if [ "$(needs "$2")" != "$may" ]; then
        echo "dist: the $1 binary wants '$(needs "$2")' of the machine, and may want '$may'" >&2
        exit 1
    fi
    local runner=()
    if [ "$1" != "$native" ]; then
        case $1 in
            amd64) runner=(qemu-x86_64) ;;
            arm64) runner=(qemu-aarch64 -L /usr/aarch64-linux-gnu) ;;
        esac
        if ! command -v "${runner[0]}" >/dev/null 2>&1; then
            echo "dist: the $1 binary is not tried: ${runner[0]} is not here (Debian: qemu-user)"
            return
        fi
    fi
    local said
    said=$("${runner[@]}" "$2" version)
    if [ "$said" != "rapport $version" ]; then
        echo "dist: the $1 binary says '$said', not 'rapport $version'" >&2
        exit 1
    fi
}

native=$(go env GOARCH)
cxx=$(mktemp -d)
trap 'rm -rf "$cxx"' EXIT

build() { # ARCH C-COMPILER
    local arch=$1 cc=$2
    local name="rapport_${version}_linux_$arch"
    local folder="dist/$name"
    mkdir -p "$folder"
    local link="-static -Wl,--build-id=none"
    if [ "$arch" = arm64 ]; then
        # A folder in which there is only the static C++ library: it is found first.
        ln -sf "$($cc -print-file-name=libstdc++.a)" "$cxx/libstdc++.a"
        link="-L$cxx -static-libgcc -Wl,--build-id=none"
    fi
    # sqlite_omit_load_extension: loading an extension needs the dynamic linker.
    # netgo and osusergo: so does asking the C library for hosts and users.
    CGO_ENABLED=1 GOOS=linux GOARCH=$arch CC=$cc go build -trimpath -buildvcs=false \
        -tags "netgo osusergo timetzdata sqlite_omit_load_extension" \
        -ldflags "-s -w -buildid= -X main.version=$version -linkmode external -extldflags '$link'" \
        -o "$folder/rapport" ./cmd/rapport
    prove "$arch" "$folder/rapport"
    for paper in LICENSE README.md CHANGELOG.md; do
        if [ -f "$paper" ]; then cp "$paper" "$folder/"; fi
    done
    tar -C dist --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -cf - "$name" | gzip -n -9 >"dist/$name.tar.gz"
    rm -r "$folder"
    echo "dist: dist/$name.tar.gz"
}

built=0
for arch in amd64 arm64; do
    case $arch in
        amd64) cross=x86_64-linux-gnu-gcc ;;
        arm64) cross=aarch64-linux-gnu-gcc ;;
    esac
    if [ "$arch" = "$native" ]; then
        build "$arch" "${CC:-gcc}"
    elif command -v "$cross" >/dev/null 2>&1; then
        build "$arch" "$cross"
    else
        echo "dist: no $arch build: $cross is not here (Debian: g++-${cross%-gcc}, which brings its C and C++ libraries)"
        [ -z "${DIST_STRICT:-}" ] || exit 1
        continue
    fi
    built=$((built + 1))
done
[ "$built" -gt 0 ] || { echo "dist: nothing was built on $native" >&2; exit 1; }
(cd dist && sha256sum -- *.tar.gz >SHA256SUMS)

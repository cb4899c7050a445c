#!/usr/bin/env bash
# Builds what is handed out: dist/rapport_VERSION_linux_ARCH.tar.gz with the
# checksums beside it. The binary links everything, the C library too, so it runs
# on any Linux of that kind. SQLite is C code, so another kind of processor needs
# a cross compiler; without one that build is left out, and said so.
#
# usage: scripts/dist.sh VERSION
set -euo pipefail
version=$1

cd "$(dirname "$0")/.."
rm -rf dist
mkdir -p dist
# The same sources give the same bytes: no path, no time, no user.
epoch=$(git log -1 --format=%ct 2>/dev/null || echo 0)

build() { # ARCH C-COMPILER
    local arch=$1 cc=$2
    local name="rapport_${version}_linux_$arch"
    local folder="dist/$name"
    mkdir -p "$folder"
    # sqlite_omit_load_extension: loading an extension needs the dynamic linker.
    # netgo and osusergo: so does asking the C library for hosts and users.
    CGO_ENABLED=1 GOOS=linux GOARCH=$arch CC=$cc go build -trimpath \
        -tags "netgo osusergo timetzdata sqlite_omit_load_extension" \
        -ldflags "-s -w -X main.version=$version -linkmode external -extldflags -static" \
        -o "$folder/rapport" ./cmd/rapport
    for paper in LICENSE README.md CHANGELOG.md; do
        if [ -f "$paper" ]; then cp "$paper" "$folder/"; fi
    done
    tar -C dist --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -cf - "$name" | gzip -n -9 >"dist/$name.tar.gz"
    rm -r "$folder"
    echo "dist: dist/$name.tar.gz"
}

native=$(go env GOARCH)
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
        echo "dist: no $arch build: $cross is not here (Debian: gcc-${cross%-gcc})"
        continue
    fi
    built=$((built + 1))
done
[ "$built" -gt 0 ] || { echo "dist: nothing was built on $native" >&2; exit 1; }
(cd dist && sha256sum -- *.tar.gz >SHA256SUMS)

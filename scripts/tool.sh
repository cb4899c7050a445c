#!/usr/bin/env bash
# Builds a tool at a fixed version into .bin once, and prints its path. The
# version is in the file's name, so a new version in the Makefile is a new build.
#
# usage: scripts/tool.sh NAME MODULE VERSION
set -euo pipefail
name=$1 module=$2 version=$3

top=$(cd "$(dirname "$0")/.." && pwd)
tool=$top/.bin/$name-$version
if [ ! -x "$tool" ]; then
    mkdir -p "$top/.bin"
    build=$(mktemp -d "$top/.bin/build.XXXXXX")
    trap 'rm -rf "$build"' EXIT
    GOBIN=$build go install "$module@$version"
    mv "$build/$name" "$tool"
fi
echo "$tool"

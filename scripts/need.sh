#!/bin/sh
# SPDX-License-Identifier: MIT
# need.sh PACKAGE...: sees to it that these Debian packages are installed. Says what it installs, asks
# for nothing, and touches neither network nor apt when nothing is missing.
set -eu

missing=
for package in "$@"; do
    state=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    case $state in
    "install ok installed") ;;
    *)  # On a machine without dpkg, or with the tool from elsewhere, a command of that name will do.
        command -v "$package" >/dev/null 2>&1 || missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "need.sh: please install:$missing (there is no apt-get here)" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "need.sh: please install as root:$missing" >&2; exit 1; }
    as_root=sudo
fi

echo "installing with apt-get:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() { $as_root apt-get install -y -q --no-install-recommends $missing >"$log" 2>&1; }
if ! install; then
    $as_root apt-get update -q >>"$log" 2>&1 || true
    install || { cat "$log" >&2; echo "need.sh: could not install:$missing" >&2; exit 1; }
fi

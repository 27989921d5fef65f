#!/bin/sh
# SPDX-License-Identifier: MIT
# man-links.sh DIR: beside the pages that were installed in DIR, a link for each function that one describes.
set -eu
cd "$1"
for page in *.3iocp; do
    [ -L "$page" ] && continue
    {
        sed -n '/^\.SH NAME/{n;s/ \\- .*//;s/, /\n/g;p}' "$page"
        sed -n '/^\.SH SYNOPSIS/,/^\.SH DESCRIPTION/{/"typedef/d;s/^\.B ".*[ *]\([A-Za-z_0-9]*\)(.*/\1/p;}' "$page"
    } | sort -u | while read -r name; do
        [ -e "$name.3iocp" ] || ln -s "$page" "$name.3iocp"
    done
done

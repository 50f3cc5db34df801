#!/bin/sh
set -e

# An upgrade leaves the services running until the new files are there.
[ "$1" = remove ] || exit 0

if command -v systemctl >/dev/null; then
  systemctl disable --now {{units}} || true
fi

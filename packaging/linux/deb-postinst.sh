#!/bin/sh
set -e

[ "$1" = configure ] || exit 0

{{setup}}
# The second argument is the version that was configured before.
if [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload || true
  [ -z "$2" ] || systemctl try-restart {{units}} || true
fi

if [ -z "$2" ]; then
{{hint}}
fi

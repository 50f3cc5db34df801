#!/bin/sh
set -e

case "$1" in
  remove | purge)
    if [ -d /run/systemd/system ]; then systemctl --system daemon-reload || true; fi
    ;;
esac

if [ "$1" = purge ]; then
  rm -rf /var/lib/chatgpt-api-server
  rm -f /etc/chatgpt-api-server/admin-key /etc/chatgpt-api-server/.admin-key.*
  rmdir --ignore-fail-on-non-empty /etc/chatgpt-api-server 2>/dev/null || true
  if getent passwd chatgpt-api-server >/dev/null; then userdel chatgpt-api-server || true; fi
fi

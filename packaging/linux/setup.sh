# Part of the scripts of both kinds of package, run after the files are unpacked. Running it again changes nothing.
name=chatgpt-api-server
settings=/etc/chatgpt-api-server
data=/var/lib/chatgpt-api-server

if ! getent passwd "$name" >/dev/null; then
  if getent group "$name" >/dev/null; then group="--gid=$name"; else group=--user-group; fi
  useradd --system "$group" --home-dir "$data" --no-create-home --shell /usr/sbin/nologin "$name"
fi

if [ ! -e "$data" ]; then
  mkdir -m 700 "$data"
  chown "$name:$name" "$data"
fi

# There is no default key. The file appears as a whole, and is readable by root only from the start.
if [ ! -s "$settings/admin-key" ]; then
  key=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  [ "${#key}" = 64 ]
  new=$(mktemp "$settings/.admin-key.XXXXXX")
  echo "$key" >"$new"
  mv -f "$new" "$settings/admin-key"
fi

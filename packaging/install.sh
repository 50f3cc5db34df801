#!/bin/sh
# Installs the executable of chatgpt-api-server on Linux or macOS. Nothing is changed unless the download is complete, has
# the checksum of the release, and starts. Running it again upgrades, or does nothing.
#
#   curl -fsSL https://github.com/{{repository}}/releases/latest/download/install.sh | sh
#   curl -fsSL https://github.com/{{repository}}/releases/latest/download/install.sh | sh -s -- --dir /opt/bin
set -eu

repository='{{repository}}'
name=chatgpt-api-server

usage() {
  cat <<TEXT
usage: install.sh [--version <version>] [--dir <folder>] [--from <folder or URL>]

--version <version>     the release to install, such as 1.2.3. Default: the latest
--dir <folder>          where to install it. Default: /usr/local/bin for root, ~/.local/bin for others
--from <folder or URL>  where the files of the release are, with SHA256SUMS, in place of GitHub
TEXT
}

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

misused() {
  echo "install.sh: $*" >&2
  usage >&2
  exit 2
}

# A script that is cut off while it is downloaded runs nothing, because the last line calls this.
main() {
  version='' dir='' from=''
  while [ $# -gt 0 ]; do
    case "$1" in
      --version | --dir | --from)
        [ -n "${2:-}" ] || misused "$1 needs a value."
        case "$1" in
          --version) version=${2#v} ;;
          --dir) dir=$2 ;;
          --from) from=${2%/} ;;
        esac
        shift 2
        ;;
      -h | --help)
        usage
        exit 0
        ;;
      *) misused "Unknown argument: $1" ;;
    esac
  done
  case "$version" in
    *[!0-9A-Za-z.+-]*) misused "The version is not valid. Give one such as 1.2.3." ;;
  esac

  target=$(detect_target)
  file=$name-$target
  choose_source
  choose_folder

  # In the same folder, so that the last step is a rename, which happens as a whole or not at all.
  work=$(mktemp -d "$dir/.$name.XXXXXX") || fail "Cannot write to $dir. Choose another folder with --dir, or use sudo."
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' HUP INT TERM

  fetch SHA256SUMS "$work/SHA256SUMS" || fail "Cannot get SHA256SUMS from $from. Is the version right, and the network up?"
  wanted=$(awk -v file="$file" '($2 == file || $2 == "*" file) { print $1 }' "$work/SHA256SUMS")
  case "$wanted" in
    *[!0-9a-f]* | '') fail "SHA256SUMS of $from does not list $file once. Nothing was installed." ;;
  esac
  [ "${#wanted}" = 64 ] || fail "SHA256SUMS of $from does not list $file once. Nothing was installed."

  installed=$dir/$name
  [ ! -d "$installed" ] || fail "$installed is a folder. Choose another folder with --dir."
  if [ -f "$installed" ] && [ -x "$installed" ] && [ "$(hash_of "$installed")" = "$wanted" ]; then
    echo "$installed is this version already: $(version_of "$installed")."
    exit 0
  fi

  echo "Downloading $file from $from"
  fetch "$file" "$work/$name" || fail "Cannot get $file from $from. Nothing was installed."
  actual=$(hash_of "$work/$name")
  [ "$actual" = "$wanted" ] || fail "The checksum of $file is wrong: it is $actual, and SHA256SUMS has $wanted. Nothing was installed."
  chmod 755 "$work/$name"
  check_starts "$work/$name"
  mv -f "$work/$name" "$installed"

  echo "Installed $(version_of "$installed") as $installed"
  tell_next
}

# Prints the name of the executable for this machine, without the program's name.
detect_target() {
  system=$(uname -s) machine=$(uname -m)
  case "$system" in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) fail "There is no executable for $system. There are some for Linux, macOS and Windows (install.ps1)." ;;
  esac
  case "$machine" in
    x86_64 | amd64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) fail "There is no executable for $machine. There are some for x86_64 and arm64." ;;
  esac
  # A 64-bit kernel may run a 32-bit system.
  if [ "$os" = linux ] && [ "$(getconf LONG_BIT 2>/dev/null || echo 64)" = 32 ]; then
    fail "This system is a 32-bit one. There are executables for 64 bits only."
  fi
  # Rosetta says x86_64 on Apple silicon.
  if [ "$os" = darwin ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || echo 0)" = 1 ]; then arch=arm64; fi
  libc=''
  if [ "$os" = linux ] && has_musl; then libc=-musl; fi
  echo "$os-$arch$libc"
}

has_musl() {
  # The ldd of musl prints this, and ends with 1.
  said=$(ldd --version 2>&1 || true)
  case "$said" in
    *musl*) return 0 ;;
    *GLIBC* | *GNU* | *glibc*) return 1 ;;
  esac
  for loader in /lib/ld-musl-*.so.1; do
    [ ! -e "$loader" ] || return 0
  done
  return 1
}

choose_source() {
  if [ -z "$from" ]; then
    case "$repository" in
      *'{{'*) fail "This copy does not know the address of the releases. Take install.sh from a release, or give --from." ;;
    esac
    from=https://github.com/$repository/releases
    if [ -n "$version" ]; then from=$from/download/v$version; else from=$from/latest/download; fi
  elif [ -n "$version" ]; then
    misused "--version and --from exclude each other: --from names the files of one version."
  fi
}

choose_folder() {
  if [ -z "$dir" ]; then
    if [ "$(id -u)" = 0 ]; then
      dir=/usr/local/bin
    else
      [ -n "${HOME:-}" ] || fail "HOME is not set. Choose a folder with --dir."
      dir=$HOME/.local/bin
    fi
  fi
  mkdir -p "$dir" || fail "Cannot make the folder $dir. Choose another folder with --dir, or use sudo."
  dir=$(cd "$dir" && pwd) || fail "Cannot enter the folder $dir."
}

# fetch <file> <path>
fetch() {
  case "$from" in
    https://* | http://*)
      # An address with https is not left for one without.
      case "$from" in https:*) only='=https' ;; *) only='=http,https' ;; esac
      if command -v curl >/dev/null; then
        curl --proto "$only" --fail --silent --show-error --location --retry 3 --connect-timeout 30 --output "$2" "$from/$1"
      elif command -v wget >/dev/null; then
        wget -q -O "$2" "$from/$1"
      else
        fail "Neither curl nor wget is installed. Install one of them."
      fi
      ;;
    *) cp "$from/$1" "$2" ;;
  esac
}

# hash_of <path>: prints the SHA-256 of a file.
hash_of() {
  if command -v sha256sum >/dev/null; then
    sha256sum <"$1" | cut -d ' ' -f 1
  elif command -v shasum >/dev/null; then
    shasum -a 256 <"$1" | cut -d ' ' -f 1
  elif command -v openssl >/dev/null; then
    openssl dgst -sha256 <"$1" | sed 's/^.* //'
  else
    fail "None of sha256sum, shasum and openssl is installed, so the download cannot be checked. Install one of them."
  fi
}

version_of() { "$1" --version </dev/null; }

check_starts() {
  code=0
  said=$("$1" --version 2>&1 </dev/null) || code=$?
  [ "$code" != 0 ] || return 0
  echo "$said" >&2
  case "$target-$code" in
    *-132) fail "This processor cannot run it: an instruction is missing, such as those of AVX2. Nothing was installed." ;;
    *-musl-127) fail "It does not start. It needs libstdc++ (apk add libstdc++). Nothing was installed." ;;
    *) fail "It does not start on this system (exit code $code). Nothing was installed." ;;
  esac
}

tell_next() {
  found=$(command -v "$name" || true)
  if [ "$found" != "$installed" ]; then
    if [ -z "$found" ]; then
      echo "$dir is not on your PATH. Add it, such as with this line in ~/.profile:"
      # shellcheck disable=SC2016 # It is expanded by the shell that reads the profile.
      printf '  export PATH="%s:$PATH"\n' "$dir"
    else
      echo "Another one comes first on your PATH: $found"
    fi
  fi
  cat <<TEXT

Start a server:              $name 8080
or install it as a service:  $name serve install 8080 --host 127.0.0.1
Connect a model to a server: $name agent <address that the server prints>
Remove the program:          rm $installed
TEXT
}

main "$@"

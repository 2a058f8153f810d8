#!/bin/sh
# Makes sure that Bun, Zig and the packages are there, then runs the command given, with them on PATH.
#
#   sh scripts/with-toolchain.sh bun run serve
#
# Bun and Zig come from PATH when their versions fit the pins in package.json; otherwise Bun comes from npm and Zig from
# PyPI's `ziglang`, both into the folder .toolchain. Nothing is installed outside the project.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
toolchain="$root/.toolchain"

pinned() {
  sed -n "s/^ *\"$1_version\": *\"\([0-9.]*\)\".*/\1/p" package.json | head -n 1
}
bun_version=$(pinned bun)
zig_version=$(pinned zig)

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

# fits FOUND PINNED FIELDS: the first FIELDS numbers are equal and the rest is not older.
fits() {
  printf '%s\n%s\n' "$1" "$2" | awk -v fields="$3" -F. '
    !/^[0-9]+\.[0-9]+\.[0-9]+$/ { exit 1 }
    NR == 1 { for (i = 1; i <= 3; i++) found[i] = $i }
    NR == 2 {
      for (i = 1; i <= 3; i++) {
        if (i <= fields && found[i] + 0 != $i + 0) exit 1
        if (found[i] + 0 > $i + 0) exit 0
        if (found[i] + 0 < $i + 0) exit 1
      }
      exit 0
    }'
}

if command -v bun >/dev/null 2>&1 && fits "$(bun --version 2>/dev/null || true)" "$bun_version" 1; then
  :
else
  bun_folder="$toolchain/bun-$bun_version"
  if [ ! -x "$bun_folder/node_modules/.bin/bun" ]; then
    command -v npm >/dev/null 2>&1 ||
      fail "Bun $bun_version is needed: expected bun >= $bun_version on PATH, or npm to fetch it with; found neither. Install Bun or Node.js with npm, then run this again."
    printf 'Fetching Bun %s from npm into .toolchain\n' "$bun_version" >&2
    rm -rf "$bun_folder"
    mkdir -p "$bun_folder.partial"
    npm install --prefix "$bun_folder.partial" --no-save --no-audit --no-fund --loglevel=error "bun@$bun_version" >&2
    mv "$bun_folder.partial" "$bun_folder"
  fi
  PATH="$bun_folder/node_modules/.bin:$PATH"
  bun --version >/dev/null 2>&1 ||
    fail "the Bun that npm fetched does not run. Delete .toolchain and try again; if it stays so, npm has no Bun for this system."
fi

if command -v zig >/dev/null 2>&1 && fits "$(zig version 2>/dev/null || true)" "$zig_version" 2; then
  :
else
  zig_folder="$toolchain/zig"
  if [ "$("$zig_folder/ziglang/zig" version 2>/dev/null || true)" != "$zig_version" ]; then
    python=$(command -v python3 || command -v python || true)
    [ -n "$python" ] && "$python" -m pip --version >/dev/null 2>&1 ||
      fail "Zig $zig_version is needed to build the kernels: expected zig $zig_version on PATH, or Python with pip to fetch it with; found neither. Install one of them (Debian: apt-get install python3-pip), then run this again."
    printf 'Fetching Zig %s from PyPI into .toolchain\n' "$zig_version" >&2
    rm -rf "$zig_folder" "$zig_folder.partial"
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$zig_folder.partial" "ziglang==$zig_version" >&2 ||
      fail "pip could not fetch ziglang $zig_version; its own message is above."
    mv "$zig_folder.partial" "$zig_folder"
  fi
  PATH="$zig_folder/ziglang:$PATH"
  # What the project's own Zig compiles stays in the project too.
  ZIG_GLOBAL_CACHE_DIR="$toolchain/zig-cache"
  export ZIG_GLOBAL_CACHE_DIR
fi
export PATH

if [ ! -f node_modules/.installed ] || [ bun.lock -nt node_modules/.installed ]; then
  bun install --frozen-lockfile >&2
  : >node_modules/.installed
fi

[ "$#" -gt 0 ] || exit 0
exec "$@"

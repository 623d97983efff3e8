#!/usr/bin/env bash
# javascript.sh run|test: puts the console's third-party JavaScript into console/static/vendor, as package-lock.json pins it.
# Nothing is done where the right files are there already, as in a bundle. For tests node_modules holds axe-core too.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

KIND=$1
VENDOR=console/static/vendor
SUMS=$VENDOR/SHA256SUMS
FILES=(htmx.org/dist/htmx.min.js htmx.org/dist/ext/hx-sse.min.js)

is_done() {
  sha256sum --check --status "$SUMS" 2>/dev/null || return 1
  [ "$KIND" = run ] || cmp --silent package-lock.json node_modules/.installed
}

# npm 7 is the first to read this lock file's format.
npm_is_usable() {
  command -v node >/dev/null && command -v npm >/dev/null && [ "$(npm --version | cut -d. -f1)" -ge 7 ]
}

# Without Node.js on the machine, a Python package carries it.
provide_npm() {
  npm_is_usable && return
  say "Cài Node.js vào .venv / Installing Node.js into .venv"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/node.txt
  PATH=$PWD/.venv/bin:$PATH
}

copy_files() {
  local file
  mkdir -p "$VENDOR"
  for file in "${FILES[@]}"; do
    cp "node_modules/$file" "$VENDOR/"
  done
  sha256sum package-lock.json tools/javascript.sh "$VENDOR"/*.js >"$SUMS"
}

is_done && exit 0
provide_npm
say "Cài các gói JavaScript / Installing JavaScript packages: package-lock.json"
npm ci --ignore-scripts --loglevel=error >/dev/null
copy_files
cp package-lock.json node_modules/.installed

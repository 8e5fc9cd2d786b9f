# A Docker engine for the stack tests; sourced by run.sh and stop.sh. An engine that is there is used (DOCKER_HOST, or the
# default socket); else a private one is started, with its own socket and data, which never meets a system's.
# shellcheck shell=bash disable=SC2015
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
stack_id=$(printf '%s' "$repository" | cksum | cut -d ' ' -f 1)
stack_cache=${NEUROGATE_STACK_CACHE:-$repository/.cache/stack}
engine_run=${TMPDIR:-/tmp}/neurogate-engine-$stack_id # sockets want a short path
engine_socket=unix://$engine_run/docker.sock

# dockerd and iptables live there, and it is not on everybody's PATH.
export PATH=$PATH:/usr/sbin:/sbin
export DOCKER_BUILDKIT=1 COMPOSE_DOCKER_CLI_BUILD=1 COMPOSE_PROJECT_NAME=neurogate-$stack_id
export NEUROGATE_TAG=test-$stack_id
export DOCKER_CLI_HINTS=false BUILDKIT_PROGRESS=plain

say() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*"; }
fail() { printf 'stack: %s\n' "$*" >&2; exit 1; }

# Puts the first docker client that can build with BuildKit in front: one with buildx, or one so old that it has it inside.
choose_client() {
  local folder client major
  local -a folders
  IFS=: read -r -a folders <<<"$PATH"
  for folder in "${folders[@]}"; do
    client=$folder/docker
    [ -x "$client" ] && [ "$folder" != "$stack_cache/bin" ] || continue
    major=$("$client" version --format '{{.Client.Version}}' 2>/dev/null | cut -d . -f 1) || true
    if [ "${major:-0}" -lt 23 ] || "$client" buildx version >/dev/null 2>&1; then
      mkdir -p "$stack_cache/bin"
      ln -sfn "$client" "$stack_cache/bin/docker"
      export PATH=$stack_cache/bin:$PATH
      return 0
    fi
  done
  return 1
}

compose() {
  if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}

has_compose() { docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null; }

install_engine() {
  local -a missing=("$@")
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    fail "needs ${missing[*]}: install Docker with compose (on Debian, as root: apt-get install ${missing[*]})"
  fi
  say "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

engine_answers() { timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# After this, docker and compose work.
use_engine() {
  if ! choose_client || ! has_compose; then install_engine docker.io docker-compose debootstrap iptables; fi
  choose_client || fail "no docker client that can build with BuildKit (docker-buildx is missing)"
  if [ -n "${DOCKER_HOST:-}" ]; then
    engine_answers || fail "no engine answers at DOCKER_HOST=$DOCKER_HOST"
  elif engine_answers; then
    say "using the engine that runs here"
  else
    start_engine
  fi
}

start_engine() {
  export DOCKER_HOST=$engine_socket
  engine_answers && return 0
  [ "$(id -u)" = 0 ] || fail "no Docker engine answers and only root can start one: start Docker, or set DOCKER_HOST"
  if ! command -v dockerd >/dev/null || ! command -v iptables >/dev/null; then install_engine docker.io iptables; fi
  stop_engine
  mkdir -p "$engine_run" "$stack_cache/engine"
  say "starting an engine of our own in ${stack_cache#"$repository"/}"
  setsid nice -n "${NEUROGATE_STACK_NICE:-0}" dockerd --host "$engine_socket" --data-root "$stack_cache/engine" \
    --exec-root "$engine_run/exec" --pidfile "$engine_run/docker.pid" --log-level warn \
    >"$stack_cache/engine.log" 2>&1 </dev/null &
  for _ in $(seq 60); do
    engine_answers && return 0
    [ -f "$engine_run/docker.pid" ] || kill -0 $! 2>/dev/null || break
    sleep 1
  done
  tail -n 20 "$stack_cache/engine.log" >&2
  fail "the engine did not start"
}

# Ends the engine that start_engine started, if any, with what it left behind if it was killed.
stop_engine() {
  [ -d "$engine_run" ] || return 0
  end_process dockerd "$engine_run/docker.pid"
  end_process containerd "$engine_run/exec/containerd/containerd.pid"
  local shim
  for shim in $(pgrep -f -- "-address $engine_run/"); do # of an engine that was killed; their children are the containers
    pkill -KILL -P "$shim" || true
    kill -KILL "$shim" || true
  done
  awk -v run="$engine_run/" -v store="$stack_cache/engine" \
    'index($2, run) == 1 || $2 == store || index($2, store "/") == 1 { print $2 }' /proc/mounts | tac | xargs -r umount --lazy
  rm -rf "$engine_run"
}

end_process() { # name, file with its id: waits until it is gone
  local pid
  pid=$(cat "$2" 2>/dev/null) && [ "$(ps -o comm= -p "$pid" 2>/dev/null)" = "$1" ] || return 0
  kill "$pid"
  for _ in $(seq 30); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 1
  done
  fail "$1 (process $pid) does not stop"
}

# A key, and a port that is free.
new_credentials() {
  GATEWAY_API_KEY=$(python3 -c 'import secrets; print(secrets.token_urlsafe(32))')
  export GATEWAY_API_KEY GATEWAY_API_KEYS="[\"$GATEWAY_API_KEY\"]"
  export GATEWAY_PORT=${GATEWAY_PORT:-$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')}
}

await_healthy() { # seconds
  local deadline=$((SECONDS + $1)) states
  while true; do
    states=$(compose ps -q | xargs -r docker inspect --format '{{.Name}} {{.State.Status}} {{.State.Health.Status}}')
    if [ -n "$states" ] && ! grep -qv ' running healthy$' <<<"$states"; then return 0; fi
    [ "$SECONDS" -lt "$deadline" ] || { printf '%s\n' "$states" >&2; fail "not healthy after $1 s"; }
    sleep 1
  done
}

#!/bin/bash
# Builds the images, starts the stack in a Docker engine, waits until it is healthy, and tests it from outside.
# usage: run.sh [pytest's arguments]
#   NEUROGATE_STACK_KEEP=1  leave it running, for a look around (tests/stack/stop.sh ends it)
#   GATEWAY_PORT            the gateway's port on loopback; default: any that is free
set -euo pipefail
# shellcheck source=tests/stack/engine.sh
source "$(dirname "$0")/engine.sh"
cd "$repository"
python=$repository/.venv/bin/python

finish() {
  local status=$?
  trap - EXIT
  if [ "$status" != 0 ] && engine_answers; then
    compose ps || true
    compose logs --no-color --tail 40 || true
  fi
  if [ -n "${NEUROGATE_STACK_KEEP:-}" ]; then
    say "left running: DOCKER_HOST=${DOCKER_HOST:-} gateway http://127.0.0.1:${GATEWAY_PORT:-} key ${GATEWAY_API_KEY:-}"
  else
    "$repository/tests/stack/stop.sh" || true
  fi
  exit "$status"
}
trap finish EXIT

use_engine
for image in python:3.11-slim redis:7-alpine; do
  docker image inspect "$image" >/dev/null 2>&1 && continue
  say "pulling $image"
  timeout 300 docker pull --quiet "$image" >/dev/null 2>&1 && continue
  say "it cannot be pulled here: making it from Debian's packages"
  tests/stack/base_images.sh "$image"
done

say "building the images"
new_credentials
compose build >"$stack_cache/build.log" 2>&1 || { tail -n 40 "$stack_cache/build.log"; fail "the build failed"; }
docker image ls --format '{{.Repository}}:{{.Tag}} {{.Size}}' | grep ":$NEUROGATE_TAG " | sort

say "starting the stack"
compose up --detach --no-build --remove-orphans >"$stack_cache/up.log" 2>&1 ||
  { tail -n 20 "$stack_cache/up.log"; fail "the stack did not start"; }
await_healthy 120
say "healthy; testing http://127.0.0.1:$GATEWAY_PORT"

export GATEWAY_URL=http://127.0.0.1:$GATEWAY_PORT
"$python" -m pytest tests/stack tests/integration "$@"
say "the stack is green"

#!/bin/bash
# Ends what run.sh started: the containers, their volumes and networks, and the engine where it is our own.
set -euo pipefail
# shellcheck source=tests/stack/engine.sh
source "$(dirname "$0")/engine.sh"
cd "$repository"

[ -n "${DOCKER_HOST:-}" ] || [ ! -S "${engine_socket#unix://}" ] || export DOCKER_HOST=$engine_socket
if choose_client && has_compose && engine_answers; then
  say "taking the stack down"
  GATEWAY_API_KEYS='[]' compose --profile triton down --volumes --remove-orphans --timeout 20 >/dev/null 2>&1 ||
    GATEWAY_API_KEYS='[]' compose down --volumes --remove-orphans
fi
stop_engine

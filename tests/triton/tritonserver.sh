#!/bin/bash
# Runs the tritonserver that install.sh made: tritonserver.sh MODEL_REPOSITORY HTTP_PORT GRPC_PORT METRICS_PORT [OPTION...]
set -euo pipefail
repository=$(realpath "$1") http=$2 grpc=$3 metrics=$4
shift 4
root=$(cd "$(dirname "$0")/../.." && pwd)
venv=$root/.cache/triton-venv
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
libpython=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
triton=$site/pytriton/tritonserver
export PYTHONPATH=$site PATH=$venv/bin:$PATH
export LD_LIBRARY_PATH=$site/nvidia_pytriton.libs:$libpython:${LD_LIBRARY_PATH:-}
exec "$triton/bin/tritonserver" --model-repository="$repository" --backend-directory="$root/.cache/triton-backends" \
  --cache-directory="$triton/caches" --exit-on-error=false \
  --http-address=127.0.0.1 --http-port="$http" --grpc-address=127.0.0.1 --grpc-port="$grpc" \
  --metrics-address=127.0.0.1 --metrics-port="$metrics" "$@"

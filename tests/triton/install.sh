#!/bin/bash
# A real tritonserver (2.51, from NVIDIA's wheel on PyPI) in an environment of its own: it pins numpy below 2.
# The wheel has no onnxruntime backend; backends/onnxruntime is one, written as a Python backend.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/triton venv=.cache/triton-venv backends=.cache/triton-backends
onnxruntime=$(grep '^onnxruntime==' constraints.txt) # the services' own version, so that outputs can be compared
stamp=$venv/.ready-$(cat "$here/requirements.txt" "$here/install.sh" <(echo "$onnxruntime") | sha256sum | cut -c1-16)
if [ ! -e "$stamp" ]; then
  rm -rf "$venv" "$backends"
  "${PYTHON:-python3.11}" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" "$onnxruntime"
  triton=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/pytriton/tritonserver
  mkdir -p "$backends"
  cp -r "$triton/backends/python" "$backends/python"
  install -m 755 "$triton/python_backend_stubs/3.11/triton_python_backend_stub" "$backends/python/"
  touch "$stamp"
fi
rm -rf "$backends/onnxruntime"
cp -r "$here/backends/onnxruntime" "$backends/onnxruntime"

#!/bin/bash
# OpenVINO's build of onnxruntime in an environment of its own: both install the module `onnxruntime`.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=.cache/openvino-venv openvino=onnxruntime-openvino==1.24.1
stamp=$venv/.ready-$(cat constraints.txt libs/service-kit/pyproject.toml "$0" | sha256sum | cut -c1-16)
[ -e "$stamp" ] && exit
rm -rf "$venv"
"${PYTHON:-python3.11}" -m venv "$venv"
pip=("$venv/bin/python" -m pip --quiet --disable-pip-version-check)
"${pip[@]}" install --constraint constraints.txt -e './libs/service-kit[inference]' onnx pytest pytest-asyncio pytest-timeout
"${pip[@]}" uninstall --yes onnxruntime
"${pip[@]}" install --no-deps "$openvino"
touch "$stamp"

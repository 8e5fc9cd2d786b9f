import os

import onnxruntime
import pytest


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    if "OpenVINOExecutionProvider" in onnxruntime.get_available_providers():
        return
    reason = "this onnxruntime has no OpenVINO: make test-openvino"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)

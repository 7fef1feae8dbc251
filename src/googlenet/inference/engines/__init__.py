"""Networks outside of training: engines that compute them, and files that other programs read."""

import sys

# OpenVINO and NNCF work without their telemetry; nothing is sent that nobody asked for.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

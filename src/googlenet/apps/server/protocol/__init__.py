"""The Open Inference Protocol v2 over HTTP: bodies in, bodies out, and no server in sight."""

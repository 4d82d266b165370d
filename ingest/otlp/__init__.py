"""The OpenTelemetry protocol: decoding, answers, and the receivers on both transports."""

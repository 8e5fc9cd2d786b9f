"""8-bit variants of published models: quantized, judged on slices never seen, timed, and published where they pay."""

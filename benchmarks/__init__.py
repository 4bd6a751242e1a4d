"""Compare gradtx and Optax in one process: `python -m benchmarks`."""

"""Programs that start whole servers: the demo, the benchmark, the chaos run."""

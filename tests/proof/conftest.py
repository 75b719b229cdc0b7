"""How many examples the proof runs: some in `make test`, 2,000 in `make proof` (--hypothesis-profile=proof)."""

from hypothesis import HealthCheck, settings

SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

settings.register_profile(
    "short", max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=SLOW_IS_FINE, print_blob=True
)
settings.register_profile("proof", settings.get_profile("short"), max_examples=2000, stateful_step_count=40)
settings.register_profile("fuzz", settings.get_profile("short"), max_examples=2500)
settings.load_profile("short")

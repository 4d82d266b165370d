"""What holds for all tests."""

from hypothesis import HealthCheck, settings

settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines are shared: slowness proves nothing
settings.load_profile("timeless")

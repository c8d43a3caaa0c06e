"""Settings of every test run: one thread per worker, reproducible hypothesis profiles, no undeclared skip."""

import os

import hypothesis
import pytest
import skips

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy loads

hypothesis.settings.register_profile("ci", derandomize=True, print_blob=True, deadline=None)
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


class SkipGate:
    """Turns a skip whose reason is not in ``skips.DECLARED`` into a failure, of a test as of a whole file."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self):
        return _gate((yield))

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self):
        return _gate((yield))


def _gate(report):
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if reason not in skips.DECLARED:
            report.outcome = "failed"
            report.longrepr = f"undeclared skip: {reason!r}; declare the reason in tests/skips.py, or run the test"
    return report


def pytest_configure(config):
    # A registered plugin sees every test; hooks of this file alone would miss the doctests outside tests/.
    config.pluginmanager.register(SkipGate(), "skip-gate")

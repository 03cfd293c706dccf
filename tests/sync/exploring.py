"""How the state machines are run: the same examples every time, or as many others as ``MACHINE_EXAMPLES`` says."""

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test


def explore(machine, *, examples: int, steps: int) -> None:
    """Fail with the shortest story that ``machine`` does not bear."""
    wanted = int(os.environ.get("MACHINE_EXAMPLES", "0"))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=wanted or examples,
            stateful_step_count=steps,
            derandomize=not wanted,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ),
    )

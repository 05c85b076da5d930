"""The messaging windows that a customer's action opens."""

from sandbox.meta.state import Customer, World

HOUR_MS = 3_600_000
STANDARD_MS = 24 * HOUR_MS
HUMAN_AGENT_MS = 7 * 24 * HOUR_MS


def inside_window(world: World, customer: Customer, *, window_ms: int = STANDARD_MS) -> bool:
    """Tell whether the customer acted less than *window_ms* ago."""
    return customer.opened_ms > 0 and world.clock.milliseconds() - customer.opened_ms < window_ms

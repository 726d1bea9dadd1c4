"""Pure words every room shares: calls, refusals, quantities, periods, lifecycles, events."""

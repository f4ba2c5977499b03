"""What things cost."""


class Amount(int):
    """Some money."""


def rate() -> float:
    """The old rate."""
    return 1.5

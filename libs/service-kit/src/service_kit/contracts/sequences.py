"""Which sequence feeds which channel of a model: the one that it was trained on, or what may stand in for it."""

from collections.abc import Mapping
from collections.abc import Sequence as Channels
from collections.abc import Set as AbstractSet

from service_kit.contracts.common import Sequence


def sources(
    channels: Channels[str], fallback: Mapping[str, str], present: AbstractSet[Sequence]
) -> tuple[Sequence, ...] | None:
    """The sequence at hand for each channel, in their order; None where one can be fed by nothing."""
    found: list[Sequence] = []
    for channel in channels:
        source = next((name for wanted in stand_ins(fallback, channel) for name in present if name == wanted), None)
        if source is None:
            return None
        found.append(source)
    return tuple(found)


def stand_ins(fallback: Mapping[str, str], channel: str) -> tuple[str, ...]:
    """The channel's own sequence, then what stands in for it, then what stands in for that."""
    chain = [channel]
    while (following := fallback.get(chain[-1])) is not None and following not in chain:
        chain.append(following)
    return tuple(chain)


def needs(channels: Channels[str], fallback: Mapping[str, str]) -> str:
    """What a model reads, in words: "t1 or flair and flair"."""
    return " and ".join(" or ".join(stand_ins(fallback, channel)) for channel in channels)

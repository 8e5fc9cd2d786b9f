"""A volume and its sequences, as paths name them."""

from gateway.recent import RecentVolumes
from gateway.volume_findings import VolumeFindings
from service_kit.contracts.common import Sequence
from service_kit.errors import NotFound


async def find_volume(volumes: RecentVolumes, analysis_id: str) -> VolumeFindings:
    """The findings of a volume. Raises what `volumes` raises, and `NotFound` for a single slice."""
    findings = await volumes.get(analysis_id)
    if not isinstance(findings, VolumeFindings):
        raise NotFound("This is the analysis of a single slice: it has input.png, and no volume to look through.")
    return findings


def find_sequence(findings: VolumeFindings, name: str) -> Sequence:
    """The volume's sequence of this name. Raises `NotFound`, with the names that there are."""
    for sequence in findings.pictures:
        if sequence == name:
            return sequence
    raise NotFound(f"No such sequence. There are: {', '.join(findings.pictures)}.")

import numpy as np
import pytest

from gateway.jobs.volume_packing import pack_volume, unpack_volume
from gateway.volume_findings import VolumeFindings
from tests.unit.gateway_volumes.volume_cases import volume_case


@pytest.mark.parametrize(
    "findings",
    [volume_case(), volume_case(codes="PIR"), volume_case(outline="none", mapped=False, oriented=False)],
    ids=["all", "sagittal", "no outline"],
)
def test_findings_come_back_as_they_were(findings: VolumeFindings) -> None:
    packed = pack_volume(findings)
    back = unpack_volume(findings.analysis.model_dump_json().encode(), packed)
    assert len(packed) < sum(picture.nbytes for picture in findings.pictures.values())
    assert back.analysis == findings.analysis
    assert (back.primary, back.names) == (findings.primary, findings.names)
    assert (back.grid.shape, back.grid.oriented) == (findings.grid.shape, findings.grid.oriented)
    np.testing.assert_array_equal(back.grid.affine, findings.grid.affine)
    assert back.pictures.keys() == findings.pictures.keys()
    for name, picture in findings.pictures.items():
        np.testing.assert_array_equal(back.pictures[name], picture)
    assert (back.labels is None) == (findings.labels is None)
    if findings.labels is not None:
        np.testing.assert_array_equal(back.labels, findings.labels)
    assert (back.saliency is None) == (findings.saliency is None)
    if findings.saliency is not None and back.saliency is not None:
        np.testing.assert_array_equal(back.saliency.values, findings.saliency.values)
        assert (back.saliency.extent, back.saliency.label) == (findings.saliency.extent, findings.saliency.label)

"""The `samples` folder: pictures, a DICOM file, a volume, their true masks, what to expect, how they were made."""

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model_export.samples.dicom import write_dicom
from model_export.samples.lesion import Lesion, draw_lesion
from model_export.samples.scan import random_shape, scanned, warped_mask
from model_export.samples.study import NAME, VOXEL_MM, write_study
from model_export.samples.template import mean_head

SEED = 7
SPACING_MM = 0.9
LESIONS = {
    "axial": Lesion(label="glioma", center=(0.40, 0.63), radii=(0.095, 0.08), roughness=0.16, tilt_deg=25.0),
    "coronal": Lesion(label="meningioma", center=(0.335, 0.715), radii=(0.085, 0.075), roughness=0.05, tilt_deg=-40.0),
    "sagittal": Lesion(label="pituitary", center=(0.578, 0.405), radii=(0.062, 0.050), roughness=0.06),
}
"""One lesion a view, where such tumors are typical."""

_README = """# Synthetic samples

None of these pictures shows a person. Each starts from a *mean head*: 16 people's slices of one view, registered to
each other by dense optical flow and averaged in intensity and in shape, then sharpened. The pictures without a lesion
come from no-tumor slices of BRISC 2025, those with one from contrast-enhanced slices of Cheng 2015 (CC BY 4.0 both, as
stated). A random smooth warp, a bias field and Rician noise make it a scan; a lesion with a known outline is drawn in
where it belongs: a ring-enhancing glioma with a dark core, a homogeneous meningioma at the convexity, a pituitary mass
in the sella. They are for trying the product and for tests; they prove nothing about accuracy on patients (see
`docs/evaluation`).

- `<view>-<class>.png`: 256 x 256, 8-bit gray, about 0.9 mm a pixel.
- `<view>-<class>.mask.png`: the lesion's true mask, 0 or 255.
- `axial-glioma.dcm`: the same slice as DICOM (MR Image Storage, 12 bits, patient `SYNTHETIC^SAMPLE`).
- `samples.json`: what a right answer is, of pictures in `files`, of the volume in `volumes`.

Made by `model-export samples --data ../shared/data --out samples` (seed {seed}).

## A volume

`volume/` is a study of four sequences (t1, t1ce, t2, flair) to try the 3D model with. No picture of anybody went into
it: the brain is drawn from solids (lobes, ventricles, nuclei, cerebellum, brain stem) and from random waves, along
whose zero lines the cortex is folded; the skull is left out, as it is in the studies that 3D models are trained on. A
ring-enhancing glioma with a dark core lies in the right hemisphere; its edema spreads along the white matter, and it
pushes what is around it. Each sequence shows the tissues as textbooks say (fluid bright on T2 and dark on FLAIR, edema
bright on both, rim and vessels bright after contrast), with a bias field and Rician noise. A model that finds this
tumor has not been shown to find a patient's.

- `volume/<sequence>.nii.gz`: 1.5 mm voxels, 8 bits.
- `volume.mask.nii.gz`: the true outline (1 necrotic core, 2 edema, 3 enhancing tumor). It lies outside of the folder,
  so that whoever sends the folder sends scans alone.

Made by `model-export sample-volume --out samples` (the same seed), which needs no data.
"""


def write_samples(root: Path, out: Path) -> list[Path]:
    """Make everything anew from the sets under `root`. Returns what was written, in order."""
    out.mkdir(parents=True, exist_ok=True)
    expected: dict[str, dict[str, object]] = {}
    written: list[Path] = []
    for number, (view, lesion) in enumerate(LESIONS.items()):
        random = np.random.default_rng([SEED, number])
        flow = random_shape(random)
        plain = scanned(mean_head(root, view, "no_tumor"), flow, random)
        written += _write(out, f"{view}-no_tumor", plain, None)
        expected[f"{view}-no_tumor.png"] = {"view": view, "tumor_class": "no_tumor", "mask": None, "area_px": 0}
        drawn, mask = draw_lesion(mean_head(root, view, lesion.label), lesion, random)
        flow = random_shape(random)
        picture, truth = scanned(drawn, flow, random), warped_mask(mask, flow)
        name = f"{view}-{lesion.label}"
        written += _write(out, name, picture, truth)
        answer = {
            "view": view,
            "tumor_class": lesion.label,
            "mask": f"{name}.mask.png",
            "area_px": int(truth.sum()),
            "area_mm2": round(float(truth.sum()) * SPACING_MM**2, 1),
        }
        expected[f"{name}.png"] = answer
        if view == "axial":
            written.append(write_dicom(out / f"{name}.dcm", picture, view, SPACING_MM))
            expected[f"{name}.dcm"] = answer
    _write_index(out, spacing_mm=SPACING_MM, files=expected)
    return [*written, *write_volume(out)]


def write_volume(out: Path, voxel_mm: float = VOXEL_MM) -> list[Path]:
    """Make the volume anew, and leave the pictures as they are. Returns what was written, in order."""
    out.mkdir(parents=True, exist_ok=True)
    written, answer = write_study(out, SEED, voxel_mm)
    index = _write_index(out, volumes={NAME: answer})
    readme = out / "README.md"
    readme.write_text(_README.format(seed=SEED), encoding="utf-8")
    return [*written, index, readme]


def _write_index(out: Path, **changes: object) -> Path:
    index = out / "samples.json"
    known = json.loads(index.read_text(encoding="utf-8")) if index.exists() else {}
    index.write_text(json.dumps({**known, **changes}, indent=2) + "\n", encoding="utf-8")
    return index


def _write(out: Path, name: str, picture: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> list[Path]:
    paths = [out / f"{name}.png"]
    cv2.imwrite(str(paths[0]), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if mask is not None:
        paths.append(out / f"{name}.mask.png")
        cv2.imwrite(str(paths[1]), mask * 255, [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_BILEVEL, 1])
    return paths

"""What is published: for each model the words and contracts that do not come out of training."""

from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict

from model_export.zoo import ZOO, ZooEntry
from service_kit.contracts.common import BINARY_LABELS, TUMOR_LABELS, VIEW_LABELS, StageName
from service_kit.inference.tumor_regions import REGIONS

MODEL_VERSION = "1.0.0"
RESEARCH_ONLY = (
    "Research and education only. Not a medical device; not validated for clinical use; no answer of this model may "
    "be the basis of a diagnosis or treatment."
)
_IMAGENET = "MobileNetV2 ImageNet weights (Apache-2.0) as the start"
_T1 = "t1_slices: Cheng 2015 and BRISC 2025 (CC BY 4.0 as stated by others), Br35H and SARTAJ (licence not stated)"
_LGG = "lgg: TCGA-LGG FLAIR set, 94 patients (CC BY-NC-SA 4.0 as stated by others: non-commercial, share alike)"
_VOLUMES = "volumes: 25 BraTS cases (research use), 15 normal brains and templates (various open terms)"


class CatalogEntry(BaseModel):
    """One published model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    stage: StageName
    title: str
    architecture: str
    kind: Literal["classifier", "segmenter", "tabular", "volume"]
    labels: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    fallback: dict[str, str] = {}
    max_batch: int = 32
    dataset: str
    licences: tuple[str, ...]
    intended_use: str
    limits: tuple[str, ...]
    reads_record: bool = False
    zoo: bool = False


_DEFAULTS = (
    CatalogEntry(
        name="view",
        stage="view",
        title="View of a brain MRI slice",
        architecture="MobileNetV2 1.0, 128-wide ReLU layer, linear head",
        kind="classifier",
        labels=VIEW_LABELS,
        dataset="t1_slices with known view; volumes/normal and volumes/brats in three planes; lgg axial",
        licences=(_T1, _VOLUMES, _LGG, _IMAGENET),
        intended_use="Tell axial, coronal and sagittal brain MRI slices apart; 128 features for the tumor network.",
        limits=(
            "Oblique planes are named as the nearest of the three.",
            "Slices at the rim of the head show little and are answered with low confidence.",
            "By itself it gives anything one of three answers; its novelty is what the gate at the door goes by.",
        ),
    ),
    CatalogEntry(
        name="tumor",
        stage="tumor",
        title="Tumor type on a contrast-enhanced T1 slice",
        architecture="MobileNetV2 encoder trained together with seg-t1, evidence at stride 16, view features",
        kind="classifier",
        labels=TUMOR_LABELS,
        sequences=("t1ce",),
        fallback={"t1ce": "t1", "t1": "flair", "flair": "t2"},
        dataset="t1_slices; extras: volumes/normal (no tumor), volumes/brats and lgg (glioma, no tumor)",
        licences=(_T1, _VOLUMES, _LGG, _IMAGENET),
        intended_use="Glioma, meningioma, pituitary tumor or none of them on a single slice, with a prediction set.",
        limits=(
            "Trained on slices that show the tumor: a tumor that the slice does not cut is not seen.",
            "Metastases, lymphomas, strokes, abscesses and other lesions were never seen and get one of four answers.",
            "The map is the share of each of 10 x 10 positions in the pooled evidence: coarse, and no outline.",
            "Most no-tumor slices come from other scanners than the tumors; the sources are reported apart.",
            "BRISC's groups are near-duplicate clusters, not patients.",
        ),
    ),
    CatalogEntry(
        name="seg-t1",
        stage="segmentation",
        title="Tumor outline on a contrast-enhanced T1 slice",
        architecture="U-Net, MobileNetV2 encoder shared in training with tumor, light decoder",
        kind="segmenter",
        labels=("tumor",),
        sequences=("t1ce",),
        fallback={"t1ce": "t1", "t1": "t2"},
        max_batch=16,
        dataset="t1_slices: tumor slices with borders, and no-tumor slices with empty masks",
        licences=(_T1, _IMAGENET),
        intended_use="Outline the tumor on one slice of contrast-enhanced T1, any of the three planes.",
        limits=(
            "Two experts agree on such borders at a mean Dice of .73 (glioma), .92 (meningioma), .83 (pituitary).",
            "Glioma borders on T1 leave out most of the edema.",
            "Without contrast agent the outline is a guess.",
        ),
    ),
    CatalogEntry(
        name="seg-flair-film",
        stage="segmentation",
        reads_record=True,
        title="FLAIR abnormality of a glioma, with clinical record",
        architecture="U-Net, MobileNetV2 encoder, FiLM from the clinical vector in between, light decoder",
        kind="segmenter",
        labels=("tumor",),
        sequences=("t1", "flair", "t1ce"),
        fallback={"t1": "flair", "t1ce": "flair"},
        max_batch=16,
        dataset="lgg (94 patients) with clinical records; volumes/brats axial slices without records",
        licences=(_LGG, _VOLUMES, _IMAGENET),
        intended_use="Outline the FLAIR abnormality on axial slices; FLAIR alone with an empty record is enough.",
        limits=(
            "Trained on axial slices of patients with glioma; other planes and other lesions were not seen.",
            "The head is placed by the FLAIR; the other sequences must lie on the same grid.",
            "The clinical record changes the outline little; see the evaluation.",
            "Derived from a share-alike, non-commercial set.",
        ),
    ),
    CatalogEntry(
        name="clinical",
        stage="clinical",
        reads_record=True,
        title="Clinical record to vector",
        architecture="Imputation, min-max scaling with clipping, one-hot, missing-flags (scikit-learn as ONNX)",
        kind="tabular",
        max_batch=64,
        dataset="lgg clinical table, training patients only",
        licences=(_LGG,),
        intended_use="Make the vector that seg-flair-film reads out of a record in which anything may be missing.",
        limits=(
            "Fitted on adults of 20 to 75 years with glioma of WHO grade 2 or 3; ages outside are clipped.",
            "Tumor location, laterality, outcome and tissue clusters are left out on purpose: they leak the answer.",
        ),
    ),
)


_BRATS = "volumes: 25 BraTS cases (research use)"
_VOLUME_MODELS = tuple(
    CatalogEntry(
        name=name,
        stage="segmentation",
        title=title,
        architecture=architecture,
        kind="volume",
        labels=REGIONS,
        sequences=("t1", "t1ce", "t2", "flair"),
        max_batch=4,
        dataset="volumes/brats: 25 cases, four sequences, skull taken off, 1 mm",
        licences=(_BRATS,),
        intended_use=(
            "Whole tumor, tumor core and enhancing tumor of a glioma in a volume of up to four registered sequences; "
            "a sequence may be missing."
        ),
        limits=(
            "Trained on 25 cases of glioma before treatment: other lesions, and cavities after surgery, were not seen.",
            "The skull must be taken off and the sequences lie on one grid, as in BraTS.",
            "Without contrast agent the core and its enhancing part are a guess; the evaluation says what is expected.",
            "It marks regions in any brain: whether there is a tumor is another model's question.",
        ),
    )
    for name, title, architecture in (
        (
            "unet3d",
            "Glioma in a volume: whole tumor, core, enhancing",
            "3D U-Net at half resolution with presence flags, three sigmoid regions, deep supervision",
        ),
        (
            "attention-unet3d",
            "Glioma in a volume: whole tumor, core, enhancing (attention gates)",
            "3D U-Net at half resolution with additive attention gates, presence flags, three sigmoid regions",
        ),
    )
)


def _arm(name: str, words: str) -> CatalogEntry:
    film = next(entry for entry in _DEFAULTS if entry.name == "seg-flair-film")
    return film.model_copy(update={"name": name, "title": f"{film.title} ({words})", "zoo": True})


_ZOO_KINDS = {
    "view": ("view", "classifier", "View of a brain MRI slice", _DEFAULTS[0]),
    "classifier": ("tumor", "classifier", "Tumor type on a contrast-enhanced T1 slice", _DEFAULTS[1]),
    "segmenter": ("segmentation", "segmenter", "Tumor outline on a contrast-enhanced T1 slice", _DEFAULTS[2]),
}


def _of_zoo(network: ZooEntry) -> CatalogEntry:
    stage, kind, title, default = _ZOO_KINDS[network.kind]
    return CatalogEntry.model_validate(
        {
            "name": network.name,
            "stage": stage,
            "title": title if network.labels != BINARY_LABELS else "Tumor or none on a contrast-enhanced T1 slice",
            "architecture": f"{network.name}: {network.note}",
            "kind": kind,
            "labels": network.labels,
            "sequences": default.sequences,
            "fallback": default.fallback,
            "max_batch": default.max_batch,
            "dataset": default.dataset,
            "licences": tuple(text for text in default.licences if text != _IMAGENET),
            "intended_use": "Comparison: an architecture of the research projects, judged as the default is.",
            "limits": ("Not the default of its stage; the table of models says what that costs.", *default.limits),
            "zoo": True,
        }
    )


_ENTRIES = (
    *_DEFAULTS,
    *(_of_zoo(network) for network in ZOO.values()),
    *_VOLUME_MODELS,
    _arm("seg-flair-none", "control: trained without records"),
    _arm("seg-flair-shuffled", "control: trained on other patients' records"),
)
CATALOG = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""Every model that can be published, by name, in the order in which they are trained."""
MODEL_SETS: dict[str, tuple[str, ...]] = {
    "defaults": tuple(entry.name for entry in _DEFAULTS),
    "zoo": tuple(ZOO),
    "volumes": tuple(entry.name for entry in _VOLUME_MODELS),
    "controls": ("seg-flair-none", "seg-flair-shuffled"),
}
"""What can be named together. The controls are trained to be compared with, never published."""

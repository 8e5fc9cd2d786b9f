"""Published figures of others beside ours: claims with their protocol and source, not measurements of this project."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.sections import Part, Place, Section, Table


class Claim(BaseModel):
    """What others published, each read at its source. `ours` names the figure of this report that stands beside it."""

    model_config = ConfigDict(frozen=True)

    work: str
    task: str
    figure: str
    protocol: str
    source: str
    ours: str = ""


CLAIMS = (
    Claim(
        work="Buda, Saha, Mazurowski 2019",
        task="FLAIR abnormality, TCGA-LGG",
        figure="mean Dice .82, median .85",
        protocol="110 patients, cross-validation, U-Net",
        source="https://arxiv.org/abs/1906.03720",
        ours="volume Dice",
    ),
    Claim(
        work="Buda, page of the code",
        task="FLAIR abnormality, TCGA-LGG",
        figure="mean Dice .836, median .873; two expert readers .84 (standard deviation .02)",
        protocol="110 patients, 22-fold cross-validation",
        source="https://mateuszbuda.github.io/2017/12/01/brainseg.html",
        ours="volume Dice",
    ),
    Claim(
        work="Isensee and others 2020 (nnU-Net)",
        task="BraTS 2020 glioma, four aligned 3D sequences",
        figure="Dice .890 whole tumor, .851 core, .820 enhancing",
        protocol="the challenge's hidden test patients, ensemble of 3D networks: another task than one slice",
        source="https://arxiv.org/abs/2011.00848",
    ),
    Claim(
        work="Badža, Barjaktarović 2021",
        task="tumor outline, the 3,064 slices of Cheng",
        figure="mean Dice .717",
        protocol="5-fold, record-wise: slices of a patient on both sides",
        source="https://docslib.org/doc/1017950/segmentation-of-brain-tumors-from-mri-images-using-convolutional-autoencoder",
        ours="T1 Dice",
    ),
    Claim(
        work="Hossain, project page (BRISC 2025)",
        task="four classes, and tumor outline, BRISC",
        figure="accuracy .975 (DenseNet-121); Dice .882 (U-Net)",
        protocol="the set's own test part (860 pictures for the outline); it names no patients",
        source="https://imtiazhossain.dev/projects/brain-tumor-segmentation",
        ours="four-class accuracy",
    ),
    Claim(
        work="Dip and others 2024",
        task="tumor classes, two Kaggle sets",
        figure="accuracy .967 and .977 (VGG16)",
        protocol="sets that name no patients: no split by patient is possible",
        source="https://doi.org/10.5815/ijitcs.2024.03.02",
        ours="four-class accuracy",
    ),
    Claim(
        work="Jalil, Oleiwi, Abood 2025",
        task="four classes, the 3,264 pictures of Kaggle's Brain Tumor Classification",
        figure="test accuracy 1.00",
        protocol="a set that names no patients: no split by patient is possible",
        source="https://doi.org/10.18280/jesa.580704",
        ours="four-class accuracy",
    ),
    Claim(
        work="Yagis and others 2021",
        task="Alzheimer's and Parkinson's disease on brain MRI slices",
        figure="a split by slice adds 29 to 55 points of accuracy; random labels reach .96",
        protocol="the same networks split by slice and by patient",
        source="https://doi.org/10.1038/s41598-021-01681-w",
        ours="what our leaky arm adds",
    ),
)


class Comparison(BaseModel):
    """Our figures at the time, by the name that the claims use."""

    model_config = ConfigDict(frozen=True)

    ours: dict[str, Estimate | str]


def measure_literature(place: Place) -> Comparison:
    """Take our figures out of the other parts' results; those that are missing are left out."""
    found = place.found
    ours: dict[str, Estimate | str] = {}
    tumor = found.get("tumor", {})
    if tumor:
        ours["four-class accuracy"] = Estimate.model_validate(tumor["accuracy"]["mean"])
    if tumor.get("leaky"):
        gain = tumor["leaky"]["macro_f1"]["value"] - tumor["leaky"]["grouped_macro_f1"]
        ours["what our leaky arm adds"] = f"{100 * gain:+.1f} points of macro-F1"
    if t1 := _first(found, "overall"):
        ours["T1 Dice"] = Estimate.model_validate(t1["overall"]["dice"])
    if lgg := _first(found, "volume"):
        ours["volume Dice"] = Estimate.model_validate(lgg["volume"]["dice"])
    return Comparison(ours=ours)


def _first(found: dict[str, dict[str, Any]], field: str) -> dict[str, Any] | None:
    """The part (a segmentation's) whose result has Dice under `field`."""
    for result in found.values():
        for one in (result, *(value for value in result.values() if isinstance(value, dict))):
            if isinstance(one.get(field), dict) and "dice" in one[field]:
                return one
    return None


def render_literature(comparison: Comparison) -> Section:
    """The table of claims."""
    rows = tuple(
        (
            f"[{claim.work}]({claim.source})",
            claim.task,
            claim.figure,
            claim.protocol,
            claim.ours or None,
            comparison.ours.get(claim.ours),
        )
        for claim in CLAIMS
    )
    return Section(
        title="Published figures of others",
        intro=(
            "Claims of others with the protocol behind them, each read at its source; none was measured here, and none "
            "was measured on our split. They are no ranking: the sets, the sides of the split and what counts as one "
            "case differ. On sets that name no patients nobody can tell a figure of 97 to 100 % from leakage: slices "
            "of one patient, or copies of one slice, may lie on both sides.",
        ),
        tables=(Table(("work", "task", "claim", "protocol", "our figure", "ours"), rows),),
    )


PARTS = (Part(key="literature", result=Comparison, measure=measure_literature, render=render_literature),)

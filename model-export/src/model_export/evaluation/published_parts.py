"""Which files the report is about: hash, version, and the patients that trained them."""

from pydantic import BaseModel, ConfigDict

from model_export.evaluation.sections import Part, PartMissing, Place, Section, Table
from service_kit.inference.manifest import ModelManifest


class PublishedFile(BaseModel):
    """One model file; `trained_on` in words, `groups` how many patients (or clusters) that were."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    precision: str
    sha256: str
    trained_on: str
    groups: int
    groups_sha256: str


class PublishedFiles(BaseModel):
    """All files of the repository."""

    model_config = ConfigDict(frozen=True)

    files: tuple[PublishedFile, ...]


def measure_published(place: Place) -> PublishedFiles:
    """Read every manifest. Raises `PartMissing` where nothing is published."""
    manifests = [ModelManifest.load(path.parent) for path in sorted(place.models.glob("*/manifest.json"))]
    if not manifests:
        raise PartMissing("nothing is published yet: model-export publish defaults")
    return PublishedFiles(
        files=tuple(
            PublishedFile(
                name=manifest.name,
                version=manifest.version,
                precision=manifest.precision,
                sha256=manifest.sha256,
                trained_on=_trained_on(manifest),
                groups=manifest.training.groups.get("train", 0),
                groups_sha256=manifest.training.groups_sha256,
            )
            for manifest in manifests
        )
    )


def _trained_on(manifest: ModelManifest) -> str:
    if manifest.variant_of:
        return f"made of {manifest.variant_of}"
    if manifest.training.groups.get("test", 0) == 0:
        return "all patients"
    fold = manifest.training.config.get("fold")
    return "a part of the patients" if fold is None else f"the training part of fold {fold}"


def render_published(found: PublishedFiles) -> Section:
    """The table of files."""
    return Section(
        title="The published files",
        intro=(
            "A file that was trained on one fold's training part never saw that fold's test patients: the figures of "
            "that fold are its own. Figures of other folds, and of files trained on all patients, are those of the "
            "recipe.",
        ),
        tables=(
            Table(
                ("model", "version", "precision", "trained on", "groups", "file (sha256)", "groups (sha256)"),
                tuple(
                    (
                        file.name,
                        file.version,
                        file.precision,
                        file.trained_on,
                        file.groups,
                        f"`{file.sha256[:12]}`",
                        f"`{file.groups_sha256[:12]}`",
                    )
                    for file in found.files
                ),
            ),
        ),
    )


PARTS = (Part(key="published", result=PublishedFiles, measure=measure_published, render=render_published),)

"""How the 3D networks are trained."""

from typing import Annotated

from pydantic import Field

from model_export.training.config import TrainingConfig


class VolumeConfig(TrainingConfig):
    """One training of a 3D network; `size` and `small_size` are the patch's side in voxels, `limit` patches an epoch.

    The first epochs run on small patches: a third of the voxels' cost, twice the patches in the same time.
    """

    size: Annotated[int, Field(ge=32, le=256, multiple_of=32)]
    small_size: Annotated[int, Field(ge=32, le=256, multiple_of=32)] = 64
    spacing_mm: Annotated[float, Field(gt=0, description="of the cubic voxels that the network reads")] = 1.0
    foreground_share: Annotated[float, Field(ge=0, le=1, description="of the patches, laid around a tumor voxel")] = 0.7
    missing_share: Annotated[float, Field(ge=0, le=1, description="of the patches, with sequences left out")] = 0.4
    coarse_weight: Annotated[float, Field(ge=0, description="of deep supervision; 0: none")] = 0.3
    residual: Annotated[bool, Field(description="short cuts around the blocks")] = False

    @property
    def unit(self) -> str:
        """What a batch is made of, as progress is told."""
        return "patches"


_UNET = VolumeConfig(
    name="unet3d",
    size=96,
    epochs=40,
    small_size=64,
    small_epochs=24,
    batch=2,
    rate=1e-3,
    weight_decay=0.02,
    ema_decay=0.995,
    label_smoothing=0.0,
    turned_share=0.0,
    limit=180,
)
VOLUME_CONFIGS: dict[str, VolumeConfig] = {
    config.name: config for config in (_UNET, _UNET.with_overrides(name="attention-unet3d"))
}
"""The recipes, the same but for the network, so that the two can be compared."""

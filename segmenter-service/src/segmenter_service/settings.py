"""What can be set on the segmenter service: environment variables that begin with SEGMENTER_."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from service_kit.inference.factory import InferenceSettings
from service_kit.settings import ServiceSettings

MAX_VOXELS = 512 * 512 * 256
"""Of one sequence; also its extent in cubic millimeters."""


class SegmenterSettings(ServiceSettings):
    """Settings of one instance."""

    model_config = SettingsConfigDict(env_prefix="SEGMENTER_")

    port: int = Field(default=8003, ge=0, le=65_535, description="TCP port to listen on.")
    models: tuple[str, ...] = Field(
        default=("seg-flair-film", "seg-t1"),
        min_length=1,
        description="Defaults, in order of preference: the first that the sequences at hand can feed is used.",
    )
    chunk_slices: int = Field(default=4, ge=1, le=64, description="Slices of one stack in one run of the model.")
    chunks_at_once: int = Field(default=2, ge=1, le=16, description="Chunks of one stack in work at the same time.")
    max_slices: int = Field(default=512, ge=1, description="Slices in one request, at most.")
    volume_models: tuple[str, ...] | None = Field(
        default=None,
        description="3D models kept in memory, the preferred first; not set: unet3d, or the first published one.",
    )
    volumes_at_once: int = Field(default=1, ge=1, le=16, description="Volumes in work at the same time.")
    volumes_waiting: int = Field(
        default=2, ge=0, le=64, description="Volumes that wait for their turn in memory; more are refused with 503."
    )
    max_volume_bytes: int = Field(
        default=4 * MAX_VOXELS * 2 + 2**20,
        gt=0,
        description="Largest request with a volume: four sequences of 512 x 512 x 256 in 16 bits; more: 413.",
    )
    inference: InferenceSettings = Field(default_factory=InferenceSettings, description="Engine and models.")

"""What can be set on the metadata service: environment variables that begin with METADATA_."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from service_kit.inference.factory import InferenceSettings
from service_kit.settings import ServiceSettings


class MetadataSettings(ServiceSettings):
    """Settings of one instance."""

    model_config = SettingsConfigDict(env_prefix="METADATA_")

    port: int = Field(default=8004, ge=0, le=65_535, description="TCP port to listen on.")
    max_body_bytes: int = Field(default=65_536, gt=0, description="Largest request body; more is refused with 413.")
    model: str = Field(default="clinical", description="The clinical model that makes the vector.")
    inference: InferenceSettings = Field(default_factory=InferenceSettings, description="Engine and models.")

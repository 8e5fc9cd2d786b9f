"""What can be set on the classifier service: environment variables that begin with CLASSIFIER_."""

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from service_kit.inference.factory import InferenceSettings
from service_kit.settings import ServiceSettings

Task = Literal["view", "tumor"]


class ClassifierSettings(ServiceSettings):
    """Settings of one instance. The same image serves the view, the tumor type or both, so that each scales alone."""

    model_config = SettingsConfigDict(env_prefix="CLASSIFIER_")

    port: int = Field(default=8001, ge=0, le=65_535, description="TCP port to listen on.")
    tasks: Annotated[tuple[Task, ...], NoDecode] = Field(
        default=("view", "tumor"),
        min_length=1,
        description="What this instance serves: `view`, `tumor` or both, with a comma between (or as a JSON list).",
    )
    view_model: str = Field(default="view", description="The view model that is used when a request names none.")
    tumor_model: str = Field(default="tumor", description="The tumor model that is used when a request names none.")
    inference: InferenceSettings = Field(default_factory=InferenceSettings, description="Engine and models.")

    @field_validator("tasks", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        names = [part.strip(" \t\"'") for part in value.strip(" []").split(",")]
        return tuple(dict.fromkeys(name for name in names if name))

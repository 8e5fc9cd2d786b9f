"""What can be set about the gateway, by environment variables that begin with GATEWAY_."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from gateway.job_settings import JobSettings, WebhookSettings
from gateway.judge.limits import JudgeLimits
from gateway.volume_settings import VolumeSettings
from service_kit.settings import ServiceSettings

_MIB = 2**20


class GatewaySettings(ServiceSettings):
    """The gateway's settings."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", env_nested_delimiter="__", frozen=True, extra="forbid")

    port: Annotated[int, Field(ge=0, le=65535, description="TCP port to listen on.")] = 8000
    api_keys: Annotated[
        tuple[SecretStr, ...],
        Field(description="Keys that callers may use, as a JSON list. Needed unless the gateway listens on loopback."),
    ] = ()
    redis_url: Annotated[str, Field(description="Where results are kept: redis://, rediss:// or unix://.")] = (
        "redis://127.0.0.1:6379/0"
    )
    redis_timeout_s: Annotated[float, Field(gt=0, description="Limit of one exchange with Redis, in seconds.")] = 2.0
    result_ttl_s: Annotated[
        int, Field(ge=60, description="How long an analysis and its pixels are kept, in seconds.")
    ] = 24 * 3600
    view_url: Annotated[str, Field(description="The classifier that serves the view.")] = "http://127.0.0.1:8001"
    tumor_url: Annotated[str, Field(description="The classifier that serves the tumor type.")] = "http://127.0.0.1:8002"
    segmenter_url: Annotated[str, Field(description="The segmenter.")] = "http://127.0.0.1:8003"
    metadata_url: Annotated[str, Field(description="The metadata service.")] = "http://127.0.0.1:8004"
    stage_timeout_s: Annotated[
        float, Field(gt=0, description="Limit of one call to a service, in seconds; a caller's deadline may cut it.")
    ] = 10.0
    max_connections: Annotated[int, Field(ge=1, description="Connections to the services, all together.")] = 128
    models_dir: Annotated[
        Path | None, Field(description="The model repository, for model cards; without it cards are not shown.")
    ] = None
    max_body_bytes: Annotated[
        int, Field(gt=0, description="Largest request body; more is refused with 413. Files of volumes go to disk.")
    ] = 2048 * _MIB
    request_timeout_s: Annotated[
        float, Field(gt=0, description="Longest that a request may take until its answer begins; uploads need it.")
    ] = 120.0
    max_parts: Annotated[int, Field(ge=1, description="Parts that one form may have: a series has a file a slice.")] = (
        4112
    )
    max_field_bytes: Annotated[
        int, Field(ge=1, description="Size of the form fields `clinical` and `options`, each.")
    ] = 64 * 2**10
    max_file_bytes: Annotated[int, Field(ge=1, description="Size of one uploaded picture.")] = 32 * _MIB
    max_pixels: Annotated[int, Field(ge=1, description="Pixels that one picture may have.")] = 16 * _MIB
    judge: Annotated[JudgeLimits, Field(description="When an answer may stand by itself.")] = JudgeLimits()
    jobs: Annotated[JobSettings, Field(description="How analyses wait and run.")] = JobSettings()
    webhooks: Annotated[WebhookSettings, Field(description="Who is called when a job is finished.")] = WebhookSettings()
    volumes: Annotated[VolumeSettings, Field(description="Series and volumes that are accepted.")] = VolumeSettings()
    decode_threads: Annotated[int, Field(ge=1, description="Pictures that are decoded or drawn at the same time.")] = 2

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if not self.api_keys and not _is_loopback(self.host):
            raise ValueError(
                f"host {self.host} can be reached from outside: set GATEWAY_API_KEYS, or listen on 127.0.0.1"
            )
        if any(len(key.get_secret_value()) < 16 for key in self.api_keys):
            raise ValueError("api_keys: a key needs 16 characters or more")
        return self


class WorkerSettings(GatewaySettings):
    """The worker's settings: the same variables. It answers probes alone, so it needs no keys on any address."""

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        return self


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

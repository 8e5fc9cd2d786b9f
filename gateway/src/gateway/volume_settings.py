"""What can be set about series and volumes."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_MIB = 2**20


class VolumeSettings(BaseModel):
    """How large a series or volume may be; what else is believed of one is in `gateway.imaging.volume_limits`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_file_bytes: Annotated[int, Field(ge=1, description="Size of one uploaded volume or archive.")] = 512 * _MIB
    max_inflated_bytes: Annotated[int, Field(ge=1, description="Size of one of them, unpacked.")] = 1024 * _MIB
    max_voxels: Annotated[int, Field(ge=1, description="Voxels of all sequences together.")] = 4 * 512 * 512 * 64
    max_files: Annotated[int, Field(ge=1, description="DICOM files of one study, or entries of an archive.")] = 4096

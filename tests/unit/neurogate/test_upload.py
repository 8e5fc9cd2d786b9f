"""What is sent, and the key under which it is sent once."""

import os
import zipfile
from pathlib import Path

from neurogate.study_files import FilePart, StudyFiles
from neurogate.upload import prepared


def study(folder: Path, count: int) -> StudyFiles:
    folder.mkdir(exist_ok=True)
    parts = []
    for number in range(count):
        path = folder / f"Doe^Jane-{number:03}.dcm"
        path.write_bytes(b"slice %d" % number)
        parts.append(FilePart("file", path))
    return StudyFiles("s", "dicom", tuple(parts))


def test_few_files_are_parts_with_neutral_names(tmp_path: Path) -> None:
    with prepared(study(tmp_path, 2)) as upload, upload.opened() as files:
        assert [(field, name, file.read()) for field, (name, file, _) in files] == [
            ("file", "file.dcm", b"slice 0"),
            ("file", "file.dcm", b"slice 1"),
        ]


def test_many_files_are_one_zip_that_is_gone_afterwards(tmp_path: Path) -> None:
    with prepared(study(tmp_path, 20)) as upload:
        (part,) = upload.parts
        with zipfile.ZipFile(part.path) as archive:
            assert [archive.read(name) for name in archive.namelist()] == [b"slice %d" % n for n in range(20)]
            assert not any("Doe" in name for name in archive.namelist())
    assert not part.path.exists()


def test_the_key_is_of_content_options_and_attempt_and_not_of_names_or_times(tmp_path: Path) -> None:
    def key(folder: str, count: int = 20, options: dict[str, str] | None = None, attempt: int = 0) -> str:
        made = study(tmp_path / folder, count)
        os.utime(made.parts[0].path, (attempt, 10**9 + count))
        with prepared(made) as upload:
            return upload.key(options, None, attempt)

    assert key("a") == key("b")
    assert len({key("a"), key("a", 19), key("a", options={"segment": "always"}), key("a", attempt=1)}) == 4
    assert len(key("a")) <= 255

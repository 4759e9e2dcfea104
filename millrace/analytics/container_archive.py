"""A model archive that the image can serve: the trained artefact with the code that answers beside it.

A SageMaker model for transform jobs and serverless endpoints has one archive, and its image is started without an
entry point of ours: it unpacks the archive to `/opt/ml/model` and imports `code/inference.py`. So the code travels in
it: the container's zip, which is on PYTHONPATH, and the one file that the image looks for. Nothing is unpickled here.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import IO

from millrace.errors import EvaluationInvalid

PROGRAM, PROGRAM_SOURCE, CODE_ZIP = "inference.py", "sagemaker_scripts/inference.py", "container.zip"
CODE_DIRECTORY = "code"

ENVIRONMENT = {
    "SAGEMAKER_PROGRAM": PROGRAM,
    "SAGEMAKER_SUBMIT_DIRECTORY": f"/opt/ml/model/{CODE_DIRECTORY}",
    "PYTHONPATH": f"/opt/ml/model/{CODE_DIRECTORY}:/opt/ml/model/{CODE_DIRECTORY}/{CODE_ZIP}",
}
"""What a SageMaker model of such an archive is given, beside ARTIFACT_DIGEST. PYTHONPATH also spares the image a
`pip install` of the code, which needs a network ."""


def write_container_archive(model: IO[bytes], code_zip: Path, target: Path) -> None:
    """Copy `model` (a model.tar.gz, read forward) to `target` with the code added. Memory: one file's buffer.

    Raises EvaluationInvalid when `model` is broken, or names a file outside itself or under `code/`.
    """
    try:
        with (
            tarfile.open(fileobj=model, mode="r|gz") as source,
            tarfile.open(target, "w:gz", compresslevel=1) as packed,
        ):
            for member in source:
                if member.isdir():
                    continue
                name = _own_name(member, target.parent)
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = member.size, 0o644
                packed.addfile(entry, source.extractfile(member))
            with zipfile.ZipFile(code_zip) as code:
                _add(packed, PROGRAM, code.read(PROGRAM_SOURCE))
            _add(packed, CODE_ZIP, code_zip.read_bytes())
    except (tarfile.TarError, EOFError, OSError) as error:
        raise EvaluationInvalid(f"the model archive cannot be read: {error}") from error


def _own_name(member: tarfile.TarInfo, directory: Path) -> str:
    if not member.isfile():
        raise EvaluationInvalid(f"the model archive holds {member.name}, which is not a file")
    name = tarfile.data_filter(member, str(directory)).name.removeprefix("./")
    if name.split("/")[0] == CODE_DIRECTORY:
        raise EvaluationInvalid(f"the model archive holds {name}: code comes from the platform alone")
    return name


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(f"{CODE_DIRECTORY}/{name}")
    entry.size, entry.mode = len(content), 0o644
    archive.addfile(entry, io.BytesIO(content))

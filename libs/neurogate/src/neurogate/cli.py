"""The command `neurogate`."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from neurogate.analyze import Wishes, analyze_all
from neurogate.batch_command import batch
from neurogate.client import open_client
from neurogate.comparison_display import comparison_panel
from neurogate.display import models_table
from neurogate.serve_command import down, up
from neurogate.study_files import left_out_words, named_study, studies_of_paths
from neurogate.terminal import (
    ERR,
    OUT,
    ApiKey,
    Clinical,
    Model,
    ModelsDir,
    Options,
    Segment,
    Url,
    fail,
    models_folder,
    read_json,
    read_wishes,
    run,
)

app = typer.Typer(help="AI on brain MRI: a scan in, an answer out. Research use only.", no_args_is_help=True)
for _command in (up, down, batch):
    app.command()(_command)

OneSequence = Annotated[Path | None, typer.Option(exists=True, readable=True, help="File, or folder of DICOM files.")]


@app.command()
def analyze(
    paths: Annotated[
        list[Path] | None, typer.Argument(exists=True, readable=True, help="Pictures, DICOM, NIfTI, zips, folders.")
    ] = None,
    t1: OneSequence = None,
    t1ce: OneSequence = None,
    t2: OneSequence = None,
    flair: OneSequence = None,
    clinical: Clinical = None,
    options: Options = None,
    model: Model = None,
    save: Annotated[
        Path | None, typer.Option("--save", "--out", help="Write the artifacts here, a folder a study.")
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
    models_dir: ModelsDir = None,
    *,
    segment: Segment = False,
    wait: Annotated[bool, typer.Option(help="Without it, print the ids of the jobs and leave.")] = True,
) -> None:
    """Analyze scans and print what was found.

    Pictures are a study each, NIfTI files one by the sequences that their names tell, DICOM files one for each study
    that their headers name. Exit codes: 0 all were answered, 1 some were not, 3 no gateway, 130 interrupted.
    """
    named = {name: path for name, path in (("t1", t1), ("t1ce", t1ce), ("t2", t2), ("flair", flair)) if path}
    if bool(named) == bool(paths):
        raise typer.BadParameter("name scans, or sequences with --t1, --t1ce, --t2, --flair; not both, not neither")
    if not wait and (save or not url):
        raise typer.BadParameter("--no-wait needs --url, and cannot be combined with --save")
    left_out: Counter[str] = Counter()
    studies = [named_study(named)] if named else studies_of_paths(paths or [], left_out)
    wishes = Wishes(read_json(clinical, "--clinical"), read_wishes(options, model, segment=segment), wait, save)
    folder = models_folder(url, models_dir)

    async def analyzing() -> tuple[int, int]:
        async with open_client(url, folder, api_key) as client:
            return await analyze_all(client, studies, wishes)

    total, unanswered = run(analyzing())
    if left_out:
        ERR.print(left_out_words(left_out), markup=False, highlight=False)
    if not total:
        raise fail("there is no scan in what was named")
    if unanswered:
        raise fail(f"{unanswered} of {total} studies got no answer")


@app.command()
def compare(
    baseline: Annotated[str, typer.Argument(help="Id of the earlier scan's analysis.")],
    followup: Annotated[str, typer.Argument(help="Id of the later scan's analysis.")],
    url: Annotated[str, typer.Option(help="The gateway that has both.")] = "http://127.0.0.1:8000",
    tolerance_percent: Annotated[
        float, typer.Option(min=0, max=100, help="A change within this part of the baseline counts as none.")
    ] = 0.0,
    api_key: ApiKey = None,
) -> None:
    """Compare two analyses of one patient: what changed, and whether that is more than the error. Not a diagnosis."""

    async def comparing() -> dict[str, Any]:
        async with open_client(url, None, api_key) as client:
            return await client.compare(baseline, followup, tolerance_percent)

    OUT.print(comparison_panel(run(comparing())))


@app.command()
def models(url: Url = None, models_dir: ModelsDir = None, api_key: ApiKey = None) -> None:
    """List the published models with the provider that they run on."""
    folder = models_folder(url, models_dir)

    async def listing() -> list[dict[str, Any]]:
        async with open_client(url, folder, api_key) as client:
            return await client.models()

    OUT.print(models_table(run(listing())))

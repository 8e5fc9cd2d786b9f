"""The Analysis of a job while it is not finished: each step's document, and the event that tells of it."""

import json

from gateway.analysis import as_problem
from gateway.artifacts import job_links
from gateway.findings import Findings
from gateway.schemas import Analysis, AnalysisState, FinishedAnalysis, Progress, ProgressStage
from gateway.volume_findings import VolumeFindings
from service_kit.errors import ServiceError


def at_step(analysis: Analysis, stage: ProgressStage, done: int, total: int) -> Analysis:
    """It runs."""
    progress = Progress(stage=stage, done=done, total=total)
    return analysis.model_copy(update={"state": "running", "progress": progress})


def in_state(analysis: Analysis, state: AnalysisState) -> Analysis:
    """The same in another state."""
    return analysis.model_copy(update={"state": state})


def failed(analysis: Analysis, error: ServiceError) -> Analysis:
    """It has failed, and says why."""
    return analysis.model_copy(update={"state": "failed", "problem": as_problem(error)})


def succeeded(accepted: Analysis, findings: Findings | VolumeFindings) -> FinishedAnalysis:
    """What was found, under the id and the time of the analysis that was accepted."""
    found = findings.analysis
    links = {name: link.replace(found.id, accepted.id) for name, link in found.links.items()}
    return found.model_copy(
        update={"id": accepted.id, "created_at": accepted.created_at, "links": links | job_links(accepted.id)}
    )


def event(analysis: Analysis) -> str:
    """What a caller who follows the events is told: JSON without a line break."""
    progress = analysis.progress
    return json.dumps(
        {"state": analysis.state, "stage": progress.stage, "done": progress.done, "total": progress.total}
    )

"""The report's frame, on made parts: what is missing, what is kept, what is written."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from model_export.card import ModelCard
from model_export.cli import app
from model_export.evaluation.assembly import Results, measure, sections
from model_export.evaluation.beside_parts import PARTS as BESIDE
from model_export.evaluation.beside_parts import keep
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.card_figures import figures_by_model, write_figures
from model_export.evaluation.classifier_parts import render_classifier
from model_export.evaluation.classifiers import judge_classifier
from model_export.evaluation.display import file_size, many, markdown_table, shown
from model_export.evaluation.hardest import write_hardest
from model_export.evaluation.html_report import write_html
from model_export.evaluation.novelty_result import ArmResult, NoveltyResult
from model_export.evaluation.parts import all_parts
from model_export.evaluation.reproduction_result import Reproduction
from model_export.evaluation.sections import CardFigures, Chart, Part, PartMissing, Place, Section, Table, Target
from model_export.evaluation.style import new_figure, svg_of
from model_export.evaluation.summary import write_summary
from tests.models.evaluation_fakes import grouped
from tests.models.made_cards import made_card

HALF = Estimate(value=0.5, low=0.25, high=0.75, slices=8, groups=4)


class Found(BaseModel):
    value: float


def _draw() -> object:
    figure, (axes,) = new_figure()
    axes.plot([0, 1])
    return figure


def _section(found: Found) -> Section:
    return Section(
        title="Chapter <one>",
        intro=("A **bold** word & `code`.",),
        tables=(Table(("name", "by slice: leaky"), (("a|b", HALF), ("none", None)), title="Table", note="A note."),),
        charts=(Chart("Line", _draw, 'rises "fast"'),),  # type: ignore[arg-type]
        targets=(
            Target(name="high enough", measured=HALF, limit=0.4),
            Target(name="low enough", measured=found.value, limit=0.03, relation="at most"),
            Target(name="in between", measured=0.98, limit=0.93, ceiling=0.97),
        ),
        cards={"tumor": CardFigures(summary={"accuracy": HALF}, leaky={"accuracy": 1.0}, notes=("Said once.",))},
    )


def _part(key: str, value: float | None, *, missing: str = "") -> Part[Found]:
    def run(place: Place) -> Found:
        if value is None:
            raise PartMissing(missing)
        return Found(value=value)

    return Part(key=key, result=Found, measure=run, render=_section)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data", tmp_path / "cache", tmp_path / "models", lambda _: None)


def test_a_missing_part_is_named_and_the_others_stand(place: Place) -> None:
    note = f"no predictions in {place.cache}/predictions"
    found = measure([_part("a", 0.25), _part("b", None, missing=note)], place, Results())
    assert found.parts == {"a": {"value": 0.25}}
    assert found.missing == {"b": "no predictions in CACHE/predictions"}


def test_a_part_keeps_its_former_result_until_it_is_measured_again(place: Place) -> None:
    kept = Results(parts={"a": {"value": 1.0}, "b": {"value": 2.0}, "gone": {"value": 3.0}})
    found = measure([_part("a", 0.5), _part("b", None, missing="later")], place, kept)
    assert found.parts == {"a": {"value": 0.5}, "b": {"value": 2.0}}
    again = measure([_part("a", 9.0), _part("b", 4.0)], place, found, only=["b"])
    assert again.parts == {"a": {"value": 0.5}, "b": {"value": 4.0}}
    assert again.missing == {}


def test_a_part_of_no_name_is_refused(place: Place) -> None:
    with pytest.raises(ValueError, match="no such part: c; there are a"):
        measure([_part("a", 0.5)], place, Results(), only=["c"])


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.json"
    Results(parts={"a": {"value": 1 / 3, "many": [0.123456789]}}, missing={"b": "why"}).dump(path)
    found = Results.load(path)
    assert found.parts["a"] == {"value": 0.333333, "many": [0.123457]}
    assert found.missing == {"b": "why"}
    assert Results.load(tmp_path / "none.json").parts == {}


def test_an_older_form_asks_for_a_new_measurement() -> None:
    with pytest.raises(ValueError, match="--only a"):
        sections([_part("a", 1.0)], Results(parts={"a": {"other": 1}}))


def test_the_report_needs_no_network_and_escapes_what_it_shows(tmp_path: Path) -> None:
    results = Results(parts={"a": {"value": 0.5}}, missing={"b": "not <yet>"})
    write_html(tmp_path / "report.html", results, sections([_part("a", 0.5)], results))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Chapter &lt;one&gt;" in text
    assert "<strong>bold</strong> word &amp; <code>code</code>" in text
    assert "not &lt;yet&gt;" in text
    assert set(re.findall(r'src="([a-z+/:;0-9]+),', text)) == {"data:image/svg+xml;base64"}
    assert not re.findall(r'(?:src|href)="https?:', text)
    assert "<script" not in text
    assert text.count('class="met"') == 1
    assert text.count('class="unmet"') == 2
    assert 'alt="rises &quot;fast&quot;"' in text


def test_the_summary_names_targets_and_the_leaky_split(tmp_path: Path) -> None:
    results = Results(parts={"a": {"value": 0.5}}, missing={"b": "later"})
    (tmp_path / "novelty.md").write_text("<!-- made -->\n\n# What is no brain\n\nText.\n", encoding="utf-8")
    write_summary(tmp_path, results, sections([_part("a", 0.5)], results))
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| high enough | at least 0.4 | 0.500 (0.250 to 0.750) | met |" in text
    assert "| low enough | at most 0.03 | 0.500 | **not met** |" in text
    assert "| in between | 0.93 to 0.97 | 0.980 | **not met** |" in text
    assert "1 of 3 are met" in text
    assert "a\\|b | 0.500 (0.250 to 0.750)" in text
    assert "- `b`: later" in text
    assert "- [What is no brain](novelty.md)" in text
    assert (tmp_path / "targets.svg").read_text(encoding="utf-8").startswith("<svg")


def test_charts_are_the_same_on_every_run() -> None:
    assert svg_of(_draw()) == svg_of(_draw())  # type: ignore[arg-type]


def test_figures_of_several_chapters_meet_in_one_card() -> None:
    more = Section("Two", cards={"tumor": CardFigures(summary={"Dice": 0.8}, notes=("Said once.", "New."))})
    merged = figures_by_model({"a": _section(Found(value=1.0)), "b": more})["tumor"]
    assert merged.summary == {"accuracy": HALF, "Dice": 0.8}
    assert merged.notes == ("Said once.", "New.")


def test_figures_go_into_the_cards_and_leave_the_rest(tmp_path: Path) -> None:
    for name in ("tumor", "view"):
        (tmp_path / name).mkdir()
        made_card(name).dump(tmp_path / name)
    result = judge_classifier(grouped(groups=60), grouped(groups=60, folds=1, seed=1))
    results = Results(parts={"tumor": result.model_dump(mode="json")})
    assert write_figures(tmp_path, results) == ["tumor"]
    card = ModelCard.load(tmp_path / "tumor")
    assert card.metrics["summary"]["accuracy"]["value"] == pytest.approx(result.accuracy.mean.value, abs=1e-5)
    assert [row["label"] for row in card.metrics["tables"]["by class"]] == list(result.labels)
    assert card.leaky is not None
    assert result.leaky is not None
    assert card.leaky["macro-F1"]["value"] == pytest.approx(result.leaky.macro_f1.value, abs=1e-5)
    assert card.protocol == made_card("tumor").protocol
    assert ModelCard.load(tmp_path / "view") == made_card("view")


def test_a_classifiers_chapter_is_rendered_from_its_json(tmp_path: Path) -> None:
    result = judge_classifier(grouped(groups=60))
    stored = json.loads(json.dumps(result.model_dump(mode="json")))
    section = render_classifier(type(result).model_validate(stored))
    names = [target.name for target in section.targets]
    assert names[:4] == [
        "tumor or not: accuracy",
        "tumor or not: sensitivity",
        "tumor: macro-F1 of four classes",
        "tumor: ROC-AUC, one against the rest",
    ]
    assert sum("coverage" in name for name in names) == 4
    for table in section.tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
    for chart in section.charts:
        assert svg_of(chart.draw()).endswith("</svg>\n")
    assert "no leaky arm yet" in section.notes[0]


def test_hardest_slices_are_listed_in_the_cache_alone(place: Place) -> None:
    predictions = grouped(groups=80)
    write_hardest(predictions, place)
    lines = (place.cache / "evaluation" / "hardest-tumor.csv").read_text(encoding="utf-8").splitlines()
    likely = [float(line.split(",")[7]) for line in lines[1:]]
    assert likely == sorted(likely)
    assert len(likely) == min(100, int(predictions.main.sum()))


def test_every_part_has_its_own_key() -> None:
    keys = [part.key for part in all_parts()]
    assert keys[:2] == ["view", "tumor"]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "–"),
        (3, "3"),
        (0.5, "0.500"),
        (0.0, "0.000"),
        (0.00012, "1.2e-04"),
        (123.456, "123.5"),
        (12345.6, "12346"),
        ("words", "words"),
        (HALF, "0.500 (0.250 to 0.750)"),
    ],
)
def test_how_a_cell_is_shown(cell: object, text: str) -> None:
    assert shown(cell) == text  # type: ignore[arg-type]


def test_small_counts_and_files_are_not_rounded_to_nothing() -> None:
    assert (many(31), many(2_370_599)) == ("31", "2.37 M")
    assert (file_size(4_600), file_size(9_500_000)) == ("4.6 kB", "9.5 MB")


def test_a_markdown_table_has_a_line_a_row() -> None:
    assert markdown_table(("a", "b"), [(1, None)]) == "| a | b |\n|---|---|\n| 1 | – |\n"


def test_pictures_of_patients_stay_outside_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    found = CliRunner().invoke(app, ["evaluate", "--cases", "cases", "--render"])
    assert found.exit_code == 2
    assert not (tmp_path / "docs").exists()


def test_rendering_again_needs_neither_data_nor_predictions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "docs" / "evaluation"
    result = judge_classifier(grouped(groups=60))
    Results(parts={"tumor": result.model_dump(mode="json")}).dump(out / "results.json")
    found = CliRunner().invoke(app, ["evaluate", "--render", "--data", "nowhere", "--cache", "nowhere"])
    assert found.exit_code == 0, found.output
    assert {path.name for path in out.iterdir()} == {"README.md", "report.html", "results.json", "targets.svg"}
    assert np.isfinite(result.accuracy.mean.value)


def _arm(auroc: float, refused: float) -> ArmResult:
    return ArmResult(
        weights="made",
        auroc=auroc,
        refused=0.7,
        refused_or_reviewed=0.9,
        false_refusals=refused,
        for_review=0.02,
        kinds={},
        sources={},
        turned={},
    )


def test_what_other_commands_measured_has_its_chapter_and_its_targets(place: Place) -> None:
    door, again = BESIDE
    for part, command in ((door, "model-export novelty"), (again, "model-export reproduce")):
        with pytest.raises(PartMissing, match=command):
            part.measure(place)
    keep(place.cache, "novelty", NoveltyResult(arms={"view": _arm(0.97, 0.002), "imagenet": _arm(0.99, 0.02)}))
    section = door.render(door.measure(place))
    assert [target.met for target in section.targets] == [False, True, True, False]
    assert section.cards["view"].summary["novelty: AUROC"] == 0.97
    first = Reproduction(
        name="detector-cnn", seed=1, published=HALF, again=HALF, largest_weight_difference=0.0, reproduced=False
    )
    keep(place.cache, "reproduction", first)
    assert "does not reproduce" in again.render(again.measure(place)).intro[0]

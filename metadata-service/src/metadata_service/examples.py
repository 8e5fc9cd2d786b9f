"""Requests and answers as the OpenAPI document shows them."""

from typing import Any

from service_kit.contracts.clinical import ClinicalAblation, ClinicalVector
from service_kit.contracts.common import ModelRef

RECORDS: dict[str, Any] = {
    "record": {
        "summary": "Age, sex and grade",
        "value": {"age": 44, "sex": "female", "who_grade": 2, "histological_type": "astrocytoma"},
    },
    "fhir": {
        "summary": "With FHIR's names",
        "value": {"birthDate": "1976-05-17", "studyDate": "2020-11-02", "gender": "male", "whoGrade": "II"},
    },
    "empty": {"summary": "Nothing is known", "value": {}},
}

VECTOR = ClinicalVector(
    features={"age": 0.43, "gender_female": 1.0, "gender_male": 0.0, "race_missing": 1.0},
    imputed=("race", "ethnicity"),
    warnings=("age: outside the trained range of 20 to 75; the nearest end is used",),
    model=ModelRef(
        stage="clinical",
        name="clinical",
        version="1",
        sha256="0" * 64,
        backend="onnxruntime",
        provider="CPUExecutionProvider",
        precision="fp32",
    ),
)

ABLATION = ClinicalAblation(
    vector=VECTOR,
    empty={"age": 0.46, "gender_female": 1.0, "gender_male": 0.0, "race_missing": 1.0},
    without={"age": {"age": 0.46, "gender_female": 1.0, "gender_male": 0.0, "race_missing": 1.0}},
)

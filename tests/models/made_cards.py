"""A card as `publish` writes it, without figures."""

from model_export.card import ModelCard
from model_export.parity import Parity


def made_card(name: str) -> ModelCard:
    return ModelCard(
        name=name,
        version="1.0.0",
        title="A made model",
        intended_use="Tests.",
        notice="Research only.",
        architecture="one layer",
        parameters=1234567,
        file_bytes=2_500_000,
        sha256="0" * 64,
        training_sets="none",
        licences=("MIT",),
        training_counts={},
        groups={"train": 8, "validation": 0, "test": 2},
        protocol="Grouped.",
        config={"epochs": 2, "rate": 0.001},
        seed=20,
        history=({"epoch": 1.0, "loss": 0.9, "s": 60.0}, {"epoch": 2.0, "loss": 0.5, "s": 60.0}),
        limits=("Made up.",),
        verification=Parity(batches=(1, 5), max_probability_difference=1e-6, max_output_difference=1e-5, passed=True),
        reproduce=("model-export train it",),
    )

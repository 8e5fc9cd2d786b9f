"""Ids."""

import time
import uuid

from gateway.analysis_id import earliest_id, is_analysis_id, new_analysis_id


def test_ids_are_version_7_uuids_that_sort_by_time() -> None:
    ids = []
    for _ in range(20):
        ids.append(new_analysis_id())
        time.sleep(0.001)
    assert ids == sorted(set(ids))
    for text in ids:
        parsed = uuid.UUID(text)
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
        assert is_analysis_id(text)
        assert abs((parsed.int >> 80) / 1000 - time.time()) < 60


def test_the_earliest_id_of_a_moment_lies_between_before_and_after() -> None:
    before = new_analysis_id()
    time.sleep(0.002)
    moment = earliest_id(time.time_ns() // 1_000_000)
    assert before < moment < new_analysis_id()
    assert earliest_id(-5) == earliest_id(0)


def test_other_texts_are_no_ids() -> None:
    for text in ("", "x", str(uuid.uuid4()), new_analysis_id().upper(), new_analysis_id() + "0", "../" * 12):
        assert not is_analysis_id(text)

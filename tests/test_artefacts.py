"""The findings that a run hands on in a zip: one plain file within limits, or nothing."""

from __future__ import annotations

import pytest
from fakehub import zipped
from hypothesis import given, settings
from hypothesis import strategies as st
from zips import HOSTILE, SPACES

from reviewdata.artefacts import UnreadableError, read_findings


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_zip_is_refused_and_repeated_nowhere(name: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        read_findings(HOSTILE[name])
    assert "passwd" not in str(refused.value)
    assert ".." not in str(refused.value)


def test_a_zip_at_the_limits_is_read() -> None:
    assert read_findings(zipped(b"")) == b""
    assert read_findings(zipped(SPACES)) == SPACES


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.integers(0, 40))
def test_a_zip_with_any_byte_changed_is_read_or_refused(place: int, byte: int, cut: int) -> None:
    changed = bytearray(zipped(b'{"record": "summary"}\n' * 20))
    changed[place % len(changed)] = byte
    try:
        found = read_findings(bytes(changed[: len(changed) - cut]))
    except UnreadableError:
        return
    assert found == b'{"record": "summary"}\n' * 20

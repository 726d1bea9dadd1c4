"""A download keeps its name, whatever letters it is written in, and its header stays plain ASCII."""

from __future__ import annotations

import pytest

from chalicelib.storage.objects import disposition_of


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("assets 2026.xlsx", 'attachment; filename="assets 2026.xlsx"'),
        ('a"\r\nX: b.pdf', 'attachment; filename="a___X_ b.pdf"'),
        ("Gebäude.xlsx", "attachment; filename=\"Geb_ude.xlsx\"; filename*=UTF-8''Geb%C3%A4ude.xlsx"),
        ("資産.csv", "attachment; filename=\"__.csv\"; filename*=UTF-8''%E8%B3%87%E7%94%A3.csv"),
    ],
)
def test_a_name_is_told_in_ascii_and_as_it_is(name: str, told: str) -> None:
    assert disposition_of(name) == told
    assert told.isascii()

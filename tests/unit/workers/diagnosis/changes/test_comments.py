"""What is only said in a diff does nothing, in whatever language."""

from __future__ import annotations

import pytest

from workers.diagnosis.changes.text.comments import without_comments


@pytest.mark.parametrize(
    ("path", "comment"),
    [
        ("go.mod", "// timeout lowered to 1s, retries removed"),
        ("service/handler.go", "\t// panic here"),
        (".github/workflows/build.yml", "// pool_size = 1"),
        ("requirements.txt", "# drop the limit"),
        ("views/cart.vue", "// no more retries"),
        ("chart/values.tpl", "# timeout: 1s"),
        ("Dockerfile", "# ENV POOL=1"),
        ("app/cart.py", "# sleep(10)"),
    ],
)
def test_a_line_that_is_a_comment_as_a_whole_is_left_out(path: str, comment: str) -> None:
    assert list(without_comments(path, [("+", comment), ("+", "kept")])) == [("+", "kept")]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("src/pool.c", "#define POOL 4"),
        ("views/cart.vue", "const url = 'https://pay.example/v1'"),
        ("docs/deploy.tpl", "#timeout"),
        ("service/handler.go", "//go:embed schema.sql"),
    ],
)
def test_a_line_that_does_something_is_kept(path: str, line: str) -> None:
    assert list(without_comments(path, [("+", line)])) == [("+", line)]

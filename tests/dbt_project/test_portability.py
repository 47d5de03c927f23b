"""Portability of the SQL: every query parses in DuckDB's and in Spark's dialect, and unions match by name."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from sqlglot import exp, parse_one, tokenize
from sqlglot.tokens import Token, TokenType

from tests.support.models import compile_dialects

# Functions that Spark 4 has and the models use. What Spark lacks belongs into macros/portable/.
SPARK_FUNCTIONS = """
abs aggregate array array_contains array_join array_sort bool_and bool_or cast ceil coalesce collect_list concat_ws
contains count dateadd datediff date_trunc decimal decode exp explode first_value floor forall format_number
format_string from_json from_utc_timestamp get_json_object greatest grouping lag last_value lead least length
levenshtein listagg ln lower lpad map map_entries max max_by md5 median min min_by monotonically_increasing_id
named_struct nullif posexplode power regexp_extract regexp_like regexp_replace replace right round row_number
sequence sort_array split split_part struct substring sum to_json transform trim try_url_decode unhex unix_micros
"""
REGISTERED = "channel_effects"  # a function in Python, which each engine gets from its connection
# Words before a bracket that call no function.
KEYWORDS = "and as div else filter from group in join not on or over sets using when where"
KNOWN = {*SPARK_FUNCTIONS.split(), *KEYWORDS.split(), REGISTERED}
FORBIDDEN = {TokenType.DARROW: "->>", TokenType.DCOLON: "::", TokenType.EXCEPT: "exclude"}


@pytest.fixture(scope="module")
def compiled(new_home: Callable[[str], Path]) -> Path:
    """A home with the compiled project in its folders `duckdb` and `spark`."""
    home = new_home("dialects")
    compile_dialects(home)
    return home


def queries(home: Path, dialect: str) -> dict[str, str]:
    """Name -> SQL of every model, singular test and generic test."""
    folder = home / dialect / "compiled"
    found = {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.sql"))}
    assert len(found) > 200
    return found


@pytest.mark.parametrize("dialect", ["duckdb", "spark"])
def test_sqlglot_parses_every_query(compiled: Path, dialect: str) -> None:
    for name, sql in queries(compiled, dialect).items():
        assert isinstance(parse_one(sql, dialect=dialect), exp.Query), name


def test_no_query_for_spark_has_syntax_that_spark_lacks(compiled: Path) -> None:
    found = [
        f"{name}: {problem}" for name, sql in queries(compiled, "spark").items() for problem in problems(words(sql))
    ]
    assert found == []


def words(sql: str) -> list[Token]:
    return tokenize(sql, dialect="spark")


def problems(tokens: list[Token]) -> list[str]:
    """Return syntax and functions that Spark lacks."""
    found = []
    before = ""
    for token, following in pairwise(tokens):
        if token.token_type in FORBIDDEN:
            found.append(f"{token.text} in line {token.line}")
        if token.token_type is TokenType.COMMA and following.token_type is TokenType.FROM:
            found.append(f"a comma before `from` in line {token.line}")
        if token.token_type is TokenType.VARCHAR and following.token_type is not TokenType.L_PAREN:
            found.append(f"varchar without a length in line {token.line}")
        if token.token_type is TokenType.L_PAREN and following.token_type is TokenType.VAR and before == "over":
            found.append(f"a named window with a frame in line {token.line}")
        if token.text.lower() == "nulls" and following.token_type is TokenType.R_PAREN:
            found.append(f"`ignore nulls` inside the brackets in line {token.line}")
        is_call = following.token_type is TokenType.L_PAREN and token.text.isidentifier()
        if is_call and token.text.lower() not in KNOWN:
            found.append(f"{token.text}() in line {token.line}")
        before = token.text.lower()
    return found


@pytest.mark.parametrize(
    "sql",
    [
        "select a, from t",
        "select * exclude (a) from t",
        "select a ->> 'b'",
        "select a::int",
        "select cast(a as varchar)",
        "select last_value(a ignore nulls) over w",
        "select sum(a) over (w rows unbounded preceding)",
        "select epoch_us(a)",
    ],
)
def test_the_check_finds_what_spark_lacks(sql: str) -> None:
    assert problems(words(sql))


def test_branches_of_a_union_have_the_same_names_in_the_same_order(compiled: Path) -> None:
    different = []
    for name, sql in queries(compiled, "duckdb").items():
        for union in parse_one(sql, dialect="duckdb").find_all(exp.Union):
            left, right = (branch.named_selects for branch in (union.left, union.right))
            if left != right:
                different.append(f"{name}: {left} and {right}")
    assert different == []

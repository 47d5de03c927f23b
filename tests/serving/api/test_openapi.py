"""Compare the API with its OpenAPI document: the document is valid, and no generated request makes the server fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance
from starlette.applications import Starlette

from tests.support.serving import app_on, client_of, copy_published, plant_waste, service_on

EXAMPLES = 25  # of each operation and mode


@pytest.fixture(scope="module")
def app(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Starlette:
    home = copy_published(built, tmp_path_factory.mktemp("described"))
    plant_waste(home / "published" / "orgs" / "northwind.duckdb", "northwind")
    return app_on(service_on(home, home))


@pytest.fixture(scope="module")
def document(app: Starlette) -> dict[str, Any]:
    found: dict[str, Any] = client_of(app).get("/api/openapi.json").json()
    return found


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()
    identities = [operation["get"]["operationId"] for operation in document["paths"].values()]
    assert len(set(identities)) == len(identities)
    broken = {**document, "paths": {"/api/kpis": {"get": {"responses": "none"}}}}
    with pytest.raises(Exception, match="none"):
        schemathesis.openapi.from_dict(broken).validate()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_generated_request_makes_the_server_fail(
    app: Starlette, document: dict[str, Any], mode: GenerationMode
) -> None:
    client = client_of(app)
    statuses: set[int] = set()
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = result.ok()

        @seed(14)
        @settings(
            max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(mode), sees_one_org=st.booleans())
        def ask(case: schemathesis.Case, sees_one_org: bool) -> None:
            query = {"org": "northwind"} | dict(case.query) if sees_one_org else dict(case.query)
            path = case.formatted_path
            # Without log-in, a generated key would only be refused.
            headers = {name: str(value) for name, value in case.headers.items() if name.lower() != "authorization"}
            try:
                response = client.request(case.method, path, params=query, headers=headers)
            except (UnicodeEncodeError, ValueError):  # the client cannot send such a header
                return
            statuses.add(response.status_code)
            assert response.status_code < 500, response.text
            if response.status_code == 200 and response.headers["content-type"] == "application/json":
                case.validate_response(response, checks=[response_schema_conformance])
            elif response.status_code >= 400:
                assert response.headers["content-type"] == "application/problem+json", response.text

        ask()
    assert {200, 400} <= statuses, statuses

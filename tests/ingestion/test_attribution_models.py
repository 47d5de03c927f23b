"""Models of the home's folder models/: a wrong one is named with its file and line, before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.attribution_models import (
    ModelError,
    all_models,
    built_in_models,
    dbt_variables,
    expressions,
    weight_tables,
)
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.model import SettingsError
from tests.support.home import copy_home, published, tributary

SETTINGS = "orgs:\n  - {id: shop, currency: EUR%s}\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "tributary.yaml").write_text(SETTINGS % "")
    return tmp_path


def test_models_of_the_home_follow_the_built_in_ones(home):
    (home / "models" / "recent.sql").write_text("-- why\n1.0 / (touchpoint_count - position + 1)  -- newest first\n")
    (home / "models" / "by_channel.csv").write_text("channel,weight\nEmail,0.5\nPaid Search,2\n")
    assert all_models(home) == (*built_in_models(), "by_channel", "recent")
    assert expressions(home) == {"recent": "1.0 / (touchpoint_count - position + 1)"}
    assert weight_tables(home) == {"by_channel": {"Email": 0.5, "Paid Search": 2}}
    settings = load_settings(Home(home))
    assert dbt_variables(settings)["attribution_models"] == [*built_in_models(), "recent", "by_channel"]
    (home / "tributary.yaml").write_text(SETTINGS % ", attribution_model: recent" + "attribution_models: [recent]\n")
    assert dbt_variables(load_settings(Home(home)))["attribution_models"] == ["recent"]


@pytest.mark.parametrize(
    ("name", "text", "place", "problem"),
    [
        ("m.sql", "-- nothing\n", "m.sql:1", "the file is empty"),
        ("m.sql", "-- why\n\nposition *\n  nonsense", "m.sql:4", "nonsense"),
        ("m.sql", "position +", "m.sql:1", "syntax error"),
        ("m.sql", "position; drop table x", "m.sql:1", "one expression"),
        ("m.sql", "position - 2", "m.sql:1", "touch 1 of 1 gets the weight -1.0"),
        ("m.sql", "case when is_direct then 0 else 1 end", "m.sql:1", "all weights of a journey of 1 touches are 0"),
        ("m.sql", "nullif(position, 3)", "m.sql:1", "touch 3 of 3 gets the weight None"),
        ("m.sql", "(select count(*) from read_csv('/etc/passwd'))", "m.sql:1", "disabled"),
        ("Linear.sql", "1", "Linear.sql", "no name of a model"),
        ("linear.sql", "1", "linear.sql", "linear is a built-in model"),
        ("m.csv", "name,weight\nEmail,1\n", "m.csv:1", "the header is not `channel,weight`"),
        ("m.csv", "channel,weight\nEmail,1\nDirect,-1\n", "m.csv:3", "a weight from 0 to 1,000,000"),
    ],
)
def test_a_wrong_model_is_named_with_its_line(home, name, text, place, problem):
    (home / "models" / name).write_text(text)
    with pytest.raises(ModelError) as error:
        load_settings(Home(home))
    assert str(error.value).startswith(str(home / "models" / place))
    assert problem in str(error.value)


def test_settings_name_models_that_run(home):
    for text, problem in [
        (SETTINGS % ", attribution_model: recent", "orgs[0].attribution_model: 'recent' is unknown"),
        (SETTINGS % "" + "attribution_models: [lineer, linear]\n", "there is no model lineer. Do you mean linear?"),
        (SETTINGS % "" + "attribution_models: [shapley]\n", "Add it to attribution_models."),
    ]:
        (home / "tributary.yaml").write_text(text)
        with pytest.raises(SettingsError) as error:
            load_settings(Home(home))
        assert problem in str(error.value)


def test_models_of_the_home_run_beside_the_chosen_ones(filled, tmp_path):
    home = copy_home(filled, tmp_path / "home")
    (home / "models").mkdir()
    (home / "models" / "late.sql").write_text("case when position = touchpoint_count then 3.0 else 1.0 end\n")
    (home / "models" / "no_search.sql").write_text("case when channel = 'Paid Search' then 0.5 else 1.0 end\n")
    (home / "models" / "email_only.csv").write_text("channel,weight\nEmail,1\n")
    with (home / "tributary.yaml").open("a") as settings:
        settings.write("\nattribution_models: [last_touch, linear, data_driven, late, no_search, email_only]\n")
    done = tributary(home, "run")
    assert "email" in done.stdout  # a column of the summary
    with published(home) as connection:
        models = connection.execute("select distinct attribution_model from channel_summary").fetchall()
        assert {name for (name,) in models} == {
            "data_driven",
            "email_only",
            "last_touch",
            "late",
            "linear",
            "no_search",
        }
        broken = connection.execute("from promises where not is_kept").fetchall()
        assert broken == []
        wrong = connection.execute("""
            select * from attribution_links
            where attribution_model = 'late'
                and abs(weight * (touchpoint_count + 2) - if(position = touchpoint_count, 3, 1)) > 1e-9
        """).fetchall()
        assert wrong == []
    (home / "models" / "late.sql").write_text("case when position = touchpoint_count then 3.0\n")
    assert "late.sql:1" in tributary(home, "run", code=2).stderr

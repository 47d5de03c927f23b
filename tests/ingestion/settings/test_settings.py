"""tributary.yaml: the example, each message, its raw tables, and added entries beside the user's own text."""

import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ingestion.home import Home
from ingestion.settings.load import add_to_settings, load_settings
from ingestion.settings.model import Settings, SettingsError
from ingestion.settings.raw_tables import store_settings
from ingestion.settings.values import WINDOWS
from ingestion.warehouse import connect

PROJECT = Path(__file__).parents[3] / "dbt_project" / "dbt_project.yml"
ORG = "orgs:\n  - {id: default, currency: USD}\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    return Home.from_environment()


def test_the_first_run_writes_the_example_and_the_second_keeps_it(home):
    settings = load_settings(home)
    first = home.settings.read_text()
    (org,), (site,) = settings.orgs, settings.sites
    assert (org.id, org.currency, org.timezone, org.lookback_days) == ("default", "USD", "UTC", 30)
    assert (org.targets.cpa, org.targets.roas) == (50, 2)
    assert (site.id, site.org, site.domains) == ("shop", "default", ["example.com"])
    assert site.public_key.startswith("pk_")
    load_settings(home)
    assert home.settings.read_text() == first


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("orgs:\n  - {id: a, currency: USD\n", 3, "not YAML"),
        ("orgs: [\n", 2, "not YAML"),
        ("orgs:\n  - {id: a, currency: USD}\norgs: []\n", 3, "not YAML"),
        ("", 1, "the file has no `orgs:`"),
        (f"{ORG}history: 30\n", 3, "history: not a mapping. Write one such as {keep_days: 30}"),
        (f"{ORG}history: {{keep_days: 0}}\n", 3, "history.keep_days: 0 is not a count. Write a whole number above 0"),
        (f"{ORG}history: {{keep_day: 1}}\n", 3, "history.keep_day: unknown name. Do you mean keep_days?"),
        ("orgs: []\n", 1, "orgs: the list is empty. Add `orgs: [{id: default"),
        ("orgs: {id: a}\n", 1, "orgs: the section is not a list. Begin each entry with `- `"),
        ("orgs:\n  - default\n", 2, "orgs[0]: 'default' is not an entry. Write it as `{id: ...}`"),
        ("orgs:\n  - {id: a}\n", 2, "orgs[0]: currency is missing. Add `currency: ...`"),
        (
            "orgs:\n  - id: a\n    currency: USd\n",
            3,
            "orgs[0].currency: 'USd' is not an ISO 4217 currency. Do you mean USD?",
        ),
        ("orgs:\n  - {id: a, currency: XXQ}\n", 2, "is not an ISO 4217 currency"),
        ("orgs:\n  - {id: a, currency: USD, timezone: Europe/Berln}\n", 2, "'Europe/Berln' is not an IANA time zone"),
        (
            "orgs:\n  - {id: a, currency: USD, lookback_days: 0}\n",
            2,
            "is not a number of days. Write a whole number from 1 to 365",
        ),
        (
            "orgs:\n  - {id: a, currency: USD, lookback_days: 366}\n",
            2,
            "is not a number of days. Write a whole number from 1 to 365",
        ),
        (
            "orgs:\n  - {id: a, currency: USD, lookback_days: true}\n",
            2,
            "is not a number of days. Write a whole number from 1 to 365",
        ),
        (
            "orgs:\n  - {id: a, currency: USD, rollup_windows: [7, 8]}\n",
            2,
            "[7, 8] is not a list of windows. Write one such as [7, 28], of these: 1, 3, 7, 14, 28, 30, 90, 365.",
        ),
        (
            "orgs:\n  - {id: a, currency: USD, rollup_windows: 7}\n",
            2,
            "7 is not a list of windows",
        ),
        (
            "orgs:\n  - {id: a, currency: USD, lookback_days_by_touch_type: {view: 0}}\n",
            2,
            "view: 0 is not a number of days",
        ),
        (
            "orgs:\n  - {id: a, currency: USD, curency: USD}\n",
            2,
            "orgs[0].curency: unknown name. Do you mean currency?",
        ),
        (
            "orgs:\n  - {id: a, currency: USD, attribution_model: Linear}\n",
            2,
            "orgs[0].attribution_model: 'Linear' is unknown. Write one of first_touch, last_touch",
        ),
        ("orgs:\n  - {id: a, currency: USD, targets: {cpo: 1}}\n", 2, "cpo: unknown name. Do you mean cpa?"),
        (
            "orgs:\n  - {id: a, currency: USD, targets: {cpa: -1}}\n",
            2,
            "cpa: -1 is not an amount. Write a number above 0",
        ),
        ("orgs:\n  - {id: a, currency: USD, targets: {cpa: .nan}}\n", 2, "is not an amount. Write a number above 0"),
        (ORG + "  - {id: default, currency: EUR}\n", 3, "orgs[1]: same id as orgs[0]"),
        (
            ORG + "sites:\n  - {id: s, org: defalt}\n",
            4,
            "sites[0].org: there is no org defalt. Do you mean default?",
        ),
        (ORG + "sites:\n  - {id: s, org: default}\n  - {id: s, org: default}\n", 5, "sites[1]: same id as sites[0]"),
        (ORG + "sites:\n  - {id: s, org: default, domains: ['https://x.com/']}\n", 4, "without https://"),
        (ORG + "sites:\n", 3, "sites: the section is empty. Remove the line"),
        (
            ORG + "ad_accounts:\n  - {platform: meta, account_id: 1234, org: default}\n",
            4,
            '1234 is not text. Write it in quotes: "1234"',
        ),
        (
            ORG + "ad_accounts:\n  - {platform: meta, account_id: '1', org: default}\n"
            "  - {platform: Facebook, account_id: '1', org: default}\n",
            5,
            "ad_accounts[1]: same platform and account_id as ad_accounts[0]. Remove one of them",
        ),
        (
            ORG + "ad_accounts:\n  - {platform: google, account_id: 123-456-7890, org: default}\n"
            "  - {platform: google, account_id: '1234567890', org: default}\n",
            5,
            "ad_accounts[1]: same platform and account_id as ad_accounts[0]. Remove one of them",
        ),
        (
            ORG + "targets:\n  - {org: default, platform: meta, cpa: x}\n",
            4,
            "targets[0].cpa: 'x' is not an amount. Write a number above 0",
        ),
        (ORG + "site: []\n", 3, "site: unknown name. Do you mean sites?"),
        ("orgs:\n  - {id: ../../../pwn, currency: USD}\n", 2, "orgs[0].id: '../../../pwn' is not an id. Write 1 to 64"),
        ("orgs:\n  - {id: a/b, currency: USD}\n", 2, "orgs[0].id: 'a/b' is not an id"),
        (f"orgs:\n  - {{id: {'a' * 260}, currency: USD}}\n", 2, "a... is not an id"),
        ("orgs:\n  - {id: .hidden, currency: USD}\n", 2, "'.hidden' is not an id"),
        ('orgs:\n  - {id: "a\\n", currency: USD}\n', 2, "is not an id"),
        (ORG + "sites:\n  - {id: my.shop, org: default}\n", 4, "sites[0].id: 'my.shop' is not an id"),
        (ORG + "  - {id: DEFAULT, currency: EUR}\n", 3, "orgs[1]: same id as orgs[0] without regard to case"),
        (
            ORG + "  - {id: b, currency: EUR}\nsites:\n  - {id: my-shop, org: default}\n  - {id: my_shop, org: b}\n",
            6,
            "sites[1].id: sites[0] of another org has the same variable of the server key, TRIBUTARY_SERVER_KEY_MY",
        ),
        (
            ORG + "sites:\n  - {id: a, org: default, public_key: pk}\n  - {id: b, org: default, public_key: pk}\n",
            5,
            "sites[1].public_key: same as sites[0]. Each site needs its own key",
        ),
        (
            ORG + "people:\n  - {email: ana, orgs: [default], role: viewer}\n",
            4,
            "people[0].email: 'ana' is not an e-mail",
        ),
        (
            ORG + "people:\n  - {email: a@b.example, orgs: [default, defalt], role: viewer}\n",
            4,
            "people[0].orgs: there is no org defalt. Do you mean default?",
        ),
        (
            ORG + "people:\n  - {email: a@b.example, orgs: default, role: viewer}\n",
            4,
            "people[0].orgs: 'default' is not a list of orgs. Write one such as [northwind], or \"*\" for all orgs",
        ),
        (
            ORG + "people:\n  - {email: a@b.example, orgs: '*', role: owner}\n",
            4,
            "people[0].role: 'owner' is unknown. Write one of viewer, analyst, admin",
        ),
        (ORG + "people:\n  - {email: a@b.example, orgs: '*'}\n", 4, "people[0]: role is missing"),
        (
            ORG + "people:\n  - {email: a@b.example, orgs: '*', role: admin}\n"
            "  - {email: A@b.example, orgs: [default], role: viewer}\n",
            5,
            "people[1]: same email as people[0]. Remove one of them",
        ),
        (ORG + "log_in: {issuer: https://a.example, client_id: x}\n", 3, "log_in: client_secret is missing"),
        (
            ORG + "log_in:\n  issuer: http://a.example\n  client_id: x\n  client_secret: SECRET\n",
            4,
            "log_in.issuer: 'http://a.example' is not the address of a provider",
        ),
        (
            ORG + "log_in:\n  issuer: https://a.example\n  client_id: x\n  client_secret: s3cret\n",
            6,
            "log_in.client_secret: this is not a variable's name",
        ),
        (ORG + "budgets:\n  - {org: default, platform: meta}\n", 4, "budgets[0]: monthly is missing"),
        (
            ORG + "budgets:\n  - {org: default, platform: meta, monthly: 1}\n"
            "  - {org: default, platform: Facebook, monthly: 2}\n",
            5,
            "budgets[1]: same org and platform and campaign_id as budgets[0]. Remove one of them",
        ),
    ],
)
def test_each_message_names_the_line_and_the_remedy(home, text, line, message):
    home.settings.write_text(text)
    with pytest.raises(SettingsError) as error:
        load_settings(home)
    assert f"{home.settings}:{line}: " in str(error.value)
    assert message in str(error.value)


def test_ids_of_64_characters_and_two_spellings_of_one_org_are_valid(home):
    long = "A" + "b-_9" * 15 + "123"
    home.settings.write_text(
        f"orgs:\n  - {{id: {long}, currency: USD}}\n"
        f"sites:\n  - {{id: my-shop, org: {long}}}\n  - {{id: my_shop, org: {long}}}\n"
    )
    assert len(long) == 64
    assert load_settings(home).orgs[0].id == long


def test_people_log_in_and_budgets_are_read(home):
    home.settings.write_text(
        ORG + "people:\n  - {email: a@b.example, orgs: '*', role: admin}\n"
        "  - {email: c@d.example, orgs: [default], role: viewer}\n"
        "log_in: {issuer: https://a.example/realms/b, client_id: x, client_secret: SECRET}\n"
        "budgets: [{org: default, platform: Facebook, monthly: 5000}]\n"
    )
    settings = load_settings(home)
    assert [(person.email, person.orgs) for person in settings.people] == [
        ("a@b.example", "*"),
        ("c@d.example", ["default"]),
    ]
    assert settings.log_in.issuer == "https://a.example/realms/b"
    assert [(budget.platform, budget.monthly, budget.campaign_id) for budget in settings.budgets] == [
        ("meta", 5000, None)
    ]


def test_one_error_lists_all_problems(home):
    home.settings.write_text("orgs:\n  - {id: a, currency: QQQ, timezone: Nowhere}\nsites:\n  - {id: s, org: b}\n")
    with pytest.raises(SettingsError) as error:
        load_settings(home)
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [x, x]\nb: &b [*a, *a]\norgs: [*b, *b]\n", ":2: not YAML: an alias (*name) stands for other values"),
        ("orgs:\n  - &o {id: a, currency: USD}\n  - <<: *o\n", ":3: not YAML: an alias"),
        ("orgs: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("# " + "x" * 2_000_000, "The file has at most 2,000,000"),
    ],
    ids=range(4),
)
def test_a_file_that_expands_or_nests_is_refused(home, text, message):
    home.settings.write_text(text)
    began = time.process_time()
    with pytest.raises(SettingsError) as error:
        load_settings(home)
    assert message in str(error.value)
    assert time.process_time() - began < 10


def test_storing_settings_replaces_all_rows(home):
    home.settings.write_text(
        ORG + "sites: [{id: s, org: default, domains: [Shop.example]}]\n"
        "ad_accounts: [{platform: Meta, account_id: '1', org: default}]\n"
        "targets: [{org: default, platform: meta, campaign_id: '7', cpa: 0.1}]\n"
    )
    connection = connect(home)
    store_settings(connection, load_settings(home))
    assert connection.execute("from raw.sites").fetchall() == [
        ("s", "default", None, ["shop.example"], True, False, False)
    ]
    assert connection.execute("select platform, account_id, org_id, timezone from raw.ad_accounts").fetchall() == [
        ("meta", "1", "default", "UTC")
    ]
    assert connection.execute("from raw.targets").fetchall() == [("default", "meta", "7", 100_000, None)]
    home.settings.write_text(
        "orgs:\n  - {id: b, currency: EUR, attribution_model: time_decay, targets: {cpa: 12.345678},"
        " lookback_days_by_touch_type: {view: 1}, ignored_referrers: [Bank.example]}\n"
    )
    store_settings(connection, load_settings(home))
    assert connection.execute("from raw.orgs").fetchall() == [
        ("b", "EUR", "UTC", 30, 12_345_678, None, ["bank.example"], "time_decay", 7, 40, 40, "include", "unique", [])
    ]
    assert connection.execute("from raw.touch_type_windows").fetchall() == [("b", "view", 1, 100)]
    assert connection.execute("select count(*) from raw.sites").fetchone() == (0,)


def test_a_failed_store_keeps_the_earlier_settings(home):
    connection = connect(home)
    settings = load_settings(home)
    store_settings(connection, settings)
    broken = Settings(orgs=[*settings.orgs, None])
    with pytest.raises(AttributeError):
        store_settings(connection, broken)
    assert connection.execute("select count(*) from raw.orgs").fetchone() == (1,)


def test_adding_entries_keeps_comments_and_adds_them_once(home):
    home.settings.write_text("# mine\norgs:\n  # the shop\n  - {id: default, currency: USD}  # dollars\n")
    entry = {"id": "nord", "currency": "EUR", "timezone": "Europe/Berlin", "targets": {"cpa": 20}}
    account = {"platform": "meta", "account_id": "007", "org": "nord"}
    for _ in range(2):
        add_to_settings(home, [entry, {"id": "default", "currency": "GBP"}], [{"id": "s", "org": "nord"}], [account])
    text = home.settings.read_text()
    assert all(comment in text for comment in ("# mine", "# the shop", "# dollars"))
    settings = load_settings(home)
    assert [(org.id, org.currency) for org in settings.orgs] == [("default", "USD"), ("nord", "EUR")]
    assert [(a.platform, a.account_id) for a in settings.ad_accounts] == [("meta", "007")]
    assert len(settings.sites) == 1
    assert [path.name for path in home.root.iterdir() if path.name.startswith(".tributary")] == []


def test_windows_are_those_of_the_dbt_project():
    project = YAML(typ="safe").load(PROJECT.read_text())
    assert list(WINDOWS) == project["vars"]["attribution_windows"]

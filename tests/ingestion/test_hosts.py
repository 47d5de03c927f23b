"""One host has one spelling, in tributary.yaml, in files and at the collector."""

import pytest

from ingestion.affiliate_pages import matcher
from ingestion.collector.sites import read_sites
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.hosts import ascii_address
from ingestion.settings.load import load_settings
from ingestion.warehouse import connect

SETTINGS = """
orgs: [{id: default, currency: EUR, ignored_referrers: [Zahlung.Bäcker.example]}]
sites: [{id: shop, org: default, public_key: pk_12345678, domains: ["Müller.example:8080", straße.example],
  origins: ["https://büro.example"]}]
"""


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://Müller.example/ä?q=ö#ü", "https://xn--mller-kva.example/ä?q=ö#ü"),
        ("//a:b@www.straße.example:80/x", "//a:b@www.xn--strae-oqa.example:80/x"),
        ("müller.example/pfad", "xn--mller-kva.example/pfad"),
        ("android-app://com.example/ü", "android-app://com.example/ü"),
        ("/über/uns.html", "/über/uns.html"),
        ("https://-ü-.example/", "https://-ü-.example/"),  # no domain
        ("", ""),
    ],
)
def test_only_the_host_becomes_ascii(address, expected):
    assert ascii_address(address) == expected
    assert ascii_address(expected) == expected


def test_files_settings_and_collector_agree(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    home = Home.from_environment()
    home.settings.write_text(SETTINGS)
    settings = load_settings(home)
    assert settings.orgs[0].ignored_referrers == ["zahlung.xn--bcker-gra.example"]
    assert settings.sites[0].domains == ["xn--mller-kva.example:8080", "xn--strae-oqa.example"]
    site = read_sites(home).by_id["shop"]
    assert site.allows("https://www.xn--strae-oqa.example")
    assert site.allows("https://xn--bro-hoa.example")
    assert not site.allows("https://xn--mller-kva.example.evil.example")
    file = tmp_path / "visits.csv"
    row = "{},shop,PAGE_VIEW,2026-07-01T00:00:00Z,v,https://straße.example/,https://xn--strae-oqa.example/a\n"
    file.write_text("event_id,site_id,type,occurred_at,anon_id,url,referrer\n" + row.format("e1"))
    with connect(home) as raw:
        assert load_file(raw, "events", file, settings).loaded == 1
        assert load_file(raw, "events", file, settings).duplicate == 1
        ((url, referrer),) = raw.execute("select url, referrer from raw.events").fetchall()
    assert (url, referrer) == ("https://xn--strae-oqa.example/", "https://xn--strae-oqa.example/a")
    match = matcher(["*.müller.example/blog/*"])
    assert match("https://www.xn--mller-kva.example/blog/1") == match("https://www.müller.example/blog/1") is not None

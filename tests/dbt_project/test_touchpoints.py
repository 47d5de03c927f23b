"""Build touchpoints from raw rows and check links, sessions, campaigns and identity.

One small warehouse is built once. Each org in it is a world of its own (links, sessions, campaigns, people, random).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from csv import DictReader
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus, unquote_plus

import duckdb
import pytest

from ingestion.home import Home
from ingestion.placeholders import real_id
from ingestion.user_agents import enrich
from ingestion.warehouse import connect
from tests.support.home import ROOT
from tests.support.models import Project
from tests.support.raw_rows import insert

Connection = duckdb.DuckDBPyConnection
NOON = datetime(2026, 7, 1, 12)
SHOP = "https://www.shop.example/"
DIRECT = "(direct) | (none) | - | Direct | (organic)"

# A link ("?..." and "#..." belong to the shop's front page), its referrer, and the expected
# source | medium | campaign | channel | platform.
LINKS = [
    # no campaign: the referrer decides
    ("", None, "(direct) | (none) | - | Direct | (organic)"),
    ("", "", "(direct) | (none) | - | Direct | (organic)"),
    ("/pricing", None, "(direct) | (none) | - | Direct | (organic)"),
    (None, None, "(direct) | (none) | - | Direct | (organic)"),
    ("", "https://shop.example/cart", "(direct) | (none) | - | Direct | (organic)"),
    ("", "https://pay.shop.example/done", "(direct) | (none) | - | Direct | (organic)"),
    ("", "https://notshop.example/", "notshop.example | referral | - | Referral | (organic)"),
    ("", "https://blog.other-own.example", "(direct) | (none) | - | Direct | (organic)"),
    ("https://landing.test/a", "https://www.landing.test/b", "(direct) | (none) | - | Direct | (organic)"),
    ("", "about:blank", "(direct) | (none) | - | Direct | (organic)"),
    ("", "https://www.google.com/", "google | organic | - | Organic Search | (organic)"),
    ("", "https://www.google.co.uk/search?q=x", "google | organic | - | Organic Search | (organic)"),
    ("", "HTTPS://WWW.GOOGLE.DE:443/", "google | organic | - | Organic Search | (organic)"),
    ("", "https://google.evil.example/", "google.evil.example | referral | - | Referral | (organic)"),
    ("", "android-app://com.google.android.googlequicksearchbox/", "google | organic | - | Organic Search | (organic)"),
    ("", "https://mail.google.com/", "mail.google.com | referral | - | Email | (organic)"),
    ("", "https://news.google.com/", "news.google.com | referral | - | Referral | (organic)"),
    ("", "https://de.search.yahoo.com/", "yahoo | organic | - | Organic Search | (organic)"),
    ("", "https://duckduckgo.com/", "duckduckgo | organic | - | Organic Search | (organic)"),
    ("", "https://shopping.google.com/", "shopping.google.com | referral | - | Organic Shopping | (organic)"),
    ("", "https://m.facebook.com/", "m.facebook.com | referral | - | Organic Social | (organic)"),
    ("", "https://t.co/abc", "t.co | referral | - | Organic Social | (organic)"),
    ("", "https://www.youtube.com/watch?v=1", "youtube.com | referral | - | Organic Video | (organic)"),
    ("", "https://www.amazon.co.uk/", "amazon.co.uk | referral | - | Organic Shopping | (organic)"),
    ("", "https://user:pw@forum.test:8080/x", "forum.test | referral | - | Referral | (organic)"),
    ("", "www.forum.test/thread", "forum.test | referral | - | Referral | (organic)"),
    ("", "https://[broken", "[broken | referral | - | Referral | (organic)"),
    # UTM parameters, clean and dirty
    ("?utm_source=google&utm_medium=cpc&utm_campaign=Summer", None, "google | cpc | Summer | Paid Search | google"),
    (
        "?UTM_Source=Google&Utm_MEDIUM=CPC&utm_CAMPAIGN=Summer",
        "https://t.co/",
        "google | cpc | Summer | Paid Search | google",
    ),
    (
        "?utm_source=facebook&amp;utm_medium=paid_social&amp;utm_campaign=a",
        None,
        "facebook | paid_social | a | Paid Social | meta",
    ),
    ("?utm_source=fb&utm_medium=cpm", None, "fb | cpm | - | Paid Social | meta"),
    ("?utm_source=ig&utm_medium=social", None, "ig | social | - | Organic Social | (organic)"),
    ("?utm_source=&utm_source=bing&utm_source=google&utm_medium=ppc", None, "bing | ppc | - | Paid Search | microsoft"),
    (
        "?utm_source=news&utm_medium=email&utm_campaign=Caf%C3%A9+%26%20Bar",
        None,
        "news | email | Café & Bar | Email | (organic)",
    ),
    (
        "?utm_source=news&utm_medium=email&utm_campaign=caf%E9%20bar",
        None,
        "news | email | caf%E9%20bar | Email | (organic)",
    ),
    ("?utm_source=news&utm_medium=email&utm_campaign=100%", None, "news | email | 100% | Email | (organic)"),
    ("?utm_source=news&utm_medium=email&utm_campaign=a=b", None, "news | email | a=b | Email | (organic)"),
    ("?utm%5Fsource=news&utm_medium=%20E-Mail%20", None, "news | e-mail | - | Email | (organic)"),
    ("?&&=x&utm_source&utm_medium=sms&utm_source=blast", None, "blast | sms | - | SMS | (organic)"),
    (
        "?utm_source=news&utm_medium=email#utm_source=google&utm_medium=cpc",
        None,
        "news | email | - | Email | (organic)",
    ),
    ("#utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?page=2#/offer?utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("#top?gclid=1", None, "google | cpc | - | Paid Search | google"),
    ("?a=1#section", None, "(direct) | (none) | - | Direct | (organic)"),
    ("http://?utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("/p?utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=goo\ngle&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=(direct)&utm_medium=(none)", "https://t.co/", "(direct) | (none) | - | Direct | (organic)"),
    ("?utm_source=(direct)", None, "(direct) | (not set) | - | Direct | (organic)"),
    ("?utm_source=partner", None, "partner | (not set) | - | Unassigned | (unmatched)"),
    ("?utm_medium=cpc", None, "(not set) | cpc | - | Paid Other | (unmatched)"),
    ("?utm_campaign=solo", None, "(not set) | (not set) | solo | Unassigned | (unmatched)"),
    ("?utm_campaign=solo", "https://www.bing.com/", "bing | organic | solo | Organic Search | (organic)"),
    # click ids
    ("?gclid=Abc", "https://www.google.com/", "google | cpc | - | Paid Search | google"),
    ("?GCLID=Abc&utm_source=google", None, "google | cpc | - | Paid Search | google"),
    ("?gclid=", "https://www.google.com/", "google | organic | - | Organic Search | (organic)"),
    ("?gbraid=1", None, "google | cpc | - | Paid Search | google"),
    ("?wbraid=1", None, "google | cpc | - | Paid Search | google"),
    ("?msclkid=1", None, "bing | cpc | - | Paid Search | microsoft"),
    ("?ttclid=1", None, "tiktok | paid_social | - | Paid Social | tiktok"),
    ("?ScCid=1", None, "snapchat | paid_social | - | Paid Social | snapchat"),
    ("?li_fat_id=1", None, "linkedin | paid_social | - | Paid Social | linkedin"),
    ("?rdt_cid=1", None, "reddit | paid_social | - | Paid Social | reddit"),
    ("?twclid=1", None, "twitter | paid_social | - | Paid Social | x"),
    ("?epik=1", None, "pinterest | paid_social | - | Paid Social | pinterest"),
    ("?fbclid=1", "https://l.facebook.com/", "facebook | referral | - | Organic Social | (organic)"),
    ("?fbclid=1&utm_medium=cpc", None, "facebook | cpc | - | Paid Social | meta"),
    ("?fbclid=1&gclid=2", None, "google | cpc | - | Paid Search | google"),
    ("?fbclid=1&utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?gclid=1&utm_source=news&utm_medium=email", None, "news | email | - | Email | (organic)"),
    ("#gclid=1", "https://www.google.com/", "google | cpc | - | Paid Search | google"),
    ("#/x&gclid=1", None, "google | cpc | - | Paid Search | google"),
    ("#!/x?gclid=1", None, "google | cpc | - | Paid Search | google"),
    ("?fbclid=1#utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?gad_source=1", None, "google | cpc | - | Paid Search | google"),
    ("?gad_source=1&gad_campaignid=7", "https://www.google.com/", "google | cpc | - | Paid Search | google"),
    ("?gad_campaignid=7", None, "google | cpc | - | Paid Search | google"),
    ("?dclid=1", "https://ad.doubleclick.net/", "doubleclick | display | - | Display | google"),
    ("?yclid=1", "https://yandex.ru/", "yandex | cpc | - | Paid Search | yandex"),
    ("?ysclid=1", None, "yandex | organic | - | Organic Search | (organic)"),
    ("?qclid=1", "https://www.quora.com/", "quora | paid_social | - | Paid Social | quora"),
    ("?ndclid=1", None, "nextdoor | paid_social | - | Paid Social | nextdoor"),
    ("?tblci=1", "https://www.msn.com/", "taboola | cpc | - | Paid Other | taboola"),
    ("?dicbo=1", None, "outbrain | cpc | - | Paid Other | outbrain"),
    ("?obclid=1", None, "outbrain | cpc | - | Paid Other | outbrain"),
    ("?irclickid=1", None, "impact | affiliate | - | Affiliates | impact"),
    ("?awc=1_2_3", None, "awin | affiliate | - | Affiliates | awin"),
    ("?cjevent=1", None, "cj | affiliate | - | Affiliates | cj"),
    ("?sscid=1", None, "shareasale | affiliate | - | Affiliates | shareasale"),
    ("?fbclid=1&irclickid=2", None, "impact | affiliate | - | Affiliates | impact"),
    ("?mc_cid=1&mc_eid=2", None, "mailchimp | email | - | Email | (organic)"),
    ("?_kx=1", None, "klaviyo | email | - | Email | (organic)"),
    ("?_hsenc=1&_hsmi=2", None, "hubspot | email | - | Email | (organic)"),
    ("?mkt_tok=1", "https://mail.google.com/", "marketo | email | - | Email | (organic)"),
    ("?utm_source=spring-news&mc_cid=1", None, "spring-news | email | - | Email | (organic)"),
    ("?utm_source=spring-news&mc_cid=1&gclid=2", None, "spring-news | cpc | - | Paid Other | google"),
    # broken links
    (
        "?utm_source=google%26utm_medium=cpc%26utm_campaign=harvest",
        None,
        "google | cpc | harvest | Paid Search | google",
    ),
    ("?utm_source=google%26utm_medium%3Dcpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source%3Dgoogle%26utm_medium%3Dcpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=news&#038;utm_medium=email&#038;utm_campaign=a", None, "news | email | a | Email | (organic)"),
    ("?utm_source=news&#x26;utm_medium=email", None, "news | email | - | Email | (organic)"),
    ("?utm_source=news&amp;amp;utm_medium=email", None, "news | email | - | Email | (organic)"),
    ("?utm_source=news&AMP;utm_medium=email", None, "news | email | - | Email | (organic)"),
    ("?utm_source=news&amp;#038;utm_medium=email", None, "news | email | - | Email | (organic)"),
    ("?utm_source=news\\u0026utm_medium=email", None, "news | email | - | Email | (organic)"),
    (
        "?utm_source=news&utm_medium=email&utm_campaign=Spring%2520Sale%252520C%2B%2B",
        None,
        "news | email | Spring Sale C++ | Email | (organic)",
    ),
    ("?utm_source=google%2526utm_medium%253Dcpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=news&utm_medium=email&utm_campaign=20%25%20off", None, "news | email | 20% off | Email | (organic)"),
    ("?utm_source=news;utm_medium=email", None, "news | email | - | Email | (organic)"),
    ("?lang=de?utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("??utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?&?utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("https://www.shop.example/sale&utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("#/offer/utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("%3Futm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?lang=de%3Futm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=google,utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=google|utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=google%20utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=googleutm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=%22google%22&utm_medium=%22cpc%22", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=“google”&utm_medium=%E2%80%9Ccpc%E2%80%9D", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=google&utm_medium=cpc?fbclid=1", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=google&utm_medium=cpc%3Ffbclid=1", None, "google | cpc | - | Paid Search | google"),
    ("?gclid=1?utm_source=google&utm_medium=cpc", None, "google | cpc | - | Paid Search | google"),
    ("?utm_source=google&utm_medium=cpc#?gclid=1", None, "google | cpc | - | Paid Search | google"),
    ("?next=https%3A%2F%2Fa.example%2F%3Futm_source%3Dx%26utm_medium%3Dy", None, DIRECT),
    (
        "?utm_source=https%3A%2F%2Fwww.facebook.com%2F&utm_medium=cpc",
        None,
        "https://www.facebook.com/ | cpc | - | Paid Social | meta",
    ),
    ("?utm_source=m.facebook.com/ads&utm_medium=cpc", None, "m.facebook.com/ads | cpc | - | Paid Social | meta"),
    ("http://[2001:db8::1]:8080/?utm_source=news&utm_medium=email", None, "news | email | - | Email | (organic)"),
    ("", "http://[2001:db8::1]:8080/x", "[2001:db8::1] | referral | - | Referral | (organic)"),
    ("http://[2001:db8::1]:8080/a", "http://[2001:db8::1]/x", DIRECT),
    # spellings of sources
    ("?utm_source=facebook-ads&utm_medium=cpc", None, "facebook-ads | cpc | - | Paid Social | meta"),
    ("?utm_source=FacebookAds&utm_medium=cpc", None, "facebookads | cpc | - | Paid Social | meta"),
    ("?utm_source=Facebook_Ad&utm_medium=cpc", None, "facebook_ad | cpc | - | Paid Social | meta"),
    ("?utm_source=Meta+Ads", None, "meta ads | (not set) | - | Paid Social | meta"),
    ("?utm_source=an&utm_medium=paid", None, "an | paid | - | Paid Social | meta"),
    ("?utm_source=msg&utm_medium=paid", None, "msg | paid | - | Paid Social | meta"),
    ("?utm_source=th&utm_medium=paid", None, "th | paid | - | Paid Social | meta"),
    ("?utm_source=tiktok_ads", None, "tiktok_ads | (not set) | - | Paid Social | tiktok"),
    ("?utm_source=Bing%20Ads", None, "bing ads | (not set) | - | Paid Search | microsoft"),
    ("?utm_source=google_ads", None, "google_ads | (not set) | - | Paid Search | google"),
    ("?utm_source=google+adwords&utm_medium=cpc", None, "google adwords | cpc | - | Paid Search | google"),
    ("?utm_source=adwords", None, "adwords | (not set) | - | Paid Search | google"),
    ("?utm_source=youtube-ads&utm_medium=cpc", None, "youtube-ads | cpc | - | Paid Video | google"),
    ("?utm_source=fb_paid", None, "fb_paid | (not set) | - | Paid Social | meta"),
    ("?utm_source=linkedin.com&utm_medium=cpc", None, "linkedin.com | cpc | - | Paid Social | linkedin"),
    ("?utm_source=threads&utm_medium=social", None, "threads | social | - | Organic Social | (organic)"),
    ("?utm_source=downloads", None, "downloads | (not set) | - | Unassigned | (unmatched)"),
    ("?utm_source=taboola&utm_medium=native", None, "taboola | native | - | Display | taboola"),
    ("?utm_source=mgid&utm_medium=native", None, "mgid | native | - | Display | (unmatched)"),
    ("?utm_source=appleads", None, "appleads | (not set) | - | Paid Search | apple"),
    ("?utm_source=apple_search_ads", None, "apple_search_ads | (not set) | - | Paid Search | apple"),
    ("?utm_source=taboola", None, "taboola | (not set) | - | Display | taboola"),
    ("?utm_source=Direct", "https://t.co/", "direct | (not set) | - | Direct | (organic)"),
    ("?utm_source=(none)&utm_medium=none", None, "(none) | none | - | Direct | (organic)"),
    ("?utm_source=facebook&utm_medium=email", None, "facebook | email | - | Email | (organic)"),
    ("?utm_source=klaviyo", None, "klaviyo | (not set) | - | Email | (organic)"),
    ("?utm_medium=cpc", "https://www.google.com/", "google | cpc | - | Paid Search | google"),
    ("?utm_medium=cpc", "https://l.facebook.com/", "l.facebook.com | cpc | - | Paid Social | meta"),
    ("?utm_content=x", "https://www.reddit.com/", "reddit.com | referral | - | Organic Social | (organic)"),
    # subdomains of known brands, unless a longer name differs
    ("", "https://search.aol.com/", "aol | organic | - | Organic Search | (organic)"),
    ("", "https://uk.ask.com/", "ask | organic | - | Organic Search | (organic)"),
    ("", "https://de.aliexpress.com/", "de.aliexpress.com | referral | - | Organic Shopping | (organic)"),
    ("", "https://m.ebay.de/", "m.ebay.de | referral | - | Organic Shopping | (organic)"),
    ("", "https://smile.amazon.de/", "smile.amazon.de | referral | - | Organic Shopping | (organic)"),
    ("", "https://item.rakuten.co.jp/", "item.rakuten.co.jp | referral | - | Organic Shopping | (organic)"),
    ("", "https://diary.blogspot.com/", "diary.blogspot.com | referral | - | Organic Social | (organic)"),
    ("", "https://m.yelp.com/", "m.yelp.com | referral | - | Organic Social | (organic)"),
    ("", "https://naver.com/", "naver | organic | - | Organic Search | (organic)"),
    ("", "https://mail.naver.com/", "mail.naver.com | referral | - | Email | (organic)"),
    ("", "https://blog.naver.com/", "blog.naver.com | referral | - | Organic Social | (organic)"),
    ("", "https://m.shopping.naver.com/", "m.shopping.naver.com | referral | - | Organic Shopping | (organic)"),
    ("", "https://suche.gmx.net/", "gmx suche | organic | - | Organic Search | (organic)"),
    ("", "https://navigator.gmx.net/", "navigator.gmx.net | referral | - | Email | (organic)"),
    ("", "https://docs.google.com/", "docs.google.com | referral | - | Referral | (organic)"),
    ("", "https://ads.google.com/", "ads.google.com | referral | - | Referral | (organic)"),
    ("", "https://finance.yahoo.com/", "finance.yahoo.com | referral | - | Referral | (organic)"),
    # mail hosts, apps and ad servers
    ("", "https://mail.yahoo.co.uk/", "mail.yahoo.co.uk | referral | - | Email | (organic)"),
    ("", "https://webmail2.provider.example/", "webmail2.provider.example | referral | - | Email | (organic)"),
    ("", "https://outlook.cloud.microsoft/", "outlook.cloud.microsoft | referral | - | Email | (organic)"),
    ("", "https://e.mail.ru/", "e.mail.ru | referral | - | Email | (organic)"),
    ("", "https://app.fastmail.com/", "app.fastmail.com | referral | - | Email | (organic)"),
    ("", "android-app://com.google.android.gm/", "com.google.android.gm | referral | - | Email | (organic)"),
    ("", "android-app://com.whatsapp/", "com.whatsapp | referral | - | Organic Social | (organic)"),
    ("", "android-app://com.facebook.orca/", "com.facebook.orca | referral | - | Organic Social | (organic)"),
    ("", "ios-app://288429040/host", "288429040 | referral | - | Organic Social | (organic)"),
    ("", "https://googleads.g.doubleclick.net/", "doubleclick | display | - | Display | google"),
    ("", "https://syndicatedsearch.goog/", "google ads | display | - | Display | google"),
    ("", "https://trc.taboola.com/", "taboola | display | - | Display | taboola"),
    # assistants
    ("", "https://chatgpt.com/", "chatgpt.com | ai-assistant | - | AI Assistant | (organic)"),
    ("?utm_source=chatgpt.com", "https://chatgpt.com/", "chatgpt.com | (not set) | - | AI Assistant | (organic)"),
    ("?utm_source=perplexity", None, "perplexity | (not set) | - | AI Assistant | (organic)"),
    ("", "https://gemini.google.com/", "gemini.google.com | ai-assistant | - | AI Assistant | (organic)"),
    ("", "https://copilot.microsoft.com/", "copilot.microsoft.com | ai-assistant | - | AI Assistant | (organic)"),
    ("", "android-app://com.openai.chatgpt/", "com.openai.chatgpt | ai-assistant | - | AI Assistant | (organic)"),
    ("?utm_source=assistant&utm_medium=ai-assistant", None, "assistant | ai-assistant | - | AI Assistant | (organic)"),
    ("?utm_source=copilot.com", None, "copilot.com | (not set) | - | AI Assistant | (organic)"),
    ("", "https://edgeservices.bing.com/", "edgeservices.bing.com | ai-assistant | - | AI Assistant | (organic)"),
    ("", "https://lumo.proton.me/", "lumo.proton.me | ai-assistant | - | AI Assistant | (organic)"),
    ("", "https://account.proton.me/", "account.proton.me | referral | - | Email | (organic)"),
    # ads of an assistant
    ("?oppref=gAAAAAB9x2", "https://chatgpt.com/", "chatgpt | cpc | - | Paid Other | openai"),
    ("?oppref=gAAAAAB9x2&utm_source=chatgpt.com", None, "chatgpt.com | cpc | - | Paid Other | openai"),
    ("?utm_source=chatgpt&utm_medium=cpc", None, "chatgpt | cpc | - | Paid Other | openai"),
    ("?utm_source=chatgpt-ads", None, "chatgpt-ads | (not set) | - | Paid Other | openai"),
    # payments and log-ins are no referrers
    ("", "https://www.paypal.com/checkoutnow", DIRECT),
    ("", "https://checkout.stripe.com/", DIRECT),
    ("", "https://secure5.arcot.com/acspage", DIRECT),
    ("", "https://acs2.somebank.test/3ds", DIRECT),
    ("", "https://login.partner.test/", DIRECT),
    ("", "https://accounts.google.com/", DIRECT),
    ("", "https://pay.bank.example/", DIRECT),
    ("", "https://apay-us.amazon.com/", DIRECT),
    ("", "https://account.venmo.com/", DIRECT),
    ("", "https://notbank.example/", "notbank.example | referral | - | Referral | (organic)"),
    ("?utm_source=klarna&utm_medium=cpc", "https://www.klarna.com/", "klarna | cpc | - | Paid Other | (unmatched)"),
    # partners
    ("?ref=ProductHunt", "https://t.co/", "producthunt | referral | - | Referral | (organic)"),
    ("?creator=Jane", "https://www.instagram.com/", "creator | affiliate | - | Affiliates | creator"),
    ("?utm_source=everflow&utm_medium=affiliate", None, "everflow | affiliate | - | Affiliates | everflow"),
    # the rest of GA4's channels
    (
        "?utm_source=x&utm_medium=cpc&utm_campaign=pmax-cross-network",
        None,
        "x | cpc | pmax-cross-network | Cross-network | x",
    ),
    ("?utm_source=ebay&utm_medium=cpc", None, "ebay | cpc | - | Paid Shopping | (unmatched)"),
    (
        "?utm_source=google&utm_medium=cpc&utm_campaign=shop-all",
        None,
        "google | cpc | shop-all | Paid Shopping | google",
    ),
    ("?utm_source=google&utm_medium=cpc&utm_campaign=workshop", None, "google | cpc | workshop | Paid Search | google"),
    ("?utm_source=youtube&utm_medium=cpv", None, "youtube | cpv | - | Paid Video | google"),
    ("?utm_source=youtube&utm_medium=paid_video", None, "youtube | paid_video | - | Paid Video | google"),
    ("?utm_source=taboola&utm_medium=display", None, "taboola | display | - | Display | taboola"),
    ("?utm_source=taboola&utm_medium=cpm", None, "taboola | cpm | - | Display | taboola"),
    ("?utm_source=podcast&utm_medium=audio", None, "podcast | audio | - | Audio | (unmatched)"),
    ("?utm_source=app&utm_medium=web_push", None, "app | web_push | - | Mobile Push | (organic)"),
    ("?utm_source=foo&utm_medium=bar", None, "foo | bar | - | Unassigned | (unmatched)"),
]


# The categories that GA4 documents for 819 sources, and those that the tests of Snowplow's referrer parser expect of
# 118 referrers (113 hosts).
CORPORA = ROOT / "tests" / "fixtures" / "sources"
# source -> our category, and the reason
EXCEPTIONS = {
    "mail.rambler.ru": ("EMAIL", "A webmail host leads from an e-mail, not from a search."),
    "mail.yandex.ru": ("EMAIL", "A webmail host leads from an e-mail, not from a search."),
    "email.seznam.cz": ("EMAIL", "A webmail host leads from an e-mail, not from a search."),
    "news.google.com": (None, "News and Discover recommend pages without a search."),
    "rakuten": ("SHOPPING", "Rakuten is a marketplace; websearch.rakuten.co.jp is its search engine."),
    "rakuten.co.jp": ("SHOPPING", "Rakuten is a marketplace; websearch.rakuten.co.jp is its search engine."),
    "niconico": ("VIDEO", "Niconico shows videos."),
    "nicovideo.jp": ("VIDEO", "Niconico shows videos."),
    "viadeo.journaldunet.com": ("SOCIAL", "Viadeo is a network of professionals."),
    "s3.amazonaws.com": (None, "S3 has the files of everybody."),
    "aax.amazon-adsystem.com": ("ADS", "Amazon's ad server leads to no product page."),
    "aax-us-east.amazon-adsystem.com": ("ADS", "Amazon's ad server leads to no product page."),
    "www.pricerunner.co.uk": ("SHOPPING", "PriceRunner compares prices, and GA4 has such sites under shopping."),
}


def corpus(name: str) -> dict[str, str]:
    """Return source -> category of a corpus. A row has the sources of one brand."""
    with (CORPORA / name).open(newline="") as file:
        return {source: row["category"] for row in DictReader(file) for source in row["sources"].split(" | ")}


GA4_SOURCES = corpus("ga4_sources.csv")
REFERRER_HOSTS = corpus("referrer_hosts.csv")

PARAMETERS = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "utm_id",
    "ref",
    "creator_code",
)
NAMES = [
    "utm_source",
    "UTM_Medium",
    "utm_campaign",
    "utm%5Fterm",
    "utm_content",
    "utm_id",
    "gclid",
    "FBCLID",
    "ref",
    "creator",
    "q",
    "",
    "utm_sourcex",
    "+utm_source",
]
PIECES = [
    "a",
    "B",
    "%20",
    "+",
    "%C3%A9",
    "%E9",
    "%",
    "%zz",
    "=",
    "ü",
    "%26",
    "%3D",
    "|",
    "'",
    "-",
    "%2B",
    "%25",
    "?",
    "/",
    ";",
    ":",
    "&amp;utm_term=t",
    "🙂",
    "\t",
    "{x}",
    "%00",
]


def random_link(rng: random.Random) -> str:
    """Return a link with the oddities that people and programs write."""

    def pair() -> str:
        value = "".join(rng.choices(PIECES, k=rng.randrange(4)))
        return rng.choice(NAMES) + rng.choice(["=", "=", "=", ""]) + value

    def query() -> str:
        return rng.choice(["&", "&", "&amp;"]).join(pair() for _ in range(rng.randrange(7)))

    link = rng.choice([SHOP, "http://shop.example", "//cdn.shop.example/a", "/p", "shop.example/x", "https://"])
    if rng.random() < 0.8:
        link += "?" + query()
    if rng.random() < 0.3:
        link += "#" + rng.choice(["", "?", "/route?", "utm_source=s&"]) + query()
    return link


END_OF_VALUE = r"[?&#;]+(?:amp;)*(?=[A-Za-z0-9_]+=)"
END_OF_UTM = rf"[?&#;,| ]*(?:amp;)*(?=(?i:utm_(?:source|medium|campaign|content|term|id))=)|{END_OF_VALUE}"


def parsed(link: str) -> dict[str, str]:
    """Return the campaign parameters of a link, as people mean it."""

    def decoded(text: str) -> str:
        try:
            return unquote_plus(text, errors="strict").strip(" ")
        except UnicodeDecodeError:
            return text.strip(" ")

    def parameters(query: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in query.split("&"):
            is_utm = re.match("[^a-z0-9%]*utm", part, re.IGNORECASE)
            # An encoded percent sign before two hexadecimal digits is an encoding of an encoding.
            pair = re.sub("(?i)%(?:25)+(?=[0-9a-f]{2})", "%", part) if is_utm else part
            for piece in re.split(END_OF_UTM if is_utm else END_OF_VALUE, decoded(pair) if is_utm else pair):
                name, _, value = piece.partition("=")
                if not is_utm:
                    name, value = decoded(name), decoded(value)
                name = re.split("[/?#;!]", name.lower().strip(" "))[-1]
                name = "creator_code" if name == "creator" else name
                value = re.sub('^["“”]+(.*?)["“”]+$', r"\1", value.strip(" "))
                value = real_id(value) if name in ("gclid", "fbclid") else value
                if value and name in {*PARAMETERS, "gclid", "fbclid"}:
                    found.setdefault(name, value)
        return found

    address = re.sub("(?i)&(?:amp;)+", "&", link).replace("\t", "")
    address = re.sub("(?i)%(?:3f|23|26)(?=utm_[a-z]+=)", "&", address)
    before, _, fragment = address.partition("#")
    query = re.split("[?&]", before, maxsplit=1)[1:]
    found, behind = parameters(query[0] if query else ""), parameters(fragment)
    has_utm = any(name.startswith("utm_") for name in found)
    for name, value in behind.items():
        if not (has_utm and name.startswith("utm_")):
            found.setdefault(name, value)
    return found


RANDOM_LINKS = sorted({random_link(random.Random(seed)) for seed in range(3000)})

DEVICES = {
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 Safari/604.1": "mobile",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/125.0 Mobile Safari/537.36": "mobile",
    "Mozilla/5.0 (Linux; Android 13; SM-X700) Chrome/125.0 Safari/537.36": "tablet",
    "Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) Mobile/15E148 Safari/604.1": "tablet",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/125.0 Safari/537.36": "desktop",
    "Mozilla/5.0 (Linux; Android 6.0.1) Mobile Safari/537.36 (compatible; Googlebot/2.1)": "bot",
    "": None,
}

# name: events (minute, given session id, path), and the sources of the touches expected of each session
SESSIONS = {
    "a pause of exactly the timeout goes on": ([(0, None, "/a"), (30, None, "/b")], [["(direct)"]]),
    "a longer pause starts a session": ([(0, None, "/a"), (31, None, "/b")], [["(direct)"], ["(direct)"]]),
    "a new campaign starts a session": (
        [(0, None, "/a?utm_source=one"), (1, None, "/b"), (2, None, "/c?utm_source=two")],
        [["one"], ["two"]],
    ),
    "the same campaign again does not": (
        [(0, None, "/a?utm_source=one"), (1, None, "/b"), (2, None, "/c?utm_source=one")],
        [["one"]],
    ),
    "a campaign of an earlier session is new to this one": (
        [(0, None, "/a?utm_source=one"), (60, None, "/b"), (61, None, "/c?utm_source=one")],
        [["one"], ["(direct)"], ["one"]],
    ),
    "a given session outlasts any pause": ([(0, "s", "/a?utm_source=one"), (600, "s", "/b")], [["one"]]),
    "a given session keeps one landing and counts each new campaign": (
        [(0, "s", "/a"), (1, "s", "/b?gclid=1"), (2, "s", "/c?gclid=1"), (3, "s", "/d?gclid=2")],
        [["(direct)", "google", "google"]],
    ),
    "an event without a session id goes on with the given one": (
        [(0, "s", "/a?utm_source=one"), (1, None, "/b"), (2, "s", "/c")],
        [["one"]],
    ),
    "two given sessions side by side are two": (
        [(0, "s", "/a?utm_source=one"), (1, "t", "/a?utm_source=two"), (2, "s", "/b"), (3, "t", "/b")],
        [["one"], ["two"]],
    ),
    "a link on an own page continues the session": (
        [(0, None, "/a?utm_source=one"), (1, None, "/b?utm_source=banner", SHOP + "a"), (2, None, "/c?utm_source=two")],
        [["one"], ["two"]],
    ),
    "a link on an own subdomain is no touch in a given session": (
        [(0, "s", "/a"), (1, "s", "/b?utm_source=banner&gclid=1", "https://blog.shop.example/x")],
        [["(direct)"]],
    ),
    "a link on an own page is no touch in a session of its own": (
        [(0, "s", "/a?utm_source=one"), (1, "t", "/b?utm_source=banner", SHOP + "a"), (2, "t", "/c", SHOP + "b")],
        [["one"]],
    ),
    "a session that a tool splits at midnight is no arrival": (
        [(0, "s", "/a?utm_source=one"), (29, "t", "/b", SHOP + "a"), (58, "u", "/c", "https://blog.shop.example/")],
        [["one"]],
    ),
    "a given session after a pause is Direct, whatever its first event is": (
        [(0, "s", "/a?utm_source=one"), (31, "t", None), (32, "t", "/b", SHOP + "a")],
        [["one"], ["(direct)"]],
    ),
    "another site within the pause is an arrival": (
        [(0, "s", "/a?utm_source=one"), (1, "t", "/b", "https://forum.test/")],
        [["one"], ["forum.test"]],
    ),
    "a link on an own page after a pause is Direct": (
        [(0, None, "/a?utm_source=one"), (60, None, "/b?utm_source=banner", SHOP + "a")],
        [["one"], ["(direct)"]],
    ),
    "the first link of a visitor counts, because an own page can lack the tracker": (
        [(0, None, "/a?utm_source=one", "https://go.shop.example/redirect")],
        [["one"]],
    ),
    "a reader who consents on the second page came by the link of the first": (
        [(0, None, "/b", SHOP + "?utm_source=one&utm_medium=cpc&gclid=1"), (1, None, "/c", SHOP + "b")],
        [["one"]],
    ),
    "the link of the previous page is no new arrival": (
        [(0, None, "/a?utm_source=one"), (60, None, "/b", SHOP + "a?utm_source=one")],
        [["one"], ["(direct)"]],
    ),
    "the link of another site's page is none of this visit": (
        [(0, None, "/a", "https://forum.test/?utm_source=one")],
        [["forum.test"]],
    ),
    "a code on an own page is no source": (
        [(0, None, "/a?utm_source=one"), (60, None, "/b?ref=menu", SHOP + "a")],
        [["one"], ["(direct)"]],
    ),
    "a return from a payment continues the previous touch": (
        [(0, None, "/a?utm_source=one"), (60, None, "/thanks", "https://www.paypal.com/checkout")],
        [["one"]],
    ),
    "a return from a payment in a session of its own is no touch": (
        [(0, "s", "/a?utm_source=one"), (5, "t", "/thanks", "https://hooks.stripe.com/3d_secure")],
        [["one"]],
    ),
    "an org adds payment hosts": (
        [(0, None, "/a?utm_source=one"), (60, None, "/thanks", "https://ebanking.bank.example/")],
        [["one"]],
    ),
    "a campaign counts behind an ignored referrer": (
        [(0, None, "/a"), (60, None, "/b?utm_source=two", "https://www.klarna.com/")],
        [["(direct)"], ["two"]],
    ),
    "a visitor without an earlier session comes from nowhere": (
        [(0, None, "/a", "https://accounts.google.com/")],
        [["(direct)"]],
    ),
    "a conversion without a page view is no touch": (
        [(0, None, "/a?utm_source=one"), (60, None, "/thanks", None, "CONVERSION")],
        [["one"]],
    ),
    "a conversion before the page view of its session leaves the touch": (
        [(0, "s", "/thanks", None, "CONVERSION"), (1, "s", "/a")],
        [["(direct)"]],
    ),
    "an event without a page is no touch": ([(0, None, None)], []),
    "the landing is the first page": ([(0, None, None), (1, None, "/a?utm_source=one")], [["one"]]),
}


def insert_event(connection: Connection, org: str, visitor: str, minute: int = 0, **values: object) -> None:
    values = {"site_id": "shop", "type": "PAGE_VIEW", **values}
    values.setdefault("event_id", f"{visitor}-{minute:04}")
    at = NOON + timedelta(minutes=minute)
    insert(connection, "events", org_id=org, occurred_at=at, anon_id=visitor, **values)


def insert_links(connection: Connection) -> None:
    for number, (url, referrer, _) in enumerate(LINKS):
        address = SHOP + url if url is not None and url[:1] in ("", "?", "#", "%") else url
        insert_event(connection, "links", f"link-{number}", url=address, referrer=referrer)
    for number, user_agent in enumerate(DEVICES):
        insert_event(connection, "links", f"device-{number}", path="/", user_agent=user_agent)
    enrich(connection)  # every load classifies the user agents
    for number, source in enumerate({*GA4_SOURCES, *REFERRER_HOSTS}):
        insert_event(connection, "sources", f"source-{number}", url=f"/?utm_source={quote_plus(source)}")
    for number, url in enumerate(RANDOM_LINKS):
        insert_event(connection, "random", f"random-{number}", url=url)


def insert_sessions(connection: Connection) -> None:
    for name, (events, _) in SESSIONS.items():
        for minute, session_id, path, *rest in events:
            referrer, kind = (*rest, None, None)[:2]
            address = {"path": path, "referrer": referrer, "type": kind or ("PAGE_VIEW" if path else "CUSTOM")}
            insert_event(connection, "sessions", name, minute, session_id=session_id, **address)
    for minute, referrer in enumerate((None, SHOP)):
        address = {"path": f"/?utm_source=banner{minute}", "referrer": referrer, "session_id": "s"}
        insert_event(connection, "sessions", "counted", minute, site_id="counts", **address)
    # Three events at the same time: the first page view is the landing, whatever the ids are.
    for event_id, kind in [("0", "CUSTOM"), ("1", "PAGE_VIEW"), ("2", "PAGE_VIEW")]:
        path = f"/{event_id}"
        insert_event(connection, "sessions", "tie", event_id=event_id, type=kind, path=path, session_id="tie")


# interaction -> expected (channel, platform, campaign_id, campaign_match, touch_type) of its touchpoint
INTERACTIONS = [
    ({"channel": "Paid Search", "campaign_id": "g1"}, ("Paid Search", "google", "g1", "id", "visit")),
    ({"channel": "Paid Search", "campaign": "g1"}, ("Paid Search", "google", "g1", "id", "visit")),
    (
        {"source": "google", "medium": "cpc", "campaign": "SUMMER%20sale_2026"},
        ("Paid Search", "google", "g1", "name", "visit"),
    ),
    (
        {"source": "google", "medium": "cpc", "campaign": "spring sale"},
        ("Paid Search", "google", "g1", "name", "visit"),
    ),
    (
        {"channel": "Paid Social", "platform": "Facebook", "campaign": "summer-sale 2026"},
        ("Paid Social", "meta", "m1", "name", "visit"),
    ),
    ({"channel": "Display", "campaign": "Summer Sale 2026"}, ("Display", "(unmatched)", None, "none", "visit")),
    ({"channel": "Display", "campaign": "only tiktok"}, ("Display", "tiktok", "t1", "name", "visit")),
    ({"channel": "Display", "ad_id": "t1-ad"}, ("Display", "tiktok", "t1", "id", "visit")),
    (
        {"channel": "Paid Search", "platform": "google", "campaign_id": "nowhere"},
        ("Paid Search", "google", "nowhere", "declared", "visit"),
    ),
    (
        {"channel": "Paid Search", "platform": "google", "campaign_id": "m1"},
        ("Paid Search", "google", "m1", "declared", "visit"),
    ),
    (
        {"channel": "Email", "campaign": "only tiktok", "touch_type": "e-mail"},
        ("Email", "(organic)", None, "none", "email"),
    ),
    ({"channel": "Facebook", "touch_type": "Impression"}, ("Facebook", "meta", None, "none", "view")),
    ({"channel": "Online Display"}, ("Online Display", "(unmatched)", None, "none", "visit")),
    ({"channel": "direct"}, ("Direct", "(organic)", None, "none", "visit")),
    ({"channel": "PAID_SEARCH", "platform": "google"}, ("Paid Search", "google", None, "none", "visit")),
    ({"channel": "paid-social", "platform": "meta"}, ("Paid Social", "meta", None, "none", "visit")),
    ({"channel": "SEO"}, ("Organic Search", "(organic)", None, "none", "visit")),
    ({"channel": "Newsletter"}, ("Email", "(organic)", None, "none", "visit")),
    ({"source": "Direct", "medium": "(none)"}, ("Direct", "(organic)", None, "none", "visit")),
    ({"source": "direct"}, ("Direct", "(organic)", None, "none", "visit")),
    ({"source": "direct", "medium": "none"}, ("Direct", "(organic)", None, "none", "visit")),
    ({"source": "(none)"}, ("Direct", "(organic)", None, "none", "visit")),
    ({"source": "[Direct]", "medium": "(not set)"}, ("Direct", "(organic)", None, "none", "visit")),
    ({"source": "DIRECT / NONE"}, ("Direct", "(organic)", None, "none", "visit")),
    ({"source": "typein"}, ("Direct", "(organic)", None, "none", "visit")),
    ({}, ("Direct", "(organic)", None, "none", "visit")),
    ({"touch_type": "impression"}, ("Unassigned", "(unmatched)", None, "none", "view")),
    ({"source": "direct", "medium": "email"}, ("Email", "(organic)", None, "none", "visit")),
    ({"source": "Google Ads"}, ("Paid Search", "google", None, "none", "visit")),
    ({"source": "Meta Ads"}, ("Paid Social", "meta", None, "none", "visit")),
    ({"source": "Microsoft Advertising", "medium": "(not set)"}, ("Paid Search", "microsoft", None, "none", "visit")),
    ({"touch_type": "email_click"}, ("Email", "(organic)", None, "none", "email")),
    ({"touch_type": "carrier pigeon"}, ("Unassigned", "(unmatched)", None, "none", "visit")),
    (
        {"channel": "Affiliates", "source": "Everflow", "campaign_id": "e1"},
        ("Affiliates", "everflow", "e1", "id", "visit"),
    ),
]


# days after NOON -> the campaign that had the name: none before, the first one in its pause
NAMED_ON = {9: None, 10: "r1", 12: "r1", 13: "r1", 15: "r2", 40: "r2"}


def insert_spend(connection: Connection, day: int, platform: str, campaign: tuple[str, str], ad_id: str | None) -> None:
    campaign_id, name = campaign
    insert(
        connection,
        "ad_spend",
        org_id="campaigns",
        platform=platform,
        account_id="1",
        campaign_id=campaign_id,
        adset_id=ad_id and f"{campaign_id}-set",
        ad_id=ad_id,
        date=NOON.date() + timedelta(days=day),
        currency="USD",
        campaign=name,
        spend_micros=1,
    )


def insert_campaigns(connection: Connection) -> None:
    for day, platform, campaign_id, name, ad_id in [
        (1, "google", "g1", "Spring Sale", None),
        (2, "google", "g1", "Summer Sale - 2026", None),
        (1, "meta", "m1", "Summer Sale 2026", "m1-ad"),
        (1, "tiktok", "t1", "Only TikTok", "t1-ad"),
        (1, "meta", "m2", "Another", None),
        (1, "everflow", "e1", "Partners", None),
    ]:
        insert_spend(connection, day, platform, (campaign_id, name), ad_id)
    for day in (*range(10, 13), *range(15, 18)):
        campaign_id = "r1" if day < 15 else "r2"
        insert_spend(connection, day, "google", (campaign_id, "Reused Name"), None)
    for day in NAMED_ON:
        known = {"org_id": "campaigns", "interaction_id": f"named-{day:02}", "visitor_id": "v"}
        at, link = NOON + timedelta(days=day), {"source": "google", "medium": "cpc", "campaign": "reused_name"}
        insert(connection, "interactions", occurred_at=at, **known, **link)
    for number, (values, _) in enumerate(INTERACTIONS):
        known = {"org_id": "campaigns", "interaction_id": f"i{number:02}", "visitor_id": f"v{number}"}
        insert(connection, "interactions", occurred_at=NOON, **known, **values)
    for name, query in {"agreeing": "utm_campaign=summer", "another": "utm_campaign=m2"}.items():
        url = f"/?utm_source=facebook&utm_medium=cpc&utm_content=m1-ad&{query}"
        insert_event(connection, "campaigns", name, url=url)


def insert_people(connection: Connection) -> None:
    for hour, customer in enumerate([None, "ann", None, "ben", None, "ann", None]):
        insert_event(connection, "people", "shared", 60 * hour, user_id=customer, path="/")
    for org in ("people", "strangers"):
        insert_event(connection, org, "alone", path="/")
    known = {"org_id": "people", "visitor_id": "alone", "customer_id": "zoe", "conversion_type": "purchase"}
    insert(connection, "conversions", conversion_id="c", occurred_at=NOON + timedelta(days=9), **known)


@pytest.fixture(scope="module")
def warehouse(new_home: Callable[[str], Path], project: Project) -> Iterator[Connection]:
    home = new_home("touchpoints")
    with connect(Home(home)) as connection:
        connection.execute("begin")
        for org in ("links", "sources", "random", "sessions", "campaigns", "people", "strangers"):
            rules = {"lookback_days": 30, "ignored_referrers": ["Bank.example"]}
            insert(connection, "orgs", org_id=org, currency="USD", timezone="UTC", **rules)
            site = {"site_id": "shop", "org_id": org, "domains": ["WWW.shop.example", "other-own.example"]}
            insert(connection, "sites", **site, exclude_bots=org != "links", exclude_suspicious=False)
        insert(connection, "sites", site_id="counts", org_id="sessions", domains=["shop.example"], count_own_links=True)
        for insert_world in (insert_links, insert_sessions, insert_campaigns, insert_people):
            insert_world(connection)
        insert_event(connection, "vanished", "v", path="/")
        connection.execute("commit")
    project.build_models(home, "touchpoints")
    with connect(Home(home), read_only=True) as connection:
        yield connection


def rows(warehouse: Connection, sql: str, *values: object) -> list[tuple]:
    return warehouse.execute(sql, values).fetchall()


def test_each_link_has_its_source_medium_and_channel(warehouse: Connection) -> None:
    found = dict(
        rows(
            warehouse,
            """
        select visitor_id, concat_ws(' | ', source, medium, coalesce(campaign, '-'), channel, platform)
        from marts.touchpoints where org_id = 'links'""",
        )
    )
    answers = [(*link, found.get(f"link-{number}")) for number, (*link, _) in enumerate(LINKS)]
    assert [answer for answer, link in zip(answers, LINKS, strict=True) if answer != link] == []


@pytest.mark.parametrize("sources", [GA4_SOURCES, REFERRER_HOSTS], ids=["ga4", "referrers"])
def test_sources_have_the_categories_of_public_lists(warehouse: Connection, sources: dict[str, str]) -> None:
    found = dict(rows(warehouse, "select source, category from intermediate.int_sources"))
    different = {source: found[source] for source, category in sources.items() if found[source] != category}
    exceptions = {source: category for source, (category, _) in EXCEPTIONS.items()}
    assert different == {source: exceptions.get(source) for source in different}
    assert len(different) < 0.02 * len(sources)


def test_a_brand_has_one_category(warehouse: Connection) -> None:
    """A name in a link must not depend on the order of the seed's rows."""
    seed = rows(warehouse, "select source, category, name from seeds.source_categories where category <> 'OTHER'")
    explicit = {source.replace(" ", "") for source, _, _ in seed if "." not in source}
    categories: dict[str, set[str]] = {}
    for source, category, name in seed:
        if "." in source and category != "ADS":
            categories.setdefault(name.replace(" ", ""), set()).add(category)
    assert {name for name, found in categories.items() if len(found) > 1} <= explicit


def test_a_user_agent_determines_the_device_type(warehouse: Connection) -> None:
    sql = "select visitor_id, device_type from marts.touchpoints where org_id = 'links'"
    found = dict(rows(warehouse, sql))
    assert {agent: found[f"device-{number}"] for number, agent in enumerate(DEVICES)} == DEVICES


def test_random_links_parse_as_people_mean_them(warehouse: Connection) -> None:
    columns = ", ".join(PARAMETERS)
    found = {}
    for url, kind, click_id, *values in rows(
        warehouse, f"select page_url, click_id_type, click_id, {columns} from intermediate.int_urls"
    ):
        named = {**dict(zip(PARAMETERS, values, strict=True)), kind: click_id}
        found[url] = {name: value for name, value in named.items() if value is not None}
    expected = {link: parsed(link) for link in RANDOM_LINKS}
    for parameters in expected.values():
        if "gclid" in parameters:
            parameters.pop("fbclid", None)
    assert {link: found[link] for link in RANDOM_LINKS} == expected
    assert sum(map(bool, expected.values())) > len(expected) / 4


def test_a_setting_lets_own_links_start_touches(warehouse: Connection) -> None:
    found = rows(warehouse, "select source from marts.touchpoints where site_id = 'counts' order by occurred_at")
    assert found == [("banner0",), ("banner1",)]


@pytest.mark.parametrize("name", SESSIONS)
def test_events_form_the_expected_sessions(warehouse: Connection, name: str) -> None:
    found = rows(
        warehouse,
        """
        select list(source order by occurred_at) from marts.touchpoints
        where org_id = 'sessions' and visitor_id = ?
        group by session_id order by min(occurred_at)""",
        name,
    )
    assert [sources for (sources,) in found] == SESSIONS[name][1]


def test_the_page_view_with_the_smallest_id_is_the_landing_of_events_at_one_time(
    warehouse: Connection,
) -> None:
    found = rows(warehouse, "select landing_url, session_id from marts.touchpoints where visitor_id = 'tie'")
    assert found == [("/1", "tie")]


def test_interactions_keep_their_values_and_match_their_campaign(warehouse: Connection) -> None:
    found = rows(
        warehouse,
        """
        select channel, platform, campaign_id, campaign_match, touch_type from marts.touchpoints
        where org_id = 'campaigns' and touchpoint_id like 'i%' order by touchpoint_id""",
    )
    assert found == [expected for _, expected in INTERACTIONS]


def test_a_reused_name_belongs_to_the_campaign_of_the_day(warehouse: Connection) -> None:
    found = rows(
        warehouse,
        "select touchpoint_id, campaign_id from marts.touchpoints where touchpoint_id like 'named-%' order by 1",
    )
    assert found == [(f"named-{day:02}", campaign_id) for day, campaign_id in NAMED_ON.items()]


def test_a_web_link_names_its_ad_only_where_the_campaign_agrees(warehouse: Connection) -> None:
    found = rows(
        warehouse,
        """
        select visitor_id, campaign_id, adset_id, ad_id from marts.touchpoints
        where org_id = 'campaigns' and session_id is not null order by visitor_id""",
    )
    assert found == [("agreeing", "m1", "m1-set", "m1-ad"), ("another", "m2", None, None)]


def test_an_anonymous_touch_belongs_to_the_next_customer_else_to_the_last(
    warehouse: Connection,
) -> None:
    found = rows(
        warehouse,
        """
        select customer_id, person_key from marts.touchpoints
        where org_id = 'people' and visitor_id = 'shared' order by occurred_at""",
    )
    assert found == [(who, f"c:{who}") for who in ("ann", "ann", "ben", "ben", "ann", "ann", "ann")]


def test_one_visitor_id_in_two_orgs_is_two_people(warehouse: Connection) -> None:
    found = rows(
        warehouse,
        """
        select org_id, person_key from marts.touchpoints where visitor_id = 'alone' order by org_id""",
    )
    assert found == [("people", "c:zoe"), ("strangers", "v:alone")]


def test_an_org_missing_from_the_settings_has_no_touchpoints(warehouse: Connection) -> None:
    assert rows(warehouse, "select count(*) from marts.touchpoints where org_id = 'vanished'") == [(0,)]

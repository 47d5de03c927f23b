r"""The one table of patterns and names by which personal data is found, for SQL (sql.py) and for Python (redact.py).

In: nothing. Out: patterns in RE2's syntax, which DuckDB and the package google-re2 both run in linear time; `kind_of`,
which classifies the names of columns and of JSON members.

RE2 has no lookaround. A pattern therefore captures the characters around an address, and its replacement puts them
back: `\1`. Two addresses may share one such character, so IPV4 is applied twice.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["ip", "email", "phone", "user_agent"]

WHITESPACE = " \t\n\r\f\v"  # stripped before an address or a number is hashed


class Mark(NamedTuple):
    """A literal that a text must contain, at least `times` times, to be worth a regular expression."""

    text: str
    times: int = 1


class Pattern(NamedTuple):
    """A text without any of the marks never matches the expression."""

    expression: str
    replacement: str
    marks: tuple[Mark, ...]


# URLs escape characters once or twice: @ is %40 or %2540.
_AT = "(?:@|%(?:25)?40)"
_DOT = r"(?:\.|%(?:25)?2[eE])"
_COLON = "(?::|%(?:25)?3[aA])"
_OCTET = r"(?:25[0-5]|2[0-4]\d|[01]?\d?\d)"
_GROUP = "[0-9a-fA-F]{1,4}"
_ESCAPED = "%(?:25)?[0-9A-Fa-f]{2}"  # any character; its last digit does not belong to an address

EMAIL = Pattern(
    rf"[\p{{L}}\p{{N}}_.+%-]+{_AT}(?:[\p{{L}}\p{{N}}_.-]|%(?:25)?2[eE])+{_DOT}\p{{L}}{{2,}}",
    "(email)",
    (Mark("@"), Mark("%40"), Mark("%2540")),
)
# 1.2.3.4.5 is a version.
IPV4 = Pattern(
    rf"(^|[^\d.]|{_ESCAPED})(?:{_OCTET}{_DOT}){{3}}{_OCTET}($|[^\d.]|\.$|\.\D)",
    r"\1(ip)\2",
    (Mark(".", 3), Mark("%2E"), Mark("%2e"), Mark("%252E"), Mark("%252e")),
)
# A number after a slash is a product's version, such as Chrome/126.0.0.0.
USER_AGENT_IPV4 = IPV4._replace(expression=IPV4.expression.replace(r"(^|[^\d.]|", r"(^|[^\d./]|", 1))
NO_USER_AGENT = r"^[\s\x0b]*(?:[{\[]|[A-Za-z][A-Za-z0-9+.-]*://)"  # JSON or a URL in the place of one
# A shortened address starts with a block that is assigned: 12::34 is an id. After ::ffff: and 64:ff9b:: follows an IPv4
# address.
IPV6 = Pattern(
    rf"(^|[^0-9A-Za-z]|{_ESCAPED})(?:(?:{_GROUP}{_COLON}){{7}}{_GROUP}"
    rf"|(?:{_COLON}{_COLON}[fF]{{4}}|64{_COLON}[fF][fF]9[bB]{_COLON}){_COLON}{_GROUP}{_COLON}{_GROUP}"
    rf"|[23fF][0-9a-fA-F]{{3}}(?:{_COLON}{_GROUP}){{0,6}}{_COLON}{_COLON}(?:{_GROUP}(?:{_COLON}{_GROUP}){{0,6}})?)",
    r"\1(ip)",
    (Mark("::"), Mark(":", 7), Mark("%3A"), Mark("%3a"), Mark("%253A"), Mark("%253a")),
)

_SCHEME = r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*:)?//"
AUTHORITY = r"^\s*(?:[hH][tT][tT][pP][sS]?:)?//[^/?#%\s,;|]*"  # of a text that is the URL of a page
USER_INFO = Pattern(rf"^({_SCHEME})[^/?#]*{_AT}", r"\1", EMAIL.marks)  # name and password

# A JSON text may have a member for `redact_json` to remove. This finds too much (`zip`), never too little.
PERSONAL_MEMBER = (
    r'(?i)(?:ip(?:v?[46])?|(?:ip(?:v?[46])?|remote|client|peer|source)[^a-z0-9"]*addr(?:ess)?'
    r'|forwarded[^a-z0-9"]*for|phone(?:[^a-z0-9"]*(?:number|no))?|(?:mobile|cell)[^a-z0-9"]*(?:number|no)|tel|msisdn)'
    r'[^a-z0-9"]*"\s*:'
)

# A JSON member that identifies a person. An address there becomes its hash, so that two people stay two.
PERSON_MEMBER = r"(?i)^\$?(?:distinct|user|device|anon(?:ymous)?|anon_distinct)_?id$"

LONG_NUMBER = r"\+?\(?\d(?:[ ()/.+-]{0,3}\d){6,}"  # seven digits or more: a phone number, where a name shows it

_NAMES: tuple[tuple[Kind, str], ...] = (
    ("ip", r"(.+_)?(ip(v?[46])?(_?addr(ess)?)?|(remote|client|peer|source)_?addr(ess)?|forwarded_?for)"),
    # As vendors write them in the languages of their exports. A letter with an accent is an underscore here.
    (
        "email",
        r"(.+_)?(e_?(mail|post)|correo(_electr(o|_)nico)?)(_?(address|adresse?|adress|adres))?(_(work|home|other|billing"
        r"|shipping|rechnung|cliente?|klant|des_kunden|du_client|del_cliente|mittente|del_remitente|de_l_exp_diteur))?",
    ),
    ("phone", r"(.+_)?((tele)?phone(_?(number|no))?|(mobile|cell)_?(number|no)|tel|msisdn)"),
    ("user_agent", r"(.+_)?user_?agent"),
)


_may_be_personal = re.compile(  # a part of every such name
    "ip|addr|forwarded|mail|post|correo|phone|mobile|cell|tel|msisdn|agent", re.IGNORECASE
).search

harmless_names: set[str] = set()  # names of which kind_of returned None: a cache for callers in a hurry
_MAX_HARMLESS, _MAX_LENGTH = 10_000, 64  # clients choose the names, which must not fill the memory


def kind_of(name: str) -> Kind | None:
    """Return the kind of personal data that a column or JSON member of this name holds, or None.

    clientIp, client_ip and CLIENT-IP are one name.
    """
    if name in harmless_names or not _may_be_personal(name):
        return None
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    plain = re.sub(r"[^a-z0-9]+", "_", snake.lower()).strip("_")
    kind = next((kind for kind, pattern in _NAMES if re.fullmatch(pattern, plain)), None)
    if kind is None and len(name) <= _MAX_LENGTH and len(harmless_names) < _MAX_HARMLESS:
        harmless_names.add(name)
    return kind

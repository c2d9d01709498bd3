"""The webhook: one address that is told of the contest, on Slack, Discord, any receiver of JSON, or by mail.

The address is a secret, since whoever has it may write there: no message, page or log shows it.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import SplitResult, parse_qs, urlsplit

from arena.base.texts import ENGLISH, list_languages
from leaderboard.errors import ContestError
from leaderboard.messages import TEXTS

TIMEOUT_S = 5.0
_EXAMPLES = "https://hooks.slack.com/services/..., or smtps://user@mail.example.org?to=ana@example.org"
_SCHEMES = ("https", "http", "smtps", "smtp")
_DISCORD = ("discord.com", "discordapp.com")
_MARKDOWN = re.compile(r"([\\`*_~|\[\]()<>#>-])")
_MOST_CHARACTERS = 1900  # length of a message; Discord takes 2,000


class NotDelivered(ContestError):
    """A message that the webhook's receiver did not take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """A checked address."""

    parts: SplitResult = field(repr=False)

    @property
    def is_mail(self) -> bool:
        return self.parts.scheme.startswith("smtp")

    @property
    def language(self) -> str:
        """Return the language of its messages: `#es` at the end of the address asks for Spanish, and is never sent."""
        return self.parts.fragment if self.parts.fragment in list_languages(TEXTS) else ENGLISH


def parse_webhook(address: str) -> Webhook:
    """Return the webhook of an address.

    Raises:
        ContestError: it is no such address, or would send in the clear over a network.
    """
    try:
        parts = urlsplit(address.strip())
        name, _ = parts.hostname, parts.port  # a port that is no number is an error
    except ValueError:
        name, parts = None, urlsplit("")
    if not name or parts.scheme not in _SCHEMES or parts.password or not address.isprintable():
        raise ContestError(f"a webhook is an address without a password such as {_EXAMPLES}; write one of these")
    if parts.scheme == "http" and not _is_loopback(name):
        raise ContestError("a webhook is reached by https, and by http on this machine alone; write https://...")
    query = parse_qs(parts.query) if parts.scheme.startswith("smtp") else {"to": [name]}
    if not query.get("to") or not all(value.isprintable() for values in query.values() for value in values):
        raise ContestError("a webhook by mail names its readers; write smtps://user@mail.example.org?to=ana@example.org")
    return Webhook(parts=parts)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def send_text(webhook: Webhook, title: str, text: str, facts: Sequence[Mapping[str, object]], password: str | None) -> None:
    """Send a message once; a redirect is not followed.

    Args:
        title: name of the contest.
        facts: the same for programs.
        password: of the mail account.

    Raises:
        NotDelivered: it was not taken; the cause names no part of the address.
    """
    short = text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"
    try:
        if webhook.is_mail:
            _send_mail(webhook.parts, title, short, password)
        else:
            _post(webhook.parts, _build_body(webhook.parts, title, short, facts))
    except (OSError, http.client.HTTPException, smtplib.SMTPException, ValueError) as error:
        raise NotDelivered(f"the webhook was not reached ({_describe(error)}); check its address and its receiver") from None


def _describe(error: Exception) -> str:
    """Return the kind of an error; its text may hold the address."""
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__


def _build_body(parts: SplitResult, title: str, text: str, facts: Sequence[Mapping[str, object]]) -> dict[str, object]:
    name = parts.hostname or ""
    if name == "hooks.slack.com" or name.endswith(".slack.com"):
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")  # Slack's own marks, such as <!channel>
        return {"text": f"{title}: {escaped}"}
    if name in _DISCORD or name.endswith(tuple(f".{domain}" for domain in _DISCORD)):
        return {"content": _MARKDOWN.sub(r"\\\1", f"{title}: {text}"), "allowed_mentions": {"parse": []}}
    return {"contest": title, "text": text, "events": list(facts)}


def _post(parts: SplitResult, body: Mapping[str, object]) -> None:
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Arena"}
        connection.request("POST", path, json.dumps(body, ensure_ascii=False, default=str).encode(), headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise NotDelivered(f"the webhook's receiver answered {status}; check the address, which is not followed elsewhere")


def _send_mail(parts: SplitResult, title: str, text: str, password: str | None) -> None:
    query = parse_qs(parts.query)
    message = EmailMessage()
    message["Subject"] = " ".join(f"{title}: {text.splitlines()[0]}".split())[:200]
    message["To"] = ", ".join(query["to"])
    message["From"] = query.get("from", [parts.username or query["to"][0]])[0]
    message.set_content(text)
    with _connect_mail(parts) as server:
        if parts.username and password:
            server.login(parts.username, password)
        server.send_message(message)


def _connect_mail(parts: SplitResult) -> smtplib.SMTP:
    name = parts.hostname or ""
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(name, parts.port or 465, timeout=TIMEOUT_S, context=ssl.create_default_context())
    server = smtplib.SMTP(name, parts.port or 587, timeout=TIMEOUT_S)
    if not _is_loopback(name):
        server.starttls(context=ssl.create_default_context())
    return server

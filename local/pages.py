"""Owns the look of the few plain pages a local market serves itself."""

from __future__ import annotations

from html import escape

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1d2433 }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #d9dee8; vertical-align: top }
iframe { width: 100%; min-height: 30rem; border: 1px solid #d9dee8; background: #fff }
pre, code { background: #f3f5f9; padding: .1rem .3rem } pre { padding: 1rem; white-space: pre-wrap }
a { color: #0b57d0 }
"""


def page(title: str, body: str) -> bytes:
    """A whole page; `body` is HTML already."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return (
        f'<!doctype html><html lang="en-GB"><head>{head}<style>{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>".encode()
    )


def landing(logins: list[dict[str, str]], at: str) -> bytes:
    """Where a person starts: what there is to open, and whom to sign in as."""
    links = (
        ("/v1/openapi.json", "the API's description"),
        ("/mailbox", "the mail this market sent"),
        ("/local/health", "what waits in its queues"),
    )
    listed = "".join(f'<li><a href="{address}">{address}</a>: {escape(text)}</li>' for address, text in links)
    rows = "".join(
        f"<tr><td>{escape(login['who'])}</td><td><code>{escape(login['email'])}</code></td>"
        f"<td><code>{escape(login['password'])}</code></td></tr>"
        for login in logins
    )
    table = f"<h2>Logins</h2><table><tr><th>Who</th><th>E-mail</th><th>Password</th></tr>{rows}</table>" if rows else ""
    return page("Headroom", f"<p>The market's clock stands at {escape(at)}.</p><ul>{listed}</ul>{table}")

"""The page that brings the token, and the file that leads a browser there: an argument list would show it."""

import html
import json
from pathlib import Path

from trainer.run.disk.atomic import write_bytes

TOKEN_MAX = 1 << 10

ENTRY = """<!doctype html>
<meta charset="utf-8">
<title>Photinus</title>
<p id="said">Photinus is opened ...</p>
<script>
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
fetch(location.pathname, {method: "POST", body: token}).then(async (answer) => {
  const text = await answer.text();
  if (answer.ok) location.replace(text);
  else document.getElementById("said").textContent = text;
});
</script>
"""

REFUSED = (
    "This address was used already, or is not whole. End `photinus serve` with ctrl+c and start it again: "
    "it prints a new one."
)


def write_opener(path: Path, address: str) -> None:
    """A page for this user's eyes alone that leads to the address."""
    page = (
        '<!doctype html>\n<meta charset="utf-8">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>Photinus</title>\n<script>location.replace({json.dumps(address)})</script>\n"
        f'<a href="{html.escape(address)}">Photinus</a>\n'
    )
    write_bytes(path, page.encode(), 0o600)

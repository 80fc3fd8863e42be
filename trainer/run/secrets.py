"""What looks like a secret, by its name and by its form: it is neither logged nor kept with a run."""

import re

MASK = "***"
LOOKED_AT = 1 << 16  # characters of one word
NAMES = re.compile(
    r"(?i)(token(?!i[sz]|s(?![A-Za-z]))|secret|passw|passphrase|passwd|\bpass\b|api[-_]?key|access[-_]?key"
    r"|private[-_]?key|credential|(?<![A-Za-z])auth(?!or(?!iz))|cookie|session[-_]?key|signature"
    r"|(?<![A-Za-z])key\b|_pat$|\bpat\b|\bpwd\b|dsn$)"
)
_PAIR = re.compile(
    r"(?<![\w.-])([A-Za-z_][\w.-]{0,63})([\"'\])]*\s*[=:]\s*)(\"[^\"]{0,999}\"|'[^']{0,999}'|[^\s;&|\"',}]+)"
)
_IN_A_URL = re.compile(r"(?<![\w+.-])([A-Za-z][A-Za-z0-9+.-]{0,31}://)[^/\s@'\"]+@")
_PARAMETER = re.compile(r"([?&][\w.-]{1,64}=)([^&\s'\"#]+)")
_HEADER = re.compile(
    r"(?i)((?:authorization|cookie|x-[\w-]{0,32}(?:key|token|auth)[\w-]{0,32})[\"']?\s*:\s*)[^\r\n'\"]+"
)
_SCHEME = re.compile(r"(?i)\b(bearer|basic|token|digest)(\s+)[A-Za-z0-9+/=_.~-]{6,}")
_OPTION = re.compile(
    r"(?<![\w-])(--?[A-Za-z][\w-]{0,63})(\s+|=)(?!-)(\"[^\"]{0,999}\"|'[^']{0,999}'|[^\s;&|]+)"
)
_USER = re.compile(r"(?<!\S)(-u|--user|--proxy-user)(\s+)[^\s:]+:\S+")
# What services issue has a form of its own: GitHub, GitLab, Hugging Face, AWS, Slack, OpenAI, W&B, JWT, PEM.
_ISSUED = re.compile(
    r"\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{16,}|A(?:KIA|SIA)[A-Z0-9]{12,}"
    r"|xox[a-z]-[\w-]{8,}|sk-[\w-]{16,}|npm_\w{16,}|pypi-[\w-]{16,}|AIza[\w-]{20,}|[0-9a-f]{40}\b"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*"
)


def is_secret_name(name: str) -> bool:
    """Whether a variable or option of that name holds a secret, as far as a name can say."""
    return NAMES.search(name) is not None


def is_secret_value(value: str) -> bool:
    """Whether a value has the form of a secret: a password in an address, a token as services issue them."""
    return masked_text(value) != value


def masked_text(text: str) -> str:
    """A text without the secrets in it, wherever they stand: a script as an argument, a header, an URL."""
    text = _ISSUED.sub(MASK, text[:LOOKED_AT])
    text = _IN_A_URL.sub(rf"\1{MASK}@", text)
    text = _HEADER.sub(rf"\g<1>{MASK}", text)
    text = _USER.sub(rf"\1\2{MASK}", text)
    text = _SCHEME.sub(rf"\1\2{MASK}", text)
    text = _PARAMETER.sub(lambda m: f"{m[1]}{MASK}" if is_secret_name(m[1]) else m[0], text)
    text = _PAIR.sub(lambda m: f"{m[1]}{m[2]}{MASK}" if is_secret_name(m[1]) else m[0], text)
    return _OPTION.sub(lambda m: f"{m[1]}{m[2]}{MASK}" if is_secret_name(m[1]) else m[0], text)


def masked(words: list[str]) -> list[str]:
    """An argument vector without its secrets: values of options named so, and what has their form."""
    found, hide, is_user = [], False, False
    for word in words:
        hide = hide or (is_user and ":" in word)  # curl's NAME:PASSWORD, and not python's -u
        is_option = word.startswith("-") and "=" not in word
        if hide and not word.startswith("-"):
            found.append(MASK)
            hide = is_user = False
            continue
        name, equals, _ = word.partition("=")
        if equals and is_secret_name(name) and not re.search(r"\s", name):
            found.append(f"{name}={MASK}")
        else:
            found.append(masked_text(word))
        hide = is_option and is_secret_name(word)
        is_user = word in ("-u", "--user", "--proxy-user")
    return found

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.errors import CallError
from remote.ssh.address import NAME, USER, Address, split_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("box", Address("box")),
        ("me@box", Address("box", "me")),
        ("me@box:2222", Address("box", "me", 2222)),
        ("box:22", Address("box", "", 22)),
        ("[fe80::1]:2222", Address("fe80::1", "", 2222)),
        ("me@[::1]", Address("::1", "me")),
        ("::1", Address("::1")),
        ("me@corp@box", Address("box", "me@corp")),
    ],
)
def test_an_address_is_taken_apart_and_put_together(text: str, address: Address) -> None:
    assert split_address(text) == address
    assert split_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "-oProxyCommand=touch /tmp/x", "me@-l", "-me@box", "@box", "box;id", "box id", "$(id)", "`id`",
        "box\n", "box:", "box:0", "box:65536", "box:x", "[::1", "[::1]2222", "[::1]:", "a" * 256, "me@",
        "bøx", "box/..", "%h",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_before_any_program_sees_it(text: str) -> None:
    with pytest.raises(CallError) as caught:
        split_address(text)
    assert caught.value.code == "bad_request"
    assert "user@host" in caught.value.remedy


@given(st.text(max_size=80))
def test_whatever_passes_has_no_character_that_a_shell_or_an_option_parser_reads(text: str) -> None:
    try:
        address = split_address(text)
    except CallError:
        return
    assert NAME.fullmatch(address.name)
    assert not address.name.startswith("-")
    assert not address.user or USER.fullmatch(address.user)
    assert 0 <= address.port < 65536

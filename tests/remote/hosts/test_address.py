from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.hosts.address import NAME, USER, Address, split_address
from remote.protocol.errors import CallError
from tests.trials import trials


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
        ("me@[fe80::1%en5]:2222", Address("fe80::1%en5", "me", 2222)),
        ("fe80::1%br-0.7", Address("fe80::1%br-0.7")),
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
        "box%en5", "fe80::1%", "fe80::1%e n", "fe80::1%$(id)", "fe80::1%a%b", "fe80::1%" + "a" * 33,
        "10.0.0.1%en5",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_before_any_program_sees_it(text: str) -> None:
    with pytest.raises(CallError) as caught:
        split_address(text)
    assert caught.value.code == "bad_request"
    assert "user@host" in caught.value.remedy


PIECES = st.sampled_from(
    ["-", "@", ":", "[", "]", "$(", "`", ";", "|", "\n", "\0", "%h", "~", "\u202e", "a", "22", " "]
)


@pytest.mark.chaos
@pytest.mark.claim("no hostile host name reaches a shell or an option parser")
def test_whatever_passes_has_no_character_that_a_shell_or_an_option_parser_reads(
    record_property: Callable[[str, object], None],
) -> None:
    count = trials(300, 10_000)

    @settings(max_examples=count)
    @given(st.text(max_size=80) | st.lists(PIECES, max_size=12).map("".join))
    def check(text: str) -> None:
        try:
            address = split_address(text)
        except CallError:
            return
        assert NAME.fullmatch(address.name)
        assert not address.name.startswith("-")
        assert not address.user or (USER.fullmatch(address.user) and not address.user.startswith("-"))
        assert 0 <= address.port < 65536
        plain, _, zone = str(address).partition("%")  # ssh itself writes the zone of a link-local address so
        assert not zone or ":" in plain
        assert not set(plain + zone) & set(" \n\0$`;|&<>(){}*?!\\\"'~#%\u202e")

    check()
    record_property("trials", count)

"""The setting `torch:` of a host: what may stand there."""

import re

NAMES = re.compile(r"cpu|cu\d{3}|rocm\d{1,2}\.\d{1,2}|xpu")


# Plain http lets anybody on the way choose what code is installed: only this machine itself may speak it.
URL = re.compile(
    r"(https://[A-Za-z0-9._:-]{1,253}|http://(localhost|127\.0\.0\.1)(:\d{1,5})?)(/[A-Za-z0-9._~/+-]{0,500})?"
)


NONE, HOST_INDEX = "none", "pip"


SETTINGS = "cpu, cu126, cu130, cu132, rocm7.2, pip (what the host's own index gives), none, https://AN-INDEX"

"""The formats of logs that are known, the more telling ones first: a file beside this, and a line here."""

from collections.abc import Callable

from trainer.telemetry.formats.csv_table import CsvTable
from trainer.telemetry.formats.deepspeed import DeepSpeed
from trainer.telemetry.formats.fairseq import Fairseq
from trainer.telemetry.formats.fastai import Fastai
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.hf_trainer import HfTrainer
from trainer.telemetry.formats.json_lines import JsonLines
from trainer.telemetry.formats.keras import Keras
from trainer.telemetry.formats.key_value import KeyValue
from trainer.telemetry.formats.kssm_v1 import KssmV1
from trainer.telemetry.formats.kssm_v2 import KssmV2
from trainer.telemetry.formats.kssm_v3 import KssmV3
from trainer.telemetry.formats.lightning_bar import LightningBar
from trainer.telemetry.formats.litgpt import LitGpt
from trainer.telemetry.formats.llmc import LlmC
from trainer.telemetry.formats.megatron import Megatron
from trainer.telemetry.formats.mlx_lora import MlxLora
from trainer.telemetry.formats.modded_nanogpt import ModdedNanoGpt
from trainer.telemetry.formats.nanochat import NanoChat
from trainer.telemetry.formats.nanogpt import NanoGpt
from trainer.telemetry.formats.nanotron import Nanotron
from trainer.telemetry.formats.torchtitan import TorchTitan
from trainer.telemetry.formats.tqdm_postfix import TqdmPostfix

FORMATS: tuple[Callable[[], Format], ...] = (
    KssmV3,
    KssmV2,
    KssmV1,
    NanoGpt,
    NanoChat,
    ModdedNanoGpt,
    LlmC,
    LitGpt,
    TorchTitan,
    Megatron,
    Nanotron,
    Fairseq,
    MlxLora,
    HfTrainer,
    Keras,
    Fastai,
    LightningBar,
    TqdmPostfix,
    DeepSpeed,
    CsvTable,
    JsonLines,
    KeyValue,
)

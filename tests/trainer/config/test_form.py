from trainer.config.form import fields
from trainer.config.keys import keys
from trainer.config.presets import list_presets
from trainer.config.resolve import resolve


def test_every_key_of_the_schema_is_a_field_with_help() -> None:
    form = fields()
    assert [field.key for field in form] == list(keys())
    assert all(field.help for field in form)


def test_kinds_choices_and_bounds_come_from_the_schema() -> None:
    form = {field.key: field for field in fields()}
    assert form["model.kind"].kind == "choice"
    assert "gpt" in form["model.kind"].choices
    assert form["steps"].kind == "int"
    assert form["steps"].minimum == 1
    assert form["optim.decay_omega"].kind == "bool"
    lr = form["optim.lr"]
    assert lr.minimum is not None
    assert 0 < lr.minimum < 1e-300
    assert lr.maximum == 1


def test_every_default_of_the_form_is_accepted() -> None:
    for field in fields():
        text = str(field.default).lower() if field.kind == "bool" else field.default
        resolve(None, overrides=[f"{field.key}={text}"])


def test_every_shipped_preset_resolves() -> None:
    presets = list_presets()
    assert "kssm-v3-tiny" in {preset.name for preset in presets}
    for preset in presets:
        assert resolve(preset.name).preset == preset.name

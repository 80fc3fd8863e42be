from tests.trainer.loop.tiny import text_fixture

__all__ = ["text_fixture"]

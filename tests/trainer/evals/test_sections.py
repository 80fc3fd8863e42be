"""Documents as windows."""

import numpy as np

from trainer.evals.sections import Section, cut


def tokens(count: int) -> Section:
    return Section(np.arange(1, count + 1))


def test_a_short_document_is_filled_up_and_what_fills_it_is_not_scored() -> None:
    pieces = cut([tokens(5), tokens(21)], 10)
    assert pieces.rows.shape == (3, 11)
    assert pieces.lengths.tolist() == [4, 10, 10]
    assert pieces.owners.tolist() == [0, 1, 1]
    assert pieces.rows[0].tolist() == [1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0]


def test_windows_follow_each_other_and_predict_every_token_but_the_first() -> None:
    pieces = cut([tokens(21)], 10)
    assert pieces.rows[:, 1:].ravel().tolist() == list(range(2, 22))


def test_no_window_is_longer_than_the_longest_document() -> None:
    assert cut([tokens(5), tokens(7)], 1000).rows.shape == (2, 7)

"""What was shown of a model, in sentences that claim no more."""

from trainer.evals.causality.results import CausalityReport, Findings

NEAR_CHANCE = 0.05
"""Of the way from chance to full agreement: an interval inside it is told as about chance."""


def verdict(report: CausalityReport) -> str:
    """Return what is shown of learning, mixing, R, coherence and the untrained twin, a sentence each."""
    found = report.trained
    sentences = (_learning(report), _mixing(found), _R(found), _coherence(found), _control(report))
    return " ".join(sentence for sentence in sentences if sentence)


def _learning(report: CausalityReport) -> str:
    scores = report.trained.scores
    unigram, bigram, _ = scores.floors
    ce = f"CE {scores.ce.value:.3f}, untrained {report.untrained.scores.ce.value:.3f}"
    if unigram.below.low <= 0:
        return f"It has not learnt what counting single tokens gives ({ce}; unigrams {unigram.ce.value:.3f})."
    below = bigram.below
    apart = f"{below} below" if below.value > 0 else f"{below.negated()} above"
    floor = f"bigrams score {bigram.ce.value:.3f} on the same tokens, it scores {apart}"
    if bigram.below.excludes(0.0):
        much = "more" if bigram.below.value > 0 else "less"
        return f"It has learnt {much} than counting pairs of tokens gives ({ce}; {floor})."
    return f"It has learnt about what counting pairs of tokens gives ({ce}; {floor})."


def _mixing(found: Findings) -> str:
    if not found.reach.is_causal:
        return "It is NOT causal."
    if found.reach.is_position_wise:
        return (
            "It is position-wise: it sees the token at hand and its position, and nothing of the text before."
        )
    how = (
        "by keeping the whole of it, as attention does"
        if found.memory.grows
        else "in a state of constant size"
    )
    reach = f"felt {found.reach.farthest} tokens later"
    return f"It is causal and carries its text on {how} ({reach})."


def _R(found: Findings) -> str:
    if not found.intervention.nudges:
        return "It has no oscillators: of R nothing can be said, and what it does it does without."
    if found.intervention.has_none:
        return (
            "Its R can be read and does nothing: making groups more or less coherent leaves CE where it is."
        )
    if found.is_functional:
        return (
            "Its R passes the three-test report: it varies beyond token and position, goes with the "
            f"certainty of the next token (r with entropy {found.correlation.r:+.2f}), and moves CE "
            "otherwise than random nudges of equal size, a little more coherence and a little less both for "
            "the worse. So its output depends on coherence; that coherence or coupling helps is not shown by "
            "that."
        )
    shown = []
    if found.intervention.is_specific:
        shown.append("coherence moves CE otherwise than random nudges of equal size")
        if not found.intervention.is_at_its_best:
            shown.append("though a little more of it, or a little less, is not certainly for the worse")
    elif found.intervention.has_effect:
        shown.append("its phases move CE, coherence no otherwise than random nudges of equal size")
    else:
        shown.append("neither an effect of coherence on CE nor its absence is shown")
    if found.reach.felt_in_order == 0:
        shown.append("and R tells of the token at hand and its position alone (any rest is noise)")
    elif not found.correlation.varies:
        shown.append("and R hardly says more than token and position do")
    elif not found.correlation.holds:
        shown.append("and R does not go with the certainty of the next token")
    return f"Its R does not pass the three-test report: {', '.join(shown)}."


def _coherence(found: Findings) -> str:
    if found.agreement is None:
        return ""
    beyond = found.agreement.beyond
    of_it = found.agreement.beyond_words
    if beyond.within(NEAR_CHANCE):
        return f"Its groups are about as coherent as random phases would be: {of_it}."
    if beyond.excludes(0.0):
        much = "more" if beyond.value > 0 else "less"
        return f"Its groups are {much} coherent than random phases would be: {of_it}."
    return f"Whether its groups are more coherent than random phases would be is not shown: {of_it}."


def _control(report: CausalityReport) -> str:
    if not report.trained.intervention.nudges:
        return ""
    if report.untrained.is_functional:
        return "THE UNTRAINED TWIN PASSES TOO, so the three-test report says nothing here."
    return "Its untrained twin does not pass the three-test report, as it must not."

"""The printed table: numbers, signs and units that people can rely on."""

import re
from statistics import stdev

import pytest

from cftrain.summary.result_table import Change, change, result_table
from cftrain.summary.statistics.comparison import Comparison

T_OF_THREE = 4.302652729911275
"""Student's t with two degrees of freedom, 97.5 %."""


def compared(metric: str = "ip", **values: object) -> Comparison:
    given = {
        "metric": metric,
        "epsilon": None,
        "unit": "L1",
        "higher_is_better": False,
        "baseline": 2.0,
        "model": 1.0,
        "reduction": 50.0,
        "deviation": 3.0,
        "steady": True,
        "noise": 0.25,
        "settled": True,
    }
    return Comparison(**{**given, **values})


def share(metric: str = "validity", **values: object) -> Comparison:
    given = {"unit": "share", "higher_is_better": True}
    return compared(metric, **{**given, **values})


def line(*rows: Comparison, objectives: tuple[str, ...] = ("full", "vanilla")) -> list:
    """The one line of a table, in its columns."""
    text = result_table([[row] for row in rows], objectives, every=True)
    return re.split(r"\s{2,}", text.splitlines()[2].strip())


def test_less_is_told_in_percent():
    assert change([compared()]) == Change(value=-50, spread=3, unit="%", real=True)
    assert line(compared())[1:] == ["2.000", "1.000", "▲", "50.0 ± 3.0 % lower"]


def test_shares_change_by_points_even_if_less_is_better():
    found = share("violations", higher_is_better=False, baseline=0.1, model=0.15)
    assert line(found)[1:] == ["0.100", "0.150", "▼", "+5.0 ± 25.0 points"]


def test_where_a_ratio_says_nothing_the_difference_is_told():
    found = compared(baseline=9.7e-05, model=9.5e-05, reduction=-36.0, steady=False)
    told = change([found])
    assert told.unit == ""
    assert told.value == pytest.approx(-2e-6)
    assert told.spread == 0.25
    assert "%" not in line(found)[-1]


def test_without_a_ratio_the_difference_is_told():
    found = compared(baseline=0.0, reduction=None, deviation=None, steady=False)
    assert line(found)[1:] == ["0.000", "1.000", "▼", "+1.00 ± 0.25"]


def test_noise_has_no_sign():
    assert line(compared(settled=False))[-1] == "50.0 ± 3.0 % lower"
    assert "▲" not in line(compared(settled=False))


def test_measures_without_rounds_have_a_sign_all_the_same():
    found = share(baseline=0.5, model=0.75, noise=None, settled=None)
    assert line(found)[1:] == ["0.500", "0.750", "▲", "+25.0 points"]


def test_what_is_the_same_is_no_change():
    found = share(baseline=1.0, model=1.0, noise=0.0, settled=False)
    assert line(found)[1:] == ["1.000", "1.000", "no change"]


def test_several_seeds_have_a_mean_and_an_interval():
    values = (40.0, 50.0, 54.0)
    told = change([compared(reduction=value) for value in values])
    assert told.value == pytest.approx(-48)
    assert told.spread == pytest.approx(T_OF_THREE * stdev(values) / 3**0.5)
    assert told.real
    levels = line(*(compared(model=v) for v in (1.0, 1.1, 1.2)))[1:3]
    assert levels == ["2.00 ± 0.00", "1.10 ± 0.25"]


def test_seeds_that_disagree_have_no_sign():
    told = change([compared(reduction=value) for value in (-10.0, 5.0, 20.0)])
    assert told.real is False


def test_an_interval_over_seeds_that_holds_everything_is_no_percentage():
    told = change([compared(reduction=value) for value in (-80.0, 5.0, 90.0)])
    assert told.unit == ""
    assert told.value == pytest.approx(-1)


def test_one_seed_without_a_steady_ratio_is_enough_for_no_percentage():
    told = change([compared(), compared(steady=False)])
    assert told.unit == ""


def test_a_measure_that_one_seed_lacks_is_a_mean_of_the_others():
    rows = [[share(), compared()], [compared()]]
    text = result_table(rows, ("full", "vanilla"), every=True)
    assert re.search(r"^validity +2.000 +1.000 ", text, re.MULTILINE)
    assert re.search(r"^implausibility IP \(L1\) +2.00 ± 0.00 ", text, re.MULTILINE)


def test_variants_are_left_out_and_counted():
    names = ("ip", "ip_star", "ip_star_median", "ip_floor", "my_own")
    rows = [compared(name) for name in names]
    brief = result_table([rows], ("full", "vanilla"), every=False)
    assert "IP*" in brief
    assert "my_own" in brief
    assert "median" not in brief
    assert "IP of observed rows" not in brief
    assert "2 more measures: cftrain show FOLDER all=true" in brief
    whole = result_table([rows], ("full", "vanilla"), every=True)
    assert "median" in whole
    assert "more measures" not in whole


def test_a_legend_says_what_signs_and_names_stand_for():
    text = result_table([[compared()]], ("full", "vanilla"), every=True)
    assert "BL is conventional training, CT is counterfactual training" in text
    assert "▲ CT is better, ▼ worse" in text
    assert "one training seed" in text
    several = result_table([[compared()]] * 3, ("full", "vanilla"), every=True)
    assert "3 training seeds" in several
    alone = result_table([[compared()]], ("full",), every=True)
    assert "▲" not in alone

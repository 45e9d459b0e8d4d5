"The profile that a GPU gets, and why: each one can be made, and says what is replaced"
import pytest

from agent_distill.cli import needs
from agent_distill.colab import choose_profile, paper_price
from agent_distill.profile import get_profile


def everything(name): return True
def nothing(name): return False


@pytest.mark.parametrize("gb, name", [(0.5, "mini"), (7.9, "mini"), (8, "small"), (14.9, "small"), (15, "colab"), (80, "colab")])
def test_memory_decides(gb, name):
    for installed in (everything, nothing):
        spec, why = choose_profile([("a card", gb)], installed)
        assert get_profile(spec).name == name and why[0].startswith(f"a card, {gb:.0f} GB: {name}, for ")


def test_without_a_gpu():
    spec, why = choose_profile([], nothing)
    assert spec == "mini" and len(why) == 1 and why[0].startswith("no GPU: mini")


def test_the_largest_of_several_counts():
    assert choose_profile([("small", 8), ("large", 24), ("none", 4)], everything)[0] == "colab"


@pytest.mark.parametrize("gb", [15, 16.1, 24, 80])
def test_a_teacher_that_does_not_fit_is_replaced(gb):
    spec, why = choose_profile([("a card", gb)], everything)
    assert needs(get_profile(spec)).gpu <= gb
    assert (get_profile(spec).teacher == "released") == (gb < needs(get_profile("colab")).gpu)
    assert len(why) == spec.count(",") + 1 + (gb >= 40), "a reason for each change"


def test_what_is_not_installed_is_replaced():
    def one(name): return name == "vllm"
    assert choose_profile([("L4", 24)], one)[0] == "colab,sft=trl"
    p = get_profile(choose_profile([("L4", 24)], nothing)[0])
    assert (p.engine, p.sft) == ("transformers", "trl")


def test_the_paper_is_named_with_its_price_from_40_gb_on():
    assert not any("paper" in w for w in choose_profile([("a card", 39)], everything)[1])
    assert choose_profile([("a card", 40)], everything)[1][-1] == paper_price(40)
    assert paper_price(40).startswith("paper,teacher=released is possible") and paper_price(80).startswith("paper is")
    assert f"{needs(get_profile('paper')).download:.0f} GB to download" in paper_price(80)

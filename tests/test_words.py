"""Words and hybrid: BM25 by a library, ranks fused, the same interface."""
import numpy as np
import pytest

pytest.importorskip("bm25s", reason="the extra words is not installed")

from agent_distill.passages import Passage
from agent_distill.profile import AgentDistillError
from agent_distill.retrieval import Embedder, Retriever, flat_index, search_tool
from agent_distill.words import Hybrid, Words, fuse

TOY = [Passage("0", "The Silent Harbor", "The Silent Harbor was directed by Mara Quill."),
       Passage("1", "Mara Quill", "Mara Quill was born in Tarn."), Passage("2", "Tarn", "Tarn is a city on a river."),
       Passage("3", "Zyx Qwv", "Nothing is known of it."), Passage("4", "Omelette", "An omelette is made from eggs.")]


@pytest.fixture(scope="module")
def retriever():
    embedder = Embedder()
    return Retriever(TOY, flat_index(embedder.encode_passages(TOY)), embedder)


def bm25(query, texts, k1=.9, b=.4):
    "Lucene's BM25, straight from the formula"
    docs = [t.lower().replace(".", "").split() for t in texts]
    mean = sum(map(len, docs))/len(docs)
    def idf(w): n = sum(w in d for d in docs); return np.log(1 + (len(docs) - n + .5)/(n + .5))
    return np.array([sum(idf(w)*d.count(w)/(d.count(w) + k1*(1 - b + b*len(d)/mean)) for w in query.split()) for d in docs])


def test_scores_are_the_formulas():
    "Texts without stop words or one-letter words, so that the tokens are plain to see"
    texts = ["quill harbor quill", "harbor tarn river", "river river river omelette eggs", "omelette"]
    words = Words([Passage(str(i), "", t) for i, t in enumerate(texts)])
    for query in ("quill", "river harbor", "omelette eggs tarn"):
        scores, rows = words.rows([query], 4)
        np.testing.assert_allclose(scores[0], bm25(query, texts)[rows[0]], rtol=1e-4)


def test_a_name_is_found_by_words(retriever):
    assert Words(TOY).search("zyx qwv", 1)[0][0].passage == TOY[3]
    assert Words(TOY).search(["xylophone", "eggs"]) == [[], Words(TOY).search("eggs")[0]]


def test_fusion_by_hand():
    [found] = fuse([np.array([[5, 6, 7]]), np.array([[6, 8, -1]])], c=60)
    assert [i for i, _ in found] == [6, 5, 8, 7] and found[0][1] == pytest.approx(1/62 + 1/61)


def test_the_hybrid_finds_what_either_finds(retriever):
    hybrid = Hybrid(retriever)
    assert hybrid.search("zyx qwv", 1)[0][0].passage == TOY[3]
    assert hybrid.search("where was she born", 2)[0][0].passage in (TOY[1], TOY[0])
    assert len(hybrid.search(["a", "b"], 50)[1]) == len(TOY) and hybrid.search([]) == []
    assert search_tool(hybrid, 1)("eggs") == "[1] Omelette: An omelette is made from eggs."
    with pytest.raises(AgentDistillError, match="k is 0"): hybrid.search("a", 0)


def test_without_the_library(monkeypatch):
    import sys
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(AgentDistillError, match=r"agent_distill\[words\]"): Words(TOY)

"""What each measure becomes, in English and Chinese from one ledger; comparisons, searches, ranking."""

from __future__ import annotations

import random
import re

import pytest

import resources
from inference.drafting.grammar import ComposePlan, item_grammar, parse, writable
from inference.drafting.items import ItemKind, propose_items
from inference.drafting.phrases import phrase_table
from inference.drafting.style import Chooser, style, style_names
from inference.drafting.templates import Language
from inference.evidence.quantities import quantity
from inference.training.data import random_ledger
from inference.validation.rules import check_sentence
from inference.validation.vocabulary import scan
from reports.domain import (
    Change,
    Code,
    Compared,
    Evidence,
    EvidenceKind,
    Ledger,
    Quantity,
    ReportDefault,
    Search,
    SearchResult,
    Sentence,
    Side,
    Source,
    SourceKind,
    Verdict,
)

TOOL = Source(kind=SourceKind.TOOL, name="test", version="1")
NODULE = Code(value="27925004", scheme="SCT", meaning="Nodule")
BLOOD = Code(value="1386000", scheme="SCT", meaning="Intracranial hemorrhage")


def one(kind: EvidenceKind, label: str, *values: Quantity, **more: object) -> Evidence:
    base = {
        "id": "E1",
        "kind": kind,
        "concept": Code(value="x", scheme="99SIGHTLINE", meaning=label),
        "label": label,
        "values": values,
        "source": TOOL,
        "report_default": ReportDefault.SENTENCE,
    }
    return Evidence.model_validate(base | more)


def ledger_of(*items: Evidence, modality: str = "CT", region: str = "chest") -> Ledger:
    numbered = (item.model_copy(update={"id": f"E{n}"}) for n, item in enumerate(items, start=1))
    return Ledger(study_instance_uid="1.2", modality=modality, body_region=region).add(*numbered)


def plan_in(ledger: Ledger, language: Language, name: str = "structured") -> ComposePlan:
    table = phrase_table(language)
    items, _ = writable(ledger, propose_items(ledger, measured=True, language=language), table)
    return item_grammar(ledger, items, table, style(name))


def written(ledger: Ledger, language: Language = Language.ENGLISH) -> list[Sentence]:
    plan = plan_in(ledger, language)
    text = "".join(planned.line(planned.alternatives[0]) for planned in plan.items)
    checked = [check_sentence(sentence, ledger) for sentence in parse(plan, text)]
    for sentence in checked:
        failed = [check.message for check in sentence.checks if not check.passed]
        assert sentence.verdict is Verdict.SUPPORTED, (sentence.text, failed)
    return checked


def texts(ledger: Ledger, language: Language = Language.ENGLISH) -> list[str]:
    return [sentence.text for sentence in written(ledger, language)]


M = EvidenceKind.MEASUREMENT
MEASURES = [
    (
        one(M, "Cardiothoracic ratio", quantity("cardiothoracic_ratio", 0.42)),
        "Cardiothoracic ratio 0.42.",
        "心胸比0.42。",
    ),
    (
        one(M, "Midline shift", quantity("shift", 6.2), side="left"),
        "Midline shift 6.2 mm to the left.",
        "中线移位6.2 mm，偏向左侧。",
    ),
    (
        one(M, "Tube tip to carina", quantity("tip_to_carina", 41.0), descriptor="above"),
        "Tube tip 41 mm above the carina.",
        "导管尖端位于隆突上方41 mm。",
    ),
    (
        one(
            M,
            "Liver minus spleen",
            quantity("density_difference", -14),
            quantity("liver_density", 38),
            quantity("spleen_density", 52),
        ),
        "Liver minus spleen −14 HU: liver 38 HU, spleen 52 HU.",
        "肝脾密度差−14 HU：肝脏38 HU，脾脏52 HU。",
    ),
    (
        one(
            M,
            "Body composition at L3",
            quantity("subcutaneous_fat", 180.2),
            quantity("visceral_fat", 95.0),
        ),
        "Body composition at L3: subcutaneous fat 180.2 cm², visceral fat 95.0 cm².",
        "L3层面体成分：皮下脂肪面积180.2 cm²，内脏脂肪面积95.0 cm²。",
    ),
    (
        one(
            M,
            "Liver reference",
            quantity("suv_mean", 2.04),
            quantity("suv_sd", 0.21),
            quantity("uptake_time", 67),
            modality="PT",
        ),
        "Liver reference: mean SUV 2.0, SD 0.21, 67 min after injection.",
        "肝脏参考：平均SUV 2.0，标准差0.21，注射后67 min。",
    ),
    (
        one(M, "Liver density", quantity("mean_density", 55), quantity("sd", 12), anatomy="liver"),
        "Liver: mean density 55 HU.",
        "肝脏：平均密度55 HU。",
    ),
    (
        one(M, "Right lateral ventricle", quantity("fluid_ml", 26), side="right"),
        "Right lateral ventricle 26 mL.",
        "右侧脑室26 mL。",
    ),
]


@pytest.mark.parametrize(("evidence", "english", "chinese"), MEASURES, ids=lambda one: str(one)[:24])
def test_each_measure_has_its_sentence_in_both_languages(evidence, english, chinese):
    ledger = ledger_of(evidence)
    assert texts(ledger) == [english]
    assert texts(ledger, Language.CHINESE) == [chinese]


def test_a_measure_that_is_in_the_ledger_only_is_no_sentence():
    hidden = one(M, "Fluid", quantity("fluid_ml", 140), report_default=ReportDefault.LEDGER_ONLY)
    assert texts(ledger_of(hidden)) == []


def finding(term: str, anatomy: str, long: float, side: Side = Side.NONE) -> Evidence:
    return one(
        EvidenceKind.FINDING,
        term.capitalize(),
        quantity("long", long),
        side=side,
        anatomy=anatomy,
        descriptor=term,
    )


def compared(change: Change, *values: Quantity) -> Evidence:
    pair = Compared(
        current="E1",
        prior_study_instance_uid="1.2.3",
        prior_date="2025-11-20",
        value="long",
        change=change,
    )
    return one(EvidenceKind.COMPARISON, "Nodule compared", *values, compared=pair)


PRIOR = Quantity(name="prior", value=7.2, unit="mm", text="7.2 mm")


@pytest.mark.parametrize(
    ("change", "values", "english", "chinese"),
    [
        (
            Change.LARGER,
            (PRIOR,),
            "Nodule in the left upper lobe, 9.8 mm, 7.2 mm on 2025-11-20: larger.",
            "左肺上叶结节，9.8 mm，2025-11-20为7.2 mm：增大。",
        ),
        (
            Change.NO_MEASURABLE_CHANGE,
            (PRIOR,),
            "Nodule in the left upper lobe, 9.8 mm, 7.2 mm on 2025-11-20: no measurable change.",
            "左肺上叶结节，9.8 mm，2025-11-20为7.2 mm：无明显变化。",
        ),
        (
            Change.NEW,
            (),
            "Nodule in the left upper lobe, 9.8 mm: new since 2025-11-20.",
            "左肺上叶结节，9.8 mm：较2025-11-20新发。",
        ),
    ],
)
def test_a_comparison_names_both_values_the_date_and_the_words_of_the_program(
    change, values, english, chinese
):
    ledger = ledger_of(finding("nodule", "upper lobe", 9.8, Side.LEFT), compared(change, *values))
    for language, expected in ((Language.ENGLISH, english), (Language.CHINESE, chinese)):
        sentence = next(s for s in written(ledger, language) if "2025" in s.text)
        assert sentence.text == expected
        assert {citation.evidence_id for citation in sentence.citations} == {"E1", "E2"}
        assert sentence.organ == {"en": "Lungs", "zh-CN": "肺"}[language]


def test_what_cannot_be_compared_is_not_compared():
    odd = compared(Change.NOT_COMPARABLE, PRIOR)
    kinds = {item.kind for item in propose_items(ledger_of(finding("nodule", "lung", 9.8), odd))}
    assert ItemKind.COMPARISON not in kinds


def search(target: Code = NODULE, **more: object) -> Evidence:
    base = {
        "target": target,
        "searched": "both lungs",
        "coverage": 1.0,
        "complete": True,
        "accepted": True,
        "detection_limit": quantity("long", 4.0),
        "result": SearchResult.NONE,
    }
    return one(
        EvidenceKind.SEARCH,
        f"Search: {target.meaning}",
        report_default=ReportDefault.LEDGER_ONLY,
        search=Search.model_validate(base | more),
    )


def test_a_complete_accepted_search_is_a_negative_with_its_limit():
    ledger = ledger_of(search())
    assert texts(ledger) == ["No pulmonary nodule of at least 4.0 mm in the searched lungs."]
    assert texts(ledger, Language.CHINESE) == ["所查肺未见4.0 mm及以上的肺结节。"]


@pytest.mark.parametrize(
    "searched",
    [
        search(complete=False),
        search(accepted=False),
        search(result=SearchResult.CANDIDATES, candidates=("E1",)),
        search(result=SearchResult.REFUSED),
        search(detection_limit=None),
        search(Code(value="nothing of the template", scheme="99SIGHTLINE", meaning="Other")),
    ],
)
def test_any_other_search_is_silent(searched):
    for language in Language:
        assert propose_items(ledger_of(searched), measured=True, language=language) == ()


def test_what_is_never_negated_stays_unsaid_even_after_a_perfect_search():
    assert propose_items(ledger_of(search(BLOOD), region="head"), measured=True) == ()


def test_the_impression_is_ranked_by_urgency_then_by_size():
    ledger = ledger_of(
        finding("cyst", "lung", 40.0, Side.LEFT),
        finding("nodule", "upper lobe", 9.8, Side.LEFT),
        finding("mass", "lower lobe", 52.0, Side.RIGHT),
        finding("aneurysm", "thoracic aorta", 61.0),
    )
    said = [s for s in written(ledger) if s.section.value == "impression"]
    assert [s.citations[0].evidence_id for s in said] == ["E4", "E3", "E2", "E1"]
    organs = [s.organ for s in written(ledger) if s.section.value == "findings"]
    assert organs == ["Lungs", "Lungs", "Lungs", "Vessels"]


def test_a_form_gets_no_drafted_impression():
    ledger = ledger_of(finding("mass", "breast", 12.0, Side.LEFT), modality="MG", region="breast")
    assert {item.kind for item in propose_items(ledger)} == {ItemKind.FINDING}


def test_both_tables_have_the_same_templates_and_fill_the_same_slots():
    english, chinese = (
        resources.table("phrases", f"{language.value}.json")["templates"] for language in Language
    )
    assert list(english) == list(chinese)
    for kind, rows in english.items():
        assert [row["id"] for row in rows] == [row["id"] for row in chinese[kind]]
        for ours, theirs in zip(rows, chinese[kind], strict=True):
            outside = re.sub(r"\{[^}]*\}", " ", theirs["text"])
            assert not re.search(r"\d", outside)
            told = {token.kind for token in scan(outside)}
            assert not told & {"finding", "place", "negation", "count", "change", "side", "modality"}
            assert {k: v for k, v in ours.items() if k != "text"} == {
                k: v for k, v in theirs.items() if k != "text"
            }


@pytest.mark.parametrize("name", ["anatomy", "findings"])
def test_every_word_of_the_tables_has_its_chinese(name):
    words = resources.table("phrases", "zh-CN.json")["translations"]
    if name == "findings":
        assert set(resources.table("phrases", "findings.json")["descriptors"]) <= set(words["terms"])
        return
    table = resources.table("phrases", "anatomy.json")
    places = {place for group in table["regions"].values() for place in group}
    assert (places | set(table["body_parts"].values())) <= set(words["places"])


@pytest.mark.parametrize("seed", range(30))
def test_one_ledger_gives_the_same_claims_in_both_languages(seed):
    ledger = random_ledger(random.Random(seed))
    chinese = written(ledger, Language.CHINESE)
    ids = {sentence.citations[0].evidence_id for sentence in chinese}
    said = {
        language: [
            (
                sentence.section,
                [citation.evidence_id for citation in sentence.citations],
                sorted((slot.evidence_id, slot.value) for slot in sentence.slots),
            )
            for sentence in written(ledger, language)
            if sentence.citations[0].evidence_id in ids
        ]
        for language in Language
    }
    for (section, cited, slots), theirs in zip(
        said[Language.ENGLISH], said[Language.CHINESE], strict=True
    ):
        assert (section, cited) == theirs[:2]
        assert slots == theirs[2]


def test_a_place_without_a_word_is_never_dropped():
    odd = finding("nodule", "carina of nowhere", 9.8)
    assert texts(ledger_of(odd), Language.CHINESE) == []


def test_styles_are_data_and_the_model_chooses_only_where_it_was_trained():
    assert style_names()[0] == "house"
    house = style("house")
    assert house.chooses[Language.ENGLISH] is Chooser.MODEL
    assert house.chooses[Language.CHINESE] is Chooser.STYLE
    known = {
        kind: {row["id"] for row in rows}
        for kind, rows in resources.table("phrases", "en.json")["templates"].items()
    }
    for name in style_names():
        for kind, wanted in style(name).prefers.items():
            assert set(wanted) <= known[kind]
    ledger = ledger_of(finding("nodule", "upper lobe", 9.8, Side.LEFT))
    assert all(len(one.alternatives) > 1 for one in plan_in(ledger, Language.ENGLISH, "house").items)
    assert all(len(one.alternatives) == 1 for one in plan_in(ledger, Language.CHINESE, "house").items)

"""What is stored of a planet: products of another version or cut in half are sentences."""

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.diagnostics.planet_products import planet_products
from spectramind_kit.flags import Flag
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.store import save_product

PLANET = 34983


def test_products_are_read_visit_by_visit_with_their_flags(write_competition, fitted, white_noise, tmp_path):
    work, folder = WorkFolder(tmp_path), open_competition(write_competition())
    for visit, flags in ((0, {}), (1, {Flag.OUTLIERS: "2 %"})):
        fit, curves = fitted(white_noise, planet=PLANET, visit=visit, flags=flags)
        save_product(work.fit("train", PLANET, visit), fit)
        save_product(work.light_curves("train", PLANET, visit), curves)
    found = planet_products(folder, tmp_path, "train", PLANET)
    assert found.visits == [0, 1] and found.flags == {Flag.OUTLIERS: "2 %"} and found.problems == ()
    assert found.planet.orbit.semi_major_axis == 8.5


def test_what_cannot_be_read_is_a_sentence(write_competition, fitted, white_noise, tmp_path):
    work, folder = WorkFolder(tmp_path), open_competition(write_competition())
    fit, curves = fitted(white_noise, planet=PLANET)
    path = work.fit("train", PLANET, 0)
    save_product(path, fit)
    save_product(work.light_curves("train", PLANET, 0), curves)
    path.write_bytes(path.read_bytes()[:1000])
    found = planet_products(folder, tmp_path, "train", PLANET)
    assert found.fits == () and list(found.curves) == [0] and found.flags == {}
    assert len(found.problems) == 1 and found.problems[0].startswith(f"train/{PLANET}_0.npz cannot be read")


def test_nothing_stored_is_nothing_wrong(write_competition, tmp_path):
    found = planet_products(open_competition(write_competition()), tmp_path, "test", 7)
    assert found.visits == [] and found.problems == ()

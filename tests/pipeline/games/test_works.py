"""Which entries of IGDB are one work."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.games.works import Family, Kin, family_of


def family(*kin: Kin) -> dict[int, Kin]:
    return {each.igdb_id: each for each in kin}


def test_a_port_a_remaster_and_an_edition_of_it_are_their_parents_work() -> None:
    entries = family(
        Kin(igdb_id=1, game_type=0),
        Kin(igdb_id=2, game_type=11, parent_igdb_id=1),
        Kin(igdb_id=3, game_type=9, parent_igdb_id=2),
        Kin(igdb_id=4, game_type=0, version_parent_igdb_id=3),
    )

    assert {igdb_id: family_of(igdb_id, entries) for igdb_id in entries} == dict.fromkeys(entries, Family(1))


def test_dlc_belongs_to_its_game() -> None:
    assert family_of(2, family(Kin(igdb_id=1), Kin(igdb_id=2, game_type=1, parent_igdb_id=1))) == Family(1)


def test_a_remake_is_a_work_of_its_own_that_names_the_other() -> None:
    entries = family(
        Kin(igdb_id=1), Kin(igdb_id=2, game_type=11, parent_igdb_id=1), Kin(igdb_id=3, game_type=8, parent_igdb_id=2)
    )

    assert family_of(3, entries) == Family(3, "remake", 1)


def test_a_bundle_is_no_part_of_what_it_holds() -> None:
    assert family_of(2, family(Kin(igdb_id=1), Kin(igdb_id=2, game_type=3, parent_igdb_id=1))) == Family(2)


def test_a_family_hangs_on_a_parent_that_is_not_known_yet() -> None:
    assert family_of(2, family(Kin(igdb_id=2, game_type=9, parent_igdb_id=1))) == Family(1)


@given(
    st.dictionaries(
        st.integers(1, 6),
        st.tuples(st.sampled_from([None, 0, 1, 3, 4, 8, 9, 11]), st.integers(1, 6), st.none() | st.integers(1, 6)),
        min_size=1,
    )
)
def test_every_entry_has_a_family_however_documents_name_each_other(
    drawn: dict[int, tuple[int | None, int, int | None]],
) -> None:
    entries = family(
        *(
            Kin(igdb_id=key, game_type=kind, parent_igdb_id=parent, version_parent_igdb_id=version)
            for key, (kind, parent, version) in drawn.items()
        )
    )

    for igdb_id in entries:
        family_of_it = family_of(igdb_id, entries)
        assert 1 <= family_of_it.root_igdb_id <= 6
        assert family_of_it.related_igdb_id != family_of_it.root_igdb_id

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.fleet import ber

ARCS = st.integers(0, 2**32 - 1)
OIDS = st.one_of(
    st.tuples(st.integers(0, 1), st.integers(0, 39), ARCS).map(tuple),
    st.tuples(st.just(2), st.integers(0, 2**32 - 81), ARCS),
    st.lists(ARCS, min_size=1, max_size=100).map(lambda rest: (1, 3, *rest)),
)


@given(OIDS)
def test_an_object_identifier_reads_back_as_it_was_written(arcs):
    assert ber.read_oid(ber.oid(arcs)) == arcs
    assert ber.parse_dotted(ber.dotted(arcs)) == arcs


@given(st.integers(-(2**63), 2**63 - 1))
def test_an_integer_reads_back_as_it_was_written_in_the_fewest_octets(number):
    content = ber.integer(number)
    assert ber.read_integer(content) == number
    assert len(content) == 1 or (content[0], content[1] >> 7) not in ((0, 0), (255, 1))


@given(st.integers(0, 255), st.binary(max_size=70_000))
def test_an_element_reads_back_as_it_was_written(tag, content):
    data = ber.tlv(tag, content)
    found, start, stop = ber.read(data, 0, len(data))
    assert (found, data[start:stop], stop) == (tag, content, len(data))


@given(st.sampled_from([ber.COUNTER32, ber.GAUGE32, ber.TIME_TICKS]), st.integers(0, 2**70))
def test_a_number_beyond_its_bits_wraps(tag, number):
    data = ber.ENCODERS[tag](number)
    assert data[0] == tag
    assert ber.read_integer(data[2:]) == number % 2**32


@given(st.integers(0, 2**70))
def test_a_64_bit_counter_wraps_at_64_bits(number):
    assert ber.read_integer(ber.ENCODERS[ber.COUNTER64](number)[2:]) == number % 2**64


@given(st.binary(max_size=40))
def test_octets_that_are_no_element_are_refused_with_a_value_error(data):
    for reader in (ber.read_oid, ber.read_integer, lambda octets: ber.read(octets, 0, len(octets))):
        try:
            reader(data)
        except ValueError:
            continue


@given(st.integers(0, 255), st.binary(min_size=1, max_size=300), st.data())
def test_an_element_that_is_cut_short_is_refused(tag, content, data):
    whole = ber.tlv(tag, content)
    size = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError, match=r"cut short|length"):
        ber.read(whole[:size], 0, size)


@pytest.mark.parametrize("arcs", [(), (1,), (1, 40), (3, 1), (1, 3, 2**32), (1, 3, -1), (1, 3, *range(127))])
def test_what_cannot_be_an_object_identifier_is_refused(arcs):
    with pytest.raises(ValueError, match="is no object identifier"):
        ber.oid(arcs)


@pytest.mark.parametrize("text", ["", ".", "1", "1.3.x", "1..3", "1.3.-1", "1.3.٣"])
def test_text_that_is_no_object_identifier_is_refused(text):
    with pytest.raises(ValueError, match="is no object identifier"):
        ber.parse_dotted(text)

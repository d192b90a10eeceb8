"""Files of real exports are read: encodings, delimiters, headings, labels, wide and long forms, doubled times."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.backtest.csv_history import CsvError, History, HistoryFile, read_history
from bot.backtest.reading.options import ReadingOptions

START = datetime(2026, 2, 1, tzinfo=UTC).timestamp()
Reads = Callable[..., HistoryFile]


@pytest.fixture
def read(tmp_path: Path) -> Reads:
    def of(content: str | bytes, **options: str) -> HistoryFile:
        file = tmp_path / "history.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_history(file, ReadingOptions(**options))  # type: ignore[arg-type]

    return of


def metrics(read: HistoryFile) -> dict[str, list[float]]:
    """Return the values of each series by its name and labels."""
    found = {}
    for one in read.series:
        assert isinstance(one, History)
        assert one.times[0] == START
        found[" ".join(filter(None, (one.column, one.series)))] = one.values.tolist()
    return found


def lines(*rows: str) -> str:
    return "\n".join(rows) + "\n"


PLAIN = lines("time,load", "2026-02-01 00:00,1", "2026-02-01 00:05,2")


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.replace("load", "Größe").encode("cp1252"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        gzip.compress(PLAIN.encode(), mtime=0),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        PLAIN.replace(",", " ; ").encode(),
        ("sep=;\n" + PLAIN.replace(",", ";")).encode(),
        ('"' + PLAIN.strip().replace(",", '","').replace("\n", '"\n"') + '"').encode(),
    ],
)
def test_encodings_delimiters_and_line_ends_are_found(read: Reads, content: bytes) -> None:
    assert list(metrics(read(content)).values()) == [[1.0, 2.0]]


@pytest.mark.parametrize(
    "rows",
    [
        ("2026-02-01 00:00,1", "2026-02-01 00:05,2"),
        ("# exported by a script", "time,load", "2026-02-01 00:00,1", "2026-02-01 00:05,2"),
        ("#time,load", "2026-02-01 00:00,1", "2026-02-01 00:05,2"),
        ("Load of the queue", "", "time,load", "2026-02-01 00:00,1", "2026-02-01 00:05,2"),
        (",load", "2026-02-01 00:00:00+00:00,1", "2026-02-01 00:05:00+00:00,2"),
        (",time,load", "0,2026-02-01 00:00,1", "1,2026-02-01 00:05,2"),
        ("time,load", "1,2026-02-01 00:00,1", "2,2026-02-01 00:05,2"),
        ("LineId,ts,load", "1,2026-02-01,1", "2,2026-02-02,2"),
        ("created_at,entry_id,load", "2026-02-01 00:00:00 UTC,71,1", "2026-02-01 00:05:00 UTC,72,2"),
        ("date,time,load", "01/02/2026,12:00 AM,1", "01/02/2026,12:05 AM,2", "13/02/2026,1:00 PM,"),
        ("Time (UTC+2),load", "2026-02-01 02:00,1", "2026-02-01 02:05,2"),
        ("Label,load", "ID,m1", "Stat,Average", "Period,300", "2026/02/01 00:00:00,1", "2026/02/01 00:05:00,2"),
        ("time, load", '2026-02-01 00:00, "1"', '2026-02-01 00:05, "2"'),
        (
            '"@timestamp per 5 minutes","Average of load"',
            '"Feb 1, 2026 @ 00:00:00.000",1',
            '"Feb 1, 2026 @ 00:05:00.000",2',
        ),
        ("1769904000 1", "1769904300 2"),
        ("2026-02-01 00:00 1", "2026-02-01 00:05 2"),
        ("Datum;load", "46054,0;1", "46054,003472222;2"),
        ("day,load", "46054,1", "46054.003472222,2"),
        ("time,load", "2026-02-01 00:05,2", "2026-02-01 00:00,1"),
        ("time,load", "2026-02-01 00:00,1", "time,load", "2026-02-01 00:05,2"),
        ("time,load,,", "2026-02-01 00:00,1,,", "2026-02-01 00:05,2,,"),
        ("Fecha;Hora;load", "01/02/2026;00:00;1", "01/02/2026;00:05;2"),
        ("Datum,Slot,load", "01.02.2026,00:00,1", "01.02.2026,00:05,2"),
        ("year,month,day,hour,load", "2026,2,1,0,1", "2026,2,1,1,2"),
        ("No,Year,Month,Day,load", "1,2026,02,01,1", "2,2026,02,02,2"),
        ("# Start date: 20260201", "# End date: 20260202", "Nth day,load", "0000,1", "0001,2"),
        ("Date + hour (YYYYMMDDHH),load", "2026020100,1", "2026020101,2"),
        ('"time","load"', '"=""2026-02-01 00:00""","=""1"""', '"=""2026-02-01 00:05""","=""2"""'),
        ("time,load", "'2026-02-01 00:00','1'", "'2026-02-01 00:05',2"),
        (
            '"(PDH-CSV 4.0) (W. Europe Standard Time)(-60)",load',
            "02/01/2026 01:00:00.000,1",
            "02/01/2026 01:05:00.000,2",
        ),
        ("Date Time,Date Time(RAW),load", "2/1/2026 12:00:00 AM - 12:05:00 AM,46054,1", "2/1/2026 12:05 AM,46054.01,2"),
    ],
)
def test_a_heading_and_the_times_are_found_among_what_stands_around_them(read: Reads, rows: Sequence[str]) -> None:
    [values] = metrics(read(lines(*rows))).values()

    assert values == [1.0, 2.0]


def test_a_decimal_comma_is_read_beside_semicolons(read: Reads) -> None:
    file = read(lines("Zeit;Wert", "01.02.2026 00:00;1.204,5", "01.02.2026 00:05;7,25"))

    assert list(metrics(file).values()) == [[1204.5, 7.25]]
    assert "Wert is read with decimal commas, such as 1.204,5." in file.notes


@pytest.mark.parametrize(
    ("rows", "series"),
    [
        (
            ("time,host,value", "2026-02-01,b,1", "2026-02-01,a,2", "2026-02-02,b,3", "2026-02-02,a,4"),
            {"value host=b": [1, 3], "value host=a": [2, 4]},
        ),
        (
            ("time,which,value", "2026-02-01,b,1", "2026-02-01,a,2", "2026-02-02,b,3", "2026-02-02,a,4"),
            {"value which=b": [1, 3], "value which=a": [2, 4]},
        ),
        (
            ("Series;Time;Value", "valA;2026-02-01;1", "valA;2026-02-02;2", "valB;2026-02-01;3", "valB;2026-02-02;4"),
            {"Value valA": [1, 2], "Value valB": [3, 4]},
        ),
        (
            ("time,load,load", "2026-02-01,1,2", "2026-02-02,3,4"),
            {"load column 2": [1, 3], "load column 3": [2, 4]},
        ),
        (
            ("time,status,count", *(f"2026-02-0{day},{code},{day}" for day in (1, 2) for code in (200, 500))),
            {"count status=200": [1, 2], "count status=500": [1, 2]},
        ),
        (
            ("time,slot,load", *(f"2026-02-0{day},{slot},{day}" for day in (1, 2) for slot in range(3))),
            {"load slot=0": [1, 2], "load slot=1": [1, 2], "load slot=2": [1, 2]},
        ),
        (
            (
                ",CPU,CPU",
                "Full label,a CPU,b CPU",
                "Account,12,12",
                "Metric,CPU,CPU",
                "InstanceId,a,b",
                "Period,300,300",
                "2026-02-01,1,2",
            ),
            {"CPU InstanceId=a": [1], "CPU InstanceId=b": [2]},
        ),
        (
            ('time,"{__name__=""up"",job=""a""}","{job=""b"",__name__=""up""}"', "2026-02-01,1,2"),
            {"up job=a": [1], "up job=b": [2]},
        ),
        (
            ("Date,Users,Avg. session duration", "2026-02-01,1,00:05:00", "2026-02-02,2,00:06:00"),
            {"Users": [1, 2], "Avg. session duration": [300, 360]},
        ),
        (
            ("time,metric,host,value", "2026-02-01,cpu,a,1", "2026-02-01,cpu,b,2", "2026-02-01,mem,a,3"),
            {"cpu host=a": [1], "cpu host=b": [2], "mem host=a": [3]},
        ),
        (
            ('"Time","queue{host=""a""}","{host=""b"", zone=""x""}"', "2026-02-01,1 K,3", "2026-02-02,2 K,"),
            {"queue host=a": [1000, 2000], "host=b, zone=x": [3]},
        ),
        (
            ("Label,CPU,Net", "Stat,Average,Average", "Unit,Percent,Bytes", "2026-02-01,1,2", "2026-02-02,3,4"),
            {"CPU Percent": [1, 3], "Net Bytes": [2, 4]},
        ),
        (("1.7e9,2026-02-01", "1.8e9,2026-02-02"), {"": [1.7e9, 1.8e9]}),
        (("date,wait", "2026-02-01,0:05:12", "2026-02-02,0:00:30"), {"wait": [312, 30]}),
        (
            ("time,load,max", "2026-02-01,1,5", "2026-02-02,2,6", "2026-02-02,3,7", "2026-02-03,4,8", "2026-02-04,4,5"),
            {"load": [1, 3, 4, 4], "max": [5, 7, 8, 5]},
        ),
        (
            ("time,variable,value,max", *(f"2026-02-0{day},{name},{day},{day + 5}" for day in (1, 2) for name in "ab")),
            {"value variable=a": [1, 2], "value variable=b": [1, 2]},
        ),
        (
            ("time,value,low", "2026-02-01,1,5", "2026-02-02,2,6", "2026-02-02,3,7", "2026-02-03,4,5"),
            {"value": [1, 3, 4]},
        ),
        (("time,up", "2026-02-01,true", "2026-02-02,false"), {"up": [1, 0]}),
        (
            ("time,Name,rps,p95", "2026-02-01,All,1,5", "2026-02-02,All,2,6", "2026-02-03,All,3,N/A"),
            {"rps": [1, 2, 3], "p95": [5, 6]},
        ),
        (
            (
                "time,canary,value",
                *(f"2026-02-0{day},{canary},{day}" for day in (1, 2) for canary in ("true", "false")),
            ),
            {"value canary=true": [1, 2], "value canary=false": [1, 2]},
        ),
        ((" time | value ", "-----+------", " 2026-02-01 | 1 ", " 2026-02-02 | 2 "), {"value": [1, 2]}),
        (("| time | value |", "|---|---:|", "| 2026-02-01 | 1 |", "| 2026-02-02 | 2 |"), {"value": [1, 2]}),
        (("time,200,404", "2026-02-01,1,2", "2026-02-02,3,4"), {"200": [1, 3], "404": [2, 4]}),
        (("time,load,temp,note", "2026-02-01,1,2,", "2026-02-02,3,4,reboot"), {"load": [1, 3], "temp": [2, 4]}),
        ((",v,v", "host,a,b", "time,,", "2026-02-01,1,2", "2026-02-02,3,4"), {"v a": [1, 3], "v b": [2, 4]}),
        (
            ("time,state,value", "2026-02-01,ok,1", "2026-02-02,warning,2", "2026-02-03,ok,3", "2026-02-04,ok,4"),
            {"value": [1, 2, 3, 4]},
        ),
        (
            ("shard,time,value", "0,2026-02-01,1", "1,2026-02-01,2", "0,2026-02-02,3", "1,2026-02-02,4"),
            {"value shard=0": [1, 3], "value shard=1": [2, 4]},
        ),
    ],
)
def test_labels_and_columns_tell_series_apart(read: Reads, rows: Sequence[str], series: dict[str, list[float]]) -> None:
    assert metrics(read(lines(*rows))) == series


def test_the_tables_of_influx_are_read(read: Reads) -> None:
    rows = [
        "#group,false,false,true,false,false,true,true",
        "#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,double,string,string",
        "#default,mean,,,,,,",
        ",result,table,_start,_time,_value,_field,host",
        *(f",,0,2026-01-01T00:00:00Z,2026-02-01T00:{minute:02}:00Z,{minute},usage,a" for minute in range(3)),
        "",
        ",result,table,_start,_time,_value,_field,host",
        *(f",,1,2026-01-01T00:00:00Z,2026-02-01T00:{minute:02}:00Z,{minute + 5},usage,b" for minute in range(3)),
    ]

    assert metrics(read(lines(*rows))) == {"usage host=a": [0, 1, 2], "usage host=b": [5, 6, 7]}


def test_a_person_may_name_the_column_and_what_tells_series_apart(read: Reads) -> None:
    rows = lines("time,a,b,state", *(f"2026-02-01 00:0{m},{m},{m + 1},{'on' if m % 2 else 'off'}" for m in range(4)))

    assert metrics(read(rows, column="b")) == {"b": [1, 2, 3, 4]}
    named = read(rows, column="a", by="state")
    assert [(one.series, one.times[0]) for one in named.series] == [("state=off", START), ("state=on", START + 60)]
    assert metrics(read("2026-02-01,5,6\n2026-02-02,7,8\n", column="3")) == {"": [6, 8]}
    with pytest.raises(CsvError, match="there is no column 'c' beside the time; there are 'a', 'b', 'state'"):
        read(rows, column="c")
    with pytest.raises(CsvError, match="there is no zone 'Berlin'; write it as Europe/Berlin"):
        read(rows, zone="Berlin")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("time,load", "11:00,1", "11:05,2"), "'11:00' is a time of day without a date"),
        (("time,load", '"Jul 2, 11:00AM",1', '"Jul 2, 11:05AM",2'), "'Jul 2, 11:00AM' is a date without its year"),
        (("host,Zeit,load", "a,gestern,1", "a,heute,2"), "'gestern' is none"),
        (("2026-07-02 11:00:00 INFO started", "2026-07-02 11:00:01 ERROR failed"), "no column holds times"),
    ],
)
def test_why_there_are_no_times_is_told(read: Reads, rows: Sequence[str], words: str) -> None:
    with pytest.raises(CsvError, match=re.escape(words)):
        read(lines(*rows))


def test_a_few_zero_bytes_in_a_text_are_nothing(read: Reads) -> None:
    rows = [f"2026-02-01 00:{minute:02},{minute}" for minute in range(30)]
    file = read(lines("time,load", *rows).replace(",7\n", ",\0\n"))

    assert len(file.series[0].times) == 29
    assert file.left_out.sentences() == ["1 without a value (empty, NaN, null, inf, -): line 9."]


def test_times_beside_each_other_are_told_to_be_turned(read: Reads) -> None:
    with pytest.raises(CsvError, match="2 times stand beside each other; turn rows and columns"):
        read(lines("metric,2026-02-01,2026-02-02", "cpu,1,2"))


def test_of_two_values_for_one_time_the_last_is_kept_and_that_is_counted(read: Reads) -> None:
    [one] = read(PLAIN + lines("2026-02-01 00:10,3", "2026-02-01 00:05,8", "2026-02-01 00:10,3")).series
    assert isinstance(one, History)

    assert one.values.tolist() == [1.0, 8.0, 3.0]
    assert (one.repeated, one.replaced, one.averaged) == (1, 1, False)


def test_where_most_times_have_several_values_they_are_averaged(read: Reads) -> None:
    [one] = read(lines("t,v", "2026-02-01,1", "2026-02-01,4", "2026-02-01,4", "2026-02-02,2", "2026-02-02,3")).series
    assert isinstance(one, History)

    assert one.values.tolist() == [3.0, 2.5]
    assert (one.repeated, one.replaced, one.averaged) == (1, 2, True)


@pytest.mark.parametrize("is_newest_first", [False, True])
def test_the_hour_that_a_clock_shows_twice_is_two_hours_in_a_named_zone(read: Reads, is_newest_first: bool) -> None:
    local = ["01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    rows = [f"2026-10-25 {clock},{place}" for place, clock in enumerate(local)]
    [one] = read(lines("t,v", *(rows[::-1] if is_newest_first else rows)), zone="Europe/Berlin").series
    assert isinstance(one, History)

    first = datetime(2026, 10, 24, 23, tzinfo=UTC).timestamp()
    assert one.times.tolist() == [first + 1800 * place for place in range(7)]
    assert one.values.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_a_time_without_a_zone_is_said_to_be_read_as_utc(read: Reads) -> None:
    assert any("read as UTC" in note for note in read(PLAIN).notes)
    assert not read(PLAIN, zone="UTC").notes
    assert not read(lines("time,load", "2026-02-01T00:00Z,1")).notes


def test_every_line_that_was_left_out_is_counted_and_a_bounded_number_named(read: Reads) -> None:
    rows = [f"{START + 60 * place:.0f},{'off' if place % 3 == 0 else place}" for place in range(3000)]
    [sentence] = read(lines("ts,v", *rows)).left_out.sentences()

    assert sentence.startswith("1,000 with a value that is no number: lines 2 'off', 5 'off'")
    assert "and 988 more. Write a number, or leave the cell empty." in sentence
    assert len(sentence) < 300


def test_a_line_number_is_that_of_an_editor_though_a_label_has_line_breaks(read: Reads) -> None:
    rows = ["time,note,value", '2026-02-01,"one\ntwo",1', "2026-02-02,,2", "2026-02-03,,oops", "2026-02-04,,4"]

    assert "line 5 'oops'" in read(lines(*rows)).left_out.sentences()[-1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", "save the sheet as CSV"),
        (b"PAR1rest", "this is Parquet"),
        (gzip.compress(PLAIN.encode(), mtime=0)[:-9], "cut short"),
        (b"\x00\x01\x02\x03" * 40, "not a text file"),
    ],
)
def test_what_is_no_csv_is_told_with_how_to_mend_it(read: Reads, content: bytes, words: str) -> None:
    with pytest.raises(CsvError, match=words):
        read(content)

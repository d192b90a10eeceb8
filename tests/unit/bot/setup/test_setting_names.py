"""Settings that have no effect as they are written are found, with the name that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.setup.names import known_names, name_faults

EXAMPLE = Path(__file__).parents[4] / ".env.example"


def env_file(directory: Path, text: str) -> Path:
    path = directory / ".env"
    path.write_text(text)
    return path


def texts(directory: Path, text: str = "", environment: dict[str, str] | None = None) -> list[str]:
    return [fault.text for fault in name_faults(env_file(directory, text), environment or {})]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("SLAK_BOT_TOKEN", "SLACK_BOT_TOKEN"),
        ("SLACK_BOT_TOKN", "SLACK_BOT_TOKEN"),
        ("SLACK_TOKEN", "SLACK_BOT_TOKEN"),
        ("APROVER_IDS", "APPROVER_IDS"),
        ("APPROVERS_ID", "APPROVER_IDS"),
        ("GIT_HUB_TOKEN", "GITHUB_TOKEN"),
        ("SERVICE_REPOSITORY", "SERVICE_REPOSITORIES"),
        ("JIRA_API_TOKEN", "JIRA_TOKEN"),
        ("TEAMS_WEBHOOK", "TEAMS_WEBHOOK_URL"),
        ("REDIS_URI", "REDIS_URL"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("ARGUX_PRT", "ARGUX_PORT"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_one_that_was_meant(tmp_path: Path, written: str, meant: str) -> None:
    [in_file] = texts(tmp_path, f"{written}=x\n")
    [in_environment] = texts(tmp_path, environment={written: "x"})

    assert f"{written} in " in in_file
    assert f"did you mean {meant}?" in in_file
    assert in_environment == f"{written} in the environment is no setting: did you mean {meant}?"


def slips(name: str) -> set[str]:
    """Return the name with each letter left out, doubled and exchanged, with other dashes, and with our own prefix."""
    places = range(len(name))
    found = {name[:at] + name[at + 1 :] for at in places} | {name[:at] + name[at] + name[at:] for at in places}
    found |= {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in places[:-1]}
    found |= {name + "S", name.replace("_", ""), name.replace("_", "-"), f"ARGUX_{name}"}
    return found - known_names()


def test_every_slip_in_every_name_is_answered_with_the_name_that_was_meant(tmp_path: Path) -> None:
    for name in sorted(known_names()):
        environment = dict.fromkeys(slips(name), "1")
        in_environment = texts(tmp_path, environment=environment)
        in_file = texts(tmp_path, "".join(f"{slip}=1\n" for slip in sorted(environment)))
        assert len(in_environment) == len(environment), name
        assert all(text.endswith(f"did you mean {name}?") for text in in_environment + in_file), name


def test_an_unknown_name_in_the_file_is_reported_though_it_is_like_no_setting(tmp_path: Path) -> None:
    [fault] = name_faults(env_file(tmp_path, "FAVOURITE_COLOUR=blue\n"), {})

    assert "FAVOURITE_COLOUR" in fault.text
    assert "no effect" in fault.text
    assert not fault.is_certain


def test_the_environment_of_other_programs_is_left_alone(tmp_path: Path) -> None:
    others = "PATH HOME LANG LOGNAME PYTHONPATH GITHUB_ACTIONS GITHUB_REPOSITORY GITHUB_SERVER_URL PGHOST TMPDIR TERM"
    others += " OTEL_SERVICE_NAME AWS_REGION VIRTUAL_ENV SHELL PWD REDIS_PASSWORD SLACK_WEBHOOK_ID ARGUX_KEY"

    assert texts(tmp_path, environment=dict.fromkeys(others.split(), "x")) == []


def test_a_slip_in_a_copy_of_the_example_is_found_beside_the_right_name(tmp_path: Path) -> None:
    found = texts(tmp_path, f"{EXAMPLE.read_text()}\nAPROVER_IDS=U1\nSLAK_CHANNEL=#ops\n", {"JIRA_PROJEKT": "SHOP"})

    assert [text.rpartition(" ")[2] for text in found] == ["APPROVER_IDS?", "SLACK_CHANNEL?", "JIRA_PROJECT?"]


def test_a_name_beside_the_setting_it_is_like_is_not_misspelt(tmp_path: Path) -> None:
    assert texts(tmp_path, environment={"REDIS_URI": "x", "REDIS_URL": "y"}) == []


def test_a_setting_that_stands_twice_says_which_one_counts(tmp_path: Path) -> None:
    [text] = texts(tmp_path, "JIRA_PROJECT=OPS\nLOG_LEVEL=INFO\nJIRA_PROJECT=SHOP\n")

    assert "JIRA_PROJECT stands 2 times" in text
    assert "only the last counts" in text


def test_the_example_and_an_absent_file_have_no_faults(tmp_path: Path) -> None:
    assert name_faults(EXAMPLE, {}) == []
    assert name_faults(tmp_path / "absent", {}) == []


def test_settings_may_be_written_in_small_letters(tmp_path: Path) -> None:
    assert texts(tmp_path, "slack_bot_token=x\nexport jira_url=y\n", {"argux_port": "1"}) == []

"""A setting that goes in one file and comes in another was moved; with another value, it was changed."""

from __future__ import annotations

from tests.unit.workers.diagnosis.changes.reading import read, strongest
from workers.diagnosis.changes import ChangeReading, Effect, EffectKind


def of_kind(reading: ChangeReading, kind: EffectKind) -> list[Effect]:
    return [effect for effect in reading.effects if effect.kind is kind]


def test_an_override_that_gives_way_to_a_smaller_default_is_a_lowered_value() -> None:
    reading = read(
        "charts/indexer/values-prod.yaml",
        """
        @@ -4,7 +4,5 @@
           replicas: 2
        -  worker:
        -    threads: 32
           image: indexer
        """,
        "chore: use the defaults of the platform",
        (
            "charts/_defaults/values.yaml",
            """
            @@ -1,2 +1,4 @@
             platform: v2
            +worker:
            +  threads: 4
            """,
        ),
    )

    (pool,) = of_kind(reading, EffectKind.POOL)
    assert (pool.before, pool.after, pool.direction) == ("32", "4", -1)
    assert pool.strength > 0.6


def test_a_number_that_moves_to_another_file_is_no_change() -> None:
    reading = read(
        "mail/client.ts",
        """
        @@ -1,5 +1,5 @@
        -export const mail = new Mailer(process.env.MAIL_KEY!, {
        -  timeoutMs: 2500,
        -});
        +export const mail = new Mailer(config.mail.key, {
        +  timeoutMs: config.mail.timeoutMs,
        +});
        """,
        "refactor: one place for settings",
        (
            "mail/config.ts",
            """
            @@ -1,2 +1,6 @@
             export const config = {
            +  mail: {
            +    key: process.env.MAIL_KEY!,
            +    timeoutMs: 2500,
            +  },
            """,
        ),
    )

    assert not of_kind(reading, EffectKind.TIMEOUT)
    assert strongest(reading) <= 0.3


def test_a_number_that_moves_and_shrinks_on_the_way_is_a_change() -> None:
    reading = read(
        "mail/client.py",
        """
        @@ -1,2 +1,2 @@
        -TIMEOUT_MS = 2500
         URL = "http://mail"
        """,
        "refactor: one place for settings",
        (
            "mail/config.py",
            """
            @@ -1,2 +1,3 @@
             REGION = "eu"
            +TIMEOUT_MS = 250
            """,
        ),
    )

    (timeout,) = of_kind(reading, EffectKind.TIMEOUT)
    assert (timeout.before, timeout.after) == ("2500", "250")


def test_settings_of_different_names_are_not_taken_for_one() -> None:
    reading = read(
        "mail/client.py",
        """
        @@ -1,2 +1,2 @@
        -MAX_THREADS = 40
         URL = "http://mail"
        """,
        "refactor: tidy",
        (
            "mail/config.py",
            """
            @@ -1,2 +1,3 @@
             REGION = "eu"
            +RETRIES = 4
            """,
        ),
    )

    assert all(effect.before is None or effect.after is None for effect in reading.effects)

"""Words that tell what stands in a line: what announces a name, what stands before a value, verbs and states."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAMING_WORDS = _words(
    """
    user username host hostname node
    usuario usuário utilisateur utente utilizador benutzer nutzer gebruiker användare bruker bruger käyttäjä
    użytkownik uživatel felhasználó utilizator kullan\u0131c\u0131 χρήστης пользователь пользователя
    користувач потребител المستخدم משתמש उपयोगकर्ता ผู้ใช้ 用户 用戶 ユーザー ユーザ 사용자
    """
)
"""The word after one of these is a name, and so a value. A name is asked for in the language of the message."""

GIVING = _words(
    """
    for to from by at on of in via with as into under onto
    container pod instance device queue topic table bucket volume namespace image group partition database schema tenant
    cluster project repository shard account customer owner
    """
)
"""After one of these there is often a value: prepositions, and sorts of things."""

MARKS = _words("= : ( [ { < / ' \"") | _words("\uff1a \uff08 \u300c \u300e \u3010 \u201c")
"""After one of these is the name of a thing or of its state; with the full-width colon and brackets."""

VERBS = _words("get post put delete patch head options connect trace select insert update")
"""Of HTTP and SQL."""

LEVELS = _words("trace debug info notice warn warning err error severe crit critical alert emerg fatal panic")
"""How bad a message is."""

STATES = _words(
    """
    init new old up down on off in out open close start stop begin end ready active inactive online offline
    available unavailable idle busy full empty healthy unhealthy alive dead lost
    success failure error ok fail true false yes no accept reject allow deny create add remove
    login logout read write send receive hit miss not
    """
)
"""States of things, and the verbs that make them."""

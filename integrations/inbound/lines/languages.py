"""What programs print when they fail: exceptions, stack traces, panics, in the common languages.

Each language has a form for the line that a trace begins with, and a form for the lines that belong to it.
"""

from __future__ import annotations

from integrations.inbound.lines.language import Language, compiled
from integrations.inbound.lines.native_languages import (
    CPLUSPLUS,
    GO,
    GO_RECOVERED,
    GO_SERVER,
    LINUX,
    OCAML,
    RUST,
    SANITIZER,
    SWIFT,
)
from integrations.inbound.lines.scripting_languages import (
    DART_LUA_AND_OTHERS,
    JULIA,
    PERL,
    PHP,
    PYTHON,
    PYTHON_ANNOUNCED,
    PYTHON_GROUP,
    RUBY,
    R,
)
from integrations.inbound.lines.virtual_machines import (
    ANDROID,
    DOTNET_CONSOLE,
    ELIXIR_ERLANG,
    ERLANG_REPORT,
    FLUTTER,
    JAVA_NODE_DOTNET,
    NODE_MEMORY,
    NODE_SOURCE,
)

OTHER = Language("ERROR", compiled(r"(?!)"), compiled(r"$"))
"""A trace of which nothing but its calls is known."""

LANGUAGES = (
    PYTHON, PYTHON_GROUP, PYTHON_ANNOUNCED, GO, GO_SERVER, GO_RECOVERED, RUST, RUBY, PHP, OCAML, SWIFT, SANITIZER,
    CPLUSPLUS, ELIXIR_ERLANG, ERLANG_REPORT, FLUTTER, LINUX, DART_LUA_AND_OTHERS, R, JULIA, ANDROID, NODE_MEMORY,
    JAVA_NODE_DOTNET, NODE_SOURCE, DOTNET_CONSOLE, PERL,
)  # fmt: skip

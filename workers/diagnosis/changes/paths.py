"""What the paths of a change say: whether a file runs at all in production, whose code it is, and who shares it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath

from workers.diagnosis.changes.text.words import word_set
from workers.diagnosis.diffs import is_not_code

_TESTS = re.compile(
    r"(?:^|/)(?:tests?|__tests__|spec|specs|e2e|testdata|fixtures|mocks?|__mocks__|testing|"
    r"test[-_]\w+|\w+[-_]tests?|cypress|benchmarks?|examples?|loadtest)/|"
    r"(?:^|/)(?:test_[\w.-]+|conftest\.py|[\w.-]+_test\.\w+|[\w.-]+_spec\.\w+|"
    r"[\w-]+\.(?:test|spec|stories|e2e)\.\w+|\w+(?:Test|Tests|Spec|IT)\.(?:java|kt|cs|scala|"
    r"groovy|swift|php))$"
)
_CONTINUOUS_INTEGRATION = re.compile(
    r"(?:^|/)(?:\.github|\.circleci|\.buildkite|\.gitlab|\.azure-pipelines|\.tekton|ci)/|"
    r"(?:^|/)(?:\.gitlab-ci\.yml|Jenkinsfile|azure-pipelines\.yml|\.travis\.yml|"
    r"bitbucket-pipelines\.yml|codecov\.yml|\.pre-commit-config\.yaml|renovate\.json|"
    r"dependabot\.yml)$"
)
_TOOLS = re.compile(
    r"(?:^|/)(?:CODEOWNERS|\.editorconfig|\.gitignore|\.gitattributes|\.dockerignore|"
    r"\.golangci\.ya?ml|\.eslintrc[\w.]*|\.prettierrc[\w.]*|\.rubocop\.yml|\.flake8|"
    r"\.pylintrc|mypy\.ini|tslint\.json|\.vscode/.*|\.idea/.*|sonar-project\.properties|"
    r"\.clang-format|OWNERS|tsconfig\.eslint\.json|Makefile|Taskfile\.yml|justfile)$"
)
_DOCUMENTS = re.compile(r"\.(?:md|mdx|rst|adoc|txt|puml|drawio|png|jpe?g|gif|svg|webp|pdf|ico)$", re.IGNORECASE)
_TRANSLATIONS = re.compile(
    r"(?:^|/)(?:locales?|i18n|l10n|translations?|lang)/.*\.(?:json|ya?ml|po|properties|ftl|arb|strings)$", re.IGNORECASE
)
_STYLE = re.compile(r"\.(?:css|scss|sass|less|styl|woff2?|ttf)$", re.IGNORECASE)
_DASHBOARDS = re.compile(
    r"(?:^|/)(?:dashboards?|grafana|alerts?|alerting|alertmanager|prometheus/rules|"
    r"monitors?|slo)/.*\.(?:ya?ml|json|jsonnet|tf)$",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"(?:^|[/._-])(?:staging|stage|stg|dev|develop|development|qa|sandbox|local|preview|uat|canary-test)(?=[/._-])",
    re.IGNORECASE,
)
_DEPENDENCIES = re.compile(r"requirements[\w.-]*\.txt$|(?:^|/)(?:robots|version)\.txt$", re.IGNORECASE)

_ENDINGS = ("service", "svc", "server", "api", "worker", "app", "srv", "job", "backend", "web", "daemon")
_GROUPS = word_set(
    """
    services service svc apps app src cmd packages microservices backend modules components deploy
    k8s kubernetes helm charts manifests
    """
)
_SHARED_FOLDERS = word_set(
    """
    pkg lib libs common shared internal platform core utils util vendor proto protos protobuf sdk
    framework infra base foundation third_party buildsrc
    """
)
_SHARED_FILES = re.compile(
    r"^(?:go\.(?:mod|sum|work)|package(?:-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|"
    r"requirements[\w.-]*\.txt|pyproject\.toml|poetry\.lock|uv\.lock|pom\.xml|"
    r"build\.gradle(?:\.kts)?|settings\.gradle|gradle\.properties|Gemfile(?:\.lock)?|"
    r"Cargo\.(?:toml|lock)|composer\.(?:json|lock)|Directory\.\w+\.props|"
    r"Dockerfile[\w.-]*|docker-compose[\w.-]*|\.env[\w.-]*|\.tool-versions|\.nvmrc|config\.\w+|values\.yaml)$"
)
_CONFIGURATION = re.compile(r"\.(?:ya?ml|json|toml|tf|env|properties|conf|hcl|ini)$")


def why_not_running(path: str) -> str:
    """Return what kind of file it is, in the plural, if it cannot change how the service runs; otherwise empty."""
    for pattern, words in (
        (_TESTS, "tests"),
        (_CONTINUOUS_INTEGRATION, "the build pipeline"),
        (_TOOLS, "settings of developers' tools"),
        (_DASHBOARDS, "dashboards and alert rules"),
        (_STYLE, "styles"),
        (_TRANSLATIONS, "translated texts"),
    ):
        if pattern.search(path):
            return words
    if _DOCUMENTS.search(path) and not _DEPENDENCIES.search(path):
        return "documentation"
    if is_not_code(path) and not _DEPENDENCIES.search(path):
        return "documentation"
    return "environments other than production" if _ELSEWHERE.search(path) else ""


def is_shared(paths: Sequence[str]) -> bool:
    """Whether a path is of a library, a base image or a manifest that every service of the repository may embed."""
    return any(_is_shared(path) for path in paths)


def _is_shared(path: str) -> bool:
    parts = [part.lower() for part in PurePosixPath(path).parts]
    if len(parts) == 1:
        return bool(_SHARED_FILES.match(path))
    first = next((part for part in parts[:-1] if part not in ("src", "go", "java", "main", "python", "backend")), "")
    return first in _SHARED_FOLDERS or "base-image" in path.lower() or "dockerfile.base" in path.lower()


def services_touched(paths: Sequence[str], services: Collection[str]) -> frozenset[str]:
    """Return the services whose code lies at the paths.

    A folder names a service if they are equal apart from case, separators, plural, and endings such as "-service": then
    the outermost such folder decides. Otherwise a word or the beginning of a service's name counts where only one
    service has it. A file's own name counts only for configuration, or where it is exactly the service's.
    """
    return frozenset(service for path in paths if (service := _owner(path, services)) is not None)


def _owner(path: str, services: Collection[str]) -> str | None:
    place = PurePosixPath(path)
    folders = [part for part in place.parts[:-1] if part.lower() not in _GROUPS]
    beside = ["".join(pair) for pair in zip(place.parts[:-1], place.parts[1:-1], strict=False)]
    forms = {service: _forms(service) for service in services}
    for part in (*beside, *folders):
        same = [service for service in services if _plain(part) == _plain(service)]
        equal = same or [service for service in services if _forms(part) & forms[service]]
        if len(equal) >= 1:
            return min(equal, key=lambda service: (len(service), service))
    stem = place.name.partition(".")[0]
    is_configuration = bool(_CONFIGURATION.search(place.name))
    for part in (stem, *(_words(stem) if is_configuration else ())):
        equal = [service for service in services if _forms(part) & forms[service] and len(_plain(part)) > 3]
        if len(equal) == 1:
            return equal[0]
    if _is_shared(path):
        return None
    for part in folders[:2]:
        alike = [service for service in services if _is_part(part, service)]
        if len(alike) == 1:
            return alike[0]
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def _forms(name: str) -> frozenset[str]:
    """Return the forms in which a name of a service or a folder may be written, without what is usual around it."""
    whole = _plain(name)
    forms = {whole}
    for ending in _ENDINGS:
        if whole.endswith(ending) and len(whole) > len(ending) + 2:
            forms.add(whole.removesuffix(ending))
    return frozenset({_singular(form) for form in forms} | forms)


def _words(name: str) -> Iterator[str]:
    return (word for word in re.split(r"[^A-Za-z0-9]+", name) if len(word) > 3)


def _is_part(folder: str, service: str) -> bool:
    """Whether a folder is a word of the service's name, or its beginning or end: "reco" for "recommendation-svc"."""
    short = _singular(_plain(folder))
    if len(short) < 4 or short in _SHARED_FOLDERS or short in _ENDINGS:
        return False
    words = [_singular(word.lower()) for word in re.split(r"[^A-Za-z0-9]+", service)]
    bare = min(_forms(service), key=len)
    return (
        short in words
        or bare.startswith(short)
        or bare.endswith(short)
        or (short.startswith(bare[:-1]) and len(bare) > 4)
    )

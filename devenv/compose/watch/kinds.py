"""What kind of file a path is: loaded by a program, only handed out, or an editor's."""

from __future__ import annotations

import posixpath
import re

_HANDED_OUT_SUFFIXES = """
    .md .rst .adoc .png .jpg .jpeg .gif .svg .ico .webp .avif .css .scss .sass .less .woff
    .woff2 .ttf .eot .otf .map .pdf .mp3 .mp4 .webm .csv .log .snap"""
_HANDED_OUT = frozenset(_HANDED_OUT_SUFFIXES.split())
_DOCUMENTS = re.compile(
    r"^(?:readme|license|licence|changelog|contributing|authors|notice|todo|codeowners|copying)\b"
    r"|^\.(?:gitignore|gitattributes|editorconfig|prettierrc|prettierignore|eslintignore|gitkeep"
    r"|keep|dockerignore|hadolint\.ya?ml|rubocop\.yml|gitlab-ci\.yml|pre-commit-config\.ya?ml"
    r"|env\.example)$"
    r"|^(?:docker-)?compose[\w.-]*\.ya?ml$|^(?:[\w.-]+\.)?Dockerfile(?:\.[\w-]+)*$",
    re.IGNORECASE,
)
_CODE_SUFFIXES = """
    .py .js .mjs .cjs .ts .jsx .tsx .vue .svelte .rb .go .rs .java .kt .php .cs .ex .exs .html .erb
    .jinja .j2 .jinja2"""
_CODE = frozenset(_CODE_SUFFIXES.split())
_SCRIPTS = (".js", ".mjs", ".cjs", ".ts", ".jsx", ".tsx", ".html", ".vue", ".svelte")
_LANGUAGES: dict[str, tuple[str, ...]] = {
    r"(?:python|gunicorn|uvicorn|celery|flask|daphne|hypercorn|rq|dramatiq|fastapi|uwsgi)": (
        ".py",
        ".html",
        ".jinja",
        ".j2",
        ".jinja2",
    ),
    r"(?:node|ts-node|tsx|next|nuxt|nest|deno|bun|pm2)": _SCRIPTS,
    r"(?:ruby|puma|rackup|unicorn|thin|sidekiq)": (".rb", ".erb", ".html"),
    r"(?:java|mvn|gradle)": (".java", ".kt", ".html"),
}
"""A command's first word -> the suffixes of code that it loads."""
_CONFIGURATION_SUFFIXES = """
    .conf .cnf .ini .cfg .properties .toml .yml .yaml .json .xml .rules .acl .hcl .env
    .cf .config .lua .vcl .template .tmpl .crt .pem .key .htpasswd"""
_CONFIGURATION = frozenset(_CONFIGURATION_SUFFIXES.split())
_CONFIGURATION_FOLDERS = re.compile(
    r"/(?:etc|conf|config|configs|conf\.d|provisioning|pipeline)(?:/|$)"
)
_READ_ON_REQUEST = re.compile(r"/(?:html|htdocs|www|public|static|sites-content|dynamic)(?:/|$)")
UNATTENDED_FOLDERS = frozenset(
    ("node_modules", ".venv", "venv", "__pycache__", ".git", ".mypy_cache", ".pytest_cache")
)
"""Filled by tools, with very many files: watched only where a build or a sync reads them."""
_FIRST_START = re.compile(r"/(?:docker-entrypoint-initdb\.d|initdb\.d)(?:/|$)")
_TEMPORARY = re.compile(
    r"(?:^|/)(?:\.#[^/]*|[^/]*~|\.[^/]*\.sw[a-pz]x?|4913|#[^/]*#|\.DS_Store|[^/]*___jb_\w+___"
    r"|\.goutputstream-[^/]*|\.nfs[0-9a-f]+)$"
)

_OUTPUT = re.compile(
    r"\.(?:log|pid|sock|pyc|pyo|rdb|aof)$|\.(?:sqlite3?|db)(?:-(?:journal|wal|shm))?$"
    r"|(?:^|/)(?:\.coverage(?:\.[^/]*)?|nohup\.out|Thumbs\.db)$",
    re.IGNORECASE,
)


def is_loaded(path: str, program: str = "") -> bool:
    """Whether a program is likely to keep what it read of the file, and not only hand it out.

    `program` is the first word of the command: a Python server loads no JavaScript.
    """
    name = posixpath.basename(path)
    suffix = posixpath.splitext(name)[1].lower()
    if is_output(path):
        return False
    if suffix in _HANDED_OUT or is_document(path) or name.endswith((".example", ".sample")):
        return False
    if name.startswith(".") and not name.startswith(".env"):
        return False
    if re.search(r"/(?:public|static|staticfiles)/", path) and suffix not in (".py", ".rb"):
        return False
    language = next((v for k, v in _LANGUAGES.items() if re.match(k, program)), None)
    return language is None or suffix not in _CODE or suffix in language


def is_document(path: str) -> bool:
    """Whether it is for people or for tools beside the build: no compiler reads it."""
    folders = ("/.github/", "/.vscode/", "/.idea/", "/.gitlab/", "/.circleci/")
    name = posixpath.basename(path)
    return _DOCUMENTS.match(name) is not None or any(folder in path for folder in folders)


def is_configuration(target: str) -> bool:
    """Whether a path in a container is that of a configuration, which servers read at start."""
    if _READ_ON_REQUEST.search(target) or _FIRST_START.search(target):
        return False
    suffix = posixpath.splitext(posixpath.basename(target))[1].lower()
    return suffix in _CONFIGURATION or bool(_CONFIGURATION_FOLDERS.search(target))


def is_first_start(target: str) -> bool:
    """Whether a path in a container is read only while a database has no data yet."""
    return _FIRST_START.search(target) is not None


def is_temporary(path: str) -> bool:
    """Whether it is an editor's or a desktop's own file, which comes and goes around a save."""
    return _TEMPORARY.search(path) is not None


def is_output(path: str) -> bool:
    """Whether it is a log, a database's file or the like: no source, but what a program makes.

    A restart for it would be followed by the next, since the program writes it again.
    """
    return _OUTPUT.search(path) is not None


def is_of_git(path: str) -> bool:
    """Whether it belongs to git's own directory."""
    return "/.git/" in path or path.endswith("/.git")

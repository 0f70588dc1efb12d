"""Programs that load changed files by themselves, and those known to keep what they loaded."""

from __future__ import annotations

import re

RELOADS = re.compile(
    r"""(?x)
    (?:^|\s)(?:\S*/)?(?: nodemon | ts-node-dev | tsnd | node-dev | supervisor | pm2-dev
      | live-server | webpack-dev-server | browser-sync | vite(?!\s+(?:build|preview))
      | react-scripts\s+start
      | craco\s+start | react-app-rewired\s+start | ng\s+serve | vue-cli-service\s+serve
      | gatsby\s+develop | strapi\s+develop | medusa\s+develop | docusaurus\s+start
      | (?:next|nuxt|nuxi|astro|remix|svelte-kit|wrangler|blitz|redwood|rw|rsbuild|umi|dumi|modern
        |storybook|vitepress|vuepress|vocs|netlify|vercel|vinxi|react-router|dagster|farm)\s+dev
      | (?:turbo|nx)\s+(?:run\s+)?(?:dev|serve|watch|start) | webpack\s+serve
      | rspack\s+(?:serve|dev)
      | encore\s+dev-server | expo\s+start | gulp\s+(?:watch|serve|dev) | grunt\s+(?:watch|serve)
      | ember\s+(?:serve|server|s) | parcel(?!\s+build) | eleventy\s.*--serve | hugo\s+server
      | watchmedo | watchfiles | watchgod | watchexec | entr | jurigged | hupper | air | reflex
      | CompileDaemon | modd | realize | wgo | gow | bacon | systemfd | rerun | guard | shotgun
      | ptw | pytest-watch | pytest-watcher | morbo
      | fastapi\s+dev | streamlit\s+run | jupyter(?:-lab)? | mkdocs\s+serve
      | cargo[\s-]+(?:watch|leptos\s+watch) | trunk\s+serve | dotnet\s+watch | jekyll\s+s(?:erve)?
      | phx\.server | queue:listen | quarkus:dev | quarkusDev | mn:run | play\s+run | sbt\s+~\S*
      | artisan\s+serve | symfony\s+(?:serve|(?:local:)?server:start)
      | console\s+server:(?:run|start) | lein\s+figwheel
      | shadow-cljs\s+watch | nest\s+start\s+(?:.*\s)?--?(?:watch|w)
      | (?:manage\.py|django-admin)\s+runserver(?:_plus)? | rails\s+s(?:erver)?
      )(?:\.[cm]?js)?(?=[\s:]|$)
    | (?:^|\s)--(?:watch|hot|auto-?reload|live-?reload|continuous)\b(?!=false)
    | (?:^|\s)--reload(?!-|=false)\b | ^dev(?:\s|$)
    | ^(?:npm|yarn|pnpm|bun)\s(?:.*\s)?(?:dev|watch|serve|start:dev|develop)(?:\s|$)
    | \btsx\s+(?:--\S+\s+)*watch\b | \btsc\b.*\s-w\b
    | \b(?:flask|quart)\b.*--debug\b | \bsanic\b.*(?:--dev|-r)\b | \bgradlew?\b.*\s-t\b
    | \bphp\s+(?:.*\s)?-S\b
    """
)
"""Matched on the words of a command, the program without its directories."""

COMPILERS = re.compile(
    r"^(?:tsc|sass|node-sass|tailwindcss|tailwind|postcss|esbuild|swc|babel|rollup|webpack(?!\s+serve)"
    r"|less-watch-compiler|vite\s+build|lessc|svelte|vue-tsc|tsc-watch|graphql-codegen|buf)\b"
)
"""They watch for others: a program beside them loads what they wrote only at its own start."""

EACH_REQUEST = re.compile(
    r"^(?:apache2-foreground|apache2ctl|apachectl|httpd(?:-foreground)?|php-fpm\S*|nginx\b.*"
    r"|caddy\b.*|lighttpd\b.*|http-server\b.*|serve\b.*|darkhttpd\b.*|frankenphp\b(?!.*worker).*"
    r"|python\S*\s+-m\s+http\.server\b.*|busybox\s+httpd\b.*|static-web-server\b.*)"
)
"""Servers that read a file when it is asked for."""

SERVERS = re.compile(
    r"^(?:redis-server|valkey-server|keydb-server|postgres|mysqld\S*|mariadbd\S*|mongod|envoy"
    r"|haproxy|mosquitto|prometheus|alertmanager|otelcol\S*|loki|promtail|tempo|grafana\S*"
    r"|telegraf|fluent-?bit|fluentd|logstash|vector|kong|rabbitmq-server|memcached|nats-server"
    r"|varnishd|squid|coredns|unbound|dnsmasq|consul|vault|traefik|minio|zookeeper\S*|kafka\S*"
    r"|elasticsearch|opensearch\S*|meilisearch|keycloak|kc\.sh|bind|named|vsftpd|sshd|supervisord"
    r"|uwsgi_proxy|squid|influxd|clickhouse-server|neo4j|solr|jetty\S*|catalina\.sh)(?=\s|$)"
)
"""Servers that are no project's own: of their files only a configuration is read, at start."""

SERVER_IMAGES = frozenset(("nginx", "httpd", "caddy", "wordpress", "nginx-unprivileged", "drupal"))

IDLE = re.compile(
    r"^(?:sleep\b|tail\s+-[fF]|cat$|bash$|sh$|zsh$|ash$|while\b|true$|tty$|-?/bin/(?:ba|z)?sh$)"
)

KEEPS = re.compile(
    r"""(?x)^(?:
      (?:node|nodejs|ts-node|tsx|deno|bun|babel-node|esr|swc-node)\b(?!.*\s(?:-e|-p|--version)\b)
      | (?:python|pypy)[\d.]*\s | gunicorn\b | uvicorn\b | hypercorn\b | daphne\b | celery\b | rq\b
      | rqworker\b | dramatiq\b | flask\s | fastapi\s+run\b | waitress-serve\b | granian\b | uwsgi\b
      | huey_consumer\S*\b | arq\b | scrapy\b | quart\s | litestar\s | robyn\s
      | hypnotoad\b | luigid?\b | prefect\b
      | (?:next|nuxt|nuxi|astro|remix|medusa|strapi|vite)\s+(?:start|preview)\b | nest\s+start\b
      | pm2(?:-runtime)?\b | remix-serve\b | react-router-serve\b | moleculer-runner\b
      | go\s+run\b | cargo\s+run\b | java\b | jshell\b | mvnw?\b | gradlew?\b | sbt\b
      | lein\b | dotnet\b
      | ruby\b | rackup\b | thin\b | unicorn\b | puma\b | falcon\b | php\s+(?:-\S+\s+)*\S+\.php\b
      | php\s+artisan\s+(?:queue:work|horizon|octane:start|schedule:work|reverb:start)\b
      | php\s+bin/console\b | perl\b | lua\b | elixir\b | mix\s+run\b | erl\b | Rscript\b | julia\b
      | swift\s+run\b | dart\b | racket\b | sbcl\b | ghc\b | stack\s+run\b
    )"""
)

SCRIPT_RELOADS = re.compile(
    r"\b(?:debug\s*=\s*True|use_reloader\s*=\s*True|reload\s*=\s*True|autoreload\s*=\s*True)\b"
)
"""In the script that Python runs: a development server with its reloader."""

SCRIPT_WATCHES = re.compile(r"\.watch\(|\bwatch:\s*true\b|createServer\([^)]*middlewareMode")
"""In the script that node runs: a bundler that watches, a server with vite in it."""

_DEVELOPMENT = {
    "FLASK_DEBUG": ("1", "true", "on", "yes"),
    "FLASK_ENV": ("development",),
    "UVICORN_RELOAD": ("1", "true", "on", "yes"),
}


def asks_for_reload(words: str, environment: dict[str, str]) -> bool:
    """Whether a variable makes a command reload that otherwise does not."""
    program = words.split(" ", 1)[0]
    if program in ("gunicorn", "uvicorn", "hypercorn", "granian", "puma"):
        named = [value for name, value in environment.items() if "RELOAD" in name.split("_")]
        if any(value.lower() in ("1", "true", "yes", "on") for value in named):
            return True
    if program == "flask" or " flask " in words:
        names: tuple[str, ...] = ("FLASK_DEBUG", "FLASK_ENV")
    elif program == "uvicorn":
        names = ("UVICORN_RELOAD",)
    elif program.startswith("python"):
        names = ("FLASK_DEBUG", "FLASK_ENV")
    elif program == "gunicorn":
        return "--reload" in environment.get("GUNICORN_CMD_ARGS", "")
    elif program == "puma":
        return environment.get("RAILS_ENV", environment.get("RACK_ENV", "")) == "development"
    else:
        return False
    return any(environment.get(name, "").lower() in _DEVELOPMENT[name] for name in names)

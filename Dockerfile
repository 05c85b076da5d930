# One image for every process; the command chooses the role:
#   receiver run | worker run meta | worker run privacy upkeep | doctor | …
# It was written without a container engine at hand: see "What could not be tried" in docs/operations.md.

FROM python:3.11-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.runtime.lock ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --require-hashes --requirement requirements.runtime.lock

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin connext
COPY --from=packages /opt/venv /opt/venv
# Our code is read-only for the process: it belongs to root.
COPY workers /opt/connext/workers
COPY cli /opt/connext/cli
COPY sandbox /opt/connext/sandbox
COPY supabase/migrations /opt/connext/supabase/migrations
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/opt/connext PYTHONUNBUFFERED=1
RUN python -m compileall -q /opt/connext
WORKDIR /opt/connext
# Secrets are files there, one per setting, named like its variable.
ENV CONNEXT_SECRETS_DIR=/run/secrets
ENV CONNEXT_RECEIVER_HOST=0.0.0.0 CONNEXT_HEALTH_HOST=0.0.0.0 CONNEXT_HEALTH_PORT=9090
USER 10001:10001
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9090/readyz', timeout=2)"]
ENTRYPOINT ["python", "-m", "cli"]
CMD ["--help"]

FROM python:3.13-slim AS build
# requirements-clusters.lock also suggests clusters.
ARG LOCK=requirements.lock
WORKDIR /srv
COPY ${LOCK} requirements.lock
RUN python -m venv /srv/venv \
    && /srv/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

FROM python:3.13-slim
RUN useradd --uid 10001 --home-dir /var/lib/strata --create-home strata
WORKDIR /srv
COPY --from=build /srv/venv /srv/venv
COPY pyproject.toml .
COPY alembic alembic
COPY app app
ENV PATH=/srv/venv/bin:$PATH PYTHONPATH=/srv PYTHONUNBUFFERED=1 PORT=8000 STRATA_DATA_DIR=/var/lib/strata
USER strata
VOLUME /var/lib/strata
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/readyz\", timeout=4)"]
ENTRYPOINT ["python", "-m", "app.cli"]
CMD ["serve", "--host", "0.0.0.0"]

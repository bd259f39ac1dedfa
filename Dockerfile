# The service's image: web server, worker, beat and commands differ in what is called.
#
# The base is named by its tag, not by a digest: whoever builds the image gets the fixes of its
# system libraries with each build. Pin what was built, by the digest in your own registry.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/srv/connections \
  STATIC_ROOT=/srv/static LOG_FORMAT=json \
  GRANIAN_LOG_CONFIG=/srv/connections/connections_project/conf/granian_logging.json
WORKDIR /srv/connections
COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
  --require-hashes -r requirements.lock
COPY manage.py ./
COPY templates ./templates
COPY docs ./docs
COPY connections_project ./connections_project
COPY audit ./audit
COPY providers ./providers
COPY channels ./channels
COPY social ./social
# Whoever runs it can't write bytecode: without any, each process would compile all modules first.
# In DEBUG no key is needed, and none stays in the image.
RUN python -m compileall -q . \
  && DEBUG=true python manage.py collectstatic --no-input \
  && useradd --system --uid 10001 --create-home connections \
  && install --directory --owner connections /var/lib/connections
USER connections

EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", \
  "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# Requests that each worker answers at a time: WEB_THREADS.
CMD ["granian", "--interface", "rsgi", "--http", "1", "--backlog", "8192", "--no-ws", "--host", "0.0.0.0", "--port", "8000", \
  "--workers", "2", "--respawn-failed-workers", "connections_project.rsgi:application"]

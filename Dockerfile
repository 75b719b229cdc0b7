# The worker; the connector and the simulator run from the same image by another command (docker-compose.yml).
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

COPY activities activities
COPY cli cli
COPY clients clients
COPY connector connector
COPY domain domain
COPY ledger ledger
COPY operations operations
COPY rendering rendering
COPY runtime runtime
COPY simulator simulator
COPY temporal temporal
COPY workflows workflows
COPY settings.py starter.py worker.py ./

USER 10001:10001
CMD ["python", "worker.py"]

# The worker; the simulator runs from the same image by another command (docker-compose.yml).
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

COPY activities activities
COPY books books
COPY clients clients
COPY console console
COPY simulator simulator
COPY trips trips
COPY workflows workflows
COPY codec.py codec_server.py connection.py converter.py deployment.py executions.py logs.py namespace.py regular_files.py schedules.py settings.py starter.py worker.py ./

USER 10001:10001
CMD ["python", "worker.py"]

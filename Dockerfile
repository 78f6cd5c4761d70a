# The page in a container: docker build -t asa-viz . && docker run --rm -p 7860:7860 asa-viz
# With an NVIDIA GPU: docker build --build-arg DEVICE=cuda -t asa-viz . && docker run --gpus all ...
# As the versions in requirements.lock were chosen for.
FROM python:3.11-slim

ARG DEVICE=cpu
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 GRADIO_ANALYTICS_ENABLED=False \
    GRADIO_TEMP_DIR=/data HOME=/home/asa

WORKDIR /app
COPY requirements.txt requirements.lock ./
# Every file is checked with its digest; torch comes by its version, from the index for the device.
RUN set -e; \
    torch="$(grep '^torch==' requirements.txt)"; \
    pip install --no-deps --require-hashes -r requirements.lock; \
    case "$DEVICE" in \
        cpu) pip install --no-deps --index-url https://download.pytorch.org/whl/cpu "$torch" ;; \
        cuda) pip install "$torch" ;; \
        *) echo "DEVICE is cpu or cuda, not $DEVICE." >&2; exit 1 ;; \
    esac; \
    python -c "import cv2, torch"

RUN useradd --create-home --home-dir /home/asa --uid 1000 asa && install -d -o asa /data
COPY . .
USER asa
VOLUME /data
EXPOSE 7860
# Eight seconds are what it takes at most to finish what runs.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/readyz')"]
CMD ["python", "-m", "app"]

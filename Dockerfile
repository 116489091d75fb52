# Debian 12, and the wheel that `make wheel` makes. The image runs as a user without rights.
#   docker build -t mcu . && docker run --network host -v mcu:/var/lib/mcu mcu
# `--network host`, because browsers send media to this machine's addresses. Without it, say which port and address:
#   docker run -p 8080:8080 -p 40000-40003:40000-40003/udp -e MCU_MEDIA__WORKERS=4 -e MCU_MEDIA__PORT=40000 \
#     -e MCU_MEDIA__PUBLIC_ADDRESSES=192.0.2.1 -v mcu:/var/lib/mcu mcu
FROM debian:12-slim AS web
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates espeak-ng
COPY --from=node:20-bookworm-slim /usr/local /usr/local
COPY web /src/web
RUN npm --prefix /src/web install --no-save --ignore-scripts && npm --prefix /src/web run build
COPY scripts/prompts /src/scripts/
COPY mcu/media/spoken /src/mcu/media/spoken
RUN /src/scripts/prompts

FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
    ca-certificates cmake gcc libc6-dev libopus-dev libspandsp-dev libssl-dev libvpx-dev libx264-dev libyuv-dev \
    ninja-build python3-dev python3-venv
WORKDIR /src
RUN python3 -m venv /opt/mcu
COPY requirements.lock ./
RUN /opt/mcu/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock
COPY . .
COPY --from=web /src/mcu/web mcu/web
COPY --from=web /src/mcu/media/spoken mcu/media/spoken
RUN /opt/mcu/bin/pip wheel --no-cache-dir --no-deps --wheel-dir /tmp/wheel . \
    && /opt/mcu/bin/pip install --no-cache-dir --no-deps /tmp/wheel/*.whl

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates fonts-dejavu-core libopus0 \
    libseccomp2 libspandsp2 libssl3 libvpx7 libx264-164 libyuv0 python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /var/lib/mcu --create-home --shell /usr/sbin/nologin mcu
COPY --from=build /opt/mcu /opt/mcu
COPY LICENSE NOTICE /usr/share/doc/mcu/
USER mcu
ENV MCU_DATA__DIRECTORY=/var/lib/mcu MCU_SERVER__HOST=0.0.0.0 PATH=/opt/mcu/bin:$PATH
VOLUME /var/lib/mcu
EXPOSE 8080
CMD ["mcu", "serve"]

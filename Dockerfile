# docker build -t sluice .
# docker run --network host sluice                 see docs/DEPLOY.md about networks
FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
        gcc libc6-dev meson ninja-build pkg-config python3 libnice-dev libglib2.0-dev \
        libsrtp2-dev libssl-dev libevent-dev libwslay-dev libjansson-dev libjwt-dev libcyaml-dev \
        libcurl4-openssl-dev libopus-dev libspeexdsp-dev $(test "$(dpkg --print-architecture)" = amd64 && echo libipsec-mb-dev) \
        dpkg-dev binutils xz-utils
COPY . /src
WORKDIR /src
RUN rm -rf build && meson setup build --buildtype=release && ninja -C build && \
    packaging/build_deb --output /tmp && mv /tmp/sluice_*.deb /tmp/sluice.deb

FROM debian:12-slim
COPY --from=build /tmp/sluice.deb /tmp/
RUN apt-get update && apt-get install -y --no-install-recommends /tmp/sluice.deb curl ca-certificates && \
    rm -rf /tmp/sluice.deb /var/lib/apt/lists/*
USER sluice
# signaling and page; media: as many UDP ports as there are workers
EXPOSE 8080/tcp 7882-7889/udp 7882/tcp
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD curl -fsS http://127.0.0.1:8080/healthz || curl -fsSk https://127.0.0.1:8080/healthz
ENTRYPOINT ["sluice"]
CMD ["--config", "/etc/sluice/sluice.yaml"]

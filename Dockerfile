# The same binary that bin/run builds, on a small Debian. `docker compose up --build` uses it; see docs/OPERATIONS.md.

FROM node:20-bookworm-slim AS node

FROM rust:1.95.0-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /tertulia
# The tools change rarely, so they have a layer of their own: it needs these files alone.
COPY rust-toolchain.toml Cargo.lock ./
COPY bin/lib.sh bin/setup bin/
COPY tools tools
RUN bin/setup --for run
COPY . .
RUN bin/run --build-only && install -D target/release/tertulia /out/tertulia

FROM debian:bookworm-slim
# A number, so that deploy/make-secrets and orchestrators can name it.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin tertulia \
    && install -d -o tertulia -g tertulia /data
COPY --from=build /out/tertulia /usr/local/bin/tertulia
COPY deploy/healthcheck /usr/local/bin/healthcheck
USER 10001:10001
WORKDIR /data
VOLUME /data
ENV TERTULIA_LISTEN=0.0.0.0 TERTULIA_PORT=3000 TERTULIA_DATA=/data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s CMD ["/usr/local/bin/healthcheck", "3000"]
ENTRYPOINT ["tertulia"]
CMD ["serve"]

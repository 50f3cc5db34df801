FROM node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c AS build
WORKDIR /build
COPY . .
# npm compares the hash of Bun with .ci/bun/package-lock.json.
ENV PATH=/build/.ci/bun/node_modules/.bin:$PATH
RUN npm ci --prefix .ci/bun && bun run build && .ci/rootfs /

# Contains only the executable and the five files of glibc that it loads. `bun run image` builds and starts
# this stage without a Docker engine. The executable needs /proc, which every container engine mounts.
FROM scratch
COPY --from=build /rootfs/ /
COPY --from=build --chown=65532:65532 /owned/ /
ENV CHATGPT_API_DATA=/data
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/chatgpt-api-server", "health"]
# No arguments, so that the server and its health check use the same port: PORT, or else 8080.
ENTRYPOINT ["/chatgpt-api-server"]

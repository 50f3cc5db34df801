FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY . .
RUN npx -y "$(node -p "require('./package.json').packageManager")" run build && .ci/rootfs /

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

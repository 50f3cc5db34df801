FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY . .
RUN npx -y "$(node -p "require('./package.json').packageManager")" run build && .ci/rootfs /

# Nothing but the executable and the five files of glibc it names. `bun run image` builds and starts this
# stage without a Docker engine. It needs /proc mounted, as every container engine does.
FROM scratch
COPY --from=build /rootfs/ /
COPY --from=build --chown=65532:65532 /owned/ /
ENV CHATGPT_API_DATA=/data
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/chatgpt-api-server", "health"]
# No arguments: the port is then 8080 or what PORT says, to the server and to its health check alike.
ENTRYPOINT ["/chatgpt-api-server"]

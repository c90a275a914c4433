# The program in a small image, run as a user who owns nothing:
#
#   docker build -t audiostretchy .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/audio" audiostretchy podcasts faster --speed 1.5
FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo install --locked --path . --root /installed

FROM debian:bookworm-slim
COPY --from=build /installed/bin/audiostretchy /usr/local/bin/audiostretchy
RUN useradd --create-home --uid 1000 audio && install -d -o audio /audio
USER 1000
WORKDIR /audio
ENTRYPOINT ["audiostretchy"]
CMD ["--help"]

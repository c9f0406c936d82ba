//! The charts of a page.

use std::fmt::Write;

use super::escaped;
use super::svg::{Plot, colour_of};
use crate::health::evaluation::{Comparison, Curve, Evaluation};
use crate::metrics::ConfusionMatrix;

/// More curves than this are not told apart by eye: the lowest areas are drawn.
const MOST_CURVES: usize = 8;
/// More classes do not fit a heat map.
const MOST_CLASSES: usize = 40;
const UNIT: (f64, f64) = (0.0, 1.0);
/// As wide as a chart stands on a page, so that its text is as large as the page's.
const SIZE: (f64, f64) = (350.0, 310.0);

pub(super) fn all(out: &mut String, evaluation: &Evaluation, comparison: Option<&Comparison>) {
    out.push_str("<div class=\"charts\">\n");
    let charts = &evaluation.charts;
    let old = comparison.map(|comparison| &comparison.baseline.charts);
    let axes = ("false positive rate", "true positive rate");
    curves(
        out,
        "ROC curve",
        "AUC",
        axes,
        &charts.roc,
        old.map(|it| &it.roc[..]),
        true,
    );
    let axes = ("recall", "precision");
    let old_curves = old.map(|it| &it.precision_recall[..]);
    curves(
        out,
        "Precision and recall",
        "AP",
        axes,
        &charts.precision_recall,
        old_curves,
        false,
    );
    if let [matrix] = &evaluation.confusion[..] {
        confusion(out, matrix, &evaluation.plan.classes);
    }
    reliability(out, evaluation);
    scores(out, evaluation);
    scatter(out, evaluation);
    slices(out, evaluation);
    out.push_str("</div>\n");
}

pub(in crate::health) fn chart(
    out: &mut String,
    title: &str,
    note: &str,
    svg: &str,
    legend: &[(String, String)],
) {
    let _ = write!(
        out,
        "<figure class=\"chart\"><figcaption><h3>{}</h3><span>{}</span></figcaption>{svg}",
        escaped(title),
        escaped(note)
    );
    if !legend.is_empty() {
        out.push_str("<ul class=\"legend\">");
        for (colour, text) in legend {
            let _ = write!(
                out,
                "<li><i style=\"background:{colour}\"></i>{}</li>",
                escaped(text)
            );
        }
        out.push_str("</ul>");
    }
    out.push_str("</figure>\n");
}

fn curves(
    out: &mut String,
    title: &str,
    area: &str,
    axes: (&str, &str),
    curves: &[Curve],
    old: Option<&[Curve]>,
    diagonal: bool,
) {
    if curves.is_empty() {
        return;
    }
    let mut plot = Plot::new(SIZE, UNIT, UNIT, axes, title);
    if diagonal {
        plot.guide((0.0, 0.0), (1.0, 1.0));
    }
    let mut order: Vec<usize> = (0..curves.len()).collect();
    if curves.len() > MOST_CURVES {
        order.sort_by(|&a, &b| curves[a].area.total_cmp(&curves[b].area));
        order.truncate(MOST_CURVES);
        order.sort_unstable();
    }
    let mut legend = Vec::new();
    for (colour, &at) in order.iter().enumerate() {
        let curve = &curves[at];
        // Of one class the baseline's curve is drawn below, dashed.
        if let (Some([before]), [_]) = (old, curves) {
            plot.line(&before.points, 1, "old");
            legend.push((colour_of(1), format!("baseline, {area} {:.4}", before.area)));
        }
        plot.line(&curve.points, colour, "");
        let name = match curve.name.as_str() {
            "" if old.is_some() => "candidate",
            name => name,
        };
        if !name.is_empty() {
            legend.push((
                colour_of(colour),
                format!("{name}, {area} {:.4}", curve.area),
            ));
        }
    }
    let note = match curves {
        [only] => format!("{area} {:.4}", only.area),
        more if more.len() > MOST_CURVES => format!("the {MOST_CURVES} lowest of {}", more.len()),
        more => format!("{} curves", more.len()),
    };
    chart(out, title, &note, &plot.finish(), &legend);
}

fn confusion(out: &mut String, matrix: &ConfusionMatrix, names: &[String]) {
    let classes = matrix.classes();
    if classes == 0 || classes > MOST_CLASSES {
        return;
    }
    let cell = (280.0 / classes as f64).clamp(18.0, 110.0);
    let longest = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
        .min(14) as f64;
    let (left, top) = (34.0 + longest * 7.0, 8.0);
    let side = cell * classes as f64;
    // Names that are wider than their cells are turned.
    let turned = longest * 7.0 > cell;
    let below = if turned { 12.0 + longest * 6.0 } else { 18.0 };
    let (width, height) = (left + side + 10.0, top + side + below + 26.0);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"Confusion matrix\">"
    );
    let short = |name: &str| -> String {
        let cut: String = name.chars().take(14).collect();
        escaped(&if cut.len() < name.len() {
            cut + "…"
        } else {
            cut
        })
    };
    for label in 0..classes {
        let support = matrix.support(label).max(1) as f64;
        let y = top + label as f64 * cell;
        let name = names.get(label).map_or("", String::as_str);
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 7.0,
            y + cell / 2.0 + 4.0,
            short(name)
        );
        let x = left + (label as f64 + 0.5) * cell;
        let place = if turned {
            format!(
                "transform=\"translate({:.1} {:.1}) rotate(-60)\" text-anchor=\"end\"",
                x + 4.0,
                top + side + 14.0
            )
        } else {
            format!(
                "x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\"",
                top + side + 17.0
            )
        };
        let _ = write!(svg, "<text {place}>{}</text>", short(name));
        for prediction in 0..classes {
            let count = matrix.count(label, prediction);
            let share = count as f64 / support;
            let x = left + prediction as f64 * cell;
            let predicted = names.get(prediction).map_or("", String::as_str);
            let _ = write!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\" \
                 style=\"fill:rgba(var(--heat),{:.3})\"><title>{}: {count} ({:.1} %)</title></rect>",
                x + 0.8,
                y + 0.8,
                cell - 1.6,
                cell - 1.6,
                0.05 + 0.9 * share,
                escaped(&format!("{name} taken for {predicted}")),
                100.0 * share
            );
            if cell >= 26.0 {
                let (class, middle) = (if share > 0.5 { "on" } else { "cell" }, x + cell / 2.0);
                let baseline = y + cell / 2.0 + if cell >= 52.0 { -1.0 } else { 4.0 };
                let _ = write!(
                    svg,
                    "<text class=\"{class}\" x=\"{middle:.1}\" y=\"{baseline:.1}\" text-anchor=\"middle\">{}</text>",
                    compact(count)
                );
                if cell >= 52.0 {
                    let _ = write!(
                        svg,
                        "<text class=\"{class}\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" opacity=\".75\">{:.1} %</text>",
                        baseline + 15.0,
                        100.0 * share
                    );
                }
            }
        }
    }
    let _ = write!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">predicted</text>\
         <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">true</text></svg>",
        left + side / 2.0,
        height - 6.0,
        top + side / 2.0
    );
    chart(
        out,
        "Confusion matrix",
        "shares of each true class",
        &svg,
        &[],
    );
}

fn compact(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{:.1}k", count as f64 / 1e3),
        _ => format!("{:.2}M", count as f64 / 1e6),
    }
}

fn reliability(out: &mut String, evaluation: &Evaluation) {
    let Some(reliability) = &evaluation.charts.reliability else {
        return;
    };
    let filled = reliability.bins.iter().any(|bin| bin.count > 0);
    if !filled || reliability.improper > 0 {
        return;
    }
    let axes = ("confidence", "share that came true");
    let mut plot = Plot::new(SIZE, UNIT, UNIT, axes, "Reliability diagram");
    let width = 1.0 / reliability.bins.len() as f64;
    for (at, bin) in reliability
        .bins
        .iter()
        .enumerate()
        .filter(|(_, bin)| bin.count > 0)
    {
        let start = at as f64 * width;
        let tip = format!(
            "{} rows: confidence {:.3}, came true {:.3}",
            bin.count, bin.confidence, bin.accuracy
        );
        plot.bar((start, start + width), bin.accuracy, 0, 0.45, &tip);
    }
    plot.guide((0.0, 0.0), (1.0, 1.0));
    let filled = reliability.bins.iter().filter(|bin| bin.count > 0);
    let points: Vec<(f64, f64)> = filled.map(|bin| (bin.confidence, bin.accuracy)).collect();
    plot.line(&points, 0, "");
    points
        .iter()
        .for_each(|&point| plot.dot(point, 3.0, 0, 1.0));
    let note = reliability
        .ece()
        .map_or(String::new(), |ece| format!("ECE {ece:.4}"));
    chart(out, "Reliability", &note, &plot.finish(), &[]);
}

fn scores(out: &mut String, evaluation: &Evaluation) {
    let Some(histogram) = &evaluation.charts.scores else {
        return;
    };
    let sums = [&histogram.negatives, &histogram.positives]
        .map(|bars| bars.iter().sum::<u64>().max(1) as f64);
    let share = |bars: &[u64], sum: f64| bars.iter().map(|&it| it as f64 / sum).fold(0.0, f64::max);
    let highest = share(&histogram.negatives, sums[0]).max(share(&histogram.positives, sums[1]));
    let names = ("score", "share of the class");
    let mut plot = Plot::new(SIZE, UNIT, (0.0, highest * 1.05), names, "Scores by class");
    let width = 1.0 / histogram.negatives.len() as f64;
    let classes = &evaluation.plan.classes;
    for (colour, (bars, sum)) in [
        (&histogram.negatives, sums[0]),
        (&histogram.positives, sums[1]),
    ]
    .iter()
    .enumerate()
    {
        for (at, &count) in bars.iter().enumerate().filter(|(_, count)| **count > 0) {
            let start = at as f64 * width;
            let tip = format!("{}: {count} rows from {start:.3} on", classes[colour]);
            plot.bar(
                (start, start + width),
                count as f64 / sum,
                1 - colour,
                0.55,
                &tip,
            );
        }
    }
    plot.guide(
        (evaluation.threshold, 0.0),
        (evaluation.threshold, highest * 1.05),
    );
    let legend: Vec<(String, String)> = classes
        .iter()
        .enumerate()
        .map(|(at, name)| (colour_of(1 - at.min(1)), name.clone()))
        .collect();
    let note = format!("threshold {}", evaluation.threshold);
    chart(out, "Scores by class", &note, &plot.finish(), &legend);
}

fn scatter(out: &mut String, evaluation: &Evaluation) {
    let Some(scatter) = &evaluation.charts.scatter else {
        return;
    };
    let points = &scatter.points;
    let range = |of: fn(&(f64, f64)) -> f64| {
        let values = points.iter().map(of);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| {
            (low.min(it), high.max(it))
        })
    };
    let (truth, estimate) = (range(|it| it.0), range(|it| it.1));
    let both = (truth.0.min(estimate.0), truth.1.max(estimate.1));
    let opacity = if points.len() > 500 { 0.35 } else { 0.6 };
    let note = format!("{} rows shown", points.len());
    let mut plot = Plot::new(
        SIZE,
        both,
        both,
        ("true", "predicted"),
        "True and predicted values",
    );
    plot.guide((both.0, both.0), (both.1, both.1));
    points
        .iter()
        .for_each(|&point| plot.dot(point, 2.2, 0, opacity));
    chart(out, "True and predicted", &note, &plot.finish(), &[]);

    let errors: Vec<f64> = points.iter().map(|it| it.1 - it.0).collect();
    let extent = |(low, high): (f64, f64), it: &f64| (low.min(*it), high.max(*it));
    let span = errors.iter().fold((0.0, 0.0), extent);
    let most = errors.iter().fold(0f64, |most, it| most.max(it.abs()));
    let mut residuals = Plot::new(
        SIZE,
        truth,
        (span.0 * 1.05, span.1 * 1.05),
        ("true", "predicted − true"),
        "Residuals",
    );
    residuals.guide((truth.0, 0.0), (truth.1, 0.0));
    points
        .iter()
        .for_each(|it| residuals.dot((it.0, it.1 - it.0), 2.2, 2, opacity));
    chart(out, "Residuals", &note, &residuals.finish(), &[]);

    const BARS: usize = 30;
    let most = if most > 0.0 { most } else { 1.0 };
    let mut bars = [0u32; BARS];
    for error in &errors {
        let at = ((error / most + 1.0) / 2.0 * BARS as f64) as usize;
        bars[at.min(BARS - 1)] += 1;
    }
    let highest = f64::from(bars.iter().copied().max().unwrap_or(1)) / errors.len().max(1) as f64;
    let names = ("predicted − true", "share of rows");
    let mut plot = Plot::new(
        SIZE,
        (-most, most),
        (0.0, highest * 1.05),
        names,
        "Distribution of errors",
    );
    let width = 2.0 * most / BARS as f64;
    for (at, &count) in bars.iter().enumerate().filter(|(_, count)| **count > 0) {
        let start = -most + at as f64 * width;
        let tip = format!("{count} rows from {start:.4} on");
        plot.bar(
            (start, start + width),
            f64::from(count) / errors.len() as f64,
            2,
            0.6,
            &tip,
        );
    }
    plot.guide((0.0, 0.0), (0.0, highest * 1.05));
    chart(out, "Distribution of errors", &note, &plot.finish(), &[]);
}

/// The worst slices as bars beside the mean error.
fn slices(out: &mut String, evaluation: &Evaluation) {
    let Some(slices) = evaluation
        .slices
        .as_ref()
        .filter(|slices| !slices.worst.is_empty())
    else {
        return;
    };
    let worst = &slices.worst[..slices.worst.len().min(10)];
    let highest = worst
        .iter()
        .map(|slice| slice.error)
        .fold(slices.error, f64::max);
    // Names stand above their bars: those of two columns are long.
    let (row, left, width) = (36.0, 4.0, 350.0);
    let height = 12.0 + row * worst.len() as f64 + 24.0;
    let scale = (width - left - 46.0) / highest.max(f64::MIN_POSITIVE);
    let mut svg =
        format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Worst slices\">");
    let mean = left + slices.error * scale;
    for (at, slice) in worst.iter().enumerate() {
        let y = 10.0 + row * at as f64;
        let name = slice.name();
        let cut: String = name.chars().take(50).collect();
        let cut = if cut.len() < name.len() {
            cut + "…"
        } else {
            cut
        };
        let certain = slice.q_value < 0.05;
        let _ = write!(
            svg,
            "<text x=\"{left}\" y=\"{:.1}\">{}<title>{}</title></text>\
             <rect x=\"{left}\" y=\"{:.1}\" width=\"{:.1}\" height=\"13\" rx=\"3\" style=\"fill:{};opacity:{}\"/>\
             <line class=\"guide\" x1=\"{mean:.1}\" x2=\"{mean:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
             <text class=\"cell\" x=\"{:.1}\" y=\"{:.1}\">{:.3}</text>",
            y + 10.0,
            escaped(&cut),
            escaped(&name),
            y + 15.0,
            slice.error * scale,
            colour_of(1),
            if certain { 0.9 } else { 0.35 },
            y + 13.0,
            y + 30.0,
            left + slice.error * scale + 6.0,
            y + 26.0,
            slice.error
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">all rows {:.3}</text></svg>",
        mean.max(46.0),
        height - 5.0,
        slices.error
    );
    chart(out, "Worst slices", "full colour: q < 0.05", &svg, &[]);
}

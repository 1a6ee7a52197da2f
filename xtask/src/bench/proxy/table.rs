//! What was measured, by proxy, and how it is shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::load::Small;
use super::peers::Peer;

/// A kind of figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Figure {
    /// Requests a second, the median and the 99th percentile in milliseconds, requests a second of the processor.
    Rate(Small),
    Half(Small),
    Most(Small),
    Worth(Small),
    /// Percentiles at the fixed rate.
    SteadyHalf,
    SteadyMost,
    /// Seconds of a large body, and of several at once; the most memory in megabytes.
    Upload,
    Download,
    Uploads,
    Memory,
}

/// All figures of all rounds.
#[derive(Debug, Default)]
pub(super) struct Figures(BTreeMap<(Peer, Figure), Vec<f64>>);

impl Figures {
    pub(super) fn add(&mut self, peer: Peer, figure: Figure, value: f64) {
        self.0.entry((peer, figure)).or_default().push(value);
    }

    /// The median of the rounds.
    pub(super) fn median(&self, peer: Peer, figure: Figure) -> Option<f64> {
        let mut values = self.0.get(&(peer, figure))?.clone();
        values.sort_by(f64::total_cmp);
        Some(values[values.len() / 2])
    }

    fn text(&self, peer: Peer, figure: Figure, digits: usize) -> String {
        self.median(peer, figure).map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    }

    /// The tables in Markdown.
    pub(super) fn tables(&self, peers: &[Peer], steady_rate: Option<f64>, size: u64) -> String {
        let mut text = String::new();
        for small in Small::ALL {
            let _ = write!(
                text,
                "\n| small {} | requests a second | p50 (ms) | p99 (ms) | requests per CPU second | of nginx | per CPU second |\n\
                 |---|--:|--:|--:|--:|--:|--:|\n",
                small.method()
            );
            for peer in peers.iter().copied() {
                let share = |figure| {
                    let share = self.ratio(peer, Peer::Nginx, figure);
                    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
                };
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {} | {} | {} | {} |",
                    peer.title(),
                    self.text(peer, Figure::Rate(small), 0),
                    self.text(peer, Figure::Half(small), 2),
                    self.text(peer, Figure::Most(small), 2),
                    self.text(peer, Figure::Worth(small), 0),
                    share(Figure::Rate(small)),
                    share(Figure::Worth(small)),
                );
            }
        }
        if let Some(rate) = steady_rate {
            let _ = write!(
                text,
                "\n| small GET, {rate:.0} a second (70 % of what ours bears with everything on) | p50 (ms) | p99 (ms) |\n\
                 |---|--:|--:|\n"
            );
            for peer in peers.iter().copied().filter(|peer| self.median(*peer, Figure::SteadyMost).is_some())
            {
                let (half, most) =
                    (self.text(peer, Figure::SteadyHalf, 2), self.text(peer, Figure::SteadyMost, 2));
                let _ = writeln!(text, "| {} | {half} | {most} |", peer.title());
            }
        }
        let megabytes = size >> 20;
        let _ = write!(
            text,
            "\n| body of {megabytes} MiB | up (MiB/s) | down (MiB/s) | 8 at once up (s) | peak memory (MB) |\n\
             |---|--:|--:|--:|--:|\n"
        );
        for peer in peers.iter().copied() {
            let speed = |figure| {
                let seconds = self.median(peer, figure);
                seconds.map_or_else(|| "-".to_owned(), |it| format!("{:.0}", megabytes as f64 / it))
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                peer.title(),
                speed(Figure::Upload),
                speed(Figure::Download),
                self.text(peer, Figure::Uploads, 1),
                self.text(peer, Figure::Memory, 0),
            );
        }
        text
    }

    fn ratio(&self, peer: Peer, to: Peer, figure: Figure) -> Option<f64> {
        Some(self.median(peer, figure)? / self.median(to, figure)?)
    }

    /// The targets and what came of them.
    pub(super) fn targets(&self) -> String {
        let mut text = String::from("\n| target | | measured |\n|---|---|--:|\n");
        let mut line =
            |target: &str, value: Option<f64>, met: &dyn Fn(f64) -> bool, unit: &str, digits: usize| {
                let word =
                    value.map_or("not measured", |value| if met(value) { "met" } else { "**missed**" });
                let value = value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}{unit}"));
                let _ = writeln!(text, "| {target} | {word} | {value} |");
            };
        let least = |peer, to| {
            let ratios = Small::ALL.map(|small| self.ratio(peer, to, Figure::Rate(small)));
            ratios
                .into_iter()
                .collect::<Option<Vec<f64>>>()
                .map(|ratios| ratios.into_iter().fold(f64::MAX, f64::min))
        };
        for (peer, word, share, times) in
            [(Peer::Signing, "signing only", 55.0, 30.0), (Peer::Everything, "everything on", 40.0, 20.0)]
        {
            let of_nginx = least(peer, Peer::Nginx).map(|ratio| ratio * 100.0);
            line(&format!("{word}: at least {share} % of nginx"), of_nginx, &|it| it >= share, " %", 1);
            let of_gunicorn = least(peer, Peer::Gunicorn);
            line(
                &format!("{word}: at least {times} times gunicorn"),
                of_gunicorn,
                &|it| it >= times,
                " times",
                1,
            );
        }
        let behind = self
            .median(Peer::Everything, Figure::SteadyMost)
            .zip(self.median(Peer::Nginx, Figure::SteadyMost))
            .map(|(ours, nginx)| ours - nginx);
        line(
            "p99 at most 2 ms behind nginx at 70 % of our own saturation",
            behind,
            &|it| it <= 2.0,
            " ms",
            2,
        );
        let memory = [Peer::Signing, Peer::Everything]
            .into_iter()
            .filter_map(|peer| self.median(peer, Figure::Memory))
            .reduce(f64::max);
        line("8 uploads at once: less than 40 MB", memory, &|it| it < 40.0, " MB", 0);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_judged_by_the_worse_of_the_two_requests() {
        let mut figures = Figures::default();
        for (peer, get, post) in [
            (Peer::Nginx, 20_000.0, 10_000.0),
            (Peer::Signing, 12_000.0, 5_400.0),
            (Peer::Gunicorn, 300.0, 100.0),
        ] {
            figures.add(peer, Figure::Rate(Small::Get), get);
            figures.add(peer, Figure::Rate(Small::Post), post);
        }
        figures.add(Peer::Signing, Figure::Memory, 12.0);
        let text = figures.targets();
        assert!(text.contains("signing only: at least 55 % of nginx | **missed** | 54.0 % |"), "{text}");
        assert!(text.contains("signing only: at least 30 times gunicorn | met | 40.0 times |"), "{text}");
        assert!(text.contains("everything on: at least 40 % of nginx | not measured | - |"), "{text}");
        assert!(text.contains("less than 40 MB | met | 12 MB |"), "{text}");
    }

    #[test]
    fn the_median_counts() {
        let mut figures = Figures::default();
        [9.0, 1.0, 2.0].into_iter().for_each(|value| figures.add(Peer::Flask, Figure::Upload, value));
        assert_eq!(figures.median(Peer::Flask, Figure::Upload), Some(2.0));
        assert!(figures.tables(&[Peer::Flask], None, 200 << 20).contains("| 100 | - | - | - |"));
    }
}

//! Finds onsets: the starts of drum hits, plucked notes, plosives.

use std::collections::VecDeque;

use super::input::Input;
use super::spectrum::Spectrum;

const BANDS: usize = 20;
/// Lower edge of the first band in Hz; upper edge of the last, also limited by the sample rate.
const LOWEST: f64 = 150.0;
const HIGHEST: f64 = 16_000.0;
/// The mean rise of the bands, in dB, that makes an onset.
const RISE: f32 = 6.0;
/// The rise that makes a hit: an onset that must not be lost.
const HIT: f32 = 20.0;
/// A frame is compared with those this many frames before it.
const COMPARED: std::ops::RangeInclusive<usize> = 2..=6;

/// The onsets around the place where the engine works.
///
/// A frame's rise is the mean over bands of how far each band's level exceeds its highest level a
/// few frames before. An onset is a frame whose rise is a local maximum, and its exact place is
/// where energy grows most within a millisecond or so.
pub(super) struct Onsets {
    spectrum: Spectrum,
    hop: i64,
    /// First bin of each band, and the end of the last.
    edges: Vec<usize>,
    /// Decay of the loudest band per frame.
    decay: f32,
    loudest: f32,
    /// Levels of the last frames in dB, newest first.
    levels: VecDeque<[f32; BANDS]>,
    /// The rises of the last five frames, newest first.
    rises: VecDeque<f32>,
    next_frame: i64,
    /// The last onset: a louder one shortly after it takes its place.
    last: Option<(i64, f32)>,
    found: VecDeque<i64>,
    /// Those of them that are hits.
    hits: VecDeque<i64>,
    /// Frames in 1.2, 4 and 20 ms.
    attack: usize,
    before: usize,
    apart: i64,
    energies: Vec<f64>,
}

impl Onsets {
    /// Creates a detector for a sample rate in Hz.
    pub(super) fn new(sample_rate: u32) -> Self {
        let rate = f64::from(sample_rate);
        let len = ((0.0085 * rate).ceil() as usize)
            .next_power_of_two()
            .max(64);
        let hop = len as i64 / 4;
        let highest = HIGHEST.min(0.45 * rate);
        let bin = |hertz: f64| (hertz * len as f64 / rate).round() as usize;
        let mut edges = vec![bin(LOWEST).max(1)];
        for band in 1..=BANDS {
            let edge = bin(LOWEST * (highest / LOWEST).powf(band as f64 / BANDS as f64));
            edges.push(edge.max(edges[band - 1] + 1).min(len / 2 + 1));
        }
        let mut onsets = Self {
            spectrum: Spectrum::new(len, len),
            hop,
            edges,
            decay: (-(hop as f64) / (2.0 * rate)).exp() as f32,
            loudest: 0.0,
            levels: VecDeque::with_capacity(8),
            rises: VecDeque::with_capacity(6),
            next_frame: 0,
            last: None,
            found: VecDeque::with_capacity(256),
            hits: VecDeque::with_capacity(256),
            attack: (0.0012 * rate) as usize,
            before: (0.004 * rate) as usize,
            apart: (0.020 * rate) as i64,
            energies: Vec::with_capacity(4 * len),
        };
        onsets.reset();
        onsets
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.loudest = 1e-7;
        self.levels.clear();
        let silence = 10.0 * (1e-5f32 * 1e-7 + 1e-9).log10();
        self.levels.extend([[silence; BANDS]; 7]);
        self.rises.clear();
        self.rises.extend([0.0; 5]);
        self.next_frame = 0;
        self.last = None;
        self.found.clear();
        self.hits.clear();
    }

    /// Returns how many frames of input after a position must be visible before it is known whether
    /// there is an onset.
    pub(super) fn lookahead(&self) -> i64 {
        self.apart + 3 * self.hop + self.reach() + self.hop
    }

    /// Returns how far beyond its centre a frame's onset is looked for.
    fn reach(&self) -> i64 {
        4 * self.hop + self.attack as i64
    }

    /// Looks for onsets in what has become visible.
    pub(super) fn advance(&mut self, input: &Input) {
        // The rise of a frame is judged when two more are known.
        while (self.next_frame - 2) * self.hop + self.reach() < input.end()
            && self.next_frame * self.hop + 2 * self.hop <= input.end()
        {
            self.add_frame(input);
            let rise = |back: usize| self.rises[back];
            let peak = rise(2);
            if peak > RISE && peak >= rise(3) && peak >= rise(4) && peak > rise(1) && peak > rise(0)
            {
                let place = self.place(input, (self.next_frame - 3) * self.hop);
                self.add(place, peak);
            }
        }
    }

    fn add_frame(&mut self, input: &Input) {
        let len = 4 * self.hop;
        let values = input.mono(self.next_frame * self.hop - len / 2, len as usize);
        self.spectrum.transform(values.iter().copied());
        let energies: [f32; BANDS] = std::array::from_fn(|band| {
            let bins = &self.spectrum.bins[self.edges[band]..self.edges[band + 1]];
            bins.iter().map(|bin| bin.norm_sqr()).sum()
        });
        let loudest = energies.iter().copied().fold(0.0, f32::max);
        self.loudest = (self.loudest * self.decay).max(loudest);
        let levels = energies.map(|energy| 10.0 * (energy + 1e-5 * self.loudest + 1e-9).log10());
        self.levels.pop_back();
        self.levels.push_front(levels);
        let rise = |band: usize| {
            let earlier = self.levels.range(COMPARED).map(|levels| levels[band]);
            (levels[band] - earlier.fold(f32::MIN, f32::max)).max(0.0)
        };
        let rise = (0..BANDS).map(rise).sum::<f32>() / BANDS as f32;
        self.rises.pop_back();
        self.rises.push_front(rise);
        self.next_frame += 1;
    }

    /// Returns where around the centre of a frame the energy grows most.
    fn place(&mut self, input: &Input, centre: i64) -> i64 {
        let len = 4 * self.hop;
        let first = centre - len;
        // Prefix sums of the energy, with high frequencies emphasised.
        let values = input.mono(first - 1, (2 * len) as usize + self.attack + 1);
        self.energies.clear();
        let mut sum = 0.0;
        self.energies.push(sum);
        for pair in values.windows(2) {
            let emphasised = f64::from(pair[1] - 0.7 * pair[0]);
            sum += emphasised * emphasised;
            self.energies.push(sum);
        }
        let mean =
            |from: usize, to: usize| (self.energies[to] - self.energies[from]) / (to - from) as f64;
        let floor = 1e-4 * mean(0, 2 * len as usize) + 1e-12;
        let growth = |at: usize| {
            let after = mean(at, at + self.attack);
            let before = mean(at.saturating_sub(self.before), at);
            after / (before + floor) * (after + floor).sqrt()
        };
        let candidates = (len / 4) as usize..(3 * len / 2) as usize;
        let mut best = (0.0, candidates.start);
        for at in candidates {
            let growth = growth(at);
            if growth > best.0 {
                best = (growth, at);
            }
        }
        first + best.1 as i64
    }

    fn add(&mut self, place: i64, rise: f32) {
        match self.last {
            Some((last, last_rise)) if place < last + self.apart => {
                if rise > last_rise {
                    self.found.pop_back();
                    self.found.push_back(place);
                    if self.hits.back() == Some(&last) {
                        self.hits.pop_back();
                    }
                    self.note_hit(place, rise);
                    self.last = Some((place, rise));
                }
            }
            _ => {
                self.found.push_back(place);
                self.note_hit(place, rise);
                self.last = Some((place, rise));
            }
        }
    }

    fn note_hit(&mut self, place: i64, rise: f32) {
        if rise > HIT {
            self.hits.push_back(place);
        }
    }

    /// Forgets the onsets before a position, except for the last of them.
    pub(super) fn keep_from(&mut self, position: i64) {
        while self.found.get(1).is_some_and(|&second| second < position) {
            self.found.pop_front();
        }
        while self.hits.front().is_some_and(|&hit| hit < position) {
            self.hits.pop_front();
        }
    }

    /// Returns the first hit, an onset that rises much, within a range.
    pub(super) fn hit_within(&self, range: std::ops::Range<i64>) -> Option<i64> {
        let index = self.hits.partition_point(|&hit| hit < range.start);
        self.hits.get(index).copied().filter(|&hit| hit < range.end)
    }

    /// Returns the first onset at or after a position.
    pub(super) fn first_from(&self, position: i64) -> Option<i64> {
        let index = self.found.partition_point(|&onset| onset < position);
        self.found.get(index).copied()
    }

    /// Returns the last onset before a position.
    pub(super) fn last_before(&self, position: i64) -> Option<i64> {
        let index = self.found.partition_point(|&onset| onset < position);
        index.checked_sub(1).map(|before| self.found[before])
    }

    /// Returns whether there is an onset from one position up to another, which is not included.
    pub(super) fn any_within(&self, range: std::ops::Range<i64>) -> bool {
        self.first_from(range.start)
            .is_some_and(|onset| onset < range.end)
    }
}

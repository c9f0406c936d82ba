//! Schedules: how the learning rate moves during a training.
//!
//! Each is a closed form of the position, so that a resumed training needs nothing but its position;
//! only [reduce on plateau](ReduceOnPlateau) remembers, and its state can be taken and put back. The
//! formulas are those of PyTorch's `torch.optim.lr_scheduler`, whose documentation gives them.

use std::f64::consts::PI;

mod plateau;

pub use plateau::ReduceOnPlateau;

use super::{BeforeStep, Control, EpochEnd, Hook, HookError, Monitor, State};

/// The learning rate as a function of the position, which is the number of optimizer steps that were
/// taken, or of epochs that ended ([`by_epoch`](Self::by_epoch)). It is a hook; a loop without hooks asks for
/// the [`rate`](Self::rate).
///
/// ```
/// use modelpulse::train::Schedule;
/// let schedule = Schedule::cosine(0.1, 1000).warm_up(100, 0.0);
/// assert_eq!(schedule.rate(0, 50), 0.05);
/// assert_eq!(schedule.rate(0, 100), 0.1);
/// assert!((schedule.rate(3, 600) - 0.05).abs() < 1e-12);
/// let halved = Schedule::step(0.1, 10, 0.5).by_epoch();
/// assert_eq!(halved.rate(20, 12_345), 0.025);
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    shape: Shape,
    warm_up: Option<WarmUp>,
    by_epoch: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Constant {
        rate: f64,
    },
    Step {
        rate: f64,
        every: usize,
        factor: f64,
    },
    Exponential {
        rate: f64,
        factor: f64,
    },
    Cosine(Cosine),
    OneCycle(OneCycle),
    Plateau(ReduceOnPlateau),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct WarmUp {
    count: usize,
    from: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Cosine {
    rate: f64,
    least: f64,
    period: usize,
    growth: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct OneCycle {
    most: f64,
    total: usize,
    rise: f64,
    start_divisor: f64,
    end_divisor: f64,
}

impl Schedule {
    fn new(shape: Shape) -> Self {
        Self {
            shape,
            warm_up: None,
            by_epoch: false,
        }
    }

    /// Always `rate`.
    pub fn constant(rate: f64) -> Self {
        Self::new(Shape::Constant { rate })
    }

    /// rate · factor^⌊t / every⌋, as PyTorch's `StepLR`.
    pub fn step(rate: f64, every: usize, factor: f64) -> Self {
        let every = every.max(1);
        Self::new(Shape::Step {
            rate,
            every,
            factor,
        })
    }

    /// rate · factor^t, as PyTorch's `ExponentialLR`.
    pub fn exponential(rate: f64, factor: f64) -> Self {
        Self::new(Shape::Exponential { rate, factor })
    }

    /// Half a cosine from `rate` down to 0 over `period`, and again: rate · (1 + cos(π t / period)) / 2,
    /// as PyTorch's `CosineAnnealingWarmRestarts`, after Loshchilov and Hutter,
    /// [SGDR](https://arxiv.org/abs/1608.03983). One that is not to restart has a period as long as the
    /// training.
    pub fn cosine(rate: f64, period: usize) -> Self {
        Self::new(Shape::Cosine(Cosine {
            rate,
            least: 0.0,
            period: period.max(1),
            growth: 1,
        }))
    }

    /// Rises from most / 25 to `most` over the first 30 % of `total`, and falls to a 10,000th of where it
    /// began, both by half a cosine, as PyTorch's `OneCycleLR`, after Smith and Topin,
    /// [Super-Convergence](https://arxiv.org/abs/1708.07120). Behind `total` it stays.
    pub fn one_cycle(most: f64, total: usize) -> Self {
        Self::new(Shape::OneCycle(OneCycle {
            most,
            total: total.max(1),
            rise: 0.3,
            start_divisor: 25.0,
            end_divisor: 1e4,
        }))
    }

    /// Reduces the rate where a metric no longer gets better.
    pub fn reduce_on_plateau(plateau: ReduceOnPlateau) -> Self {
        Self::new(Shape::Plateau(plateau))
    }

    /// The rate that a cosine falls to. Other schedules have none.
    pub fn least(mut self, rate: f64) -> Self {
        if let Shape::Cosine(cosine) = &mut self.shape {
            cosine.least = rate;
        }
        self
    }

    /// Each period of a cosine is `growth` times as long as the one before. Other schedules have none.
    pub fn growth(mut self, growth: usize) -> Self {
        if let Shape::Cosine(cosine) = &mut self.shape {
            cosine.growth = growth.max(1);
        }
        self
    }

    /// The shape of one cycle: the part of it that rises, by how much the first rate is below the
    /// highest, and the last below the first. Other schedules have none.
    pub fn cycle(mut self, rise: f64, start_divisor: f64, end_divisor: f64) -> Self {
        if let Shape::OneCycle(cycle) = &mut self.shape {
            (cycle.rise, cycle.start_divisor, cycle.end_divisor) =
                (rise, start_divisor, end_divisor);
        }
        self
    }

    /// Before the schedule, `count` positions of a linear rise from `from` times its first rate to that
    /// rate, as PyTorch's `LinearLR` in a `SequentialLR`; the schedule then begins at its 0.
    pub fn warm_up(mut self, count: usize, from: f64) -> Self {
        self.warm_up = (count > 0).then_some(WarmUp { count, from });
        self
    }

    /// Positions are epochs, not optimizer steps.
    pub fn by_epoch(mut self) -> Self {
        self.by_epoch = true;
        self
    }

    /// The rate of the optimizer step `step`, in the epoch `epoch`, both counted from 0.
    pub fn rate(&self, epoch: usize, step: usize) -> f64 {
        let position = if self.by_epoch { epoch } else { step };
        match self.warm_up {
            Some(WarmUp { count, from }) if position < count => {
                self.shape.rate(0) * (from + (1.0 - from) * position as f64 / count as f64)
            }
            Some(WarmUp { count, .. }) => self.shape.rate(position - count),
            None => self.shape.rate(position),
        }
    }

    /// What has to be [observed](Self::observe) at the end of each epoch, if anything; the hook does it.
    pub fn monitor(&self) -> Option<&Monitor> {
        match &self.shape {
            Shape::Plateau(plateau) => Some(plateau.monitored()),
            _ => None,
        }
    }

    /// The monitored metric was `value` in the epoch that ended.
    pub fn observe(&mut self, value: f64) {
        if let Shape::Plateau(plateau) = &mut self.shape {
            plateau.observe(value);
        }
    }
}

/// As a hook, it sets the optimizer's learning rate before each step.
impl Hook for Schedule {
    fn state(&self) -> State {
        match &self.shape {
            Shape::Plateau(plateau) => plateau.state(),
            _ => State::new(),
        }
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        match &mut self.shape {
            Shape::Plateau(plateau) => plateau.load_state(state),
            _ => Ok(()),
        }
    }

    fn before_step(&mut self, at: &BeforeStep<'_>) -> Result<Control, HookError> {
        at.set_learning_rate(self.rate(at.epoch, at.update));
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        if let Some(value) = self.monitor().and_then(|monitor| monitor.read(at)) {
            self.observe(value);
        }
        Ok(Control::Continue)
    }
}

impl Shape {
    fn rate(&self, t: usize) -> f64 {
        match self {
            Self::Constant { rate } => *rate,
            Self::Step {
                rate,
                every,
                factor,
            } => rate * power(*factor, t / every),
            Self::Exponential { rate, factor } => rate * power(*factor, t),
            Self::Cosine(cosine) => cosine.rate(t),
            Self::OneCycle(cycle) => cycle.rate(t),
            Self::Plateau(plateau) => plateau.rate(),
        }
    }
}

fn power(base: f64, exponent: usize) -> f64 {
    base.powf(exponent as f64)
}

/// From `start` to `end` by half a cosine, where `part` of the way is gone.
fn half_cosine(start: f64, end: f64, part: f64) -> f64 {
    end + (start - end) / 2.0 * (1.0 + (PI * part).cos())
}

impl Cosine {
    fn rate(&self, t: usize) -> f64 {
        let (mut t, mut period) = (t, self.period);
        if self.growth == 1 {
            t %= period;
        }
        while t >= period {
            t -= period;
            period = period.saturating_mul(self.growth);
        }
        half_cosine(self.rate, self.least, t as f64 / period as f64)
    }
}

impl OneCycle {
    fn rate(&self, t: usize) -> f64 {
        let first = self.most / self.start_divisor;
        let (top, end) = (self.rise * self.total as f64 - 1.0, self.total as f64 - 1.0);
        let t = (t as f64).min(end);
        if t < top {
            half_cosine(first, self.most, t / top)
        } else if end > top {
            let part = (t - top) / (end - top);
            half_cosine(self.most, first / self.end_divisor, part)
        } else {
            self.most
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_restarts_and_its_periods_grow() {
        let cosine = Schedule::cosine(1.0, 10).growth(2).least(0.1);
        // Periods of 10, 20, 40: each begins at the full rate.
        for begin in [0, 10, 30, 70] {
            assert_eq!(cosine.rate(0, begin), 1.0);
        }
        assert!(cosine.rate(0, 29) < 0.11 && cosine.rate(0, 29) > 0.1);
        assert_eq!(Schedule::cosine(1.0, 10).rate(0, 1_000_000), 1.0);
        assert!(cosine.rate(0, usize::MAX).is_finite());
    }

    #[test]
    fn one_cycle_of_any_length_ends_low_and_stays() {
        for total in [0, 1, 2, 3, 4, 10, 1000] {
            let cycle = Schedule::one_cycle(1.0, total);
            for t in 0..total + 3 {
                let rate = cycle.rate(0, t);
                assert!(rate > 0.0 && rate <= 1.0, "{total} {t} {rate}");
            }
            let last = cycle.rate(0, total.saturating_sub(1));
            assert!((last - 4e-6).abs() < 1e-12, "{total} {last}");
            assert_eq!(cycle.rate(0, total + 7), last);
        }
    }

    #[test]
    fn a_schedule_by_epoch_does_not_move_within_one() {
        let schedule = Schedule::exponential(1.0, 0.5).warm_up(2, 0.0).by_epoch();
        let rates: Vec<f64> = (0..5).map(|epoch| schedule.rate(epoch, 999)).collect();
        assert_eq!(rates, [0.0, 0.5, 1.0, 0.5, 0.25]);
    }
}

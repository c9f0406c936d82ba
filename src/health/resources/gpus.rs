//! The GPUs that NVIDIA's library tells of. It is looked for when the program runs: where there is no such library or no
//! GPU, there are no numbers of one, and no error.

use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::TemperatureSensor;

use super::shown::{Kind, Number, Way};

const KINDS: [Kind; 4] = [
    (
        "gpu.utilization",
        "ratio",
        Way::Varies,
        "Which part of the last moment the GPU was busy",
    ),
    (
        "gpu.memory.used",
        "bytes",
        Way::Varies,
        "Memory of the GPU that is in use",
    ),
    (
        "gpu.temperature",
        "celsius",
        Way::Varies,
        "Temperature of the GPU",
    ),
    (
        "gpu.power",
        "watts",
        Way::Varies,
        "Power that the GPU takes",
    ),
];

#[derive(Debug)]
pub(super) struct Gpus(Option<Nvml>);

/// What one tells: its use in percent, bytes in use, degrees Celsius, watts.
pub(super) type Told = [Option<f64>; 4];

impl Gpus {
    pub(super) fn new() -> Self {
        Self(Nvml::init().ok())
    }

    /// What each tells, by its number.
    pub(super) fn look(&self) -> Vec<(u32, Told)> {
        let Some(library) = &self.0 else {
            return Vec::new();
        };
        let gpus = 0..library.device_count().unwrap_or(0);
        gpus.filter_map(|index| {
            let gpu = library.device_by_index(index).ok()?;
            let utilization = gpu.utilization_rates().map(|rates| f64::from(rates.gpu));
            let memory = gpu.memory_info().map(|memory| memory.used as f64);
            let temperature = gpu.temperature(TemperatureSensor::Gpu).map(f64::from);
            let power = gpu.power_usage().map(|watts| f64::from(watts) / 1e3);
            let told = [utilization, memory, temperature, power];
            Some((index, told.map(Result::ok)))
        })
        .collect()
    }

    pub(super) fn numbers(&self) -> Vec<Number> {
        let mut all = Vec::new();
        for (index, [utilization, rest @ ..]) in self.look() {
            let told = [utilization.map(|percent| percent / 100.0)];
            let told = told.into_iter().chain(rest);
            let numbers = KINDS.iter().zip(told);
            let numbers = numbers.filter_map(|(kind, value)| Some(Number::new(kind, value?)));
            all.extend(numbers.map(|number| number.tag("gpu", index.to_string())));
        }
        all
    }
}

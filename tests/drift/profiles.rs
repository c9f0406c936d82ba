//! Profiles: what is exact is exact, what is not is off by no more than it says, however data are sharded.

use modelpulse::drift::data::{
    Distribution, Sample, anderson_darling, ks, mann_whitney, transport,
};
use modelpulse::drift::profile::{Field, Kind, Profile, ProfileError, Role};
use modelpulse::drift::verdict::{Feature, Policy, Verdict};
use modelpulse::drift::{Column, Undefined};

/// Numbers of a profile that has no more than one feature.
fn profiled(values: &[f64]) -> Profile {
    let mut profile = Profile::new([Field::numbers("x")]).unwrap();
    profile.update(&[Column::Numbers(values)]).unwrap();
    profile
}

fn categorised(names: &[Option<&str>]) -> Profile {
    let mut profile = Profile::new([Field::categories("x")]).unwrap();
    profile.update(&[Column::Categories(names)]).unwrap();
    profile
}

fn merged(parts: impl IntoIterator<Item = Profile>) -> Profile {
    let mut parts = parts.into_iter();
    let mut all = parts.next().unwrap();
    parts.for_each(|part| all.merge(&part).unwrap());
    all
}

/// Shapes of data, among them orders in which thinning out could go wrong.
fn shapes(n: usize) -> Vec<(&'static str, Vec<f64>)> {
    let mut random = fastrand::Rng::with_seed(17);
    let mut draw = |of: &mut dyn FnMut(&mut fastrand::Rng, usize) -> f64| -> Vec<f64> {
        (0..n).map(|at| of(&mut random, at)).collect()
    };
    let normal = |random: &mut fastrand::Rng| {
        let (a, b) = (random.f64().max(1e-300), random.f64());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    };
    vec![
        ("normal", draw(&mut |random, _| normal(random))),
        (
            "heavy tails",
            draw(&mut |random, _| 1.0 / (random.f64() - 0.5)),
        ),
        ("rising", draw(&mut |_, at| at as f64)),
        ("falling", draw(&mut |_, at| -(at as f64))),
        (
            "saw",
            draw(&mut |_, at| (at % 4097) as f64 + at as f64 * 1e-9),
        ),
        (
            "two by two",
            draw(&mut |random, at| {
                if at % 2 == 0 {
                    random.f64()
                } else {
                    2.0 + random.f64()
                }
            }),
        ),
        (
            "many equal",
            draw(&mut |random, _| (normal(random) * 2000.0).round()),
        ),
        ("few", draw(&mut |random, _| random.usize(..17) as f64)),
        (
            "holes",
            draw(&mut |random, at| match at % 5 {
                0 => f64::NAN,
                1 if at % 1001 == 1 => f64::INFINITY,
                _ => normal(random),
            }),
        ),
    ]
}

/// The largest distance of the shares up to any number.
fn distance(profile: &Profile, values: &[f64]) -> f64 {
    let kept = profile.features()[0].numbers().unwrap().distribution();
    ks::Distance::of(&kept, &Sample::new(values))
        .unwrap()
        .distance
}

#[test]
fn what_is_kept_is_as_near_as_it_says_whatever_the_order_of_the_data() {
    for (shape, values) in shapes(150_000) {
        let profile = profiled(&values);
        let numbers = profile.features()[0].numbers().unwrap();
        let (kept, sample) = (numbers.distribution(), Sample::new(&values));
        let off = distance(&profile, &values);
        assert!(
            off <= kept.error() + 1e-12,
            "{shape}: {off} > {}",
            kept.error()
        );
        let exact = matches!(shape, "few");
        assert_eq!(kept.error() == 0.0, exact, "{shape}");
        // As the documentation says it.
        assert!(
            kept.error() <= (2.0 + (150_000.0_f64 / 4096.0).log2()) / 8192.0,
            "{shape}: {}",
            kept.error()
        );
        assert_eq!(kept.len(), sample.len(), "{shape}");
        assert_eq!(kept.missing(), sample.missing(), "{shape}");
        assert_eq!(numbers.ends(), Distribution::ends(&sample), "{shape}");
        assert_eq!(kept.quantile(0.0), sample.quantile(0.0), "{shape}");
        assert_eq!(kept.quantile(1.0), sample.quantile(1.0), "{shape}");
        if shape != "holes" {
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs().max(1e-3);
            assert!(near(numbers.mean(), sample.mean()), "{shape}");
            let variance = sample.squares() / (sample.len() - 1) as f64;
            assert!(near(numbers.variance(), variance), "{shape}");
        }
    }
}

#[test]
fn the_profile_of_shards_merged_is_that_of_the_whole() {
    let mut random = fastrand::Rng::with_seed(5);
    for n in [7, 3000, 40_000] {
        for (shape, values) in shapes(n) {
            let whole = profiled(&values);
            let mut rest = &values[..];
            let mut shards = Vec::new();
            while !rest.is_empty() {
                let (shard, behind) = rest.split_at(random.usize(1..=rest.len().min(n / 3 + 1)));
                shards.push(profiled(shard));
                rest = behind;
            }
            random.shuffle(&mut shards);
            let together = merged(shards);
            let [ours, theirs] = [&together, &whole].map(|it| it.features()[0].numbers().unwrap());
            // These to the last bit.
            assert_eq!(ours.count(), theirs.count());
            assert_eq!(
                (ours.missing(), ours.infinite()),
                (theirs.missing(), theirs.infinite())
            );
            assert_eq!(ours.ends(), theirs.ends());
            assert_eq!(ours.mean().to_bits(), theirs.mean().to_bits());
            assert_eq!(ours.variance().to_bits(), theirs.variance().to_bits());
            let kept = ours.distribution();
            if theirs.distribution().error() == 0.0 {
                assert_eq!(together.to_bytes(), whole.to_bytes(), "{shape} {n}");
            } else {
                let off = distance(&together, &values);
                assert!(
                    off <= kept.error() + 1e-12,
                    "{shape} {n}: {off} > {}",
                    kept.error()
                );
                assert!(kept.error() < 0.002, "{shape} {n}: {}", kept.error());
            }
        }
    }
}

#[test]
fn batches_do_not_change_a_bit() {
    let mut random = fastrand::Rng::with_seed(6);
    for (shape, values) in shapes(30_000) {
        let mut profile = Profile::new([Field::numbers("x")]).unwrap();
        let mut rest = &values[..];
        while !rest.is_empty() {
            let (batch, behind) = rest.split_at(random.usize(1..=rest.len().min(5000)));
            profile.update(&[Column::Numbers(batch)]).unwrap();
            rest = behind;
            // What is looked at stays as it is.
            if random.u8(..) < 30 {
                assert!(!profile.to_bytes().is_empty());
            }
        }
        assert_eq!(profile.to_bytes(), profiled(&values).to_bytes(), "{shape}");
    }
}

#[test]
fn memory_is_bounded() {
    // Numbers that are all different: nine levels and the file's header.
    let values: Vec<f64> = (0..2_000_000)
        .map(|i| f64::from(i * 7919 % 2_000_003))
        .collect();
    let size = profiled(&values).to_bytes().len();
    assert!(size < 32_768 * 11, "{size}");
    // Names that are all different.
    let names: Vec<String> = (0..200_000).map(|i| format!("{i:040}")).collect();
    let names: Vec<Option<&str>> = names.iter().map(|name| Some(&name[..])).collect();
    let size = categorised(&names).to_bytes().len();
    assert!(size < 1 << 21, "{size}");
    let long = "x".repeat(3 << 20);
    assert!(categorised(&[Some(&long), Some("a")]).to_bytes().len() < 1 << 20);
}

#[test]
fn frequent_categories_are_found_among_many() {
    let mut random = fastrand::Rng::with_seed(9);
    let names: Vec<String> = (0..120_000)
        .map(|_| match random.u8(..4) {
            0 => format!("often{}", random.u8(..8)),
            _ => format!("id{}", random.u64(..)),
        })
        .collect();
    let names: Vec<Option<&str>> = names.iter().map(|name| Some(&name[..])).collect();
    let whole = categorised(&names);
    let sharded = merged(names.chunks(17_001).map(categorised));
    for profile in [&whole, &sharded] {
        let kept = profile.features()[0].categories().unwrap();
        assert!(!kept.is_exact());
        assert!(kept.lost() <= 120_000 / 4096, "{}", kept.lost());
        for often in 0..8 {
            let name = format!("often{often}");
            let count = names.iter().filter(|it| **it == Some(&name[..])).count() as u64;
            let least = kept.of(&name);
            assert!(
                least <= count && count <= least + kept.lost(),
                "{name}: {least} of {count}"
            );
        }
        assert_eq!(kept.count(), 120_000);
        assert_eq!(
            kept.others() + kept.iter().map(|(_, count)| count).sum::<u64>(),
            120_000
        );
    }
    let few: Vec<Option<&str>> = names.iter().map(|name| name.map(|it| &it[..3])).collect();
    let whole = categorised(&few);
    let sharded = merged(few.chunks(999).map(categorised));
    assert_eq!(whole.to_bytes(), sharded.to_bytes());
}

#[test]
fn tests_of_profiles_that_keep_all_are_those_of_samples() {
    for (shape, values) in shapes(3000) {
        let (before, after) = values.split_at(1800);
        let [a, b] = [before, after].map(Sample::new);
        let [p, q] = [before, after].map(|side| {
            profiled(side).features()[0]
                .numbers()
                .unwrap()
                .distribution()
        });
        assert_eq!(ks::exact(&a, &b), ks::exact(&p, &q), "{shape}");
        assert_eq!(
            anderson_darling::test(&a, &b),
            anderson_darling::test(&p, &q),
            "{shape}"
        );
        assert_eq!(
            mann_whitney::asymptotic(&a, &b, mann_whitney::Side::Both),
            mann_whitney::asymptotic(&p, &q, mann_whitney::Side::Both),
            "{shape}"
        );
        assert_eq!(
            transport::energy(&a, &b),
            transport::energy(&p, &q),
            "{shape}"
        );
        for share in [0.0, 0.013, 0.5, 0.77, 1.0] {
            assert_eq!(a.quantile(share), p.quantile(share), "{shape}");
        }
    }
}

#[test]
fn verdicts_of_profiles_are_those_of_the_data() {
    let [mut agree, mut all] = [0; 2];
    for n in [50, 900, 60_000] {
        for ((shape, before), (_, after)) in shapes(n).into_iter().zip(shapes(2 * n)) {
            for shift in [0.0, 0.8] {
                let after: Vec<f64> = after[n..].iter().map(|value| value + shift).collect();
                let policy = Policy::default();
                let data = &policy.judge(&[Feature::new(
                    "x",
                    Column::Numbers(&before),
                    Column::Numbers(&after),
                )])[0];
                let kept = &policy.judge_profiles(&profiled(&before), &profiled(&after))[0];
                let exact = kept.distribution.is_ok_and(|found| found.error == 0.0);
                if exact {
                    assert_eq!(data, kept, "{shape} {n} {shift}");
                }
                all += 1;
                agree += usize::from(data.verdict == kept.verdict);
            }
        }
    }
    assert_eq!(agree, all);
    let old: Vec<Option<&str>> = (0..300).map(|i| Some(["a", "b"][i % 2])).collect();
    let new: Vec<Option<&str>> = (0..300).map(|i| Some(["a", "b", "a"][i % 3])).collect();
    let policy = Policy::default();
    let data = policy.judge(&[Feature::new(
        "x",
        Column::Categories(&old),
        Column::Categories(&new),
    )]);
    assert_eq!(
        data,
        policy.judge_profiles(&categorised(&old), &categorised(&new))
    );
    assert_eq!(data[0].verdict, Verdict::Drift);
}

#[test]
fn nothing_is_said_of_what_is_not_kept() {
    // Of names that are all different neither "drift" nor "no drift".
    let names =
        |from: usize| -> Vec<String> { (from..from + 20_000).map(|i| format!("id{i}")).collect() };
    let (old, new) = (names(0), names(20_000));
    let side =
        |names: &[String]| categorised(&names.iter().map(|it| Some(&it[..])).collect::<Vec<_>>());
    let judged = &Policy::default().judge_profiles(&side(&old), &side(&new))[0];
    assert_eq!(judged.verdict, Verdict::NotEnoughData);
    let judged =
        &Policy::default().judge_profiles(&profiled(&[1.0; 50]), &categorised(&[Some("1"); 50]))[0];
    assert_eq!(
        (judged.verdict, judged.type_changed),
        (Verdict::Drift, true)
    );
    assert_eq!(judged.distribution, Err(Undefined::Categories));
}

fn several() -> Profile {
    let fields = [
        Field::numbers("age"),
        Field::categories("country"),
        Field::new("paid", Kind::Flag),
        Field::new("at", Kind::Time),
        Field::categories("label").with_role(Role::Label),
    ];
    let mut profile = Profile::new(fields)
        .unwrap()
        .with_note("data", "some\ntable");
    let ages: Vec<f64> = (0..6000).map(|i| f64::from(i) * 0.37 - 3.0).collect();
    let countries = ["fr", "de", "日本"].map(Some);
    let countries: Vec<Option<&str>> = countries.into_iter().cycle().take(6000).collect();
    profile
        .update(&[
            Column::Numbers(&ages),
            Column::Categories(&countries),
            Column::Categories(&vec![Some("true"); 6000]),
            Column::Numbers(&vec![f64::NAN; 6000]),
            Column::Categories(&vec![None; 6000]),
        ])
        .unwrap();
    profile
}

#[test]
fn what_is_saved_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.profile");
    let profile = several();
    profile.save(&path).unwrap();
    profile.save(&path).unwrap();
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
    let mut loaded = Profile::load(&path).unwrap();
    assert_eq!(loaded.to_bytes(), profile.to_bytes());
    assert_eq!(loaded.notes()["data"], "some\ntable");
    let fields: Vec<&Field> = loaded.features().iter().map(|it| it.field()).collect();
    assert_eq!(fields[3], &Field::new("at", Kind::Time));
    assert_eq!(fields[4].role(), Role::Label);
    // It goes on as if it had never stopped.
    let mut other = several();
    other.merge(&loaded).unwrap();
    loaded.merge(&several()).unwrap();
    assert_eq!(loaded.rows(), 12_000);
    let age = |profile: &Profile| {
        profile
            .feature("age")
            .unwrap()
            .numbers()
            .unwrap()
            .variance()
    };
    assert_eq!(age(&loaded).to_bits(), age(&other).to_bits());
}

#[test]
fn a_file_that_is_no_whole_profile_is_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.profile");
    let whole = several().to_bytes();
    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let error = Profile::load(&path).unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
        error
            .strip_prefix(&format!("{}: ", path.display()))
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        refused(b"a,b\n1,2\n"),
        "no profile: it does not begin as one does"
    );
    let mut newer = whole.clone();
    newer[8] = 7;
    assert_eq!(
        refused(&newer),
        "a profile of version 7, and this program knows those up to 1: update it"
    );
    let half = whole.len() / 2;
    assert_eq!(
        refused(&whole[..half]),
        format!(
            "a profile that was not written to its end: {half} of {} bytes; make it again",
            whole.len()
        )
    );
    for length in (8..200).chain((200..whole.len()).step_by(997)) {
        assert!(refused(&whole[..length]).starts_with("a profile that was not written to its end"));
    }
    for at in (8..300).chain((300..whole.len()).step_by(997)) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        Profile::from_bytes(&damaged).unwrap_err();
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert_eq!(
        refused(&longer),
        "a damaged profile: it is longer than it says; make it again, or take a copy"
    );
    let missing = Profile::load(dir.path().join("none")).unwrap_err();
    assert!(matches!(missing, ProfileError::Io { .. }));
}

/// With a checksum that holds, as somebody could write it on purpose.
#[test]
fn what_nobody_could_have_saved_is_no_panic() {
    let whole = several().to_bytes();
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..100 {
        let mut bytes = whole.clone();
        for _ in 0..random.usize(1..4) {
            let end = bytes.len().min(24 + random.usize(1..70_000));
            let at = random.usize(24..end);
            bytes[at] = random.u8(..);
        }
        let crc = crc32(&bytes[24..]);
        bytes[20..24].copy_from_slice(&crc.to_le_bytes());
        if let Ok(mut profile) = Profile::from_bytes(&bytes) {
            // Names may be other ones.
            let _ = profile.merge(&several());
            let judged = Policy::default().judge_profiles(&profile, &several());
            assert!(judged.len() <= 5 && !profile.to_bytes().is_empty());
        }
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| {
        if crc & 1 == 1 {
            crc >> 1 ^ 0xedb8_8320
        } else {
            crc >> 1
        }
    };
    let table: Vec<u32> = (0..256)
        .map(|byte| (0..8).fold(byte, |crc, _| step(crc)))
        .collect();
    !bytes.iter().fold(!0, |crc: u32, &byte| {
        crc >> 8 ^ table[(crc as u8 ^ byte) as usize]
    })
}

#[test]
fn what_does_not_fit_is_refused_whole() {
    let mut profile = several();
    let before = profile.to_bytes();
    let refused = |result: Result<(), ProfileError>| result.unwrap_err().to_string();
    assert_eq!(
        refused(profile.update(&[])),
        "0 columns where the profile has 5 fields"
    );
    let (numbers, names) = (Column::Numbers(&[1.0]), Column::Categories(&[None]));
    assert_eq!(
        refused(profile.update(&[numbers, numbers, names, numbers, names])),
        "the values of column 'country' are not the categories that the profile has of it"
    );
    assert_eq!(
        refused(profile.update(&[numbers, Column::Categories(&[]), names, numbers, names])),
        "column 'country' has 0 values where the first has 1"
    );
    assert_eq!(
        refused(profile.merge(&profiled(&[1.0]))),
        "profiles of different columns cannot be merged: 5 fields here, 1 there"
    );
    assert_eq!(
        refused(profiled(&[]).merge(&categorised(&[]))),
        "profiles of different columns cannot be merged: 'x' is of numbers here and of categories there"
    );
    assert!(profile.update_rows(&[1.0; 5]).is_err());
    assert!(profiled(&[]).update_rows::<f64>(&[]).is_ok());
    assert_eq!(profile.to_bytes(), before);
    let same = Profile::new([Field::numbers("x"), Field::categories("x")]);
    assert_eq!(
        same.unwrap_err().to_string(),
        "two columns are named 'x': name them apart"
    );
}

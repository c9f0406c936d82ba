//! Fisher's irises: 150 flowers of three species, four lengths in centimetres each (R. A. Fisher, 1936, *The use of
//! multiple measurements in taxonomic problems*). Every fifth is held out.

/// Flowers: the lengths of all, four a flower, and the species of each.
#[derive(Default)]
pub struct Flowers {
    pub lengths: Vec<f32>,
    pub species: Vec<usize>,
}

/// Those to learn from, and those that are held out.
pub fn flowers() -> Result<(Flowers, Flowers), Box<dyn std::error::Error>> {
    let (mut train, mut held_out) = (Flowers::default(), Flowers::default());
    let lines: Vec<&str> = include_str!("iris.csv").lines().skip(1).collect();
    for index in 0..lines.len() {
        // The file is in the order of the species; steps that share no factor with its length mix them.
        let line = lines[index * 53 % lines.len()];
        let part = if index % 5 == 4 {
            &mut held_out
        } else {
            &mut train
        };
        let (lengths, species) = line.rsplit_once(',').ok_or("a line without commas")?;
        for length in lengths.split(',') {
            part.lengths.push(length.parse()?);
        }
        part.species.push(species.parse()?);
    }
    Ok((train, held_out))
}

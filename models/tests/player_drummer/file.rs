//! The player's weights file.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use lockstep_core::family::Family;
use lockstep_core::generator::Generator as _;
use lockstep_core::representation::Voice;
use lockstep_models::predict::{NetworkTrunk, Predictor, TrunkError};
use lockstep_models::weights::{PerVoice, PlayerConfig, Precision, Weights, save_with};

use super::TestResult;
use super::song::{LOOSE, Song, config, hits, measures, parameters, plans, player};

/// A weights file's bytes.
fn file(precision: Precision, entries: &[(&str, &str)]) -> TestResult<Vec<u8>> {
    let config = serde_json::to_string(&config())?;
    let mut metadata = HashMap::from([
        ("architecture".to_owned(), "player".to_owned()),
        ("representation".to_owned(), "2".to_owned()),
        ("config".to_owned(), config),
        ("card".to_owned(), "{}".to_owned()),
    ]);
    let entries = entries.iter();
    metadata.extend(entries.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("weights.safetensors");
    save_with(precision, &path, &parameters(LOOSE)?.0, metadata)?;
    Ok(std::fs::read(&path)?)
}

#[test]
fn a_weights_file_plays_as_it_was_saved_and_half_as_large_nearly_so() -> TestResult {
    let whole = file(Precision::Whole, &[])?;
    let half = file(Precision::Half, &[])?;
    assert!(2 * half.len() < whole.len() + 20_000);
    let requests = measures(&Song::default(), 1..=8);
    let play = |bytes: &[u8]| plans(&mut Predictor::new(bytes)?, &requests);
    let expected = plans(&mut player()?, &requests)?;
    assert!(play(&whole)? == expected);
    let (mut n_alike, mut n_cells) = (0, 0);
    for (half, expected) in play(&half)?.iter().zip(&expected) {
        let rows = hits(half).concat().into_iter().zip(hits(expected).concat());
        n_cells += rows.len();
        n_alike += rows.filter(|(half, expected)| half == expected).count();
    }
    // One cell that falls the other way changes what follows.
    assert!(n_alike * 20 > n_cells * 19, "{n_alike} of {n_cells}");
    let weights = Weights::parse(&half)?;
    assert_eq!(weights.player_config()?, config());
    let predictor = Predictor::new(&half)?;
    assert_eq!((predictor.name(), predictor.card()), ("player", "{}"));
    assert_eq!(predictor.voices(), Voice::ALL);
    assert!(predictor.n_parameters() > 1_000_000 && predictor.n_flops() > 1_000_000);
    Ok(())
}

#[test]
fn numbers_of_half_precision_are_the_nearest_and_too_large_ones_are_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("weights.safetensors");
    let save = |numbers: &[f32]| {
        let tensor = Tensor::from_slice(numbers, numbers.len(), &Device::Cpu)?;
        let tensors = [("numbers".to_owned(), tensor)].into();
        save_with(Precision::Half, &path, &tensors, HashMap::new())
    };
    save(&[1.0, -0.333_333, 65504.0, 0.000_1, 0.0])?;
    let parsed = Weights::parse(&std::fs::read(&path)?)?.parameters;
    let numbers: Vec<f32> = parsed.tensor("numbers", &[5])?.to_vec1()?;
    assert_eq!(
        numbers,
        [1.0, -0.333_251_95, 65504.0, 0.000_100_016_594, 0.0]
    );
    let refused = save(&[1.0, 70_000.0]).err().map(|error| error.to_string());
    assert!(refused.is_some_and(|text| text.contains("numbers")));
    Ok(())
}

#[test]
fn the_players_styles_are_the_families_by_name() -> TestResult {
    let bytes = file(Precision::Half, &[])?;
    let names = Family::ALL.map(|family| family.name().to_owned());
    assert_eq!(Weights::parse(&bytes)?.styles()?, names);
    let predictor = Predictor::new(&bytes)?;
    assert_eq!(predictor.n_styles(), names.len());
    assert!(predictor.config().is_none());
    Ok(())
}

#[test]
fn weights_of_another_version_or_with_an_impossible_setting_are_refused() -> TestResult {
    let refusal = |key, value| -> TestResult<String> {
        let bytes = file(Precision::Half, &[(key, value)])?;
        let error = Predictor::new(&bytes).err().ok_or("it was taken")?;
        Ok(format!("{error:?}"))
    };
    assert!(refusal("representation", "1")?.contains("\"1\""));
    assert!(refusal("representation", "3")?.contains("\"3\""));
    let hot = serde_json::to_string(&PlayerConfig {
        temperature: PerVoice::All(2.5),
        ..config()
    })?;
    assert!(refusal("config", &hot)?.contains("temperature"));
    assert!(refusal("config", "{}")?.contains("missing field"));
    Ok(())
}

#[test]
fn the_player_has_no_part_for_another_device_and_says_so() -> TestResult {
    let bytes = file(Precision::Half, &[])?;
    let refused = NetworkTrunk::new(&bytes).err();
    assert!(matches!(refused, Some(TrunkError::Family("player"))));
    let mut predictor = Predictor::new(&bytes)?;
    assert!(!predictor.has_trunk());
    predictor.refuse(&TrunkError::Family("player"));
    let report = predictor.device();
    assert_eq!(report.name, "CPU");
    assert!(report.refusal.is_some_and(|why| why.contains("player")));
    predictor.on_cpu();
    assert_eq!(predictor.device().refusal, None);
    Ok(())
}

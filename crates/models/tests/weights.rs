//! Weights out of files, into networks, and back.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../../../tests/golden/generator.rs"]
#[allow(dead_code, reason = "another test needs the rest")]
mod generator;

use burn::tensor::{Device, Tensor, TensorData};
use kiln_models::{
    Layout, LoadSettings, ModelSpec, NamedTensor, Network, NumberType, WeightsError, WeightsFile,
    in_layout, load_state_dict, load_weights, state_dict, to_safetensors,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn spec(table: serde_json::Value) -> ModelSpec {
    serde_json::from_value(table).unwrap()
}

/// A network of values that differ from tensor to tensor.
fn filled(table: serde_json::Value, classes: usize) -> Network {
    let network = spec(table).build(classes, &Device::flex());
    let mut next = 0_u16;
    let fill = |name: &str, shape: &[usize]| {
        let count = shape.iter().product();
        let values = (0..count)
            .map(|_| {
                next = next.wrapping_mul(25_173).wrapping_add(13_849);
                f32::from(next) / 65_536.0
            })
            .collect();
        Some(NamedTensor { name: name.to_owned(), shape: shape.to_vec(), values })
    };
    load_state_dict(network, fill).unwrap()
}

fn save(folder: &Path, tensors: &[NamedTensor]) -> PathBuf {
    let path = folder.join("weights.safetensors");
    fs::write(&path, to_safetensors(tensors, &[("note", "a test".to_owned())]).unwrap()).unwrap();
    path
}

fn load(path: &Path, network: Network) -> Result<Network, WeightsError> {
    let file = WeightsFile::open(path)?;
    load_weights(network, &file, LoadSettings::default()).map(|(network, _)| network)
}

/// Files that PyTorch wrote: see `tests/golden/weights/make.py`.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/weights").join(name)
}

#[test]
fn every_model_goes_out_and_in_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["resnet18", "resnet20", "efficientnet_b0"] {
        for head in [json!({ "type": "linear" }), json!({ "type": "mlp", "hidden": 7 })] {
            let table = json!({ "type": name, "head": head });
            let network = filled(table.clone(), 5);
            let path = save(folder.path(), &state_dict(&network));
            let back = load(&path, spec(table).build(5, &Device::flex())).unwrap();
            assert_eq!(state_dict(&back), state_dict(&network), "{name} {head}");
        }
    }
}

#[test]
fn timms_names_go_out_and_in() {
    let folder = tempfile::tempdir().unwrap();
    let table = json!({ "type": "efficientnet_b0" });
    let network = filled(table.clone(), 5);
    let path = save(folder.path(), &in_layout(state_dict(&network), Layout::Timm));
    let file = WeightsFile::open(&path).unwrap();
    assert!(file.tensors.contains_key("blocks.0.0.se.conv_reduce.weight"));
    let build = || spec(table.clone()).build(5, &Device::flex());
    let (back, report) = load_weights(build(), &file, LoadSettings::default()).unwrap();
    assert_eq!(report.layout, Layout::Timm);
    assert_eq!(state_dict(&back), state_dict(&network));
    // A tensor of the other layout beside them is no part of it.
    let mut tensors = in_layout(state_dict(&network), Layout::Timm);
    tensors.push(NamedTensor { name: "features.0.0.weight".to_owned(), ..tensors[0].clone() });
    let mixed = WeightsFile::open(&save(folder.path(), &tensors)).unwrap();
    let error = load_weights(build(), &mixed, LoadSettings::default()).unwrap_err().to_string();
    assert!(error.ends_with("1 unexpected: `features.0.0.weight`"), "{error}");
    let asked = LoadSettings { layout: Some(Layout::Torchvision), ..LoadSettings::default() };
    let error = load_weights(build(), &file, asked).unwrap_err().to_string();
    assert!(error.ends_with("names are timm's, torchvision's were asked for"), "{error}");
}

/// The fixture of the networks has timm's name of every tensor, derived from the order of its modules.
#[test]
fn timms_names_are_timms() {
    let path = golden("../numeric/efficientnets.json");
    let fixture: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let theirs: BTreeMap<String, String> =
        serde_json::from_value(fixture["timm_names"].clone()).unwrap();
    let network = spec(json!({ "type": "efficientnet_b0" })).build(10, &Device::flex());
    let ours = state_dict(&network);
    assert_eq!(ours.len(), theirs.len());
    for (ours, renamed) in ours.iter().zip(in_layout(ours.clone(), Layout::Timm)) {
        assert_eq!(theirs.get(&renamed.name), Some(&ours.name), "{}", renamed.name);
    }
}

/// The other sizes by the checksum of timm's names and shapes.
#[test]
fn timms_names_are_timms_in_every_size() {
    let path = golden("../numeric/efficientnets.json");
    let fixture: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut checked = 0;
    for (name, network) in fixture["networks"].as_object().unwrap() {
        let Some(checksum) = network.get("timm_key_checksum") else { continue };
        let network = spec(network["spec"].clone()).build(10, &Device::flex());
        let mut lines: Vec<String> = in_layout(state_dict(&network), Layout::Timm)
            .into_iter()
            .map(|tensor| format!("{} {:?}\n", tensor.name, tensor.shape))
            .collect();
        lines.sort();
        let found = format!("0x{:016x}", generator::fnv1a64(&lines.concat()));
        assert_eq!(*checksum, found, "{name}");
        checked += 1;
    }
    assert_eq!(checked, 4);
}

#[test]
fn what_torch_saved_is_read_bit_for_bit() {
    let expected: BTreeMap<String, (Vec<usize>, Vec<u32>)> =
        serde_json::from_str(&fs::read_to_string(golden("expected.json")).unwrap()).unwrap();
    for name in ["zip.pth", "legacy.pth", "wrapped.pth", "module.safetensors"] {
        let file = WeightsFile::open(&golden(name)).unwrap();
        for (tensor, (shape, bits)) in &expected {
            assert_eq!(file.tensors[tensor].shape, *shape, "{name} {tensor}");
            let found: Vec<u32> =
                file.read(tensor).unwrap().into_iter().map(f32::to_bits).collect();
            assert_eq!(found, *bits, "{name} {tensor}");
        }
    }
    let wrapped = WeightsFile::open(&golden("wrapped.pth")).unwrap();
    assert_eq!(wrapped.entry.as_deref(), Some("state_dict"));
}

#[test]
fn sixteen_bits_become_thirty_two() {
    let expected: BTreeMap<String, (Vec<usize>, Vec<u32>)> =
        serde_json::from_str(&fs::read_to_string(golden("expected.json")).unwrap()).unwrap();
    // The fixture's values are exact in both.
    for (name, number_type) in [("f16.pth", NumberType::F16), ("bf16.pth", NumberType::BF16)] {
        let file = WeightsFile::open(&golden(name)).unwrap();
        assert_eq!(file.tensors["fc.weight"].number_type, number_type);
        let found: Vec<u32> =
            file.read("fc.weight").unwrap().into_iter().map(f32::to_bits).collect();
        assert_eq!(found, expected["fc.weight"].1, "{name}");
    }
}

#[test]
fn a_new_head_keeps_its_values_and_nothing_else_may_differ() {
    let folder = tempfile::tempdir().unwrap();
    let table = json!({ "type": "resnet20" });
    let mut tensors = state_dict(&filled(table.clone(), 5));
    let path = save(folder.path(), &tensors);
    let network = filled(table.clone(), 3);
    let file = WeightsFile::open(&path).unwrap();
    let settings = LoadSettings { new_head: true, ..LoadSettings::default() };
    let (loaded, report) = load_weights(network.clone(), &file, settings).unwrap();
    assert_eq!(report.kept, ["fc.weight", "fc.bias"]);
    for (loaded, kept) in state_dict(&loaded).into_iter().zip(state_dict(&network)) {
        let from_file = tensors.iter().find(|tensor| tensor.name == loaded.name).unwrap();
        let expected = if loaded.name.starts_with("fc.") { &kept } else { from_file };
        assert_eq!(loaded, *expected);
    }

    let error = load_weights(network.clone(), &file, LoadSettings::default()).unwrap_err();
    let message = error.to_string();
    let expected = "2 of another shape: `fc.weight` has [5, 64] where the model has [3, 64], \
                    `fc.bias` has [5] where the model has [3]";
    assert!(message.contains(expected), "{message}");

    tensors.retain(|tensor| tensor.name != "layer2.0.bn1.weight");
    let file = WeightsFile::open(&save(folder.path(), &tensors)).unwrap();
    let message = load_weights(network, &file, settings).unwrap_err().to_string();
    assert!(message.ends_with("\n  1 missing: `layer2.0.bn1.weight`"), "{message}");
}

#[test]
fn another_architecture_is_named_key_by_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = save(folder.path(), &state_dict(&filled(json!({ "type": "resnet20" }), 5)));
    let network = spec(json!({ "type": "resnet32" })).build(5, &Device::flex());
    let message = load(&path, network).unwrap_err().to_string();
    assert!(message.starts_with(&format!("weights {} do not fit the model:", path.display())));
    assert!(message.contains("missing: `layer1.3.conv1.weight`"), "{message}");
    assert!(message.contains(" more"), "{message}");

    let mut tensors = state_dict(&filled(json!({ "type": "resnet20" }), 5));
    tensors.last_mut().unwrap().name = "linear.bias".to_owned();
    let path = save(folder.path(), &tensors);
    let network = spec(json!({ "type": "resnet20" })).build(5, &Device::flex());
    let message = load(&path, network).unwrap_err().to_string();
    assert!(message.contains("1 missing: `fc.bias`"), "{message}");
    assert!(message.contains("1 unexpected: `linear.bias`"), "{message}");
}

/// A grey picture gives what it gave in colour, and channels in turn keep the sums' size.
#[test]
fn the_first_convolution_takes_one_or_four_channels() {
    let folder = tempfile::tempdir().unwrap();
    let table = json!({ "type": "resnet20" });
    let network = filled(table.clone(), 5);
    let path = save(folder.path(), &state_dict(&network));
    let file = WeightsFile::open(&path).unwrap();
    let device = Device::flex();
    let adapted = |channels| {
        let network = spec(table.clone()).build_for(channels, 5, &device);
        let (network, report) = load_weights(network, &file, LoadSettings::default()).unwrap();
        assert_eq!(report.adapted_from, Some(3));
        network
    };
    let values: Vec<f32> = (0..64_u8).map(|i| f32::from(i) / 64.0).collect();
    let grey = Tensor::<4>::from_data(TensorData::new(values, [1, 1, 8, 8]), &device);
    let colour = network.forward(grey.clone().repeat_dim(1, 3)).into_data();
    let found = adapted(1).forward(grey).into_data();
    found.assert_approx_eq::<f32>(&colour, burn::tensor::Tolerance::relative(1e-4));

    let first = |network: &Network| state_dict(network).remove(0).values;
    let (three, four) = (first(&network), first(&adapted(4)));
    let taps = 9;
    for channel in 0..4 {
        let from = &three[channel % 3 * taps..][..taps];
        let to = &four[channel * taps..][..taps];
        assert!(from.iter().zip(to).all(|(from, to)| *to == from * 0.75));
    }
}

#[test]
fn files_that_are_none_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pth");
    let message = WeightsFile::open(&missing).unwrap_err().to_string();
    assert!(message.starts_with(&format!("weights {}: ", missing.display())), "{message}");
    let message = WeightsFile::open(folder.path()).unwrap_err().to_string();
    assert!(message.ends_with("not a file"), "{message}");
    for content in [&b""[..], b"hello", b"\x80\x02}.", b"PK\x03\x04"] {
        let path = folder.path().join("odd.pth");
        fs::write(&path, content).unwrap();
        let message = WeightsFile::open(&path).unwrap_err().to_string();
        assert!(message.contains("odd.pth"), "{message}");
    }
}

/// Nothing in a pickle is executed: this one asks for a shell that would write a file.
#[test]
fn a_pickle_that_calls_a_shell_is_data() {
    let folder = tempfile::tempdir().unwrap();
    let proof = folder.path().join("executed");
    let command = format!("echo > {}", proof.display());
    // `os.system(command)` in pickle's protocol 0.
    let pickle = format!("cos\nsystem\n(S'{command}'\ntR.");
    let path = folder.path().join("evil.pth");
    fs::write(&path, pickle).unwrap();
    let message = WeightsFile::open(&path).unwrap_err().to_string();
    assert!(message.contains("evil.pth"), "{message}");
    for name in ["evil.pth", "evil_zip.pth"] {
        let Err(error) = WeightsFile::open(&golden(name)) else { panic!("{name} was read") };
        assert!(error.to_string().contains(name), "{error}");
    }
    assert!(!proof.exists());
}

#[test]
fn a_header_that_lies_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lies.safetensors");
    let write = |offsets: &str, dtype: &str| {
        let header = format!(
            r#"{{"fc.weight":{{"dtype":"{dtype}","shape":[2,2],"data_offsets":{offsets}}}}}"#
        );
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&[0; 16]);
        fs::write(&path, bytes).unwrap();
    };
    write("[0,16]", "F32");
    assert_eq!(WeightsFile::open(&path).unwrap().read("fc.weight").unwrap(), [0.0; 4]);
    for offsets in ["[0,8]", "[0,1000]", "[16,0]", "[4,20]", "[0,99999999999999]"] {
        write(offsets, "F32");
        let message = WeightsFile::open(&path).unwrap_err().to_string();
        assert!(message.starts_with(&format!("weights {}: ", path.display())), "{message}");
    }
    // No bytes for a thousand million million classes.
    let header =
        r#"{"fc.weight":{"dtype":"F32","shape":[1000000000000000,0],"data_offsets":[0,0]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    fs::write(&path, bytes).unwrap();
    assert_eq!(WeightsFile::open(&path).unwrap().read("fc.weight").unwrap(), [0.0; 0]);
    write("[0,16]", "I32");
    let message = WeightsFile::open(&path).unwrap().read("fc.weight").unwrap_err().to_string();
    assert!(message.contains("tensor `fc.weight` holds i32 numbers, expected"), "{message}");
}

/// Cut off anywhere, a file is an error when it is opened or when the missing tensor is read, and never a panic.
#[test]
fn a_truncated_file_is_never_read_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    for name in ["zip.pth", "legacy.pth", "module.safetensors"] {
        let whole = fs::read(golden(name)).unwrap();
        let tensors = WeightsFile::open(&golden(name)).unwrap().tensors.len();
        for length in (0..whole.len()).step_by(29) {
            fs::write(&path, &whole[..length]).unwrap();
            let Ok(file) = WeightsFile::open(&path) else { continue };
            let floats = file.tensors.keys().filter(|name| !name.ends_with("batches_tracked"));
            let read = floats.filter(|name| file.read(name).is_ok()).count();
            assert!(read < tensors - 1, "{name} cut to {length} bytes was read");
        }
    }
}

//! Optimizers, schedules and clipping against `torch.optim`, step for step.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../../../tests/golden/generator.rs"]
mod generator;

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use generator::uniform;
use kiln_optim_schedules::{
    AdaptiveClip, Anchor, Gradients, L2Sp, Optimizer, OptimizerSpec, ParameterGroup, PlateauState,
    Rates, ScheduleSpec, Span, Timeline, Warmup, WarmupCurve,
};
use serde_json::{Value, json};

fn golden(name: &str) -> Value {
    let path = format!("{}/../../tests/golden/numeric/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[allow(clippy::cast_possible_truncation, reason = "the generator's numbers are exact in f32")]
fn tensor<const D: usize>(values: &[f64], shape: [usize; D], device: &Device) -> Tensor<D> {
    let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F32))
}

/// The two parameters of the reference runs.
#[derive(Module, Debug)]
struct Net {
    w: Param<Tensor<2>>,
    b: Param<Tensor<1>>,
}

impl Net {
    fn new(device: &Device) -> Self {
        Self {
            w: Param::from_tensor(tensor(&uniform("w", 12), [3, 4], device)),
            b: Param::from_tensor(tensor(&uniform("b", 4), [4], device)),
        }
    }

    /// The gradients of step `step`: those of the loss `sum(w * grad_w) + sum(b * grad_b)`.
    fn gradients(&self, step: usize, device: &Device) -> Gradients {
        let grad_w = tensor(&uniform(&format!("grad.w.{step}"), 12), [3, 4], device);
        let grad_b = tensor(&uniform(&format!("grad.b.{step}"), 4), [4], device);
        let loss = (self.w.val() * grad_w).sum() + (self.b.val() * grad_b).sum();
        let mut gradients = Gradients::default();
        gradients.add(loss.backward(), self);
        gradients
    }
}

/// The options that are kept in the fixture are the rule's settings, under the same names.
fn optimizer(case: &Value) -> Optimizer {
    let mut settings = case["options"].clone();
    let table = settings.as_object_mut().unwrap();
    table.remove("lr");
    table.insert("type".to_owned(), json!(case["optimizer"].as_str().unwrap().to_lowercase()));
    serde_json::from_value::<OptimizerSpec>(settings).unwrap().build().unwrap()
}

/// PyTorch's own f32 run differs from its f64 run by up to this much after 20 steps (rounding of each step), so it is
/// the least that two correct f32 runs may differ by. Values are below 1.5.
const TOLERANCE: f64 = 1e-6;

#[test]
fn optimizers_match_torch_over_every_step() {
    let device = Device::flex().autodiff();
    let cases = golden("optimizers");
    for case in cases["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mut net = Net::new(&device);
        let group = |id, name: &str| {
            let settings = &case["groups"][name];
            let lr_scale = settings["lr_scale"].as_f64().unwrap_or(1.0);
            let weight_decay = settings["weight_decay"].as_f64();
            (id, ParameterGroup { lr_scale, weight_decay, ..ParameterGroup::default() })
        };
        let groups = [group(net.w.id, "w"), group(net.b.id, "b")];
        let mut optimizer = optimizer(case).with_groups(groups);
        for step in 0..20 {
            let lr = case.get("lr").map_or(&case["options"]["lr"], |rates| &rates[step]);
            let momentum = case.get("beta1").or(case.get("momentum")).map(|all| &all[step]);
            let momentum = momentum.and_then(Value::as_f64);
            let gradients = net.gradients(step, &device);
            net = optimizer.step(net, gradients, Rates { lr: lr.as_f64().unwrap(), momentum });
            let ours = [
                net.w.val().into_data().iter::<f64>().collect::<Vec<_>>(),
                net.b.val().into_data().iter::<f64>().collect(),
            ];
            for (parameter, ours) in ["w", "b"].iter().zip(ours) {
                let theirs = numbers(&case["f32"][parameter][step]);
                for (ours, theirs) in ours.iter().zip(theirs) {
                    let relative = (ours - theirs).abs() / theirs.abs().max(1.0);
                    assert!(
                        relative <= TOLERANCE,
                        "{name}: {parameter} after step {step}: {ours}, torch has {theirs}"
                    );
                }
            }
        }
    }
}

#[test]
fn lamb_has_the_same_bits_in_every_run() {
    // So large that Burn would split a plain sum among threads.
    let device = Device::flex().autodiff();
    let values = uniform("large", 5 << 20);
    let step = || {
        let net = Net {
            w: Param::from_tensor(tensor(&values, [5 << 10, 1 << 10], &device)),
            b: Param::from_tensor(tensor(&uniform("b", 4), [4], &device)),
        };
        let loss = (net.w.val() * net.w.val()).sum();
        let mut gradients = Gradients::default();
        gradients.add(loss.backward(), &net);
        let spec: OptimizerSpec = serde_json::from_value(json!({ "type": "lamb" })).unwrap();
        let rates = Rates { lr: 0.01, momentum: None };
        spec.build().unwrap().step(net, gradients, rates).w.val().into_data()
    };
    let first = step();
    for _ in 0..3 {
        assert_eq!(step(), first);
    }
}

#[test]
fn a_restored_optimizer_continues_bit_for_bit() {
    let device = Device::flex().autodiff();
    for case in golden("optimizers")["cases"].as_array().unwrap() {
        let rates = Rates { lr: 0.01, momentum: None };
        let (mut net, mut first) = (Net::new(&device), optimizer(case));
        for step in 0..3 {
            let gradients = net.gradients(step, &device);
            net = first.step(net, gradients, rates);
        }
        let names = [(net.w.id, "w"), (net.b.id, "b")];
        let mut second = optimizer(case);
        let dimensions = [(net.w.id, "w", 2), (net.b.id, "b", 1)];
        second.restore(first.save(names), dimensions, &Device::flex()).unwrap();
        let (one, other) = (net.gradients(3, &device), net.gradients(3, &device));
        let uninterrupted = first.step(net.clone(), one, rates);
        let resumed = second.step(net, other, rates);
        assert_eq!(uninterrupted.w.val().into_data(), resumed.w.val().into_data());
        assert_eq!(first.save(names), second.save(names));
    }
}

#[test]
fn state_of_another_model_is_refused() {
    let device = Device::flex().autodiff();
    let net = Net::new(&device);
    let case = &golden("optimizers")["cases"][0];
    let mut trained = optimizer(case);
    let gradients = net.gradients(0, &device);
    let net = trained.step(net, gradients, Rates { lr: 0.01, momentum: None });
    let saved = trained.save([(net.w.id, "w")]);
    let error = optimizer(case).restore(saved, [(net.b.id, "b", 1)], &Device::flex()).unwrap_err();
    assert_eq!(error.to_string(), "optimizer state of `w`: no such parameter in the model");
}

#[test]
fn schedules_match_torch_at_every_step() {
    for case in golden("schedules")["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let rates = numbers(&case["lr"]);
        let options = &case["options"];
        let timeline = Timeline { steps_per_epoch: 10, total_steps: rates.len() as u64 };
        let spec = |value: Value| serde_json::from_value::<ScheduleSpec>(value).unwrap();
        let schedule = match case["schedule"].as_str().unwrap() {
            "OneCycleLR" => spec(json!({
                "type": "one_cycle", "max_lr": options["max_lr"], "pct_start": options["pct_start"],
                "anneal": options["anneal_strategy"], "div_factor": options["div_factor"],
                "final_div_factor": options["final_div_factor"],
                "three_phase": options["three_phase"],
            }))
            .build(timeline),
            "CosineAnnealingLR" => spec(json!({
                "type": "cosine_annealing", "lr": rates[0], "eta_min": options["eta_min"],
                "t_max": { "steps": options["T_max"] },
            }))
            .build(timeline),
            "SequentialLR" => {
                let cosine = spec(json!({ "type": "cosine_annealing", "lr": rates[10] }));
                let (span, curve) = (Span::Steps(10), WarmupCurve::Linear);
                let warmup = Warmup { span, start_factor: 0.01, curve };
                cosine
                    .build(warmup.rest(timeline).unwrap())
                    .and_then(|next| warmup.before(next, timeline))
            }
            "spec" => {
                let mut settings = case["spec"].clone();
                match settings.as_object_mut().unwrap().remove("warmup") {
                    None => spec(settings).build(timeline),
                    Some(warmup) => {
                        let warmup: Warmup = serde_json::from_value(warmup).unwrap();
                        let next = spec(settings).build(warmup.rest(timeline).unwrap()).unwrap();
                        warmup.before(next, timeline)
                    }
                }
            }
            _ => spec(json!({ "type": "constant", "lr": rates[0] })).build(timeline),
        }
        .unwrap();
        for (step, expected) in rates.iter().enumerate() {
            let ours = schedule.at(step as u64);
            // Torch computes some of these recursively: rounding in f64, relative to the largest rate.
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs().max(rates[0]);
            assert!(close(ours.lr, *expected), "{name}: step {step}: {} not {expected}", ours.lr);
            if let Some(momenta) = case.get("momentum") {
                let expected = momenta[step].as_f64().unwrap();
                let ours = ours.momentum.unwrap();
                assert!(
                    (ours - expected).abs() < 1e-12,
                    "{name}: step {step}: {ours} not {expected}"
                );
            }
        }
    }
}

#[test]
fn schedules_that_make_no_sense_are_refused() {
    let timeline = Timeline { steps_per_epoch: 10, total_steps: 60 };
    let check = |spec: Value, expect: &str| {
        let error = serde_json::from_value::<ScheduleSpec>(spec).unwrap().build(timeline);
        assert_eq!(error.unwrap_err().to_string(), expect);
    };
    check(
        json!({ "type": "step", "lr": 0.1, "step_size": { "steps": 0 } }),
        "step_size must be at least one step, found 0",
    );
    check(
        json!({ "type": "multi_step", "lr": 0.1, "milestones": [{ "steps": 9 }, { "steps": 9 }] }),
        "milestones must be in rising order, found steps [9, 9]",
    );
    check(
        json!({ "type": "multi_step", "lr": 0.1, "milestones": [{ "epochs": 6 }] }),
        "milestones must be before the stage's end, found step 60 of 60",
    );
    check(
        json!({ "type": "exponential", "lr": 0.1, "gamma": 0.0 }),
        "gamma must be above 0, found 0",
    );
    check(
        json!({ "type": "flat_cosine", "lr": 0.1, "flat": { "epochs": 6 } }),
        "flat must be shorter than the stage, found 60 of 60 steps",
    );
    check(
        json!({ "type": "warmup_stable_decay", "lr": 0.1, "decay_for": { "epochs": 7 } }),
        "decay_for must be at least a step and no longer than what the warm-up leaves of the stage, found 70 of 60 \
         steps",
    );
    check(
        json!({ "type": "cyclic", "base_lr": 0.1, "max_lr": 0.01, "step_size_up": { "steps": 3 } }),
        "max_lr must be at least base_lr, found 0.01",
    );
    check(
        json!({ "type": "piecewise", "points": [] }),
        "points must be at least one, in rising order, found steps []",
    );
    check(
        json!({ "type": "piecewise", "points": [{ "at": { "epochs": 6.1 }, "lr": 0.1 }] }),
        "points must be within the stage, found steps [61]",
    );
    let constant = json!({ "type": "constant", "lr": 0.1 });
    check(
        json!({ "type": "sequence", "parts": [
            { "schedule": constant, "run_for": { "epochs": 6 } }, { "schedule": constant },
        ] }),
        "run_for must be at least one step and within the stage, found 0 steps from 60 in part 1, of 60",
    );
    let plateau = json!({ "type": "plateau", "lr": 0.1 });
    check(
        json!({ "type": "sequence", "parts": [{ "schedule": plateau }] }),
        "schedule must be a function of the step, found plateau in part 0",
    );
    check(
        json!({ "type": "plateau", "lr": 0.1, "factor": 1.0 }),
        "factor must be above 0 and below 1, found 1",
    );
    check(
        json!({ "type": "sequence", "parts": [{ "schedule": constant }, { "schedule": constant }] }),
        "run_for must be given for all parts but the last, which runs to the stage's end, found part 0",
    );
}

/// Three parameters of the reference, with one, two and four dimensions.
#[derive(Module, Debug)]
struct Three {
    g0: Param<Tensor<2>>,
    g1: Param<Tensor<1>>,
    g2: Param<Tensor<4>>,
}

impl Three {
    /// Parameters of the values that `of` gives for their names.
    fn new(of: impl Fn(&str, usize) -> Vec<f64>, device: &Device) -> Self {
        Self {
            g0: Param::from_tensor(tensor(&of("g0", 12), [3, 4], device)),
            g1: Param::from_tensor(tensor(&of("g1", 7), [7], device)),
            g2: Param::from_tensor(tensor(&of("g2", 54), [2, 3, 3, 3], device)),
        }
    }

    /// The gradients of the loss that is the sum of the parameters times the values that `of` gives.
    fn gradients(&self, of: impl Fn(&str, usize) -> Vec<f64>, device: &Device) -> Gradients {
        let loss = (self.g0.val() * tensor(&of("g0", 12), [3, 4], device)).sum()
            + (self.g1.val() * tensor(&of("g1", 7), [7], device)).sum()
            + (self.g2.val() * tensor(&of("g2", 54), [2, 3, 3, 3], device)).sum();
        let mut gradients = Gradients::default();
        gradients.add(loss.backward(), self);
        gradients
    }

    /// The gradients, by a step of plain SGD at rate 1.
    fn shown(&self, gradients: Gradients) -> [Vec<f64>; 3] {
        let sgd: OptimizerSpec = serde_json::from_value(json!({ "type": "sgd" })).unwrap();
        let rates = Rates { lr: 1.0, momentum: None };
        let moved = sgd.build().unwrap().step(self.clone(), gradients, rates);
        let values = |net: &Self| {
            let g0 = net.g0.val().into_data().iter::<f64>().collect::<Vec<_>>();
            [
                g0,
                net.g1.val().into_data().iter().collect(),
                net.g2.val().into_data().iter().collect(),
            ]
        };
        let (before, after) = (values(self), values(&moved));
        std::array::from_fn(|i| before[i].iter().zip(&after[i]).map(|(b, a)| b - a).collect())
    }
}

/// Differences of numbers near 1 are rounded at 1's precision.
fn assert_gradients(what: &str, ours: &[Vec<f64>; 3], theirs: &Value) {
    for (name, ours) in ["g0", "g1", "g2"].iter().zip(ours) {
        for (ours, theirs) in ours.iter().zip(numbers(&theirs[name])) {
            assert!((ours - theirs).abs() <= 2e-7, "{what}: {name}: {ours}, not {theirs}");
        }
    }
}

#[test]
fn clipping_matches_torch() {
    let device = Device::flex().autodiff();
    for case in golden("clip")["cases"].as_array().unwrap() {
        let scale = case["scale"].as_f64().unwrap();
        let values = |name: &str, count| -> Vec<f64> {
            uniform(name, count).iter().map(|value| value * scale).collect()
        };
        let net = Three::new(|_, count| vec![1.0; count], &device);
        let mut gradients = net.gradients(values, &device);
        let norm = gradients.global_norm().unwrap();
        let expected = case["f64"]["total_norm"].as_f64().unwrap();
        assert!((norm - expected).abs() <= 1e-6 * expected, "{norm}, torch has {expected}");
        gradients.scale(Gradients::clip_factor(norm, case["max_norm"].as_f64().unwrap()));
        assert_gradients("by norm", &net.shown(gradients), &case["f32"]["clipped"]);
    }
}

#[test]
fn other_bounds_and_l2_sp_match_their_references() {
    let device = Device::flex().autodiff();
    let golden = golden("clip");
    let weights = |name: &str, count| -> Vec<f64> {
        let mut values = uniform(&format!("w.{name}"), count);
        // The first output's weights are next to nothing.
        let small = [("g0", 4), ("g2", 27)].into_iter().find(|(of, _)| *of == name);
        values.iter_mut().take(small.map_or(0, |(_, few)| few)).for_each(|value| *value *= 1e-6);
        values
    };
    let net = Three::new(weights, &device);
    let check = |what: &str, change: &dyn Fn(&mut Gradients)| {
        let mut gradients = net.gradients(uniform, &device);
        change(&mut gradients);
        assert_gradients(what, &net.shown(gradients), &golden["others"][what]);
    };
    check("value", &|gradients| gradients.clip_values(0.3));
    let adaptive = AdaptiveClip { factor: 0.5, eps: 1e-3 };
    check("adaptive", &|gradients| adaptive.apply(&net, gradients, |_| false));
    let start = |name: &str, count| uniform(&format!("start.{name}"), count);
    // The same parameters, elsewhere: what a fine-tuned network once was.
    let at_start = Three::new(start, &device);
    let start = Three {
        g0: net.g0.clone().map(|_| at_start.g0.val()),
        g1: net.g1.clone().map(|_| at_start.g1.val()),
        g2: net.g2.clone().map(|_| at_start.g2.val()),
    };
    let anchor = Anchor::new(L2Sp { alpha: 0.1, beta: 0.01 }, &start, |id| id == net.g1.id);
    check("l2_sp", &|gradients| anchor.pull(&net, gradients));
    // Spared parameters keep their gradients.
    let mut gradients = net.gradients(uniform, &device);
    adaptive.apply(&net, &mut gradients, |_| true);
    let untouched = net.shown(net.gradients(uniform, &device));
    assert_eq!(net.shown(gradients), untouched);
}

#[test]
fn plateaus_match_torch_after_every_epoch() {
    for case in golden("schedules")["plateaus"].as_array().unwrap() {
        let spec: ScheduleSpec = serde_json::from_value(case["spec"].clone()).unwrap();
        let timeline = Timeline { steps_per_epoch: 10, total_steps: 600 };
        let first = spec.build(timeline).unwrap().at(599).lr;
        let plateau = spec.as_plateau().unwrap();
        let mut state = PlateauState::default();
        let measures = case["measures"].as_array().unwrap();
        for (epoch, (measure, lr)) in measures.iter().zip(numbers(&case["lr"])).enumerate() {
            plateau.observe(&mut state, measure.as_f64().unwrap_or(f64::NAN));
            let ours = first * plateau.factor(&state);
            let spec = &case["spec"];
            assert!((ours - lr).abs() <= 1e-15, "{spec}: epoch {epoch}: {ours}, torch has {lr}");
        }
        assert!(plateau.factor(&state) < 1.0, "{} never reduces", case["spec"]);
    }
}

//! Every sample once, in an order that does not depend on where the run was interrupted.

use kiln_data::{BatchPlan, BatchShape, epoch_order};
use proptest::prelude::*;

fn shapes() -> impl Strategy<Value = BatchShape> {
    (1_u32..9, 1_u32..5, any::<bool>())
        .prop_map(|(micro, accumulate, drop)| BatchShape::new(micro, accumulate, drop).unwrap())
}

fn batches(plan: &BatchPlan) -> Vec<Vec<u32>> {
    plan.batches().map(<[u32]>::to_vec).collect()
}

proptest! {
    #[test]
    fn an_epoch_is_a_permutation(seed: u64, epoch in 0_u64..1000, n in 0_u32..300) {
        let mut order = epoch_order(seed, epoch, n);
        prop_assert_eq!(&order, &epoch_order(seed, epoch, n));
        order.sort_unstable();
        prop_assert_eq!(order, (0..n).collect::<Vec<_>>());
    }

    #[test]
    fn a_plan_is_the_order_cut_into_batches(seed: u64, n in 0_u32..200, shape in shapes()) {
        let plan = BatchPlan::training(seed, 3, n, shape, 0);
        let order = epoch_order(seed, 3, n);
        let kept = plan.samples().len();
        prop_assert_eq!(plan.samples(), &order[..kept]);
        let lost = u64::from(n) - kept as u64;
        let most = if shape.drop_last() { shape.effective() - 1 } else { 0 };
        prop_assert!(lost <= most);
        prop_assert_eq!(batches(&plan).concat(), plan.samples());
        prop_assert_eq!(batches(&plan).len(), plan.len());
        let steps = plan.len().div_ceil(shape.accumulate() as usize) as u64;
        prop_assert_eq!(steps, shape.steps_per_epoch(n));
        for batch in 0..plan.len() {
            prop_assert_eq!(plan.batch(batch), &batches(&plan)[batch]);
        }
    }

    #[test]
    fn resuming_gives_the_tail(seed: u64, n in 0_u32..200, shape in shapes(), step in 0_u64..60) {
        let full = BatchPlan::training(seed, 1, n, shape, 0);
        let rest = BatchPlan::training(seed, 1, n, shape, step);
        let first = full.len().min(usize::try_from(step).unwrap() * shape.accumulate() as usize);
        prop_assert_eq!(batches(&rest), &batches(&full)[first..]);
    }

    #[test]
    fn accumulation_makes_the_steps_of_one_large_batch(
        n in 0_u32..200,
        micro in 1_u32..9,
        accumulate in 1_u32..5,
        drop_last: bool,
    ) {
        let small = BatchShape::new(micro, accumulate, drop_last).unwrap();
        let large = BatchShape::new(micro * accumulate, 1, drop_last).unwrap();
        let small = BatchPlan::training(5, 0, n, small, 0);
        let large = BatchPlan::training(5, 0, n, large, 0);
        prop_assert_eq!(small.samples(), large.samples());
        let steps: Vec<Vec<u32>> =
            batches(&small).chunks(accumulate as usize).map(<[Vec<u32>]>::concat).collect();
        prop_assert_eq!(steps, batches(&large));
    }

    #[test]
    fn evaluation_sees_every_sample_in_order(n in 0_u32..100, micro in 0_u32..9) {
        let plan = BatchPlan::evaluation(0..n, micro);
        prop_assert_eq!(batches(&plan).concat(), (0..n).collect::<Vec<_>>());
        prop_assert!(plan.batches().all(|batch| batch.len() <= micro.max(1) as usize));
    }
}

#[test]
fn the_order_is_pinned() {
    assert_eq!(epoch_order(42, 0, 8), [5, 0, 4, 6, 7, 1, 2, 3]);
    assert_eq!(epoch_order(42, 1, 8), [3, 1, 0, 7, 5, 2, 6, 4]);
}
